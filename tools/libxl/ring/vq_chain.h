/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vq_chain.h - the descriptor chain of one request, checked and turned into
 * pieces of memory. Internal to the ring's core.
 */
#ifndef LIBXL_VQ_CHAIN_H
#define LIBXL_VQ_CHAIN_H

#include "ring/vq.h"

/* NULL, or which rule the chain breaks (a string constant). The queue's parts
 * are mapped; elem->head is the caller's to set. */
const char *libxl__vq_chain_read(const struct libxl__vq *vq, uint16_t head,
                                 struct libxl__vq_elem *elem);

#endif
