/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ring/demo_rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define DEADLINE_S 120

static const char *set_active(void *user, bool active)
{
    struct demo_rig *r = user;

    r->active = active;
    return NULL;
}

static bool is_active(void *user)
{
    const struct demo_rig *r = user;

    return r->active;
}

static int listen_somewhere(void)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa_family_t)), 0);
    assert_int_equal(listen(fd, 4), 0);
    return fd;
}

struct demo_rig *demo_rig_new(uint64_t ballast, bool v1)
{
    struct demo_rig *r = calloc(1, sizeof(*r));

    r->c = vfc_new();
    r->demo.ctx = r->control.ctx = r->c->ctx;
    r->demo.ballast = ballast;
    r->demo.pci.v1 = v1;
    assert_int_equal(libxl__demo_start(&r->demo, vfc_listen(r->c)), 0);
    r->control.user = r;
    r->control.set_active = set_active;
    r->control.is_active = is_active;
    r->control.pci = &r->demo.pci;
    r->control_listen = listen_somewhere();
    assert_int_equal(devctl_start(&r->control, r->control_listen), 0);
    vfc_connect(r->c);
    vfc_version(r->c);
    return r;
}

void demo_rig_free(struct demo_rig *r)
{
    devctl_stop(&r->control);
    libxl__demo_stop(&r->demo);
    vfc_free(r->c);
    free(r);
}

int demo_rig_dial(struct demo_rig *r)
{
    struct sockaddr_un sa;
    socklen_t len = sizeof(sa);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    getsockname(r->control_listen, (struct sockaddr *)&sa, &len);
    assert_int_equal(connect(fd, (struct sockaddr *)&sa, len), 0);
    return fd;
}

static time_t deadline(void)
{
    return time(NULL) + DEADLINE_S;
}

bool demo_rig_read(struct demo_rig *r, int fd, void *to, size_t bytes)
{
    time_t end = deadline();
    size_t got = 0;

    while (got < bytes && time(NULL) < end) {
        ssize_t n = recv(fd, (char *)to + got, bytes - got, MSG_DONTWAIT);

        if (!n || (n < 0 && errno == ECONNRESET))
            return false;
        if (n > 0)
            got += (size_t)n;
        else
            vfc_turn(r->c);
    }
    assert_int_equal(got, bytes);
    return true;
}

void demo_rig_write(struct demo_rig *r, int fd, const void *from, size_t bytes)
{
    time_t end = deadline();

    while (bytes && time(NULL) < end) {
        ssize_t n = send(fd, from, bytes, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n > 0) {
            from = (const char *)from + n;
            bytes -= (size_t)n;
        } else {
            assert_int_equal(errno, EAGAIN);
            vfc_turn(r->c);
        }
    }
    assert_int_equal(bytes, 0);
}

void demo_rig_line(struct demo_rig *r, int fd)
{
    size_t n = 0;

    do
        assert_true(n < sizeof(r->line) &&
                    demo_rig_read(r, fd, r->line + n, 1));
    while (r->line[n++] != '\n');
    r->line[n - 1] = '\0';
}

const char *demo_rig_ask_on(struct demo_rig *r, int fd, const char *request)
{
    demo_rig_write(r, fd, request, strlen(request));
    demo_rig_write(r, fd, "\n", 1);
    demo_rig_line(r, fd);
    return r->line;
}

const char *demo_rig_ask(struct demo_rig *r, const char *request)
{
    int fd = demo_rig_dial(r);

    demo_rig_ask_on(r, fd, request);
    close(fd);
    return r->line;
}

uint32_t demo_rig_drain(struct demo_rig *r, int fd, uint8_t *to, size_t max,
                        uint64_t *bytes)
{
    uint8_t head[12];
    uint32_t n;

    *bytes = 0;
    for (;;) {
        assert_true(demo_rig_read(r, fd, head, 4));
        n = libxl__vfu_get32(head);
        if (!n)
            break;
        assert_true(n <= DEVCTL_FRAME_MAX && n <= max - *bytes);
        assert_true(demo_rig_read(r, fd, to + *bytes, n));
        *bytes += n;
    }
    assert_true(demo_rig_read(r, fd, head, 12));
    assert_int_equal(libxl__vfu_get64(head + 4), *bytes);
    return libxl__vfu_get32(head);
}

const char *demo_rig_load(struct demo_rig *r, const uint8_t *from,
                          uint64_t bytes, uint32_t step)
{
    int fd = demo_rig_dial(r);
    uint8_t head[16] = {0};
    uint64_t all = bytes;

    assert_string_equal(demo_rig_ask_on(r, fd, "load"), "ok");
    while (bytes) {
        uint32_t n = bytes < step ? (uint32_t)bytes : step;

        libxl__vfu_put32(head, n);
        demo_rig_write(r, fd, head, 4);
        demo_rig_write(r, fd, from, n);
        from += n;
        bytes -= n;
    }
    memset(head, 0, sizeof(head));
    libxl__vfu_put64(head + 8, all);
    demo_rig_write(r, fd, head, 16);
    demo_rig_line(r, fd);
    close(fd);
    return r->line;
}
