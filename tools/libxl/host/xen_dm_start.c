/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xen_dm_start.c - chain: spawn -> ask -> asked ... ask -> asked -> answer
 *                                  or died -> answer
 *
 * QEMU is ready when its monitor says that its guest runs, or waits: with state
 * to load it says "inmigrate" before.
 */
#include "host/xen_dm_start.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/container.h"
#include "base/json.h"
#include "base/log.h"
#include "host/xen_dm.h"

#define LOG_DIR "/var/log/xen"
#define READY_MS 60000u
#define ASK_MS 50u
#define STATE_FD 3

struct start {
    libxl__host *h;
    libxl__host_call *call;
    libxl__ev_child child;
    libxl__ev_time again;
    libxl__xen_dm *dm; /* NULL: no question is open */
    uint64_t give_up_ms;
    const char *log;
    bool ready, dead;
};

static void ask(libxl__egc *egc, libxl__ev_time *ev, int rc);
static void asked(libxl__egc *egc, libxl__xen_dm *dm, int rc);
static void died(libxl__egc *egc, libxl__ev_child *ch, pid_t pid, int status);

static struct start *start_of_child(libxl__ev_child *ch)
{
    return CONTAINER_OF(ch, struct start, child);
}

static struct start *start_of_again(libxl__ev_time *ev)
{
    return CONTAINER_OF(ev, struct start, again);
}

const char *libxl__xen_dm_program(libxl__gc *gc,
                                  const libxl_domain_config *config)
{
    static const char *const installed[] = {
        "/usr/libexec/xen-qemu-system-i386",
        "/usr/lib/xen/bin/qemu-system-i386",
        "/usr/local/lib/xen/bin/qemu-system-i386",
        "/usr/bin/qemu-system-i386",
    };
    const char *program = config->b_info.device_model_override;

    for (size_t i = 0; !program && i < sizeof(installed) / sizeof(installed[0]);
         i++)
        if (!access(installed[i], X_OK))
            program = installed[i];
    return program ? program : libxl__xen_program(gc, "qemu-system-i386");
}

/* ---- the process ---- */

static int open_log(struct start *st, libxl__gc *gc, const char *name)
{
    int fd;

    st->log = libxl__sprintf(gc, LOG_DIR "/qemu-dm-%s.log", name);
    fd = st->log
             ? open(st->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640)
             : -1;
    if (fd < 0)
        LOGED(st->h->ctx, st->call->domid, ERROR, errno,
              "no log for the device model");
    return fd;
}

/* Where upstream's libxl looks for it. */
static int note_pid(struct start *st, libxl__gc *gc)
{
    struct libxl__xs_writer w = {
        .xs = &libxl__host_xen_of(st->h)->xs,
        .gc = gc,
        .guest = st->call->domid,
        .base = libxl__sprintf(gc, "/local/domain/%" PRIu32, st->call->domid),
    };

    if (!w.base)
        return ERROR_NOMEM;
    libxl__xs_put(&w, LIBXL__XS_GUEST_READS, "image/device-model-pid", "%ld",
                  (long)st->child.pid);
    return w.rc;
}

static int spawn(struct start *st, libxl__gc *gc,
                 const libxl_domain_config *config, int state_fd)
{
    const char *program = libxl__xen_dm_program(gc, config);
    char **argv;
    int log, rc;

    if (!program) {
        LOGD(st->h->ctx, st->call->domid, ERROR,
             "no QEMU for Xen is installed (qemu-system-xen)");
        return ERROR_FAIL;
    }
    argv = libxl__xen_dm_args(gc, program, st->call->domid, config,
                              state_fd < 0 ? -1 : STATE_FD);
    log = argv ? open_log(st, gc, config->c_info.name) : -1;
    if (log < 0)
        return ERROR_FAIL;
    rc = libxl__ev_child_spawn(st->h->ctx, &st->child, died,
                               &(struct libxl__spawn_params){
                                   .argv = (const char **)argv,
                                   .fds = (const int[]){-1, log, log, state_fd},
                                   .nr_fds = state_fd < 0 ? 3 : 4,
                                   .new_session = true,
                               });
    close(log);
    return rc ? rc : note_pid(st, gc);
}

int libxl__xen_dm_spawn(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                        const libxl_domain_config *config, int state_fd)
{
    libxl__gc *gc = libxl__ao_gc(call->ao);
    struct start *st = libxl__zalloc(gc, sizeof(*st));
    int rc;

    if (!st)
        return ERROR_NOMEM;
    call->state = st;
    st->h = h;
    st->call = call;
    libxl__ev_child_init(&st->child);
    libxl__ev_time_init(&st->again);
    st->give_up_ms = libxl__now_ms(h->ctx) + READY_MS;
    rc = spawn(st, gc, config, state_fd);
    if (!rc)
        rc = libxl__ev_time_register_rel(h->ctx, NULL, &st->again, ask, ASK_MS);
    if (rc && libxl__ev_child_inuse(&st->child)) {
        libxl__ev_child_kill(&st->child, SIGKILL);
        libxl__ev_child_forget(&st->child);
    }
    return rc;
}

