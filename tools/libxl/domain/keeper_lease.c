/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * keeper_lease.c - keeper.sock: the operations that run, by their connections.
 * Nothing is read from them but their end.
 */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/container.h"
#include "base/log.h"
#include "domain/keeper.h"
#include "base/sock_at.h"

static libxl__acceptor_callback arrives;
static void speaks(libxl__egc *egc, libxl__ev_fd *ev, int fd, short events,
                   short revents);

static libxl__keeper *keeper_of_acceptor(libxl__acceptor *ac)
{
    return CONTAINER_OF(ac, libxl__keeper, acceptor);
}

static struct libxl__keeper_lease *lease_of_ev(libxl__ev_fd *ev)
{
    return CONTAINER_OF(ev, struct libxl__keeper_lease, ev);
}

static void drop(struct libxl__keeper_lease *le)
{
    libxl__ev_fd_deregister(le->kp->ctx, &le->ev);
    close(le->fd);
    le->fd = -1;
    le->kp->nr_leases--;
}

static bool add(libxl__keeper *kp, int fd)
{
    unsigned i;

    for (i = 0; i < KEEPER_LEASES; i++) {
        if (kp->leases[i].fd >= 0)
            continue;
        if (libxl__ev_fd_register(kp->ctx, &kp->leases[i].ev, speaks, fd,
                                  POLLIN))
            return false;
        kp->leases[i].fd = fd;
        kp->nr_leases++;
        return true;
    }
    return false;
}

static void arrives(libxl__egc *egc, libxl__acceptor *ac, int fd)
{
    if (!add(keeper_of_acceptor(ac), fd))
        close(fd);
}

static void speaks(libxl__egc *egc, libxl__ev_fd *ev, int fd, short events,
                   short revents)
{
    struct libxl__keeper_lease *le = lease_of_ev(ev);
    libxl__keeper *kp = le->kp;
    char drop_it[64];
    ssize_t n = read(fd, drop_it, sizeof(drop_it));

    if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
        return;
    drop(le);
    libxl__keeper_settle(egc, kp);
}

int libxl__keeper_lease_listen(libxl__keeper *kp)
{
    unsigned i;

    for (i = 0; i < KEEPER_LEASES; i++) {
        kp->leases[i].kp = kp;
        kp->leases[i].fd = -1;
        libxl__ev_fd_init(&kp->leases[i].ev);
    }
    kp->nr_leases = 0;
    libxl__acceptor_init(&kp->acceptor);
    kp->listen_fd = libxl__listen_at(kp->dirfd, "keeper.sock");
    if (kp->listen_fd < 0) {
        LOGED(kp->ctx, kp->domid, ERROR, errno, "cannot make keeper.sock");
        return ERROR_FAIL;
    }
    return libxl__acceptor_start(kp->ctx, &kp->acceptor, arrives, kp->listen_fd,
                                 "keeper.sock");
}

void libxl__keeper_lease_close(libxl__keeper *kp)
{
    unsigned i;

    for (i = 0; i < KEEPER_LEASES; i++) {
        if (kp->leases[i].kp && kp->leases[i].fd >= 0)
            drop(&kp->leases[i]);
    }
    libxl__acceptor_stop(&kp->acceptor);
    if (kp->listen_fd >= 0)
        close(kp->listen_fd);
    kp->listen_fd = -1;
}
