/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * keeper.c - begin and end of a keeper.
 *
 * start: elect -> listen -> attach -> record -> settle; then events until quit
 */
#include "domain/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/container.h"
#include "base/log.h"
#include "base/sock_at.h"
#include "domain/domain.h"
#include "domain/keeper_record.h"

/* Every so many looks at a guest that stays as it is: at all there is. */
#define LOOKS_MAX 10u

static libxl__keeper *keeper_of_poll(libxl__ev_time *ev)
{
    return CONTAINER_OF(ev, libxl__keeper, poll);
}

/* ERROR_LOCK_FAIL: another one is elected. */
static int elect(libxl__keeper *kp)
{
    struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    kp->lock_fd = openat(kp->dirfd, "keeper.lock",
                         O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (kp->lock_fd < 0) {
        LOGED(kp->ctx, kp->domid, ERROR, errno, "cannot open keeper.lock");
        return ERROR_FAIL;
    }
    return fcntl(kp->lock_fd, F_OFD_SETLK, &fl) ? ERROR_LOCK_FAIL : 0;
}

static int write_record(libxl__keeper *kp)
{
    struct libxl__keeper_record rec;
    int rc = libxl__keeper_record_read(kp->store, kp->domid, &rec);

    if (rc && rc != ERROR_NOTFOUND)
        return rc;
    rc = libxl__proc_id_self(&rec.process);
    return rc ? rc : libxl__keeper_record_write(kp->store, kp->domid, &rec);
}

/* A guest that was started without the port is kept without agent. */
static void attach_agent(libxl__egc *egc, libxl__keeper *kp)
{
    int fd = libxl__connect_at(kp->dirfd, "agent");

    if (fd >= 0)
        libxl__agent_hub_attach(egc, &kp->agent, fd);
    fd = libxl__connect_at(kp->dirfd, "qga");
    if (fd >= 0)
        libxl__agent_hub_attach_qga(egc, &kp->agent, fd);
}

static int listen_agent(libxl__keeper *kp)
{
    int fd = libxl__listen_at(kp->dirfd, "agent.sock");

    if (fd >= 0)
        return libxl__agent_hub_listen(&kp->agent, fd);
    LOGED(kp->ctx, kp->domid, ERROR, errno, "cannot listen on agent.sock");
    return ERROR_FAIL;
}

/* A guest without a process (of a fake host) is kept without console. */
int libxl__keeper_attach(libxl__egc *egc, libxl__keeper *kp)
{
    int rc = libxl__keeper_qemu_attach(egc, kp);

    if (rc || kp->qemu_gone)
        return rc == ERROR_NOTFOUND ? 0 : rc;
    attach_agent(egc, kp);
    libxl__keeper_dev_attach(kp);
    return libxl__console_relay_attach(&kp->console);
}

static void close_all(libxl__egc *egc, libxl__keeper *kp)
{
    libxl__agent_hub_close(egc, &kp->agent);
    libxl__ev_time_deregister(kp->ctx, &kp->poll);
    libxl__keeper_settle_close(kp);
    libxl__keeper_dev_close(kp);
    libxl__keeper_qemu_close(kp);
    libxl__keeper_lease_close(kp);
    libxl__console_relay_close(&kp->console);
    if (kp->lock_fd >= 0)
        close(kp->lock_fd);
    if (kp->dirfd >= 0)
        close(kp->dirfd);
    kp->lock_fd = kp->dirfd = -1;
}

static void init(libxl__keeper *kp, libxl__ao *ao)
{
    kp->ao = ao;
    kp->ctx = libxl__ao_ctx(ao);
    kp->domid = libxl__ao_domid(ao);
    kp->dirfd = kp->lock_fd = kp->listen_fd = -1;
    libxl__acceptor_init(&kp->acceptor);
    libxl__ev_time_init(&kp->poll);
    libxl__console_relay_init(&kp->console);
    kp->console.ctx = kp->ctx;
    kp->console.domid = kp->domid;
    kp->agent.ctx = kp->ctx;
    kp->agent.domid = kp->domid;
    libxl__agent_hub_init(&kp->agent);
    libxl__keeper_qemu_init(kp);
    libxl__keeper_dev_init(kp);
    libxl__keeper_settle_init(kp);
}

static bool stays_as_it_is(libxl__keeper *kp)
{
    uint64_t pulse = kp->host->ops->pulse(kp->host, kp->domid);
    bool stays = pulse && pulse == kp->pulse && ++kp->looks < LOOKS_MAX;

    kp->pulse = pulse;
    if (!stays)
        kp->looks = 0;
    return stays;
}

static void look_again(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    libxl__keeper *kp = keeper_of_poll(ev);

    if (libxl__ev_time_register_rel(kp->ctx, NULL, &kp->poll, look_again,
                                    kp->host->poll_ms))
        LOGD(kp->ctx, kp->domid, ERROR, "the keeper does not see its end");
    if (!stays_as_it_is(kp))
        libxl__keeper_settle(egc, kp);
}

static int watch_host(libxl__keeper *kp)
{
    return kp->host->poll_ms
               ? libxl__ev_time_register_rel(kp->ctx, NULL, &kp->poll,
                                             look_again, kp->host->poll_ms)
               : 0;
}

static int open_all(libxl__egc *egc, libxl__keeper *kp)
{
    int rc;

    kp->host = libxl__host_get(kp->ctx);
    if (!kp->host)
        return ERROR_FAIL;
    kp->store = kp->host->ops->store(kp->host);
    rc = kp->store->ops->open_dir(kp->store, kp->domid, &kp->dirfd);
    if (rc)
        return rc;
    kp->console.dirfd = kp->dirfd;
    rc = elect(kp);
    if (!rc)
        rc = libxl__keeper_lease_listen(kp);
    if (!rc)
        rc = libxl__console_relay_listen(&kp->console);
    if (!rc)
        rc = listen_agent(kp);
    if (!rc)
        rc = libxl__keeper_attach(egc, kp);
    if (!rc)
        rc = watch_host(kp);
    return rc ? rc : write_record(kp);
}

int libxl__keeper_start(libxl__egc *egc, libxl__ao *ao, const void *params)
{
    libxl__keeper *kp = libxl__zalloc(libxl__ao_gc(ao), sizeof(*kp));
    int rc;

    if (!kp)
        return ERROR_NOMEM;
    init(kp, ao);
    rc = open_all(egc, kp);
    if (rc) {
        close_all(egc, kp);
        return rc;
    }
    libxl__keeper_settle(egc, kp);
    return 0;
}

void libxl__keeper_quit(libxl__egc *egc, libxl__keeper *kp)
{
    close_all(egc, kp);
    libxl__ao_complete(egc, kp->ao, 0);
}
