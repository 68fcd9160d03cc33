/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The k-th allocation fails in each call of the QEMU host, for k until none
 * does: an error or a result, the guest as the call says, nothing left behind.
 */
#include "host/host_rig.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../fault/fault_wrap.h"

enum { MAX_K = 2000 };

/* The address sanitizer keeps its own allocator: nothing is ever hit. */
static bool armed_call(struct host_rig *r, unsigned k, int *rc,
                       int (*call)(struct host_rig *r, void *user), void *user)
{
    r->log[0] = '\0';
    fault_arm(FAULT_ALLOC, k, FAULT_ERROR, ENOMEM);
    *rc = call(r, user);
    return fault_disarm();
}

/* ---- calls on a guest that is there ---- */

struct on_guest {
    uint32_t domid;
    host_rig_plain *op;
    int fd;
};

static int call_plain(struct host_rig *r, void *user)
{
    struct on_guest *g = user;

    return host_rig_call(r, g->domid, g->op);
}

static int call_dm_save(struct host_rig *r, void *user)
{
    struct on_guest *g = user;

    return host_rig_dm(r, g->domid, g->fd, false);
}

static void pause_and_unpause(void **state)
{
    struct host_rig *r = *state;
    struct on_guest g = { .domid = host_rig_guest(r, false) };
    bool hit = true;
    int fds, rc;
    unsigned k;

    for (k = 1; hit && k < MAX_K; k++) {
        g.op = k % 2 ? r->h->ops->unpause : r->h->ops->pause;
        fds = fault_open_fds();
        hit = armed_call(r, k / 2 + 1, &rc, call_plain, &g);
        assert_true(hit || !rc);
        assert_int_equal(fault_open_fds(), fds);
        assert_int_equal(host_rig_call(r, g.domid, g.op), 0);
        assert_string_equal(host_rig_status(r, g.domid),
                            k % 2 ? "running" : "paused");
    }
    assert_true(k < MAX_K);
}

static void suspend_save_resume(void **state)
{
    struct host_rig *r = *state;
    struct on_guest g = { .domid = host_rig_guest(r, false) };
    bool hit, any = true;
    int fds, rc;
    unsigned k;

    assert_int_equal(host_rig_call(r, g.domid, r->h->ops->unpause), 0);
    for (k = 1; any && k < MAX_K; k++) {
        g.fd = memfd_create("state", MFD_CLOEXEC);
        fds = fault_open_fds();
        g.op = r->h->ops->suspend;
        hit = armed_call(r, k, &rc, call_plain, &g);
        assert_true(hit || !rc);
        if (rc)
            assert_int_equal(host_rig_call(r, g.domid, g.op), 0);
        any = hit;
        hit = armed_call(r, k, &rc, call_dm_save, &g);
        assert_true(hit || !rc);
        any |= hit;
        g.op = r->h->ops->resume;
        hit = armed_call(r, k, &rc, call_plain, &g);
        assert_true(hit || !rc);
        any |= hit;
        assert_int_equal(fault_open_fds(), fds);
        assert_int_equal(host_rig_call(r, g.domid, g.op), 0);
        assert_string_equal(host_rig_status(r, g.domid), "running");
        close(g.fd);
    }
    assert_true(k < MAX_K);
}

/* ---- create ---- */

struct creation {
    uint32_t domid;
    const libxl_domain_config *c;
};

static int call_create(struct host_rig *r, void *user)
{
    struct creation *n = user;

    return host_rig_create(r, n->domid, n->c, false);
}

/* A QEMU starts for most of these, so not every k is tried. */
static void create_and_destroy(void **state)
{
    struct host_rig *r = *state;
    libxl_domain_config c;
    struct libxl__proc_id id;
    bool hit = true;
    int fds, rc;
    unsigned k;

    host_rig_config(r, &c);
    for (k = 1; hit && k < MAX_K; k += k < 40 ? 3 : 11) {
        struct creation n = { host_rig_record(r, &c), &c };
        struct libxl__qemu_ident ident = { .proc.pid = 0 };

        fds = fault_open_fds();
        hit = armed_call(r, k, &rc, call_create, &n);
        assert_true(hit || !rc);
        /* of a QEMU that lives the engine keeps a pidfd, to reap it */
        if (rc)
            assert_int_equal(fault_open_fds(), fds);
        libxl__qemu_ident_read(libxl__host_qemu_of(r->h), n.domid, &ident);
        assert_int_equal(host_rig_destroy(r, n.domid), 0);
        assert_int_equal(libxl__proc_id_of(ident.proc.pid, &id),
                         ERROR_NOTFOUND);
    }
    assert_true(k < MAX_K);
    libxl_domain_config_dispose(&c);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, host_rig_open, host_rig_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(pause_and_unpause),
        TEST(suspend_save_resume),
        TEST(create_and_destroy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
