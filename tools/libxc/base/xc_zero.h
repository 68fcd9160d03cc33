/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_zero.h - is a page all zero?
 *
 * The page may be changing under our eyes: the answer is then about some mix
 * of its states, and the caller's dirty log has the last word.
 */
#ifndef XC_ZERO_H
#define XC_ZERO_H

#include <stdbool.h>

bool xc_page_is_zero(const void *page);

#endif
