/* SPDX-License-Identifier: GPL-2.0-or-later */
/* args_rig.h - a configuration, and QEMU's argument vector made of it. */
#ifndef ARGS_RIG_H
#define ARGS_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "dm/qemu_args.h"

struct args_rig {
    libxl_logger logger; /* first */
    libxl_ctx *ctx;
    libxl__gc gc;
    libxl_domain_config c;
    struct libxl__qemu_runtime rt;
    char log[1024]; /* the last message */
    yajl_val trees[8];
    unsigned nr_trees;
};

int args_rig_open(void **state);
int args_rig_close(void **state);

/* NULL: refused, r->log says why. */
char **args_make(struct args_rig *r);
/* The n-th value of option (from 0); NULL: there are fewer. */
const char *args_value(char **argv, const char *option, unsigned n);
bool args_has(char **argv, const char *arg);
/* The same as JSON, freed with the rig. */
yajl_val args_json(struct args_rig *r, char **argv, const char *option,
                   unsigned n);
/* Some value of option holds text. */
bool args_any(char **argv, const char *option, const char *text);

libxl_device_disk *args_disk(struct args_rig *r, const char *vdev,
                             const char *path);

#endif
