/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * transport.c - the sender's end of a migration's link (mover).
 *
 *   start -> { await -> back_readable -> look -> awaited }... -> close
 *         -> [close_time ->] command_died -> closed
 *
 * The back channel has one reader for its whole life, so reading ahead of the
 * word that is awaited does no harm.
 */
#include "migrate/transport.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/container.h"
#include "base/log.h"

#define CLOSE_KILL_MS 2000
#define PIPE_BYTES (1 << 20)
/* A Ctrl-C at the terminal reaches the command too; but when the migration ends
 * is for this side to say. */
#define KEEP_FROM_CTRL_C "trap '' INT; "

static libxl__transport *tr_of_child(libxl__ev_child *ch)
{
    return CONTAINER_OF(ch, libxl__transport, child);
}

static libxl__transport *tr_of_readable(libxl__ev_fd *ev)
{
    return CONTAINER_OF(ev, libxl__transport, readable);
}

static libxl__transport *tr_of_abrt(libxl__ao_abortable *abrt)
{
    return CONTAINER_OF(abrt, libxl__transport, abrt);
}

static libxl__transport *tr_of_look_soon(libxl__ev_immediate *ei)
{
    return CONTAINER_OF(ei, libxl__transport, look_soon);
}

static libxl__transport *tr_of_close_timer(libxl__ev_time *ev)
{
    return CONTAINER_OF(ev, libxl__transport, close_timer);
}

static void back_readable(libxl__egc *egc, libxl__ev_fd *ev, int fd,
                          short events, short revents);
static void look_again(libxl__egc *egc, libxl__ev_immediate *ei);
static void aborted(libxl__egc *egc, libxl__ao_abortable *abrt, int rc);
static void command_died(libxl__egc *egc, libxl__ev_child *ch, pid_t pid,
                         int status);
static void close_time(libxl__egc *egc, libxl__ev_time *ev, int rc);

static libxl_ctx *ctx_of(libxl__transport *tr)
{
    return libxl__ao_ctx(tr->ao);
}

void libxl__transport_init(libxl__transport *tr)
{
    memset(tr, 0, sizeof(*tr));
    tr->out_fd = tr->back_fd = -1;
    libxl__ev_child_init(&tr->child);
    libxl__ev_fd_init(&tr->readable);
    libxl__ev_time_init(&tr->close_timer);
    libxl__ao_abortable_init(&tr->abrt);
    tr->look_soon.callback = look_again;
}

/* ---- starting ---- */

