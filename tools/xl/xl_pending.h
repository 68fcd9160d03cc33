/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xl_pending.h - parts of the library that arrive with the keeper: weak until
 * then, and asked for by name. */
#ifndef XL_PENDING_H
#define XL_PENDING_H

#include <libxl.h>

#pragma weak libxl_evenable_domain_death
#pragma weak libxl_evdisable_domain_death

#endif
