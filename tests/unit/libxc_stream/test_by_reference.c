/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_by_reference.c - a guest whose pages go into a pipe as they are: the
 * stream is the one that copies would make. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "libxc_stream/sr_bench.h"

#define PAGES 3000u

static struct xc_hv *guest_in_a_file(uint32_t dirty_per_call)
{
    struct xc_hv_fake_params p = {
        .nr_pfns = PAGES,
        .type = XC_GUEST_HVM,
        .qemu_host = true,
        .use_memory_fd = true,
        .memory_fd = memfd_create("guest", MFD_CLOEXEC),
        .seed = 11,
        .dirty_per_call = dirty_per_call,
    };
    struct xc_hv *hv;

    assert_int_equal(ftruncate(p.memory_fd, PAGES * XC_PAGE_SIZE), 0);
    assert_int_equal(xc_hv_fake_open(&p, &hv), 0);
    return hv;
}

/* Into a pipe that another process copies to a file. */
static int save_into_pipe(struct xc_hv *hv, bool by_reference, bool live)
{
    int fds[2], file = sr_temp_file(), rc, status;
    struct sr_log log = {0};
    struct xc_sr_stats stats;
    struct xc_sr_save_params p;
    pid_t pid;

    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        char buf[65536];
        ssize_t n;

        close(fds[1]);
        while ((n = read(fds[0], buf, sizeof(buf))) > 0)
            if (write(file, buf, (size_t)n) != n)
                _exit(1);
        _exit(n != 0);
    }
    close(fds[0]);
    p = sr_save_params(hv, fds[1], &log);
    p.live = live;
    p.by_reference = by_reference;
    rc = xc_sr_save(&p, &stats);
    close(fds[1]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(rc, 0);
    assert_int_equal(lseek(file, 0, SEEK_END), stats.bytes);
    sr_rewind(file);
    return file;
}

static void assert_same_bytes(int a, int b)
{
    char one[4096], other[4096];
    ssize_t n;

    do {
        n = read(a, one, sizeof(one));
        assert_true(n >= 0);
        assert_int_equal(read(b, other, sizeof(other)), n);
        assert_memory_equal(one, other, (size_t)n);
    } while (n);
}

static void stream_of_a_quiet_guest_is_the_same(void **state)
{
    struct xc_hv *hv = guest_in_a_file(0);
    int copied = save_into_pipe(hv, false, true);
    int lent = save_into_pipe(hv, true, true);

    assert_same_bytes(copied, lent);
    close(copied);
    close(lent);
    xc_hv_close(hv);
}

/* A page that is changed between our look and the reader's is sent again. */
static void busy_guest_arrives_whole(void **state)
{
    struct xc_hv *hv = guest_in_a_file(100), *to;
    struct sr_guest like = {.pages = PAGES, .qemu_host = true};
    int lent = save_into_pipe(hv, true, true);
    struct xc_sr_restore_result result;
    struct sr_log log = {0};
    struct xc_sr_restore_params p;

    to = sr_guest_empty(&like);
    p = sr_restore_params(to, lent, &log);
    assert_int_equal(xc_sr_restore(&p, &result), 0);
    sr_assert_same_guest(hv, to);
    close(lent);
    xc_hv_close(to);
    xc_hv_close(hv);
}

/* Nothing would say that such a page was written to. */
static void guest_without_a_log_lends_nothing(void **state)
{
    struct xc_hv *hv = guest_in_a_file(0);

    assert_true(xc_hv_memory_fd(hv) >= 0);
    assert_true(xc_hv_lent_fd(hv) < 0);
    assert_int_equal(xc_hv_dirty_start(hv), 0);
    assert_int_equal(xc_hv_lent_fd(hv), xc_hv_memory_fd(hv));
    assert_int_equal(xc_hv_dirty_stop(hv), 0);
    xc_hv_close(hv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stream_of_a_quiet_guest_is_the_same),
        cmocka_unit_test(busy_guest_arrives_whole),
        cmocka_unit_test(guest_without_a_log_lends_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
