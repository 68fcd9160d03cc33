/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The k-th allocation fails, for every k until none does: each operation ends
 * with an error or a result, the ctx goes on, and nothing is left behind.
 *
 * malloc and calloc are replaced in this program alone. Under the address
 * sanitizer, which must keep its own, the operations run without faults.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/container.h"
#include "io/mover_fixture.h"

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
static bool fault(void)
{
    if (countdown < 0 || countdown-- > 0)
        return false;
    hit = true;
    errno = ENOMEM;
    return true;
}

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t n, size_t bytes);

__attribute__((visibility("default"))) void *malloc(size_t bytes)
{
    return fault() ? NULL : __libc_malloc(bytes);
}

__attribute__((visibility("default"))) void *calloc(size_t n, size_t bytes)
{
    return fault() ? NULL : __libc_calloc(n, bytes);
}
#endif

/* ---- the operation under test: write, read and copy, then a child ---- */

struct work {
    libxl__ao *ao;
    libxl__ao_join join;
    libxl__bufreader br;
    libxl__bufwriter bw;
    libxl__datacopier dc;
    libxl__ev_child ch;
    char in[64];
    int pipe_a[2], pipe_b[2];
    int file;
    bool failed;
};

static struct work *work_of_join(libxl__ao_join *join)
{
    return CONTAINER_OF(join, struct work, join);
}

static struct work *work_of_br(libxl__bufreader *br)
{
    return CONTAINER_OF(br, struct work, br);
}

static struct work *work_of_bw(libxl__bufwriter *bw)
{
    return CONTAINER_OF(bw, struct work, bw);
}

static struct work *work_of_dc(libxl__datacopier *dc)
{
    return CONTAINER_OF(dc, struct work, dc);
}

static struct work *work_of_ch(libxl__ev_child *ch)
{
    return CONTAINER_OF(ch, struct work, ch);
}

static void all_done(libxl__egc *egc, libxl__ao_join *join, int rc)
{
    libxl__ao_complete(egc, work_of_join(join)->ao, rc);
}

/* One part failed: what waits for it would wait for ever. */
static void stop_all(libxl__egc *egc, libxl__ao_join *join, int rc)
{
    struct work *w = work_of_join(join);

    w->failed = true;
    if (w->br.state) {
        libxl__bufreader_kill(&w->br);
        libxl__ao_join_child_done(egc, join, rc);
    }
    if (w->bw.state) {
        libxl__bufwriter_kill(&w->bw);
        libxl__ao_join_child_done(egc, join, rc);
    }
    if (w->dc.state) {
        libxl__datacopier_kill(&w->dc);
        libxl__ao_join_child_done(egc, join, rc);
    }
}

static void was_read(libxl__egc *egc, libxl__bufreader *br,
                     const struct libxl__dc_result *res)
{
    libxl__ao_join_child_done(egc, &work_of_br(br)->join, libxl__dc_rc(res));
}

static void was_written(libxl__egc *egc, libxl__bufwriter *bw,
                        const struct libxl__dc_result *res)
{
    libxl__ao_join_child_done(egc, &work_of_bw(bw)->join, libxl__dc_rc(res));
}

static void was_copied(libxl__egc *egc, libxl__datacopier *dc,
                       const struct libxl__dc_result *res)
{
    libxl__ao_join_child_done(egc, &work_of_dc(dc)->join, libxl__dc_rc(res));
}

static void child_died(libxl__egc *egc, libxl__ev_child *ch, pid_t pid,
                       int status)
{
    libxl__ao_join_child_done(egc, &work_of_ch(ch)->join,
                              status ? ERROR_FAIL : 0);
}

static int start_child(struct work *w)
{
    static const char *const argv[] = {"/bin/true", NULL};
    const int fds[] = {-1, -1, -1};
    const struct libxl__spawn_params params = {
        .argv = argv, .fds = fds, .nr_fds = 3};

    libxl__ev_child_init(&w->ch);
    return libxl__ev_child_spawn(libxl__ao_ctx(w->ao), &w->ch, child_died,
                                 &params);
}

/* Starts one part, unless another has failed already. */
static void add(libxl__egc *egc, struct work *w, int (*part)(struct work *w))
{
    int rc;

    if (w->failed)
        return;
    libxl__ao_join_add(&w->join);
    rc = part(w);
    if (rc)
        libxl__ao_join_child_done(egc, &w->join, rc);
}

static int start_writing(struct work *w)
{
    return libxl__bufwriter_start(&w->bw, w->in, sizeof(w->in));
}

static int start_copying(struct work *w)
{
    return libxl__datacopier_start(&w->dc);
}

static int start_reading(struct work *w)
{
    return libxl__bufreader_start(&w->br, w->in, sizeof(w->in));
}

static int start(libxl__egc *egc, libxl__ao *ao, const void *params)
{
    struct work *w = *(struct work *const *)params;

    w->ao = ao;
    libxl__ao_join_init(&w->join);
    w->join.all_done = all_done;
    w->join.first_error = stop_all;
    libxl__bufreader_init(&w->br);
    libxl__bufwriter_init(&w->bw);
    libxl__datacopier_init(&w->dc);
    w->br.ao = w->bw.ao = w->dc.ao = ao;
    w->br.what = w->bw.what = w->dc.readwhat = w->dc.writewhat = "a pipe";
    w->bw.fd = w->pipe_a[1];
    w->dc.readfd = w->pipe_a[0];
    w->dc.writefd = w->file;
    w->dc.bytes_to_read = sizeof(w->in);
    w->br.fd = w->pipe_b[0];
    w->bw.callback = was_written;
    w->dc.callback = was_copied;
    w->br.callback = was_read;
    w->failed = false;
    add(egc, w, start_writing);
    add(egc, w, start_copying);
    add(egc, w, start_reading);
    add(egc, w, start_child);
    libxl__ao_join_seal(egc, &w->join);
    return 0;
}

static void every_allocation_may_fail(void **state)
{
    struct fixture *f = *state;
    int k, rc, failures = 0;
    struct work w, *params = &w;

    for (k = 0;; k++) {
        mover_tiny_pipe(w.pipe_a);
        mover_tiny_pipe(w.pipe_b);
        w.file = mover_temp_file();
        assert_int_equal(write(w.pipe_b[1], w.in, sizeof(w.in)), sizeof(w.in));
        hit = false;
        countdown = k;
        rc = libxl__ao_run(f->ctx, 1, NULL, start, &params);
        countdown = -1;
        close(w.pipe_a[0]);
        close(w.pipe_a[1]);
        close(w.pipe_b[0]);
        close(w.pipe_b[1]);
        close(w.file);
        if (!hit)
            break;
        assert_int_not_equal(rc, 0);
        failures++;
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    }
    assert_int_equal(rc, 0);
#ifndef SANITIZED
    assert_true(failures > 10);
#endif
}

static void a_ctx_without_memory_is_none(void **state)
{
    struct fixture *f = *state;
    libxl_ctx *ctx = f->ctx;
    int k, rc;

    for (k = 0;; k++) {
        hit = false;
        countdown = k;
        rc = libxl_ctx_alloc(&ctx, LIBXL_VERSION, 0, &f->logger);
        countdown = -1;
        if (!hit)
            break;
        assert_int_not_equal(rc, 0);
        assert_null(ctx);
    }
    assert_int_equal(rc, 0);
    assert_int_equal(libxl_ctx_free(ctx), 0);
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        T(every_allocation_may_fail),
        T(a_ctx_without_memory_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
