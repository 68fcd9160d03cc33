/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Saves and restores of which call k goes wrong, for all k until none does:
 * every hv op, every allocation, read, write, seek and mapping. Each ends with
 * an error that was reported, or as if nothing had happened; nothing is leaked,
 * and the dirty log is off.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../fault/fault_wrap.h"
#include "hv/xc_hv_fault.h"
#include "libxc_stream/sr_bench.h"

#define PAGES 300u
#define K_MAX 10000u

struct scene {
    bool qemu_host, live, restore, pipe, pv;
};

static const struct scene scenes[] = {
    {.qemu_host = true},
    {.qemu_host = false},
    {.qemu_host = true, .live = true},
    {.qemu_host = false, .live = true},
    {.qemu_host = true, .restore = true},
    {.qemu_host = false, .restore = true},
    {.qemu_host = true, .restore = true, .pipe = true},
    {.pv = true},
    {.pv = true, .live = true},
    {.pv = true, .restore = true},
};
#define NR_SCENES (sizeof(scenes) / sizeof(scenes[0]))

struct stage {
    const struct scene *scene;
    struct sr_guest guest;
    struct xc_hv *source, *hv; /* hv: the one under test, in a decorator */
    int fd;                    /* the stream, from its beginning */
    pid_t feeder;              /* 0: none */
    struct sr_log log;
};

static unsigned cases; /* of all matrices, told at the end */

static void stage_stream(struct stage *s)
{
    struct xc_sr_save_params p = sr_save_params(s->source, s->fd, &s->log);
    struct xc_sr_stats stats;

    assert_int_equal(xc_sr_save(&p, &stats), 0);
    sr_rewind(s->fd);
}

static _Noreturn void feed(int from, int to)
{
    char bytes[4096];
    ssize_t n;

    do
        n = read(from, bytes, sizeof(bytes));
    while (n > 0 && write(to, bytes, (size_t)n) == n);
    _exit(0);
}

/* The stream comes from a process, through a pipe. */
static void stage_pipe(struct stage *s)
{
    int pair[2];

    assert_int_equal(pipe(pair), 0);
    s->feeder = fork();
    assert_true(s->feeder >= 0);
    if (s->feeder == 0) {
        close(pair[0]);
        feed(s->fd, pair[1]);
    }
    close(pair[1]);
    close(s->fd);
    s->fd = pair[0];
}

static struct xc_hv *in_memfd(const struct sr_guest *g, uint64_t seed)
{
    struct xc_hv_fake_params p = {
        .nr_pfns = g->pages,
        .type = g->pv_width ? XC_GUEST_PV : XC_GUEST_HVM,
        .pv_width = g->pv_width,
        .qemu_host = g->qemu_host,
        .use_memory_fd = true,
        .memory_fd = memfd_create("guest", 0),
        .seed = seed,
        .dirty_per_call = g->dirty_per_call,
    };
    struct xc_hv *hv;

    assert_int_equal(ftruncate(p.memory_fd, PAGES * XC_PAGE_SIZE), 0);
    assert_int_equal(xc_hv_fake_open(&p, &hv), 0);
    return hv;
}

static void stage_open(struct stage *s, const struct scene *scene)
{
    struct xc_hv_fault_plan none = {0};

    *s = (struct stage){.scene = scene};
    s->guest = (struct sr_guest){
        .pages = PAGES,
        .qemu_host = scene->qemu_host,
        .seed = 11,
        .pv_width = scene->pv ? 8 : 0,
        .dirty_per_call = scene->live ? 20 : 0,
    };
    s->fd = sr_temp_file();
    s->source = sr_guest_new(&s->guest);
    if (scene->restore)
        stage_stream(s);
    if (scene->pipe)
        stage_pipe(s);
    s->log = (struct sr_log){0};
    assert_int_equal(
        xc_hv_fault_open(in_memfd(&s->guest, scene->restore ? 0 : 11), &none,
                         &s->hv),
        0);
}

static int stage_run(struct stage *s)
{
    struct xc_sr_save_params sp = sr_save_params(s->hv, s->fd, &s->log);
    struct xc_sr_restore_params rp = sr_restore_params(s->hv, s->fd, &s->log);
    struct xc_sr_restore_result result;
    struct xc_sr_stats stats;

    sp.live = s->scene->live;
    if (s->scene->restore)
        return xc_sr_restore(&rp, &result);
    return xc_sr_save(&sp, &stats);
}

static void stage_check(struct stage *s, int rc)
{
    struct xc_hv *inner = xc_hv_fault_inner(s->hv);

    assert_false(xc_hv_fake_is_logging(inner));
    assert_int_equal(s->log.dm_log_on, s->log.dm_log_off);
    assert_true(rc <= 0);
    assert_int_equal(s->log.errors, rc ? 1 : 0);
    if (!rc && s->scene->restore)
        sr_assert_same_guest(s->source, inner);
}

