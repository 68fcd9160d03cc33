/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * console_relay.c - QEMU's console to the log and the clients, and back.
 */
#include "domain/console_relay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/container.h"
#include "base/log.h"
#include "base/sock_at.h"

static void guest_ready(libxl__egc *egc, libxl__ev_fd *ev, int fd, short events,
                        short revents);
static void client_ready(libxl__egc *egc, libxl__ev_fd *ev, int fd,
                         short events, short revents);
static libxl__acceptor_callback client_arrives;

static struct libxl__console_relay *relay_of_acceptor(libxl__acceptor *ac)
{
    return CONTAINER_OF(ac, struct libxl__console_relay, acceptor);
}

static struct libxl__console_relay *relay_of_guest(libxl__ev_fd *ev)
{
    return CONTAINER_OF(ev, struct libxl__console_relay, guest_ev);
}

static struct libxl__console_client *client_of_ev(libxl__ev_fd *ev)
{
    return CONTAINER_OF(ev, struct libxl__console_client, ev);
}

static bool would_block(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

void libxl__console_relay_init(struct libxl__console_relay *cr)
{
    int i;

    cr->listen_fd = cr->guest_fd = -1;
    cr->log.fd = -1;
    cr->arrivals = 0;
    cr->input_done = cr->input_filled = 0;
    libxl__acceptor_init(&cr->acceptor);
    libxl__ev_fd_init(&cr->guest_ev);
    for (i = 0; i < CONSOLE_CLIENTS; i++) {
        cr->clients[i] = (struct libxl__console_client){.relay = cr, .fd = -1};
        libxl__ev_fd_init(&cr->clients[i].ev);
    }
}

/* ---- who may write ---- */

static struct libxl__console_client *writer(struct libxl__console_relay *cr)
{
    struct libxl__console_client *first = NULL, *cl;
    int i;

    for (i = 0; i < CONSOLE_CLIENTS; i++) {
        cl = &cr->clients[i];
        if (cl->fd >= 0 && (!first || cl->since < first->since))
            first = cl;
    }
    return first;
}

/* What each side waits for follows from what lies in the buffers. */
static void update_client(struct libxl__console_client *cl)
{
    struct libxl__console_relay *cr = cl->relay;
    bool full = cr->input_filled > cr->input_done;
    short events = cl->filled > cl->done ? POLLOUT : 0;

    if (cl != writer(cr) || !full)
        events |= POLLIN;
    libxl__ev_fd_modify(cr->ctx, &cl->ev, events);
}

static void update_guest(struct libxl__console_relay *cr)
{
    bool waiting = cr->input_filled > cr->input_done;

    if (cr->guest_fd >= 0)
        libxl__ev_fd_modify(cr->ctx, &cr->guest_ev,
                            (short)(POLLIN | (waiting ? POLLOUT : 0)));
}

/* ---- clients ---- */

static void drop_client(struct libxl__console_client *cl)
{
    if (cl->fd < 0)
        return;
    libxl__ev_fd_deregister(cl->relay->ctx, &cl->ev);
    close(cl->fd);
    cl->fd = -1;
    free(cl->out);
    cl->out = NULL;
}

static void flush_client(struct libxl__console_client *cl)
{
    ssize_t n;

    while (cl->filled > cl->done) {
        n = send(cl->fd, cl->out + cl->done, cl->filled - cl->done,
                 MSG_NOSIGNAL);
        if (n < 0 && would_block())
            break;
        if (n <= 0) {
            drop_client(cl);
            return;
        }
        cl->done += (size_t)n;
    }
    if (cl->done == cl->filled)
        cl->done = cl->filled = 0;
    update_client(cl);
}

static void give_client(struct libxl__console_client *cl, const char *data,
                        size_t bytes)
{
    if (cl->filled + bytes > CONSOLE_CLIENT_BYTES && cl->done) {
        memmove(cl->out, cl->out + cl->done, cl->filled - cl->done);
        cl->filled -= cl->done;
        cl->done = 0;
    }
    if (cl->filled + bytes > CONSOLE_CLIENT_BYTES) {
        drop_client(cl); /* it does not read: the guest does not wait for it */
        return;
    }
    memcpy(cl->out + cl->filled, data, bytes);
    cl->filled += bytes;
    flush_client(cl);
}

static struct libxl__console_client *
free_client(struct libxl__console_relay *cr)
{
    int i;

    for (i = 0; i < CONSOLE_CLIENTS; i++) {
        if (cr->clients[i].fd < 0)
            return &cr->clients[i];
    }
    return NULL;
}

static int add_client(struct libxl__console_relay *cr, int fd)
{
    struct libxl__console_client *cl = free_client(cr);
    char tail[CONSOLE_TAIL_BYTES];
    int rc;

    if (!cl)
        return ERROR_BUFFERFULL;
    cl->out = malloc(CONSOLE_CLIENT_BYTES);
    if (!cl->out)
        return ERROR_NOMEM;
    rc = libxl__ev_fd_register(cr->ctx, &cl->ev, client_ready, fd, POLLIN);
    if (rc) {
        free(cl->out);
        cl->out = NULL;
        return rc;
    }
    cl->fd = fd;
    cl->since = ++cr->arrivals;
    cl->done = cl->filled = 0;
    give_client(cl, tail, libxl__console_log_tail(&cr->log, tail));
    return 0;
}

static void client_arrives(libxl__egc *egc, libxl__acceptor *ac, int fd)
{
    if (add_client(relay_of_acceptor(ac), fd))
        close(fd);
}

static void push_input(struct libxl__console_relay *cr)
{
    ssize_t n;

    while (cr->guest_fd >= 0 && cr->input_filled > cr->input_done) {
        n = send(cr->guest_fd, cr->input + cr->input_done,
                 cr->input_filled - cr->input_done, MSG_NOSIGNAL);
        if (n < 0 && would_block())
            break;
        if (n <= 0) {
            cr->input_done = cr->input_filled; /* guest_ready sees the end */
            break;
        }
        cr->input_done += (size_t)n;
    }
    if (cr->guest_fd < 0 || cr->input_done == cr->input_filled)
        cr->input_done = cr->input_filled = 0;
    update_guest(cr);
}

static void read_client(struct libxl__console_client *cl)
{
    struct libxl__console_relay *cr = cl->relay;
    bool writes = cl == writer(cr);
    char drop[256];
    ssize_t n;

    if (writes && cr->input_filled)
        return;
    n = writes ? read(cl->fd, cr->input, sizeof(cr->input))
               : read(cl->fd, drop, sizeof(drop));
    if (n < 0 && would_block())
        return;
    if (n <= 0) {
        drop_client(cl);
        return;
    }
    if (writes) {
        cr->input_filled = (size_t)n;
        push_input(cr);
        update_client(cl);
    }
}

static void client_ready(libxl__egc *egc, libxl__ev_fd *ev, int fd,
                         short events, short revents)
{
    struct libxl__console_client *cl = client_of_ev(ev);

    if (revents & (POLLIN | POLLHUP | POLLERR))
        read_client(cl);
    if (cl->fd >= 0 && (revents & POLLOUT))
        flush_client(cl);
}

/* ---- the guest ---- */

static void drop_guest(struct libxl__console_relay *cr)
{
    libxl__ev_fd_deregister(cr->ctx, &cr->guest_ev);
    if (cr->guest_fd >= 0)
        close(cr->guest_fd);
    cr->guest_fd = -1;
    cr->input_done = cr->input_filled = 0;
}

static void read_guest(struct libxl__console_relay *cr)
{
    char buf[16384];
    ssize_t n = read(cr->guest_fd, buf, sizeof(buf));
    int i;

    if (n < 0 && would_block())
        return;
    if (n <= 0) {
        drop_guest(cr);
        return;
    }
    libxl__console_log_write(&cr->log, buf, (size_t)n);
    for (i = 0; i < CONSOLE_CLIENTS; i++) {
        if (cr->clients[i].fd >= 0)
            give_client(&cr->clients[i], buf, (size_t)n);
    }
}

static void guest_ready(libxl__egc *egc, libxl__ev_fd *ev, int fd, short events,
                        short revents)
{
    struct libxl__console_relay *cr = relay_of_guest(ev);
    struct libxl__console_client *cl;

    if (revents & POLLOUT)
        push_input(cr);
    if (revents & (POLLIN | POLLHUP | POLLERR))
        read_guest(cr);
    cl = writer(cr);
    if (cl)
        update_client(cl);
}

/* ---- begin and end ---- */

/* Output that nobody read is lost, perhaps in the middle of a line. */
static void note_gap(struct libxl__console_relay *cr)
{
    static const char note[] = "\n[xl: the console is read anew; what came "
                               "before may be missing]\n";

    if (cr->log.total)
        libxl__console_log_write(&cr->log, note, sizeof(note) - 1);
}

int libxl__console_relay_listen(struct libxl__console_relay *cr)
{
    libxl__console_log_open(&cr->log, cr->dirfd);
    note_gap(cr);
    cr->listen_fd = libxl__listen_at(cr->dirfd, "console.sock");
    if (cr->listen_fd < 0) {
        LOGED(cr->ctx, cr->domid, ERROR, errno, "cannot make console.sock");
        return ERROR_FAIL;
    }
    return libxl__acceptor_start(cr->ctx, &cr->acceptor, client_arrives,
                                 cr->listen_fd, "console.sock");
}

int libxl__console_relay_attach(struct libxl__console_relay *cr)
{
    int rc;

    drop_guest(cr);
    cr->guest_fd = libxl__connect_at(cr->dirfd, "console");
    if (cr->guest_fd < 0) {
        LOGED(cr->ctx, cr->domid, ERROR, errno,
              "cannot reach the guest's console");
        return ERROR_FAIL;
    }
    rc = libxl__ev_fd_register(cr->ctx, &cr->guest_ev, guest_ready,
                               cr->guest_fd, POLLIN);
    if (rc)
        drop_guest(cr);
    return rc;
}

void libxl__console_relay_close(struct libxl__console_relay *cr)
{
    int i;

    for (i = 0; i < CONSOLE_CLIENTS; i++)
        drop_client(&cr->clients[i]);
    drop_guest(cr);
    libxl__acceptor_stop(&cr->acceptor);
    if (cr->listen_fd >= 0)
        close(cr->listen_fd);
    cr->listen_fd = -1;
    libxl__console_log_close(&cr->log);
}
