/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sr_bench.h - fake guests, a log that counts, and streams in files. */
#ifndef SR_BENCH_H
#define SR_BENCH_H

#include <unistd.h>

#include "hv/xc_hv_fake.h"
#include "stream/xc_sr.h"

struct sr_guest {
    xc_pfn_t pages;
    bool qemu_host;
    uint64_t seed;
    uint32_t dirty_per_call;
    unsigned pv_width;  /* 0: not PV */
    uint64_t max_pages; /* that a restore may make; 0: no limit */
};

struct sr_log {
    unsigned errors, warnings;
    char last_error[512], last_warning[512];
    unsigned suspends, dm_log_on, dm_log_off, static_done, missing;
    int suspend_rc, static_rc;
    bool cancel;
    struct xc_sr_progress progress;
    void *guest; /* the test's own */
};

struct xc_hv *sr_guest_new(const struct sr_guest *g);
struct xc_hv *sr_guest_empty(const struct sr_guest *g);
struct xc_sr_save_params sr_save_params(struct xc_hv *hv, int fd,
                                        struct sr_log *log);
struct xc_sr_restore_params sr_restore_params(struct xc_hv *hv, int fd,
                                              struct sr_log *log);
int sr_temp_file(void); /* a regular file without a name */
void sr_rewind(int fd);
/* Memory, and all blobs. */
void sr_assert_same_guest(struct xc_hv *a, struct xc_hv *b);

#endif
