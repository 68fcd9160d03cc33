/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A freeze is whole or told as an error; on file systems that are made up. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent_rig.h"
#include "agent/agentd_core.h"

enum { FS = 3 };

/* The seam has no place for a user's pointer: there is one machine. */
static struct {
    const char *point[FS];
    int refuses[FS]; /* errno at freeze */
    bool held[FS];
    int list_errno;
} machine;

void agentd_log(agentd *d, const char *fmt, ...)
{
}

static int fake_list(libxl__gc *gc, struct agentd_points *out)
{
    for (out->n = 0; out->n < FS && machine.point[out->n]; out->n++)
        out->at[out->n] = libxl__strdup(gc, machine.point[out->n]);
    return machine.list_errno;
}

static size_t find(const char *point)
{
    size_t i;

    for (i = 0; strcmp(machine.point[i], point); i++)
        assert_true(i < FS - 1);
    return i;
}

static int fake_freeze(const char *point)
{
    size_t i = find(point);

    if (machine.refuses[i])
        return machine.refuses[i];
    if (machine.held[i])
        return EBUSY;
    machine.held[i] = true;
    return 0;
}

static int fake_thaw(const char *point)
{
    size_t i = find(point);
    bool held = machine.held[i];

    machine.held[i] = false;
    return held ? 0 : EINVAL;
}

static const struct agentd_mounts fake = {fake_list, fake_freeze, fake_thaw};

struct rig {
    struct fixture *f;
    struct arig wire;
    agentd d;
    struct arig_call call;
};

static void serve(libxl__egc *egc, libxl__agent_peer *peer,
                  libxl__agent_job *job)
{
    if (!strcmp(job->method, "guest.fsthaw"))
        libxl__agentd_fsthaw(egc, peer->user, job);
    else
        libxl__agentd_fsfreeze(egc, peer->user, job);
}

static int setup(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    void *f;

    fixture_setup(&f);
    rig->f = f;
    memset(&machine, 0, sizeof(machine));
    machine.point[0] = "/";
    machine.point[1] = "/data";
    machine.point[2] = "/boot";
    rig->d.ctx = rig->f->ctx;
    rig->d.mounts = &fake;
    libxl__ev_time_init(&rig->d.thaw);
    arig_open(&rig->wire, rig->f, true);
    arig_until_up(&rig->wire);
    rig->wire.guest.peer.user = &rig->d;
    rig->wire.guest.peer.serve = serve;
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    struct rig *rig = *state;
    void *f = rig->f;

    libxl__ev_time_deregister(rig->f->ctx, &rig->d.thaw);
    rig->wire.guest.peer.user = &rig->wire.guest;
    arig_close(&rig->wire);
    free(rig);
    return fixture_teardown(&f);
}

static int call(struct rig *rig, const char *method, const char *params)
{
    assert_int_equal(
        arig_call(&rig->wire.host, &rig->call, method, params, 60000), 0);
    fixture_run_until(rig->f, &rig->call.done);
    return rig->call.code;
}

static int freeze(struct rig *rig)
{
    return call(rig, "guest.fsfreeze", "{\"seconds\":60}");
}

static void nothing_is_held(struct rig *rig)
{
    size_t i;

    for (i = 0; i < FS; i++)
        assert_false(machine.held[i]);
    assert_false(rig->d.frozen);
    assert_false(libxl__ev_time_isregistered(&rig->d.thaw));
}

static void all_are_held_until_they_are_thawed(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(freeze(rig), 0);
    assert_true(machine.held[0] && machine.held[1] && machine.held[2]);
    assert_true(rig->d.frozen);
    assert_true(libxl__ev_time_isregistered(&rig->d.thaw));
    assert_int_equal(freeze(rig), AGENT_E_SYSTEM);
    assert_true(machine.held[0]);
    assert_int_equal(call(rig, "guest.fsthaw", NULL), 0);
    nothing_is_held(rig);
}

static void one_that_fails_ends_the_freeze_of_all(void **state)
{
    struct rig *rig = *state;

    machine.refuses[1] = EIO;
    assert_int_equal(freeze(rig), AGENT_E_SYSTEM);
    assert_string_equal(rig->call.text,
                        "cannot freeze /data: Input/output error");
    nothing_is_held(rig);
    machine.refuses[1] = 0;
    assert_int_equal(freeze(rig), 0);
}

static void none_frozen_is_an_error_that_says_why(void **state)
{
    struct rig *rig = *state;
    int i;

    for (i = 0; i < FS; i++)
        machine.refuses[i] = EPERM;
    assert_int_equal(freeze(rig), AGENT_E_SYSTEM);
    assert_string_equal(rig->call.text,
                        "cannot freeze /boot: Operation not permitted");
    nothing_is_held(rig);
    for (i = 0; i < FS; i++)
        machine.refuses[i] = EOPNOTSUPP;
    assert_int_equal(freeze(rig), AGENT_E_SYSTEM);
    assert_string_equal(rig->call.text,
                        "cannot freeze /: Operation not supported");
    nothing_is_held(rig);
}

static void one_that_cannot_freeze_does_not_keep_the_others(void **state)
{
    struct rig *rig = *state;

    machine.refuses[0] = EOPNOTSUPP;
    assert_int_equal(freeze(rig), 0);
    assert_true(machine.held[1] && machine.held[2]);
}

static void what_is_mounted_twice_is_frozen_once(void **state)
{
    struct rig *rig = *state;

    machine.point[2] = "/data";
    assert_int_equal(freeze(rig), 0);
    assert_true(machine.held[0] && machine.held[1]);
    assert_int_equal(call(rig, "guest.fsthaw", NULL), 0);
    nothing_is_held(rig);
}

static void what_somebody_else_froze_stays_so_after_a_failure(void **state)
{
    struct rig *rig = *state;

    machine.held[2] = true;
    machine.refuses[0] = EIO;
    assert_int_equal(freeze(rig), AGENT_E_SYSTEM);
    assert_true(machine.held[2]);
    assert_false(machine.held[1]);
}

static void mounts_that_cannot_be_listed_are_an_error(void **state)
{
    struct rig *rig = *state;

    machine.list_errno = ENOENT;
    assert_int_equal(freeze(rig), AGENT_E_SYSTEM);
    nothing_is_held(rig);
}

static void a_guest_without_disks_has_nothing_to_freeze(void **state)
{
    struct rig *rig = *state;

    machine.point[0] = NULL;
    assert_int_equal(freeze(rig), 0);
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(all_are_held_until_they_are_thawed),
        T(one_that_fails_ends_the_freeze_of_all),
        T(none_frozen_is_an_error_that_says_why),
        T(one_that_cannot_freeze_does_not_keep_the_others),
        T(what_is_mounted_twice_is_frozen_once),
        T(what_somebody_else_froze_stays_so_after_a_failure),
        T(mounts_that_cannot_be_listed_are_an_error),
        T(a_guest_without_disks_has_nothing_to_freeze),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
