/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_dev_log.h - pages that device processes have written to: one bitmap of the
 * guest's memory file, shared by all devices of a guest, which set its bits
 * while we clear them. userfaultfd and soft-dirty bits do not see them.
 *
 * Owns:      the mapping; the fd stays the caller's.
 * Errors:    0, or negative errno.
 */
#ifndef XC_DEV_LOG_H
#define XC_DEV_LOG_H

#include "base/xc_bitmap.h"

struct xc_dev_log {
    uint64_t *words; /* NULL: the guest has no such device */
    uint64_t nr_words;
};

/* fd -1: no such device. The file has a bit for each page. */
int xc_dev_log_open(struct xc_dev_log *log, int fd, uint64_t nr_pfns);
void xc_dev_log_close(struct xc_dev_log *log);
/* ORs what is set into 'into' (NULL: forgets it), and clears it. */
void xc_dev_log_take(struct xc_dev_log *log, struct xc_bitmap *into);

#endif
