/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dm/qmp_peer.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/json.h"

static void message(libxl_logger *lg, libxl_loglevel level, uint32_t domid,
                    const char *text)
{
    struct qmp_peer *p = (struct qmp_peer *)lg;
    size_t used = strlen(p->log);

    snprintf(p->log + used, sizeof(p->log) - used, "%s\n", text);
    p->messages++;
}

int qmp_peer_open(void **state)
{
    struct qmp_peer *p = calloc(1, sizeof(*p));
    struct sockaddr_un sun = { .sun_family = AF_UNIX };

    signal(SIGPIPE, SIG_IGN);
    p->logger.message = message;
    p->passed_fd = -1;
    p->timeout_ms = 120000;
    strcpy(p->dir, "/tmp/xl-test-qmp-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    p->dirfd = open(p->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(p->dirfd >= 0);
    snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/qmp-cmd", p->dir);
    p->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(p->listener, (void *)&sun, sizeof(sun)), 0);
    assert_int_equal(listen(p->listener, 1), 0);
    assert_int_equal(libxl_ctx_alloc(&p->ctx, LIBXL_VERSION, 0, &p->logger), 0);
    *state = p;
    return 0;
}

int qmp_peer_close(void **state)
{
    struct qmp_peer *p = *state;

    libxl_ctx_free(p->ctx);
    close(p->listener);
    unlinkat(open(p->dir, O_PATH), "qmp-cmd", 0);
    rmdir(p->dir);
    close(p->dirfd);
    if (p->passed_fd >= 0)
        close(p->passed_fd);
    free(p);
    return 0;
}

/* ---- the peer's thread ---- */

/* One line; its id, and an fd that came along. False: the client has gone. */
static bool read_line(struct qmp_peer *p, int fd, unsigned *id)
{
    char line[4096], control[64];
    size_t have = 0;

    while (have + 1 < sizeof(line)) {
        struct iovec iov = { line + have, 1 };
        struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1,
                              .msg_control = control,
                              .msg_controllen = sizeof(control) };
        struct cmsghdr *c;

        if (recvmsg(fd, &msg, MSG_CMSG_CLOEXEC) != 1)
            return false;
        c = CMSG_FIRSTHDR(&msg);
        if (c && c->cmsg_type == SCM_RIGHTS)
            memcpy(&p->passed_fd, CMSG_DATA(c), sizeof(int));
        if (line[have++] == '\n')
            break;
    }
    line[have] = '\0';
    if (strstr(line, "\"id\":"))
        *id = (unsigned)atoi(strstr(line, "\"id\":") + 5);
    return true;
}

static void send_text(int fd, const char *text, unsigned id, bool dribble)
{
    const char *at = strstr(text, "%ID");
    char buf[65536];
    size_t n, i, step;

    if (at)
        snprintf(buf, sizeof(buf), "%.*s%u%s", (int)(at - text), text, id,
                 at + 3);
    else
        snprintf(buf, sizeof(buf), "%s", text);
    n = strlen(buf);
    step = dribble ? 1 : n;
    for (i = 0; i < n; i += step)
        if (write(fd, buf + i, step) < 0)
            return;
}

static void flood(int fd)
{
    char buf[65536];

    memset(buf, 'a', sizeof(buf));
    while (write(fd, buf, sizeof(buf)) > 0)
        continue;
}

static void *peer_main(void *arg)
{
    struct qmp_peer *p = arg;
    const struct peer_step *s = p->steps;
    int fd = accept(p->listener, NULL, NULL);
    unsigned id = 0;
    char byte;

    for (; fd >= 0 && s->what != PEER_END; s++) {
        if (s->what == PEER_SEND || s->what == PEER_DRIBBLE)
            send_text(fd, s->send, id, s->what == PEER_DRIBBLE);
        else if (s->what == PEER_ABORT)
            libxl_ctx_interrupt(p->ctx);
        else if (s->what == PEER_FLOOD)
            flood(fd);
        else if (s->what == PEER_READ && !read_line(p, fd, &id))
            break;
        else if (s->what == PEER_STAY)
            while (read(fd, &byte, 1) > 0)
                continue;
    }
    if (fd >= 0)
        close(fd);
    return NULL;
}

/* ---- the client's side ---- */

struct client {
    struct qmp_peer *p;
    libxl__qmp_script script;
};

static void script_done(libxl__egc *egc, libxl__qmp_script *s, int rc,
                        yajl_val last)
{
    struct client *c = s->user;
    const char *x = libxl__json_string(last, "x");

    snprintf(c->p->result, sizeof(c->p->result), "%s", x ? x : "");
    libxl__ao_complete(egc, s->ao ? s->ao : c->script.ao, rc);
}

static bool until(libxl__qmp_script *s, const char *event, yajl_val data,
                  int *rc_out)
{
    struct client *c = s->user;

    c->p->events++;
    *rc_out = 0;
    return !strcmp(event, "OVER");
}

static int start(libxl__egc *egc, libxl__ao *ao, const void *params)
{
    struct client *c = *(struct client *const *)params;

    c->script.ao = ao;
    return libxl__qmp_script_start(egc, &c->script);
}

int qmp_peer_run(struct qmp_peer *p, const struct peer_step *steps,
                 const struct libxl__qmp_step *commands, size_t nr,
                 int pass_fd)
{
    struct client c = { .p = p }, *pc = &c;
    int rc;

    p->steps = steps;
    p->events = 0;
    p->result[0] = '\0';
    assert_int_equal(pthread_create(&p->thread, NULL, peer_main, p), 0);
    libxl__qmp_script_init(&c.script);
    c.script.ctx = p->ctx;
    c.script.dirfd = p->dirfd;
    c.script.steps = commands;
    c.script.nr_steps = nr;
    c.script.pass_fd = pass_fd;
    c.script.timeout_ms = p->timeout_ms;
    c.script.callback = script_done;
    c.script.user = &c;
    if (nr && !strcmp(commands[nr - 1].command, "wait"))
        c.script.until = until;
    c.script.until_timeout_ms = p->timeout_ms;
    rc = libxl__ao_run(p->ctx, 1, NULL, start, &pc);
    shutdown(p->listener, SHUT_RDWR);
    assert_int_equal(pthread_join(p->thread, NULL), 0);
    return rc;
}