static int spawn(libxl__transport *tr, int in, int out)
{
    const char *command = libxl__sprintf(libxl__ao_gc(tr->ao), "%s%s",
                                         KEEP_FROM_CTRL_C, tr->rune);
    const char *argv[] = {"/bin/sh", "-c", command, NULL};
    int fds[] = {in, out, STDERR_FILENO};
    struct libxl__spawn_params params = {
        .argv = argv,
        .fds = fds,
        .nr_fds = 3,
    };

    if (!command)
        return ERROR_NOMEM;
    return libxl__ev_child_spawn(ctx_of(tr), &tr->child, command_died, &params);
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

int libxl__transport_start(libxl__transport *tr)
{
    int data[2] = {-1, -1}, back[2] = {-1, -1};
    int rc = ERROR_FAIL;

    if (pipe2(data, O_CLOEXEC) || pipe2(back, O_CLOEXEC)) {
        LOGED(ctx_of(tr), tr->domid, ERROR, errno,
              "cannot make pipes for the migration");
        goto out;
    }
    (void)fcntl(data[1], F_SETPIPE_SZ, PIPE_BYTES); /* faster, where allowed */
    rc = spawn(tr, data[0], back[1]);
    if (rc)
        goto out;
    tr->out_fd = data[1];
    tr->back_fd = back[0];
    data[1] = back[0] = -1;
    rc = libxl__ev_fd_register(ctx_of(tr), &tr->readable, back_readable,
                               tr->back_fd, POLLIN);
out:
    close_fd(&data[0]);
    close_fd(&data[1]);
    close_fd(&back[0]);
    close_fd(&back[1]);
    return rc;
}

/* ---- the back channel ---- */

static void awaited(libxl__egc *egc, libxl__transport *tr, int rc)
{
    tr->awaiting = false;
    libxl__ao_abortable_deregister(&tr->abrt);
    tr->callback(egc, tr, rc);
}

static void aborted(libxl__egc *egc, libxl__ao_abortable *abrt, int rc)
{
    libxl__transport *tr = tr_of_abrt(abrt);

    if (tr->awaiting)
        awaited(egc, tr, rc);
}

static void consume(libxl__transport *tr, size_t n)
{
    tr->have -= n;
    memmove(tr->buf, tr->buf + n, tr->have);
}

/* Takes one line of JSON off the buffer, if one lies there. */
static bool take_answer(libxl__egc *egc, libxl__transport *tr)
{
    libxl__gc *gc = libxl__egc_gc(egc);
    struct libxl__answer answer;
    const uint8_t *lf;
    char *line;

    if (!tr->answered || !tr->have || tr->buf[0] != '{')
        return false;
    lf = memchr(tr->buf, '\n', tr->have);
    if (!lf)
        return false;
    line = libxl__strndup(gc, (const char *)tr->buf, (size_t)(lf - tr->buf));
    if (!line || !libxl__answer_decode(gc, line, &answer))
        return false;
    consume(tr, (size_t)(lf - tr->buf) + 1);
    tr->answered(egc, tr, &answer);
    return true;
}

static void log_wrong(libxl__transport *tr)
{
    char quote[LIBXL__HS_QUOTE_MAX + 1];

    libxl__hs_quote(tr->buf, tr->have, quote);
    LOGD(ctx_of(tr), tr->domid, ERROR,
         "migration receiver sent unexpected data instead of its %s: \"%s\"",
         libxl__hs_text(tr->word)->name, quote);
}

static void log_ended(libxl__transport *tr)
{
    LOGD(ctx_of(tr), tr->domid, ERROR,
         "the link to the migration receiver ended before its %s came",
         libxl__hs_text(tr->word)->name);
}

/* A line of JSON that has begun and not ended is no wrong word yet. */
static bool answer_is_coming(const libxl__transport *tr)
{
    return tr->answered && tr->have && tr->buf[0] == '{' &&
           tr->have < sizeof(tr->buf) && !memchr(tr->buf, '\n', tr->have);
}

static void match_word(libxl__egc *egc, libxl__transport *tr)
{
    size_t n = libxl__hs_text(tr->word)->n;
    enum libxl__hs_match match = libxl__hs_match(tr->word, tr->buf, tr->have);

    if (match == LIBXL__HS_WRONG) {
        log_wrong(tr);
        awaited(egc, tr, ERROR_FAIL);
    } else if (match == LIBXL__HS_MATCH && tr->have >= n + !!tr->status) {
        if (tr->status)
            *tr->status = tr->buf[n];
        consume(tr, n + !!tr->status);
        awaited(egc, tr, 0);
    } else if (tr->eof) {
        log_ended(tr);
        awaited(egc, tr, ERROR_NOTFOUND);
    }
}

/* What lies in the buffer, against what is awaited. */
static void look(libxl__egc *egc, libxl__transport *tr)
{
    while (take_answer(egc, tr))
        ;
    if (tr->awaiting && (!answer_is_coming(tr) || tr->eof))
        match_word(egc, tr);
}

static void look_again(libxl__egc *egc, libxl__ev_immediate *ei)
{
    libxl__transport *tr = tr_of_look_soon(ei);

    tr->looking = false;
    if (!tr->closing)
        look(egc, tr);
}

static void back_readable(libxl__egc *egc, libxl__ev_fd *ev, int fd,
                          short events, short revents)
{
    libxl__transport *tr = tr_of_readable(ev);
    ssize_t r = read(fd, tr->buf + tr->have, sizeof(tr->buf) - tr->have);

    if (r < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (r > 0)
        tr->have += (size_t)r;
    else
        tr->eof = true;
    /* Full of what nobody awaits: it stays there, and is wrong for whatever
     * is awaited next. */
    if (tr->eof || tr->have == sizeof(tr->buf))
        libxl__ev_fd_deregister(ctx_of(tr), &tr->readable);
    look(egc, tr);
}

int libxl__transport_await(libxl__egc *egc, libxl__transport *tr,
                           enum libxl__hs_word word, uint8_t *status,
                           bool abortable, libxl__transport_callback *callback)
{
    int rc;

    assert(!tr->awaiting && !tr->closing);
    if (abortable) {
        tr->abrt.ao = tr->ao;
        tr->abrt.callback = aborted;
        rc = libxl__ao_abortable_register(&tr->abrt);
        if (rc)
            return rc;
    }
    tr->word = word;
    tr->status = status;
    tr->callback = callback;
    tr->awaiting = true;
    if (!tr->looking)
        libxl__egc_immediate(egc, &tr->look_soon);
    tr->looking = true;
    return 0;
}

/* ---- closing ---- */

static void closed(libxl__egc *egc, libxl__transport *tr)
{
    libxl__ev_time_deregister(ctx_of(tr), &tr->close_timer);
    tr->callback(egc, tr, 0);
}

static void set_close_timer(libxl__transport *tr, uint64_t ms)
{
    if (libxl__ev_time_register_rel(ctx_of(tr), NULL, &tr->close_timer,
                                    close_time, ms))
        libxl__ev_child_kill(&tr->child, SIGKILL);
}

static void close_time(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    libxl__transport *tr = tr_of_close_timer(ev);

    if (tr->killed) {
        libxl__ev_child_kill(&tr->child, SIGKILL);
        return;
    }
    tr->killed = true;
    libxl__ev_child_kill(&tr->child, SIGTERM);
    set_close_timer(tr, CLOSE_KILL_MS);
}

static void command_died(libxl__egc *egc, libxl__ev_child *ch, pid_t pid,
                         int status)
{
    libxl__transport *tr = tr_of_child(ch);

    if (tr->closing)
        closed(egc, tr);
}

static void close_now(libxl__egc *egc, libxl__ev_immediate *ei)
{
    closed(egc, tr_of_look_soon(ei));
}

void libxl__transport_close(libxl__egc *egc, libxl__transport *tr,
                            uint64_t wait_ms,
                            libxl__transport_callback *callback)
{
    assert(!tr->closing);
    tr->closing = true;
    tr->awaiting = false;
    tr->callback = callback;
    libxl__ao_abortable_deregister(&tr->abrt);
    libxl__ev_fd_deregister(ctx_of(tr), &tr->readable);
    close_fd(&tr->out_fd);
    close_fd(&tr->back_fd);
    if (libxl__ev_child_inuse(&tr->child)) {
        set_close_timer(tr, wait_ms);
        return;
    }
    tr->look_soon.callback = close_now;
    if (!tr->looking) /* else it is queued already */
        libxl__egc_immediate(egc, &tr->look_soon);
}
