/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* helper_spawn.c - start a save helper (operation). */
#include "helper/helper_spawn.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/paths.h"

static const char *const hv_names[] = {
    [LIBXL__HW_HV_FAKE] = "fake",
    [LIBXL__HW_HV_QEMU] = "qemu",
    [LIBXL__HW_HV_XEN] = "xen",
    [LIBXL__HW_HV_FAKE_XEN] = "fake-xen",
};
#define NR_HVS (sizeof(hv_names) / sizeof(hv_names[0]))

static uint32_t hv_number(const char *name)
{
    uint32_t hv = 0;

    while (hv < NR_HVS && strcmp(hv_names[hv], name))
        hv++;
    assert(hv < NR_HVS);
    return hv;
}

/* The child's descriptors by their fixed numbers; -1: not there. */
static void fds_of(const libxl__save_helper *sh, int control,
                   int fds[LIBXL__HW_NR_FDS])
{
    const struct libxl__helper_guest *g = sh->guest;

    fds[LIBXL__HW_FD_CONTROL] = control;
    fds[STDOUT_FILENO] = -1;
    fds[STDERR_FILENO] = fcntl(STDERR_FILENO, F_GETFD) < 0 ? -1 : STDERR_FILENO;
    fds[LIBXL__HW_FD_STREAM] = sh->stream_fd;
    fds[LIBXL__HW_FD_MEMORY] = g->memory_fd;
    fds[LIBXL__HW_FD_PAGEMAP] = g->pagemap_fd;
    fds[LIBXL__HW_FD_UFFD] = g->uffd;
    fds[LIBXL__HW_FD_CLEAR_REFS] = g->clear_refs_fd;
    fds[LIBXL__HW_FD_DEV_LOG] = g->dev_log_fd;
}

static void set_precopy(struct libxl__hw_setup *setup,
                        const libxl_precopy_how *how)
{
    if (!how)
        return;
    setup->max_downtime_ms = how->max_downtime_ms;
    setup->max_iters = how->max_iters;
    setup->min_remaining_pages = how->min_remaining_pages;
    setup->abort_if_busy = how->abort_if_busy;
    setup->bandwidth_bps = how->bandwidth_bps;
    setup->timeout_ms = how->timeout_ms;
    setup->zero_as_xalloc |= how->zero_as_xalloc;
}

static int send_setup(const libxl__save_helper *sh, int control_fd,
                      const int fds[LIBXL__HW_NR_FDS])
{
    struct libxl__hw_msg msg = {
        .number = LIBXL__HW_SETUP,
        .u.setup =
            {
                .version = LIBXL__HW_VERSION,
                .hv = hv_number(sh->guest->hv),
                .restore = sh->restore,
                .domid = sh->domid,
                .memory_bytes = sh->guest->memory_bytes,
                .qemu_va = sh->guest->qemu_va,
                .qemu_pid = sh->guest->qemu_pid,
                .parent_pid = getpid(),
                .live = !!(sh->flags & LIBXL_SUSPEND_LIVE),
                .store_port = sh->guest->store_port,
                .console_port = sh->guest->console_port,
                .verify = !!(sh->flags & LIBXL_SUSPEND_DEBUG),
                .zero_as_xalloc = sh->zero_as_xalloc,
                .by_reference = sh->by_reference,
                .leave_log = sh->leave_log,
                .rest_ms = sh->rest_ms,
            },
    };

    for (unsigned fd = LIBXL__HW_FD_STREAM; fd < LIBXL__HW_NR_FDS; fd++)
        if (fds[fd] >= 0)
            msg.u.setup.fds |= 1u << fd;
    set_precopy(&msg.u.setup, sh->precopy);
    return libxl__helper_tell(control_fd, &msg);
}

int libxl__helper_tell(int control_fd, const struct libxl__hw_msg *msg)
{
    uint8_t frame[LIBXL__HW_FRAME_MAX];
    size_t n = libxl__hw_encode(msg, frame);
    ssize_t r = send(control_fd, frame, n, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (r < 0)
        return -errno;
    return (size_t)r == n ? 0 : -EIO;
}

static int spawn_with(libxl__save_helper *sh, libxl__ev_child *child,
                      libxl__ev_child_callback *died,
                      const int fds[LIBXL__HW_NR_FDS])
{
    libxl_ctx *ctx = libxl__ao_ctx(sh->ao);
    libxl__gc *gc = libxl__ao_gc(sh->ao);
    /* For ps alone: what matters travels in SETUP. */
    const char *argv[] = {
        libxl__libexec_path(gc, "xl-save-helper"),
        sh->restore ? "--restore" : "--save",
        libxl__sprintf(gc, "%u", sh->domid),
        NULL,
    };
    struct libxl__spawn_params params = {
        .argv = argv,
        .fds = fds,
        .nr_fds = LIBXL__HW_NR_FDS,
    };

    if (!argv[0] || !argv[2])
        return ERROR_NOMEM;
    return libxl__ev_child_spawn(ctx, child, died, &params);
}

int libxl__helper_spawn(libxl__save_helper *sh, libxl__ev_child *child,
                        libxl__ev_child_callback *died, int *control_fd)
{
    libxl_ctx *ctx = libxl__ao_ctx(sh->ao);
    int pair[2], fds[LIBXL__HW_NR_FDS];
    int rc, r;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
        LOGED(ctx, sh->domid, ERROR, errno,
              "cannot make a socket for the save helper");
        return ERROR_FAIL;
    }
    fds_of(sh, pair[1], fds);
    r = send_setup(sh, pair[0], fds);
    if (r) {
        LOGED(ctx, sh->domid, ERROR, -r, "cannot talk to the save helper");
        rc = ERROR_FAIL;
    } else {
        rc = spawn_with(sh, child, died, fds);
    }
    close(pair[1]);
    if (rc)
        close(pair[0]);
    else
        *control_fd = pair[0];
    return rc;
}
