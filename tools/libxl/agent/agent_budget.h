/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * agent_budget.h - how much of what nobody asked for is read.
 *
 * Thread:    any. Pure: the clock comes in.
 * Units:     milliseconds; points.
 */
#ifndef LIBXL_AGENT_BUDGET_H
#define LIBXL_AGENT_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIBXL__AGENT_BUDGET_BURST 400
#define LIBXL__AGENT_BUDGET_PER_S 100
#define LIBXL__AGENT_BUDGET_POINT_BYTES 4096

struct libxl__agent_budget {
    int64_t thousandths; /* of a point; negative: overdrawn */
    uint64_t at_ms;
};

void libxl__agent_budget_init(struct libxl__agent_budget *b, uint64_t now_ms);
/* One point, and one more for each 4 KiB. */
void libxl__agent_budget_spend(struct libxl__agent_budget *b, uint64_t now_ms,
                               size_t bytes);
/* 0: go on. Else pause for so long. */
uint32_t libxl__agent_budget_pause_ms(struct libxl__agent_budget *b,
                                      uint64_t now_ms);

#endif
