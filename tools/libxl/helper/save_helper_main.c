/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * save_helper_main.c - CHILD PROCESS: runs one xc_sr_save or xc_sr_restore.
 *
 * Owns the fds that its parent gave it, by fixed numbers, and nothing else:
 *
 *   SETUP -> close what it does not say -> arm SIGTERM -> attach -> sandbox
 *         -> xc_sr_save | xc_sr_restore (callbacks go to the parent)
 *         -> RESULTS (when it went well) -> COMPLETE -> exit 0
 *
 * The only file of libxl that includes libxc's headers.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/plugin.h"
#include "helper/child_cancel.h"
#include "helper/child_channel.h"
#include "helper/child_sandbox.h"
#include "helper/helper_wire.h"
#include "hv/xc_hv_xen.h"
#include "stream/xc_sr.h"

#define MIB (1ull << 20)
/* Bitmaps and dirty tracking grow with the guest: what they need of guests
 * beyond 4 GiB comes on top. */
#define DATA_BYTES (32 * MIB)
#define DATA_FREE_GUEST (4096 * MIB)
#define DATA_PER_PAGE 16
#define FAKE_SEED 20
#define FAKE_SEED_PFNS 4096 /* a Xen guest's PFNs reach far */
#define FAKE_DIRTYING 3

/* ---- callbacks: libxc -> parent ---- */

static void send_log(void *data, enum xc_log_level level, int errnoval,
                     const char *text)
{
    struct libxl__hw_msg msg = {.number = LIBXL__HW_LOG};

    msg.u.log.level = (uint32_t)level;
    msg.u.log.errnoval = errnoval;
    libxl__hw_set_text(&msg.u.log.text, text);
    /* A parent that is gone is noticed by the next request. */
    (void)child_channel_send(&msg);
}

static void send_progress(void *data, const struct xc_sr_progress *p)
{
    struct libxl__hw_msg msg = {
        .number = LIBXL__HW_PROGRESS,
        .u.progress =
            {
                .pass = p->pass,
                .finished = p->finished,
                .downtime_estimate_ms = p->downtime_estimate_ms,
                .done_pages = p->done_pages,
                .total_pages = p->total_pages,
                .bytes = p->bytes,
                .rate_bps = p->rate_bps,
                .dirty_pages_per_s = p->dirty_pages_per_s,
            },
    };

    (void)child_channel_send(&msg);
}

static int ask_suspend(void *data)
{
    struct libxl__hw_msg msg = {.number = LIBXL__HW_SUSPEND};

    return child_channel_call(&msg);
}

static int ask_logdirty(void *data, bool enable)
{
    struct libxl__hw_msg msg = {.number = LIBXL__HW_SWITCH_DM_LOGDIRTY};

    msg.u.logdirty.enable = enable;
    return child_channel_call(&msg);
}

static int ask_static_data_done(void *data, unsigned missing)
{
    struct libxl__hw_msg msg = {.number = LIBXL__HW_STATIC_DATA_DONE};

    msg.u.static_data.missing = missing;
    return child_channel_call(&msg);
}

static bool takes_xalloc(void *data)
{
    return child_channel_takes_xalloc();
}

static bool is_cancelled(void *data)
{
    return child_cancel_asked();
}

static const struct xc_sr_callbacks callbacks = {
    .log = send_log,
    .progress = send_progress,
    .suspend = ask_suspend,
    .switch_dm_logdirty = ask_logdirty,
    .static_data_done = ask_static_data_done,
    .takes_xalloc = takes_xalloc,
    .cancelled = is_cancelled,
};

/* ---- the operation ---- */

static void send_results(xc_pfn_t store, xc_pfn_t console,
                         const struct xc_sr_stats *stats)
{
    struct libxl__hw_msg msg = {
        .number = LIBXL__HW_RESULTS,
        .u.results =
            {
                .store_pfn = store,
                .console_pfn = console,
                .bytes = stats->bytes,
                .data_pages = stats->data_pages,
                .zero_pages = stats->zero_pages,
                .passes = stats->passes,
            },
    };

    (void)child_channel_send(&msg);
}

/* The stream is the parent's again: it waits for nothing that is left here. */
static void stream_written(void *data, const struct xc_sr_stats *stats)
{
    send_results(XC_INVALID_PFN, XC_INVALID_PFN, stats);
}

