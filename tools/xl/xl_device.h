/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xl_device.h - what the commands for disks and for interfaces share.
 *
 * Errors: an exit code; said why.
 */
#ifndef XL_DEVICE_H
#define XL_DEVICE_H

#include <yajl/yajl_gen.h>

#include "xl.h"

/* DOMAIN and at least least - 1 words, one specification when a comma is put
 * between them; attach says why it fails. */
int xl_device_attach(struct xl *xl, int argc, char **argv, int least,
                     int (*attach)(struct xl *xl, uint32_t domid,
                                   const char *spec));
/* [--force] DOMAIN DEVICE, the same way. */
int xl_device_detach(struct xl *xl, int argc, char **argv,
                     int (*detach)(struct xl *xl, uint32_t domid,
                                   const char *which, bool force));

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
