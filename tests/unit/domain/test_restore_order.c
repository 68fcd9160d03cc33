/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_restore_order.c - a guest's device state and the guest itself come in
 * any order: its device model gets ready to load early, and never when the
 * state is on its way into the very file.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "domain/dom_rig.h"
#include "host/host.h"

/* Of the image: END, the padding of the state, and some of the state. */
enum { TAIL = 8 + 8 + 4, LOOK_MS = 1, MOST_LOOKS = 60000 };

static struct dom_rig rig;

/* A host whose guests are made at once, or when all but the tail was read. */
static struct late {
    const struct libxl__host_ops *real;
    struct libxl__host_ops ops;
    libxl__host *h;
    libxl__host_call call, *theirs;
    libxl__ev_time look;
    unsigned looks, readies;
    bool late;
    int pipe[2];
    pid_t feeder;
    uint8_t *image;
    size_t bytes;
} l;

static bool all_but_the_tail_was_read(void)
{
    int left = 1;

    if (l.feeder && waitpid(l.feeder, NULL, WNOHANG) == l.feeder)
        l.feeder = 0;
    return !l.feeder && !ioctl(l.pipe[0], FIONREAD, &left) && !left;
}

static void feed_the_tail(void)
{
    assert_int_equal(write(l.pipe[1], l.image + l.bytes - TAIL, TAIL), TAIL);
    close(l.pipe[1]);
}

static void look(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    if (!all_but_the_tail_was_read() && ++l.looks < MOST_LOOKS) {
        assert_int_equal(libxl__ev_time_register_rel(l.h->ctx, NULL, &l.look,
                                                     look, LOOK_MS), 0);
        return;
    }
    if (l.late)
        l.theirs->callback(egc, l.theirs, 0);
    feed_the_tail();
}

static void made(libxl__egc *egc, libxl__host_call *call, int rc)
{
    assert_int_equal(rc, 0);
    if (!l.late)
        l.theirs->callback(egc, l.theirs, 0);
    look(egc, &l.look, 0);
}

static int late_create(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                       const libxl_domain_config *config, bool incoming)
{
    l.theirs = call;
    l.call = *call;
    l.call.callback = made;
    return l.real->create(egc, h, &l.call, config, incoming);
}

/* As a QEMU host: it reads the file from its begin. */
static int get_ready(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                     int fd)
{
    l.readies++;
    return lseek(fd, 0, SEEK_SET) ? ERROR_FAIL : 0;
}

static void let_go(libxl__host *h, libxl__host_call *call)
{
}

static void take_host(void)
{
    l.h = libxl__host_get(rig.ctx);
    l.real = l.h->ops;
    l.ops = *l.real;
    l.ops.create = late_create;
    l.ops.dm_get_ready = get_ready;
    l.ops.dm_let_go = let_go;
    l.h->ops = &l.ops;
}

static void save_a_guest(void)
{
    libxl_save_how how = {.path = dom_rig_path(&rig, "image"), .fd = -1};
    int fd;

    assert_int_equal(libxl_domain_save_file(
                         rig.ctx, dom_rig_create(&rig, "one"), &how, NULL), 0);
    fd = open(dom_rig_path(&rig, "image"), O_RDONLY | O_CLOEXEC);
    l.bytes = (size_t)lseek(fd, 0, SEEK_END);
    l.image = malloc(l.bytes);
    assert_non_null(l.image);
    assert_int_equal(pread(fd, l.image, l.bytes, 0), l.bytes);
    close(fd);
}

static void feed_all_but_the_tail(void)
{
    assert_int_equal(pipe2(l.pipe, O_CLOEXEC), 0);
    l.feeder = fork();
    assert_true(l.feeder >= 0);
    if (l.feeder)
        return;
    for (size_t at = 0; at < l.bytes - TAIL;) {
        ssize_t n = write(l.pipe[1], l.image + at, l.bytes - TAIL - at);

        if (n <= 0)
            _exit(1);
        at += (size_t)n;
    }
    _exit(0);
}

static int restore_it(bool late)
{
    char path[40];
    uint32_t domid;
    int rc;

    l.late = late;
    l.looks = l.readies = 0;
    libxl__ev_time_init(&l.look);
    save_a_guest();
    take_host();
    feed_all_but_the_tail();
    snprintf(path, sizeof(path), "/proc/self/fd/%d", l.pipe[0]);
    rc = dom_rig_restore(&rig, path, &domid);
    if (l.feeder)
        waitpid(l.feeder, NULL, 0);
    l.h->ops = l.real;
    close(l.pipe[0]);
    free(l.image);
    assert_true(l.looks < MOST_LOOKS);
    return rc;
}

static void device_model_gets_ready_early(void **state)
{
    assert_int_equal(restore_it(false), 0);
    assert_int_equal(l.readies, 1);
}

static void state_on_its_way_is_left_alone(void **state)
{
    assert_int_equal(restore_it(true), 0);
    assert_int_equal(l.readies, 0);
}

static int setup(void **state)
{
    if (dom_rig_init(&rig))
        return -1;
    dom_rig_open(&rig);
    return 0;
}

static int teardown(void **state)
{
    dom_rig_dispose(&rig);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(device_model_gets_ready_early, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(state_on_its_way_is_left_alone, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