static void stage_close(struct stage *s)
{
    close(s->fd);
    if (s->feeder)
        waitpid(s->feeder, NULL, 0);
    xc_hv_close(s->hv);
    xc_hv_close(s->source);
}

/* Each k: fails or recovers, and is clean. must_recover: the call may go wrong
 * that way in daily life. */
static void matrix(enum fault_call call, enum fault_how how, int errnoval,
                   bool must_recover)
{
    for (size_t i = 0; i < NR_SCENES; i++) {
        bool hit = true;

        for (unsigned k = 1; hit; k++) {
            int fds = fault_open_fds(), rc;
            struct stage s;

            cases++;
            assert_true(k < K_MAX);
            fault_count_allocs();
            stage_open(&s, &scenes[i]);
            fault_arm(call, k, how, errnoval);
            rc = stage_run(&s);
            hit = fault_disarm();
            stage_check(&s, rc);
            if (!hit || must_recover)
                assert_int_equal(rc, 0);
            stage_close(&s);
            assert_int_equal(fault_unfreed(), 0);
            assert_int_equal(fault_open_fds(), fds);
        }
    }
}

static void hv_matrix(enum xc_hv_fault_kind kind)
{
    for (size_t i = 0; i < NR_SCENES; i++) {
        bool hit = true;

        for (unsigned k = 1; hit; k++) {
            struct xc_hv_fault_plan plan = {
                .kind = kind, .at = k, .error = -EIO, .delay_ms = 1};
            struct stage s;
            int rc;

            cases++;
            assert_true(k < K_MAX);
            fault_count_allocs();
            stage_open(&s, &scenes[i]);
            xc_hv_fault_plan(s.hv, &plan);
            rc = stage_run(&s);
            hit = xc_hv_fault_calls(s.hv) >= k;
            stage_check(&s, rc);
            if (!hit || kind == XC_HV_FAULT_DELAY)
                assert_int_equal(rc, 0);
            stage_close(&s);
            assert_int_equal(fault_unfreed(), 0);
        }
    }
}

static int tell_cases(void **state)
{
    print_message("# %u cases\n", cases);
    return 0;
}

static void hv_call_fails(void **state)
{
    hv_matrix(XC_HV_FAULT_FAIL);
}

static void hv_call_does_half_and_fails(void **state)
{
    hv_matrix(XC_HV_FAULT_CUT);
}

static void hv_call_is_slow(void **state)
{
    hv_matrix(XC_HV_FAULT_DELAY);
}

static void allocation_fails(void **state)
{
    matrix(FAULT_ALLOC, FAULT_ERROR, ENOMEM, false);
}

static void read_fails(void **state)
{
    matrix(FAULT_READ, FAULT_ERROR, EIO, false);
}

static void read_ends_early(void **state)
{
    matrix(FAULT_READ, FAULT_EOF, 0, false);
}

static void read_is_short(void **state)
{
    matrix(FAULT_READ, FAULT_SHORT, 0, true);
}

static void read_is_interrupted(void **state)
{
    matrix(FAULT_READ, FAULT_ERROR, EINTR, true);
}

static void disk_is_full(void **state)
{
    matrix(FAULT_WRITE, FAULT_ERROR, ENOSPC, false);
}

static void write_is_short(void **state)
{
    matrix(FAULT_WRITE, FAULT_SHORT, 0, true);
}

static void write_would_block(void **state)
{
    matrix(FAULT_WRITE, FAULT_ERROR, EAGAIN, true);
}

static void seek_fails(void **state)
{
    matrix(FAULT_SEEK, FAULT_ERROR, EIO, false);
}

static void mapping_fails(void **state)
{
    matrix(FAULT_MAP, FAULT_ERROR, ENOMEM, true);
}

static void poll_is_interrupted(void **state)
{
    matrix(FAULT_POLL, FAULT_ERROR, EINTR, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hv_call_fails),
        cmocka_unit_test(hv_call_does_half_and_fails),
        cmocka_unit_test(hv_call_is_slow),
        cmocka_unit_test(allocation_fails),
        cmocka_unit_test(read_fails),
        cmocka_unit_test(read_ends_early),
        cmocka_unit_test(read_is_short),
        cmocka_unit_test(read_is_interrupted),
        cmocka_unit_test(disk_is_full),
        cmocka_unit_test(write_is_short),
        cmocka_unit_test(write_would_block),
        cmocka_unit_test(seek_fails),
        cmocka_unit_test(mapping_fails),
        cmocka_unit_test(poll_is_interrupted),
    };

    return cmocka_run_group_tests(tests, NULL, tell_cases);
}
