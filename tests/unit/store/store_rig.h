/* SPDX-License-Identifier: GPL-2.0-or-later */
/* store_rig.h - a store of files in a directory of its own. */
#ifndef STORE_RIG_H
#define STORE_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/store.h"

struct store_rig {
    libxl_logger logger; /* first */
    libxl_ctx *ctx;
    libxl__store *st;
    char dir[64];
    char log[1024]; /* the last message */
};

int store_rig_open(void **state);
int store_rig_close(void **state);
/* DIR/PATH, valid until the next call */
const char *store_rig_path(struct store_rig *r, const char *path);
/* A new domain with a record "domain", its lock let go. */
uint32_t store_rig_domain(struct store_rig *r);

#endif
