/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_sr.h - write and read the libxc v3 stream (docs/specs/libxc-stream.md).
 *
 * Owns:      nothing of the caller's: hv and fd stay the caller's.
 * Thread:    blocks; one thread.
 * Errors:    0, or negative errno with the reason reported through the log
 *            callback (once, where its cause is known: layer, record, offset,
 *            rule). -EPROTO: the stream broke a rule. -EPIPE/-ENODATA: it
 *            ended early.
 * Lifetime:  after a failed save the dirty log is off and the guest is as the
 *            callbacks left it; after a failed restore the caller destroys the
 *            half-filled domain.
 */
#ifndef XC_SR_H
#define XC_SR_H

#include "hv/xc_hv.h"

enum xc_log_level { XC_LOG_DEBUG, XC_LOG_INFO, XC_LOG_WARN, XC_LOG_ERROR };

struct xc_sr_progress {
    unsigned pass;
    uint64_t done_pages, total_pages; /* of this pass */
    uint64_t bytes;                   /* on the stream so far */
    uint64_t rate_bps;
    uint64_t dirty_pages_per_s;
    uint32_t downtime_estimate_ms;
    bool finished;
};

struct xc_sr_stats {
    uint64_t bytes, data_pages, zero_pages, passes;
};

struct xc_sr_callbacks {
    void *data;
    void (*log)(void *data, enum xc_log_level level, int errnoval,
                const char *text);
    void (*progress)(void *data, const struct xc_sr_progress *p);
    /* save: stop the guest. 0, or negative errno. */
    int (*suspend)(void *data);
    /* save: device model's own dirty log on or off. */
    int (*switch_dm_logdirty)(void *data, bool enable);
    /* restore: all static data are in. missing: bit 0 CPUID, bit 1 MSR. */
    int (*static_data_done)(void *data, unsigned missing);
    /* save, may be NULL: the stream is whole, fd is not touched again; what
     * follows is the guest's dirty log. Only where the save goes well. */
    void (*written)(void *data, const struct xc_sr_stats *stats);
    /* save: the reader has turned out to be ours; asked before each batch
     * until it says so. Optional. */
    bool (*takes_xalloc)(void *data);
    /* non-zero: stop with -ECANCELED at the next page batch */
    bool (*cancelled)(void *data);
};

struct xc_sr_precopy_knobs { /* 0: default */
    uint32_t max_downtime_ms, max_iters, min_remaining_pages;
    bool abort_if_busy;
    uint64_t bandwidth_bps;
    uint32_t timeout_ms;
    uint32_t rest_ms; /* how long a stop takes besides its memory */
};

struct xc_sr_save_params {
    struct xc_hv *hv;
    int fd;
    bool live;
    bool verify;         /* xl's --debug: VERIFY, then every page once more */
    bool zero_as_xalloc; /* the reader is known to be ours (or QEMU host) */
    /* What the reader has counts only once it says that it has all: into a pipe
     * pages may go as they are, without a copy, and may change on the way. */
    bool by_reference;
    /* The guest is not to run on behind a save that went well: its log is left
     * on, because switching it off takes as long as its memory is large. */
    bool leave_log;
    struct xc_sr_precopy_knobs precopy;
    struct xc_sr_callbacks cb;
};

/* What precedes the first PAGE_DATA of a QEMU host's stream: whoever pads what
 * stands before the stream makes the sum a multiple of 4096, and all pages of a
 * save lie on 4 KiB in the file. */
#define XC_SR_QEMU_PROLOGUE_BYTES 48u

int xc_sr_save(const struct xc_sr_save_params *p, struct xc_sr_stats *stats);

struct xc_sr_restore_params {
    struct xc_hv *hv;
    int fd;
    struct xc_sr_callbacks cb;
};
struct xc_sr_restore_result {
    /* As the toolstack names them to the hypervisor: a PV guest's are machine
     * frames. ~0: none */
    xc_pfn_t store_pfn, console_pfn;
    struct xc_sr_stats stats;
};
int xc_sr_restore(const struct xc_sr_restore_params *p,
                  struct xc_sr_restore_result *result);

#endif
