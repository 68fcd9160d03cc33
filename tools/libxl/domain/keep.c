/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * keep.c - chain: start -> (it lives: callback)
 *                       -> spawn -> told | ended | too_late -> callback
 *
 * The new keeper says "ready" on its stdout when it holds the console: a guest
 * that is unpaused after that loses no output. Two that start at once elect
 * one by a lock; the other says "ready" too, and ends.
 */
#include "domain/keep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/container.h"
#include "base/log.h"
#include "base/paths.h"
#include "domain/domain.h"
#include "store/domain_record.h"

#define READY_MS 20000

static void told(libxl__egc *egc, libxl__ev_fd *ev, int fd, short events,
                 short revents);
static void ended(libxl__egc *egc, libxl__ev_child *ch, pid_t pid, int status);
static void too_late(libxl__egc *egc, libxl__ev_time *ev, int rc);

static libxl__keep *keep_of_child(libxl__ev_child *ch)
{
    return CONTAINER_OF(ch, libxl__keep, child);
}

static libxl__keep *keep_of_ready(libxl__ev_fd *ev)
{
    return CONTAINER_OF(ev, libxl__keep, ready);
}

static libxl__keep *keep_of_deadline(libxl__ev_time *ev)
{
    return CONTAINER_OF(ev, libxl__keep, deadline);
}

static void finish(libxl__egc *egc, libxl__keep *ke, int rc)
{
    libxl_ctx *ctx = ke->host->ctx;

    libxl__ev_fd_deregister(ctx, &ke->ready);
    libxl__ev_time_deregister(ctx, &ke->deadline);
    if (libxl__ev_child_inuse(&ke->child))
        libxl__ev_child_forget(&ke->child);
    if (ke->ready_fd >= 0)
        close(ke->ready_fd);
    ke->ready_fd = -1;
    ke->callback(egc, ke, rc);
}

/* Leaves the wish on record: a running keeper reads it when it needs it, a new
 * one takes it over. */
static int note_policy(libxl__keep *ke, bool *alive)
{
    libxl__store *st = ke->host->ops->store(ke->host);
    struct libxl__keeper_record rec;
    bool restart = ke->policy == KEEP_RESTART;
    int rc;

    rc = libxl__keeper_record_read(st, ke->domid, &rec);
    *alive = !rc && libxl__proc_id_state(&rec.process) == LIBXL__PROC_ALIVE;
    if (rc == ERROR_NOTFOUND) { /* nobody, until the keeper writes its own */
        rc = libxl__proc_id_self(&rec.process);
        rec.process.start_time = 0;
    }
    if (rc || ke->policy == KEEP_AS_IT_WAS || rec.restart == restart)
        return rc;
    rec.restart = restart;
    return libxl__keeper_record_write(st, ke->domid, &rec);
}

static int spawn(libxl__keep *ke, int ready_w)
{
    libxl_ctx *ctx = ke->host->ctx;
    libxl__gc *gc = libxl__ao_gc(ke->ao);
    const char *path = libxl__libexec_path(gc, "xl-keeper");
    const char *domid = libxl__sprintf(gc, "%u", ke->domid);
    const char *argv[] = {path, domid, NULL};
    int fds[] = {-1, ready_w, -1};
    struct libxl__spawn_params p = {
        .argv = argv,
        .fds = fds,
        .nr_fds = 3,
        .new_session = true,
    };

    if (!path || !domid)
        return ERROR_NOMEM;
    return libxl__ev_child_spawn(ctx, &ke->child, ended, &p);
}

static int spawn_and_wait(libxl__keep *ke)
{
    libxl_ctx *ctx = ke->host->ctx;
    int fds[2], rc;

    if (pipe2(fds, O_CLOEXEC)) {
        LOGED(ctx, ke->domid, ERROR, errno, "no pipe for the keeper");
        return ERROR_FAIL;
    }
    ke->ready_fd = fds[0];
    rc = spawn(ke, fds[1]);
    close(fds[1]);
    if (rc)
        return rc;
    rc = libxl__ev_fd_register(ctx, &ke->ready, told, ke->ready_fd, POLLIN);
    if (rc)
        return rc;
    return libxl__ev_time_register_rel(ctx, ke->ao, &ke->deadline, too_late,
                                       READY_MS);
}

