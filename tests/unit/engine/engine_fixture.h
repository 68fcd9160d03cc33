/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_fixture.h - a ctx for a test, and an ao to play with.
 *
 * fixture_setup opens a ctx whose logger counts messages; fixture_teardown
 * frees it and checks that no fd was left behind.
 */
#ifndef ENGINE_FIXTURE_H
#define ENGINE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/engine.h"

struct fixture {
    libxl_ctx *ctx;
    libxl_logger logger;
    unsigned messages;
    char last[512];
    int fds_before;
    /* the ao of fixture_begin */
    libxl__ao *ao;
    libxl_asyncop_how how;
    int completions, rc;
};

int fixture_setup(void **state);
int fixture_teardown(void **state);

/* An asynchronous ao that does nothing until it is completed. */
void fixture_begin(struct fixture *f);
/* Complete it from outside of the loop. */
void fixture_complete(struct fixture *f, int rc);

/* Turn the loop until *flag; fails the test after a generous while. */
void fixture_run_until(struct fixture *f, const int *flag);
/* Turn the loop n times without sleeping. */
void fixture_turn(struct fixture *f, int n);

int fixture_count_fds(void);

#endif