static int run_save(const struct libxl__hw_setup *setup, struct xc_hv *hv)
{
    struct xc_sr_save_params p = {
        .hv = hv,
        .fd = LIBXL__HW_FD_STREAM,
        .live = setup->live,
        .verify = setup->verify,
        .zero_as_xalloc = setup->zero_as_xalloc,
        .by_reference = setup->by_reference,
        .leave_log = setup->leave_log,
        .precopy =
            {
                .max_downtime_ms = setup->max_downtime_ms,
                .max_iters = setup->max_iters,
                .min_remaining_pages = setup->min_remaining_pages,
                .abort_if_busy = setup->abort_if_busy,
                .bandwidth_bps = setup->bandwidth_bps,
                .timeout_ms = setup->timeout_ms,
                .rest_ms = setup->rest_ms,
            },
        .cb = callbacks,
    };
    struct xc_sr_stats stats = {0};

    p.cb.written = stream_written;
    return xc_sr_save(&p, &stats);
}

static int run_restore(struct xc_hv *hv)
{
    struct xc_sr_restore_params p = {
        .hv = hv,
        .fd = LIBXL__HW_FD_STREAM,
        .cb = callbacks,
    };
    struct xc_sr_restore_result result = {0};
    int r = xc_sr_restore(&p, &result);

    if (!r)
        send_results(result.store_pfn, result.console_pfn, &result.stats);
    return r;
}

/* ---- attaching to the guest ---- */

/* The fd, or -1 when SETUP does not name it. */
static int fd_of(const struct libxl__hw_setup *setup, enum libxl__hw_fd fd)
{
    return setup->fds & 1u << fd ? (int)fd : -1;
}

/* A guest for tests: of the fd's memory, else of memory made from a seed. */
static int open_fake(const struct libxl__hw_setup *setup, struct xc_hv **hv)
{
    int memory_fd = fd_of(setup, LIBXL__HW_FD_MEMORY);
    struct xc_hv_fake_params fake = {
        .nr_pfns = setup->memory_bytes >> XC_PAGE_SHIFT,
        .type = XC_GUEST_HVM,
        .qemu_host = setup->hv == LIBXL__HW_HV_FAKE,
        .use_memory_fd = memory_fd >= 0,
        .memory_fd = memory_fd,
        .seed = setup->restore || memory_fd >= 0 ? 0 : FAKE_SEED,
        .seed_pfns = FAKE_SEED_PFNS,
        .dirty_per_call = FAKE_DIRTYING,
    };

    return xc_hv_fake_open(&fake, hv);
}

static int open_qemu(const struct libxl__hw_setup *setup, struct xc_hv **hv)
{
    struct xc_hv_qemu_params qemu = {
        .memory_fd = fd_of(setup, LIBXL__HW_FD_MEMORY),
        .memory_bytes = setup->memory_bytes,
        .qemu_pid = setup->qemu_pid,
        .pagemap_fd = fd_of(setup, LIBXL__HW_FD_PAGEMAP),
        .uffd = fd_of(setup, LIBXL__HW_FD_UFFD),
        .qemu_va = setup->qemu_va,
        .clear_refs_fd = fd_of(setup, LIBXL__HW_FD_CLEAR_REFS),
        .dev_log_fd = fd_of(setup, LIBXL__HW_FD_DEV_LOG),
    };

    return xc_hv_qemu_open(&qemu, hv);
}

/* What Xen's libraries need is opened here, before the sandbox. */
static int open_xen(const struct libxl__hw_setup *setup, struct xc_hv **hv)
{
    struct xc_hv_xen_params xen = {
        .domid = setup->domid,
        .restore = setup->restore,
        .store_port = setup->store_port,
        .console_port = setup->console_port,
    };
    const char *why = NULL;
    const void *symbol;
    libxl__gc gc;
    int r;

    libxl__gc_init(&gc, NULL);
    symbol =
        libxl__plugin_symbol(&gc, XC_HV_XEN_PLUGIN, XC_HV_XEN_OPEN, &why);
    if (!symbol)
        send_log(NULL, XC_LOG_ERROR, 0, why);
    r = symbol ? ((xc_hv_xen_open_fn *)symbol)(&xen, hv) : -ENOTSUP;
    libxl__gc_dispose(&gc);
    return r;
}

