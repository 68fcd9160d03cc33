/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The k-th allocation fails, for each k: a call between two ends is refused, or
 * ends once, with a result or an error; the next one works.
 *
 * As in the movers' test, malloc and calloc are replaced in this program, but
 * not under the address sanitizer.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent_peer_private.h"
#include "agent/agent_rig.h"
#include "engine/loop.h"

static _Thread_local int countdown = -1; /* allocations until the fault */
static _Thread_local bool hit;

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

#ifndef SANITIZED
/* yajl does not check its own allocations: it is left out. */
static bool by_yajl(const void *caller)
{
    Dl_info info;

    return dladdr(caller, &info) && strstr(info.dli_fname, "libyajl");
}

static bool fault(const void *caller)
{
    if (countdown < 0 || by_yajl(caller) || countdown-- > 0)
        return false;
    hit = true;
    errno = ENOMEM;
    return true;
}

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t n, size_t bytes);

__attribute__((visibility("default"))) void *malloc(size_t bytes)
{
    return fault(__builtin_return_address(0)) ? NULL : __libc_malloc(bytes);
}

__attribute__((visibility("default"))) void *calloc(size_t n, size_t bytes)
{
    return fault(__builtin_return_address(0)) ? NULL : __libc_calloc(n, bytes);
}
#endif

enum { SHORT_MS = 300, LONG_MS = 60000 };

/* Turns the loop with the fault armed; not for longer than the call's own
 * deadline, which needs no memory. */
static void run_call(struct arig *rig, struct arig_call *call, int k)
{
    int rc;

    hit = false;
    countdown = k;
    rc = arig_call(&rig->host, call, "echo", "{\"x\":[1,2,3]}", SHORT_MS);
    if (!rc)
        fixture_run_until(rig->f, &call->done);
    countdown = -1;
    assert_int_equal(call->done, rc ? 0 : 1);
}

/* Whatever was lost: an end that asks anew is found. */
static void ends_agree_again(struct arig *rig)
{
    struct arig_call call;

    if (!libxl__agent_peer_is_up(&rig->host.peer))
        libxl__agent_get_lost(rig->host.peer.state, "for the test");
    if (!libxl__agent_peer_is_up(&rig->guest.peer))
        libxl__agent_get_lost(rig->guest.peer.state, "for the test");
    assert_int_equal(arig_call(&rig->host, &call, "echo", NULL, LONG_MS), 0);
    fixture_run_until(rig->f, &call.done);
    assert_int_equal(call.code, 0);
}

static void each_allocation_of_a_call_may_fail(void **state)
{
    struct arig_call call;
    struct arig rig;
    int k, failures = 0;

    arig_open(&rig, *state, true);
    arig_until_up(&rig);
    ends_agree_again(&rig);
    for (k = 0;; k++) {
        run_call(&rig, &call, k);
        if (!hit)
            break;
        failures++;
        ends_agree_again(&rig);
    }
    assert_int_equal(call.code, 0);
    arig_close(&rig);
#ifndef SANITIZED
    assert_true(failures > 4);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_allocation_of_a_call_may_fail,
                                        fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
