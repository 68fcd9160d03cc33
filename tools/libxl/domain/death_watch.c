/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * death_watch.c - domain events for the application, by inotify on a domain's
 * directory: its records change, and at the end it goes. Where no records say
 * when a guest ends (a Xen host), by looking again and again.
 *
 * changed -> shut down? DOMAIN_SHUTDOWN, once; gone? DOMAIN_DEATH, once
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/container.h"
#include "base/log.h"
#include "domain/death_watch.h"
#include "host/host.h"

struct libxl__evgen_domain_death {
    libxl_ctx *ctx;
    uint32_t domid;
    libxl_ev_user user;
    int fd; /* inotify */
    libxl__ev_fd ev;
    libxl__ev_time again;
    bool shutdown_told, death_told;
};

static libxl_evgen_domain_death *evgen_of_ev(libxl__ev_fd *ev)
{
    return CONTAINER_OF(ev, struct libxl__evgen_domain_death, ev);
}

static libxl_evgen_domain_death *evgen_of_again(libxl__ev_time *ev)
{
    return CONTAINER_OF(ev, struct libxl__evgen_domain_death, again);
}

static void tell(libxl__egc *egc, libxl_evgen_domain_death *eg,
                 libxl_event_type type, libxl_shutdown_reason reason)
{
    libxl_event *event = libxl__event_new(type, eg->domid, eg->user);

    if (!event) {
        LOGD(eg->ctx, eg->domid, ERROR, "no memory to report a domain event");
        return;
    }
    if (type == LIBXL_EVENT_TYPE_DOMAIN_SHUTDOWN)
        event->u.domain_shutdown.shutdown_reason = (uint8_t)reason;
    libxl__event_occurred(egc, event);
}

static void look(libxl__egc *egc, libxl_evgen_domain_death *eg)
{
    libxl__host *h = libxl__host_get(eg->ctx);
    libxl_dominfo info = {0};
    int rc = h->ops->dominfo(h, libxl__egc_gc(egc), eg->domid, &info);

    if (rc == ERROR_DOMAIN_NOTFOUND && !eg->death_told) {
        eg->death_told = true;
        tell(egc, eg, LIBXL_EVENT_TYPE_DOMAIN_DEATH, 0);
    } else if (!rc && info.shutdown && !eg->shutdown_told &&
               info.shutdown_reason != LIBXL_SHUTDOWN_REASON_SUSPEND) {
        eg->shutdown_told = true;
        tell(egc, eg, LIBXL_EVENT_TYPE_DOMAIN_SHUTDOWN, info.shutdown_reason);
    } else if (!rc && !info.shutdown) {
        eg->shutdown_told = false;
    }
    libxl_dominfo_dispose(&info);
}

static void changed(libxl__egc *egc, libxl__ev_fd *ev, int fd, short events,
                    short revents)
{
    char drop[4096];

    while (read(fd, drop, sizeof(drop)) > 0)
        ;
    look(egc, evgen_of_ev(ev));
}

static void look_again(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    libxl_evgen_domain_death *eg = evgen_of_again(ev);
    libxl__host *h = libxl__host_get(eg->ctx);

    if (libxl__ev_time_register_rel(eg->ctx, NULL, ev, look_again, h->poll_ms))
        LOGD(eg->ctx, eg->domid, ERROR, "it is not watched any more");
    look(egc, eg);
}

static int add_watch(libxl_evgen_domain_death *eg)
{
    libxl__host *h = libxl__host_get(eg->ctx);
    libxl__store *st = h->ops->store(h);
    char path[64];
    int dirfd, wd, rc;

    rc = st->ops->open_dir(st, eg->domid, &dirfd);
    if (rc)
        return rc == ERROR_NOTFOUND ? ERROR_DOMAIN_NOTFOUND : rc;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", dirfd);
    wd = inotify_add_watch(eg->fd, path,
                           IN_MOVED_TO | IN_DELETE | IN_DELETE_SELF);
    if (wd < 0)
        LOGED(eg->ctx, eg->domid, ERROR, errno, "cannot watch its records");
    close(dirfd);
    return wd < 0 ? ERROR_FAIL : 0;
}

static int watch_records(libxl_evgen_domain_death *eg)
{
    int rc;

    eg->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    rc = eg->fd < 0 ? ERROR_FAIL : 0;
    if (rc)
        LOGED(eg->ctx, eg->domid, ERROR, errno,
              "cannot watch domains (fs.inotify.max_user_instances?)");
    if (!rc)
        rc = add_watch(eg);
    if (!rc)
        rc = libxl__ev_fd_register(eg->ctx, &eg->ev, changed, eg->fd, POLLIN);
    return rc;
}

static int watch_host(libxl_evgen_domain_death *eg, libxl__host *h)
{
    libxl_dominfo info = {0};
    libxl__gc gc;
    int rc;

    libxl__gc_init(&gc, eg->ctx);
    rc = h->ops->dominfo(h, &gc, eg->domid, &info);
    libxl_dominfo_dispose(&info);
    libxl__gc_dispose(&gc);
    return rc ? rc
              : libxl__ev_time_register_rel(eg->ctx, NULL, &eg->again,
                                            look_again, h->poll_ms);
}

int libxl__death_watch_enable(libxl__egc *egc, libxl_ctx *ctx, uint32_t domid,
                              libxl_ev_user user,
                              libxl_evgen_domain_death **out)
{
    libxl_evgen_domain_death *eg = calloc(1, sizeof(*eg));
    libxl__host *h = libxl__host_get(ctx);
    int rc;

    *out = NULL;
    if (!eg)
        return ERROR_NOMEM;
    eg->ctx = ctx;
    eg->domid = domid;
    eg->user = user;
    eg->fd = -1;
    libxl__ev_fd_init(&eg->ev);
    libxl__ev_time_init(&eg->again);
    if (!h)
        rc = ERROR_FAIL;
    else
        rc = h->poll_ms ? watch_host(eg, h) : watch_records(eg);
    if (rc) {
        libxl__death_watch_disable(eg);
        return rc;
    }
    look(egc, eg); /* it may have ended before the watch */
    *out = eg;
    return 0;
}

void libxl__death_watch_disable(libxl_evgen_domain_death *eg)
{
    if (!eg)
        return;
    libxl__ev_fd_deregister(eg->ctx, &eg->ev);
    libxl__ev_time_deregister(eg->ctx, &eg->again);
    if (eg->fd >= 0)
        close(eg->fd);
    free(eg);
}