static int open_hv(const struct libxl__hw_setup *setup, struct xc_hv **hv)
{
    switch (setup->hv) {
    case LIBXL__HW_HV_QEMU:
        return open_qemu(setup, hv);
    case LIBXL__HW_HV_FAKE:
    case LIBXL__HW_HV_FAKE_XEN:
        return open_fake(setup, hv);
    case LIBXL__HW_HV_XEN:
        return open_xen(setup, hv);
    default:
        return -ENOTSUP;
    }
}

static uint64_t data_limit(const struct libxl__hw_setup *setup)
{
    uint64_t above = setup->memory_bytes > DATA_FREE_GUEST
                         ? setup->memory_bytes - DATA_FREE_GUEST
                         : 0;

    if (setup->hv != LIBXL__HW_HV_QEMU)
        return 0; /* a fake guest's memory is our own */
    return DATA_BYTES + (above >> XC_PAGE_SHIFT) * DATA_PER_PAGE;
}

static int failed(const struct libxl__hw_setup *setup, int r, const char *what)
{
    char text[160];

    snprintf(text, sizeof(text), "save helper: cannot %s of domain %u: %s",
             what, setup->domid, strerror(-r));
    send_log(NULL, XC_LOG_ERROR, -r, text);
    return r;
}

static int attach(const struct libxl__hw_setup *setup, struct xc_hv **hv)
{
    int r = open_hv(setup, hv);

    if (r)
        return failed(setup, r, "attach to the memory");
    r = child_sandbox_enter(data_limit(setup),
                            setup->hv == LIBXL__HW_HV_XEN);
    return r ? failed(setup, r, "enter the sandbox for the stream") : 0;
}

/* ---- from SETUP to COMPLETE ---- */

/* Only what SETUP names may stay open. */
static int close_unnamed_fds(const struct libxl__hw_setup *setup)
{
    for (int fd = LIBXL__HW_FD_STREAM; fd < LIBXL__HW_NR_FDS; fd++)
        if (!(setup->fds & 1u << fd))
            close(fd);
    return close_range(LIBXL__HW_NR_FDS, ~0u, 0) ? -errno : 0;
}

static int get_ready(struct libxl__hw_setup *setup)
{
    struct libxl__hw_msg msg;
    int r = child_channel_receive(&msg);

    if (r)
        return r;
    if (msg.number != LIBXL__HW_SETUP ||
        msg.u.setup.version != LIBXL__HW_VERSION)
        return -EPROTO;
    *setup = msg.u.setup;
    r = close_unnamed_fds(setup);
    if (r)
        return r;
    return child_cancel_arm(setup->parent_pid);
}

static int operate(const struct libxl__hw_setup *setup)
{
    struct xc_hv *hv = NULL;
    int r = attach(setup, &hv);

    if (!r)
        r = setup->restore ? run_restore(hv) : run_save(setup, hv);
    /* The guest stands, and its memory is let go when this process ends; to
     * close it would switch the log off. */
    if (r || !setup->leave_log)
        xc_hv_close(hv);
    return r;
}

/* The last to hold a guest's memory: it is freed here, when the toolstack no
 * longer needs it, while nobody waits. */
static int hold(void)
{
    char c;

    (void)setpriority(PRIO_PROCESS, 0, 19);
    while (read(STDIN_FILENO, &c, 1) > 0)
        continue;
    return 0;
}

int main(int argc, char **argv)
{
    struct libxl__hw_setup setup;
    struct libxl__hw_msg done = {.number = LIBXL__HW_COMPLETE};
    int r;

    if (argc == 2 && !strcmp(argv[1], "--try-sandbox"))
        return child_sandbox_enter(DATA_BYTES, false) || child_sandbox_try();
    if (argc == 2 && !strcmp(argv[1], "--hold"))
        return hold();
    r = get_ready(&setup);
    if (r) {
        fprintf(stderr, "%s: not started by the toolstack: %s\n", argv[0],
                strerror(-r));
        return 1;
    }
    done.u.complete.r = operate(&setup);
    return child_channel_send(&done) ? 1 : 0;
}
