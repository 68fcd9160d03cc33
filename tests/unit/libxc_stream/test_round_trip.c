/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A fake guest goes through a stream and comes out the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libxc_stream/sr_bench.h"

#define PAGES 3000u

static void save_to_file_and_back(const struct sr_guest *g, bool live,
                                  bool verify)
{
    struct xc_hv *from = sr_guest_new(g), *to = sr_guest_empty(g);
    struct sr_log log = {0};
    struct xc_sr_restore_result result;
    struct xc_sr_stats stats;
    int fd = sr_temp_file();
    struct xc_sr_save_params sp = sr_save_params(from, fd, &log);
    struct xc_sr_restore_params rp = sr_restore_params(to, fd, &log);

    sp.live = live;
    sp.verify = verify;
    assert_int_equal(xc_sr_save(&sp, &stats), 0);
    assert_false(xc_hv_fake_is_logging(from));
    sr_rewind(fd);
    assert_int_equal(xc_sr_restore(&rp, &result), 0);
    assert_int_equal(result.stats.bytes, stats.bytes);
    assert_int_equal(log.errors, 0);
    sr_assert_same_guest(from, to);
    close(fd);
    xc_hv_close(from);
    xc_hv_close(to);
}

static void qemu_guest_comes_back(void **state)
{
    struct sr_guest g = {.pages = PAGES, .qemu_host = true, .seed = 1};

    save_to_file_and_back(&g, false, false);
}

static void xen_guest_comes_back(void **state)
{
    struct sr_guest g = {.pages = PAGES, .seed = 2};

    save_to_file_and_back(&g, false, false);
}

static void verify_finds_no_difference(void **state)
{
    struct sr_guest g = {.pages = PAGES, .qemu_host = true, .seed = 3};

    save_to_file_and_back(&g, false, true);
    g.qemu_host = false;
    save_to_file_and_back(&g, false, true);
}

static void guest_that_writes_meanwhile_comes_back(void **state)
{
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct sr_guest g = {
            .pages = PAGES,
            .qemu_host = seed % 2,
            .seed = seed,
            .dirty_per_call = (uint32_t)(seed * 37),
        };

        save_to_file_and_back(&g, true, seed % 3 == 0);
    }
}

static void small_guests_come_back(void **state)
{
    static const xc_pfn_t sizes[] = {1, 2, 1021, 1022, 1023, 1024, 2044, 2045};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct sr_guest g = {.pages = sizes[i], .qemu_host = true, .seed = 9};

        save_to_file_and_back(&g, false, false);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(qemu_guest_comes_back),
        cmocka_unit_test(xen_guest_comes_back),
        cmocka_unit_test(verify_finds_no_difference),
        cmocka_unit_test(guest_that_writes_meanwhile_comes_back),
        cmocka_unit_test(small_guests_come_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
