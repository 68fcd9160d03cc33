/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* agent_budget.c - a bucket that fills with time. */
#include "agent/agent_budget.h"

enum { POINT = 1000, PAUSE_MIN_MS = 500 };

static const int64_t full = (int64_t)LIBXL__AGENT_BUDGET_BURST * POINT;

void libxl__agent_budget_init(struct libxl__agent_budget *b, uint64_t now_ms)
{
    b->thousandths = full;
    b->at_ms = now_ms;
}

static void refill(struct libxl__agent_budget *b, uint64_t now_ms)
{
    uint64_t passed = now_ms - b->at_ms;
    uint64_t enough =
        LIBXL__AGENT_BUDGET_BURST * 1000 / LIBXL__AGENT_BUDGET_PER_S * 100;

    b->at_ms = now_ms;
    if (passed > enough)
        passed = enough; /* a long sleep must not overflow */
    b->thousandths += (int64_t)passed * LIBXL__AGENT_BUDGET_PER_S;
    if (b->thousandths > full)
        b->thousandths = full;
}

void libxl__agent_budget_spend(struct libxl__agent_budget *b, uint64_t now_ms,
                               size_t bytes)
{
    int64_t points = 1 + (int64_t)(bytes / LIBXL__AGENT_BUDGET_POINT_BYTES);

    refill(b, now_ms);
    b->thousandths -= points * POINT;
}

uint32_t libxl__agent_budget_pause_ms(struct libxl__agent_budget *b,
                                      uint64_t now_ms)
{
    int64_t ms;

    refill(b, now_ms);
    if (b->thousandths >= 0)
        return 0;
    ms = -b->thousandths / LIBXL__AGENT_BUDGET_PER_S;
    return ms < PAUSE_MIN_MS ? PAUSE_MIN_MS : (uint32_t)ms;
}
