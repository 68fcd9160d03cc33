/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The test guest's memory pattern: each page's content follows from its number
 * and the count of times it was rewritten, so that a page that was lost, mixed
 * up or left at an older state is seen from inside.
 *
 * Owns: one mapping, for the guest's life. Thread: one.
 * Units: pages of 4 KiB. Errors: NULL or -1 and errno.
 */
#ifndef GUEST_PATTERN_H
#define GUEST_PATTERN_H

#include <stdint.h>

struct guest_pattern;

/* Map and fill `pages` pages. `seed` differs from boot to boot. */
struct guest_pattern *guest_pattern_new(uint64_t pages, uint64_t seed);

/* Rewrite the next `count` pages, spread over the whole mapping. */
void guest_pattern_dirty(struct guest_pattern *p, uint64_t count);

/* Compare the next `count` pages, in turn; the number of a wrong page or -1. */
int64_t guest_pattern_check(struct guest_pattern *p, uint64_t count);

uint64_t guest_pattern_pages(const struct guest_pattern *p);

/* The mixing function behind the pattern and the check words. */
uint64_t guest_mix(uint64_t x);

#endif
