/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "libxc_stream/sr_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

static struct xc_hv *open_fake(const struct sr_guest *g, uint64_t seed)
{
    struct xc_hv_fake_params p = {
        .nr_pfns = g->pages,
        .type = XC_GUEST_HVM,
        .qemu_host = g->qemu_host,
        .seed = seed,
        .dirty_per_call = g->dirty_per_call,
    };
    struct xc_hv *hv;

    assert_int_equal(xc_hv_fake_open(&p, &hv), 0);
    return hv;
}

struct xc_hv *sr_guest_new(const struct sr_guest *g)
{
    return open_fake(g, g->seed);
}

struct xc_hv *sr_guest_empty(const struct sr_guest *g)
{
    return open_fake(g, 0);
}

static void on_log(void *data, enum xc_log_level level, int errnoval,
                   const char *text)
{
    struct sr_log *log = data;

    if (level == XC_LOG_ERROR) {
        log->errors++;
        snprintf(log->last_error, sizeof(log->last_error), "%s", text);
    } else if (level == XC_LOG_WARN) {
        log->warnings++;
        snprintf(log->last_warning, sizeof(log->last_warning), "%s", text);
    }
}

static void on_progress(void *data, const struct xc_sr_progress *p)
{
    ((struct sr_log *)data)->progress = *p;
}

static int on_suspend(void *data)
{
    struct sr_log *log = data;

    log->suspends++;
    return log->suspend_rc;
}

static int on_dm_log(void *data, bool enable)
{
    struct sr_log *log = data;

    if (enable)
        log->dm_log_on++;
    else
        log->dm_log_off++;
    return 0;
}

static int on_static(void *data, unsigned missing)
{
    struct sr_log *log = data;

    log->static_done++;
    log->missing = missing;
    return log->static_rc;
}

static bool on_cancelled(void *data)
{
    return ((struct sr_log *)data)->cancel;
}

static struct xc_sr_callbacks callbacks(struct sr_log *log)
{
    return (struct xc_sr_callbacks){
        .data = log,
        .log = on_log,
        .progress = on_progress,
        .suspend = on_suspend,
        .switch_dm_logdirty = on_dm_log,
        .static_data_done = on_static,
        .cancelled = on_cancelled,
    };
}

struct xc_sr_save_params sr_save_params(struct xc_hv *hv, int fd,
                                        struct sr_log *log)
{
    return (struct xc_sr_save_params){.hv = hv, .fd = fd, .cb = callbacks(log)};
}

struct xc_sr_restore_params sr_restore_params(struct xc_hv *hv, int fd,
                                              struct sr_log *log)
{
    return (struct xc_sr_restore_params){
        .hv = hv, .fd = fd, .cb = callbacks(log)};
}

int sr_temp_file(void)
{
    int fd = memfd_create("stream", MFD_CLOEXEC);

    assert_true(fd >= 0);
    return fd;
}

void sr_rewind(int fd)
{
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
}

void sr_assert_same_guest(struct xc_hv *a, struct xc_hv *b)
{
    assert_int_equal(a->nr_pfns, b->nr_pfns);
    for (xc_pfn_t pfn = 0; pfn < a->nr_pfns; pfn++) {
        uint64_t at = xc_pages_to_bytes(pfn);

        if (memcmp(xc_hv_fake_memory(a) + at, xc_hv_fake_memory(b) + at,
                   XC_PAGE_SIZE))
            fail_msg("PFN %#llx differs", (unsigned long long)pfn);
    }
    for (int id = XC_HV_HVM_CONTEXT; id <= XC_HV_MSR_POLICY; id++) {
        struct xc_hv_buf x = xc_hv_fake_blob(a, (enum xc_hv_blob)id);
        struct xc_hv_buf y = xc_hv_fake_blob(b, (enum xc_hv_blob)id);

        assert_int_equal(x.bytes, y.bytes);
        if (x.bytes)
            assert_memory_equal(x.data, y.data, x.bytes);
    }
}
