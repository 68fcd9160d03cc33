/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ring/devproc.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/container.h"

int libxl__devproc_listen(const char *program, const char *path)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    size_t bytes = strlen(path);
    int fd;

    if (bytes >= sizeof(sa.sun_path)) {
        fprintf(stderr, "%s: socket path %s is longer than %zu bytes: use "
                "--socket-fd\n", program, path, sizeof(sa.sun_path) - 1);
        return -1;
    }
    memcpy(sa.sun_path, path, bytes);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) ||
        listen(fd, 4)) {
        fprintf(stderr, "%s: cannot listen on %s: %s\n", program, path,
                strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return fd;
}

int libxl__devproc_map_log(const char *program, struct libxl__ring_mem *mem,
                           int fd)
{
    struct stat st;
    void *map;

    if (fd < 0)
        return 0;
    if (!fstat(fd, &st) && st.st_size > 0) {
        map = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE,
                   MAP_SHARED, fd, 0);
        if (map != MAP_FAILED) {
            libxl__ring_mem_set_log(mem, LIBXL__RING_LOG_TOOLSTACK, map,
                                    (uint64_t)st.st_size);
            return 0;
        }
    }
    fprintf(stderr, "%s: the dirty log cannot be mapped\n", program);
    return -1;
}

/* ---- its end ---- */

static struct libxl__devproc_end *end_of_signal(libxl__ev_fd *ev)
{
    return CONTAINER_OF(ev, struct libxl__devproc_end, signal_ev);
}

static struct libxl__devproc_end *end_of_lifeline(libxl__ev_fd *ev)
{
    return CONTAINER_OF(ev, struct libxl__devproc_end, lifeline_ev);
}

void libxl__devproc_unwatch(struct libxl__devproc_end *end)
{
    libxl__ev_fd_deregister(end->ctx, &end->signal_ev);
    libxl__ev_fd_deregister(end->ctx, &end->lifeline_ev);
}

static void over(libxl__egc *egc, struct libxl__devproc_end *end)
{
    libxl__devproc_unwatch(end);
    end->ended(egc, end);
}

static void on_signal(libxl__egc *egc, libxl__ev_fd *ev, int fd, short events,
                      short revents)
{
    over(egc, end_of_signal(ev));
}

static void on_lifeline(libxl__egc *egc, libxl__ev_fd *ev, int fd,
                        short events, short revents)
{
    char byte;

    if (read(fd, &byte, 1) < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    over(egc, end_of_lifeline(ev));
}

int libxl__devproc_watch_end(struct libxl__devproc_end *end)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigset_t set;
    int fd;

    libxl__ev_fd_init(&end->signal_ev);
    libxl__ev_fd_init(&end->lifeline_ev);
    sigaction(SIGPIPE, &ignore, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0 || libxl__ev_fd_register(end->ctx, &end->signal_ev, on_signal,
                                        fd, POLLIN))
        return -1;
    if (end->lifeline_fd >= 0 &&
        libxl__ev_fd_register(end->ctx, &end->lifeline_ev, on_lifeline,
                              end->lifeline_fd, POLLIN))
        return -1;
    return 0;
}

void libxl__devproc_tell_main(libxl__egc *egc)
{
    libxl_event *event =
        libxl__event_new(LIBXL_EVENT_TYPE_DOMAIN_DEATH, INVALID_DOMID, 0);

    if (!event)
        _exit(0);
    libxl__event_occurred(egc, event);
}