/* ---- until it is ready ---- */

static void finish(libxl__egc *egc, struct start *st, int rc)
{
    libxl__ev_time_deregister(st->h->ctx, &st->again);
    if (libxl__ev_child_inuse(&st->child)) {
        if (rc)
            libxl__ev_child_kill(&st->child, SIGKILL);
        libxl__ev_child_forget(&st->child);
    }
    st->call->callback(egc, st->call, rc);
}

static void not_ready(libxl__egc *egc, struct start *st)
{
    libxl_ctx *ctx = st->h->ctx;
    int rc = 0;

    if (st->dead || libxl__now_ms(ctx) >= st->give_up_ms) {
        LOGD(ctx, st->call->domid, ERROR, "the device model %s: see %s",
             st->dead ? "has ended" : "is not ready after 60 s", st->log);
        rc = ERROR_FAIL;
    }
    if (!rc)
        rc = libxl__ev_time_register_rel(ctx, NULL, &st->again, ask, ASK_MS);
    if (rc)
        finish(egc, st, rc);
}

static int look_at_status(libxl__qmp_script *s, yajl_val answer)
{
    libxl__xen_dm *dm = s->user;
    struct start *st = dm->user;
    const char *status = libxl__json_string(answer, "status");

    st->ready = status && strcmp(status, "inmigrate");
    return 0;
}

static bool socket_is_there(struct start *st)
{
    char path[64];

    snprintf(path, sizeof(path), "/run/xen/qmp-libxl-%" PRIu32,
             st->call->domid);
    return !access(path, W_OK);
}

static void ask(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    struct start *st = start_of_again(ev);

    st->dm = st->dead || !socket_is_there(st)
                 ? NULL
                 : libxl__xen_dm_new(st->h, st->call, -1);
    if (!st->dm) {
        not_ready(egc, st);
        return;
    }
    st->dm->user = st;
    st->dm->script.quiet_loss = true;
    libxl__xen_dm_step(st->dm, "query-status", NULL, false);
    st->dm->steps[0].check = look_at_status;
    if (libxl__xen_dm_start(egc, st->dm, asked)) {
        st->dm = NULL;
        not_ready(egc, st);
    }
}

static void asked(libxl__egc *egc, libxl__xen_dm *dm, int rc)
{
    struct start *st = dm->user;

    st->dm = NULL;
    if (!rc && st->ready)
        finish(egc, st, 0);
    else
        not_ready(egc, st);
}

/* Whoever waits for an answer of it, or for the next question, sees it. */
static void died(libxl__egc *egc, libxl__ev_child *ch, pid_t pid, int status)
{
    start_of_child(ch)->dead = true;
}

/* ---- its end ---- */

/* A pid may be another process's by now. */
static bool is_its(pid_t pid, uint32_t domid)
{
    char path[64], line[4096], want[32];
    size_t n, at;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%ld/cmdline", (long)pid);
    snprintf(want, sizeof(want), "%" PRIu32, domid);
    f = fopen(path, "re");
    if (!f)
        return false;
    n = fread(line, 1, sizeof(line) - 1, f);
    fclose(f);
    line[n] = '\0';
    for (at = 0; at < n; at += strlen(line + at) + 1)
        if (!strcmp(line + at, "-xen-domid"))
            return !strcmp(line + at + strlen(line + at) + 1, want);
    return false;
}

/* Of the pid in xenstore; -1: it has ended. */
static int open_its(struct libxl__host_xen *hx, libxl__gc *gc, uint32_t domid)
{
    char *text = libxl__xs_read(
        &hx->xs, gc, "/local/domain/%" PRIu32 "/image/device-model-pid", domid);
    pid_t pid = text ? (pid_t)strtol(text, NULL, 10) : 0;
    int fd = pid > 1 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;

    if (fd < 0 || is_its(pid, domid)) /* looked at after it was opened */
        return fd;
    close(fd);
    return -1;
}

bool libxl__xen_dm_is_there(struct libxl__host_xen *hx, libxl__gc *gc,
                            uint32_t domid)
{
    int fd = open_its(hx, gc, domid);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

void libxl__xen_dm_kill(struct libxl__host_xen *hx, libxl__gc *gc,
                        uint32_t domid, int sig)
{
    int fd = open_its(hx, gc, domid);

    if (fd < 0)
        return;
    syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0);
    close(fd);
}
