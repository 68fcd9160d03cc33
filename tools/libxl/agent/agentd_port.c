/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agentd_port.c - the way to the host: found, opened, and opened again when
 * the other end has gone.
 *
 * start -> (open fails: retry)* -> peer -> gone -> (nobody there: retry)* ->
 * peer
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "agent/agentd_core.h"
#include "base/container.h"

#define PORT_NAME "org.xl.agent.0"
#define QGA_PORT_NAME "org.qemu.guest_agent.0"
#define PORTS "/sys/class/virtio-ports"

enum { RETRY_MS = 1000 };

static agentd *agentd_of_retry(libxl__ev_time *ev)
{
    return CONTAINER_OF(ev, agentd, retry);
}

static agentd *agentd_of_acceptor(libxl__acceptor *ac)
{
    return CONTAINER_OF(ac, agentd, acceptor);
}

static void try_open(agentd *d);

static void retry(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    try_open(agentd_of_retry(ev));
}

/* Each kind of trouble is said once, not each second. */
static void try_later(agentd *d, const char *trouble)
{
    if (d->trouble != trouble && trouble)
        agentd_log(d, "waiting: %s", trouble);
    d->trouble = trouble;
    if (!libxl__ev_time_isregistered(&d->retry))
        libxl__ev_time_register_rel(d->ctx, NULL, &d->retry, retry, RETRY_MS);
}

/* ---- opening, by kind ---- */

static bool is_our_port(int ports, const char *entry, const char *wanted)
{
    char path[300], name[64] = "";
    ssize_t n;
    int fd;

    snprintf(path, sizeof(path), "%s/name", entry);
    fd = openat(ports, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    n = read(fd, name, sizeof(name) - 1);
    close(fd);
    if (n < 0)
        return false;
    name[strcspn(name, "\n")] = '\0';
    return !strcmp(name, wanted);
}

/* Without udev there is no link by name: look through the ports. */
static int open_by_name(const char *wanted)
{
    struct dirent *entry;
    char path[300];
    int fd = -1;
    DIR *dir;

    dir = opendir(PORTS);
    if (!dir)
        return -1;
    while (fd < 0 && (entry = readdir(dir))) {
        if (entry->d_name[0] == '.' ||
            !is_our_port(dirfd(dir), entry->d_name, wanted))
            continue;
        snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
        fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    }
    closedir(dir);
    return fd;
}

static int open_tty(const char *path)
{
    int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    struct termios tio;

    if (fd < 0)
        return -1;
    if (!tcgetattr(fd, &tio)) {
        cfmakeraw(&tio);
        cfsetspeed(&tio, B115200);
        tcsetattr(fd, TCSANOW, &tio);
    }
    return fd;
}

static int open_port(agentd *d)
{
    switch (d->how) {
    case AGENTD_VIRTIO_SERIAL:
        if (!d->path)
            return open_by_name(d->qga ? QGA_PORT_NAME : PORT_NAME);
        return open(d->path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    case AGENTD_ISA_SERIAL:
        return open_tty(d->path);
    case AGENTD_UNIX:
        break; /* comes by accept */
    }
    return -1;
}

/* ---- the peer ---- */

void libxl__agentd_gone(agentd *d, int errnoval)
{
    if (d->how == AGENTD_UNIX) {
        close(d->fd);
        d->fd = -1;
        return;
    }
    if (errnoval) { /* unplugged, perhaps: find it anew */
        close(d->fd);
        d->fd = -1;
    }
    try_later(d, "nobody is at the host's end");
}

static void gone(libxl__egc *egc, libxl__agent_peer *peer, int errnoval)
{
    libxl__agentd_gone(peer->user, errnoval);
}

static int open_peer(agentd *d)
{
    libxl__agent_peer *p = &d->peer;

    libxl__agent_peer_init(p);
    p->ctx = d->ctx;
    p->fd = d->fd;
    p->domid = INVALID_DOMID;
    p->hello = d->hello;
    p->user = d;
    p->up = libxl__agentd_hello;
    p->serve = libxl__agentd_serve;
    p->gone = gone;
    return libxl__agent_peer_open(p);
}

static void start_peer(agentd *d)
{
    if (d->qga ? libxl__agentd_qga_start(d) : open_peer(d)) {
        close(d->fd);
        d->fd = -1;
        try_later(d, "the port cannot be watched");
        return;
    }
    d->trouble = NULL;
}

/* A port whose other end is not open reads as ended, for ever: not to spin,
 * it is only watched while somebody is there. */
static bool somebody_there(int fd)
{
    struct pollfd pfd = {.fd = fd, .events = POLLIN};

    return poll(&pfd, 1, 0) >= 0 && !(pfd.revents & (POLLHUP | POLLERR));
}

static void try_open(agentd *d)
{
    if (d->how == AGENTD_UNIX)
        return;
    if (d->fd < 0)
        d->fd = open_port(d);
    if (d->fd < 0)
        try_later(d, errno == EBUSY ? "the port is in use"
                                    : "the port is not there");
    else if (!somebody_there(d->fd))
        try_later(d, "nobody is at the host's end");
    else
        start_peer(d);
}

/* ---- a socket of our own, one client at a time ---- */

static void accepted(libxl__egc *egc, libxl__acceptor *ac, int fd)
{
    agentd *d = agentd_of_acceptor(ac);

    if (d->fd >= 0) {
        close(fd);
        return;
    }
    d->fd = fd;
    start_peer(d);
}

static int listen_unix(agentd *d)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};

    if (strlen(d->path) >= sizeof(sun.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(sun.sun_path, d->path, strlen(d->path));
    d->listen_fd =
        socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (d->listen_fd < 0)
        return -1;
    unlink(d->path);
    return bind(d->listen_fd, (struct sockaddr *)&sun, sizeof(sun)) ||
                   listen(d->listen_fd, 4)
               ? -1
               : 0;
}

int libxl__agentd_port_start(agentd *d)
{
    d->fd = d->listen_fd = -1;
    libxl__ev_time_init(&d->retry);
    libxl__acceptor_init(&d->acceptor);
    if (d->how != AGENTD_UNIX) {
        try_open(d);
        return 0;
    }
    if (listen_unix(d)) {
        agentd_log(d, "cannot listen on %s: %m", d->path);
        return ERROR_FAIL;
    }
    return libxl__acceptor_start(d->ctx, &d->acceptor, accepted, d->listen_fd,
                                 d->path);
}
