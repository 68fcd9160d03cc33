/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xl_device.h - what the commands for disks and for interfaces share.
 *
 * Errors: false, or NULL: said why.
 */
#ifndef XL_DEVICE_H
#define XL_DEVICE_H

#include <yajl/yajl_gen.h>

#include "xl.h"

/* The arguments as one specification, comma between them; malloc'ed. */
char *xl_device_spec(struct xl *xl, char **argv, int n);
/* -f, --force */
bool xl_device_force(struct xl *xl, int argc, char **argv, bool *force,
                     int *exit_code);

/* ---- lists: a table, or with --json an array ---- */

struct xl_device_list {
    yajl_gen gen; /* NULL: a table */
    bool ok;
};
/* Shows the devices of each domain that the arguments name. */
int xl_device_lists(struct xl *xl, int argc, char **argv, const char *header,
                    bool (*show)(struct xl *xl, uint32_t domid,
                                 struct xl_device_list *list));
void xl_device_json_text(struct xl_device_list *l, const char *key,
                         const char *text);
void xl_device_json_int(struct xl_device_list *l, const char *key, int value);
void xl_device_json_open(struct xl_device_list *l);
void xl_device_json_close(struct xl_device_list *l);

#endif
