/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xl_console.c - a terminal, or stdin and stdout, on a domain's console.
 *
 * The keeper's socket carries the guest's bytes both ways. On a terminal, input
 * goes as it is typed and Ctrl-] leaves; that works also while the guest reads
 * nothing, because input is kept here, not written with a wait. Without one,
 * the end of stdin only ends the input.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "xl.h"

#define ESCAPE 0x1d /* Ctrl-] */

struct console {
    struct xl *xl;
    int sock, signals;
    bool tty, stdin_open, left;
    struct termios before;
    sigset_t mask_before;
    size_t pending; /* bytes for the guest */
    char to_guest[65536];
};

/* ---- opening ---- */

/* Through the directory's fd: a state directory's path may be longer than a
 * socket's address. */
static int connect_below(int dir, const char *name)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int r, e;

    if (fd < 0)
        return -1;
    snprintf(addr.sun_path, sizeof(addr.sun_path), "/proc/self/fd/%d/%s", dir,
             name);
    do {
        r = connect(fd, (struct sockaddr *)&addr, sizeof(addr));
    } while (r && errno == EINTR);
    if (!r)
        return fd;
    e = errno;
    close(fd);
    errno = e;
    return -1;
}

static int connect_path(char *path)
{
    char *slash = strrchr(path, '/');
    int dir, fd, e;

    if (!slash) {
        errno = EINVAL;
        return -1;
    }
    *slash = '\0';
    dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return -1;
    fd = connect_below(dir, slash + 1);
    e = errno;
    close(dir);
    errno = e;
    return fd;
}

int xl_console_open(struct xl *xl, uint32_t domid)
{
    char *path = libxl_console_socket_path(xl->ctx, domid);
    int fd;

    if (!path)
        return -1;
    fd = connect_path(path);
    if (fd < 0)
        xl_error(xl, "domain %u: its console cannot be reached: %s", domid,
                 strerror(errno));
    free(path);
    return fd;
}

/* ---- the terminal ---- */

static void raw_terminal(struct console *con)
{
    struct termios raw;

    con->tty = isatty(STDIN_FILENO) && !tcgetattr(STDIN_FILENO, &con->before);
    if (!con->tty)
        return;
    raw = con->before;
    cfmakeraw(&raw);
    raw.c_oflag |= OPOST; /* a guest's bare newlines still look right */
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

static void restore_terminal(struct console *con)
{
    if (con->tty)
        tcsetattr(STDIN_FILENO, TCSANOW, &con->before);
}

/* Signals end the loop, so that the terminal is always put back. */
static bool catch_signals(struct console *con)
{
    sigset_t mask;

    sigemptyset(&mask);
    sigaddset(&mask, SIGINT);
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGHUP);
    sigaddset(&mask, SIGPIPE);
    sigprocmask(SIG_BLOCK, &mask, &con->mask_before);
    con->signals = signalfd(-1, &mask, SFD_CLOEXEC);
    return con->signals >= 0;
}

/* ---- moving bytes ---- */

static bool write_all(int fd, const char *buf, size_t n)
{
    while (n) {
        ssize_t r = write(fd, buf, n);

        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            return false;
        buf += r;
        n -= (size_t)r;
    }
    return true;
}

static bool from_guest(struct console *con)
{
    char buf[16384];
    ssize_t r = read(con->sock, buf, sizeof(buf));

    if (r < 0)
        return errno == EINTR || errno == EAGAIN;
    return r > 0 && write_all(STDOUT_FILENO, buf, (size_t)r);
}

static bool from_user(struct console *con)
{
    char *at = con->to_guest + con->pending;
    ssize_t r = read(STDIN_FILENO, at, sizeof(con->to_guest) - con->pending);
    char *escape;

    if (r < 0)
        return errno == EINTR || errno == EAGAIN;
    if (r == 0) {
        con->stdin_open = false;
        con->left = con->tty;
        return !con->tty;
    }
    escape = con->tty ? memchr(at, ESCAPE, (size_t)r) : NULL;
    if (escape) {
        con->left = true;
        return false;
    }
    con->pending += (size_t)r;
    return true;
}

static bool to_guest(struct console *con)
{
    ssize_t r = send(con->sock, con->to_guest, con->pending,
                     MSG_DONTWAIT | MSG_NOSIGNAL);

    if (r < 0)
        return errno == EINTR || errno == EAGAIN;
    con->pending -= (size_t)r;
    memmove(con->to_guest, con->to_guest + r, con->pending);
    return true;
}

static bool turn(struct console *con)
{
    bool room = con->pending < sizeof(con->to_guest);
    struct pollfd p[3] = {
        {con->stdin_open && room ? STDIN_FILENO : -1, POLLIN, 0},
        {con->sock, (short)(POLLIN | (con->pending ? POLLOUT : 0)), 0},
        {con->signals, POLLIN, 0},
    };

    if (poll(p, 3, -1) < 0)
        return errno == EINTR;
    if (p[2].revents)
        return false;
    if (p[1].revents & (POLLIN | POLLHUP | POLLERR) && !from_guest(con))
        return false;
    if (p[1].revents & POLLOUT && !to_guest(con))
        return false;
    return !p[0].revents || from_user(con);
}

int xl_console_run(struct xl *xl, int fd)
{
    struct console *con = calloc(1, sizeof(*con));
    bool left;

    if (!con) {
        xl_error(xl, "no memory");
        close(fd);
        return XL_FAILED;
    }
    fflush(stdout);
    con->xl = xl;
    con->sock = fd;
    con->stdin_open = true;
    if (catch_signals(con)) {
        raw_terminal(con);
        while (turn(con))
            ;
        restore_terminal(con);
        close(con->signals);
    }
    sigprocmask(SIG_SETMASK, &con->mask_before, NULL);
    left = con->left;
    close(fd);
    free(con);
    if (!left && isatty(STDERR_FILENO))
        xl_say(xl, "the console has ended");
    return XL_OK;
}