/* Made by another toolstack, it has a keeper of that one's. */
static bool is_another_ones(libxl__keep *ke)
{
    struct libxl__domain_record rec;
    libxl__gc gc;
    bool is;

    libxl__gc_init(&gc, ke->host->ctx);
    is = !libxl__domain_record_read(ke->host->ops->store(ke->host), &gc,
                                    ke->domid, &rec) &&
         !rec.created_at;
    libxl__gc_dispose(&gc);
    return is;
}

void libxl__keep_start(libxl__egc *egc, libxl__keep *ke)
{
    bool alive;
    int rc;

    libxl__ev_child_init(&ke->child);
    libxl__ev_fd_init(&ke->ready);
    libxl__ev_time_init(&ke->deadline);
    ke->ready_fd = -1;
    if (ke->host->no_keeper || is_another_ones(ke)) {
        ke->callback(egc, ke, 0);
        return;
    }
    rc = note_policy(ke, &alive);
    if (!rc && !alive)
        rc = spawn_and_wait(ke);
    if (rc || alive)
        finish(egc, ke, rc);
}

static void told(libxl__egc *egc, libxl__ev_fd *ev, int fd, short events,
                 short revents)
{
    libxl__keep *ke = keep_of_ready(ev);
    char text[16];
    ssize_t r = read(fd, text, sizeof(text));

    if (r > 0) {
        finish(egc, ke, 0);
        return;
    }
    if (r < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    LOGD(ke->host->ctx, ke->domid, ERROR,
         "the keeper did not come up: see keeper.log beside its records");
    finish(egc, ke, ERROR_FAIL);
}

/* Its end closes the pipe: told() says what that means. */
static void ended(libxl__egc *egc, libxl__ev_child *ch, pid_t pid, int status)
{
    libxl__keep *ke = keep_of_child(ch);

    if (WIFSIGNALED(status))
        LOGD(ke->host->ctx, ke->domid, ERROR, "the keeper died of signal %d",
             WTERMSIG(status));
}

static void too_late(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    libxl__keep *ke = keep_of_deadline(ev);

    if (rc == ERROR_TIMEDOUT)
        LOGD(ke->host->ctx, ke->domid, ERROR,
             "the keeper is not ready after %d s", READY_MS / 1000);
    finish(egc, ke, rc);
}

/* ---- libxl_domain_keep ---- */

static void kept(libxl__egc *egc, libxl__keep *ke, int rc)
{
    libxl__ao_complete(egc, ke->ao, rc);
}

static int check_exists(libxl__keep *ke)
{
    libxl__store *st = ke->host->ops->store(ke->host);
    int dirfd, rc = st->ops->open_dir(st, ke->domid, &dirfd);

    if (!rc)
        close(dirfd);
    if (rc == ERROR_NOTFOUND) {
        LOGD(ke->host->ctx, ke->domid, ERROR,
             "there is no domain with this id");
        rc = ERROR_DOMAIN_NOTFOUND;
    }
    return rc;
}

int libxl__domain_keep_start(libxl__egc *egc, libxl__ao *ao, const void *params)
{
    libxl__keep *ke = libxl__zalloc(libxl__ao_gc(ao), sizeof(*ke));
    int rc;

    if (!ke)
        return ERROR_NOMEM;
    ke->ao = ao;
    ke->host = libxl__host_get(libxl__ao_ctx(ao));
    if (!ke->host)
        return ERROR_FAIL;
    ke->domid = libxl__ao_domid(ao);
    ke->policy = *(const enum libxl__keep_policy *)params;
    rc = check_exists(ke);
    if (rc)
        return rc;
    ke->callback = kept;
    libxl__keep_start(egc, ke);
    return 0;
}
