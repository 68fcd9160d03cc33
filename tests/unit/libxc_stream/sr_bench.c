/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "libxc_stream/sr_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "hv/xc_hv_pv.h"

#define SR_FRAME_MASK UINT64_C(0x000ffffffffff000)
#define SR_BASIC_SAME 520u

static struct xc_hv *open_fake(const struct sr_guest *g, uint64_t seed)
{
    struct xc_hv_fake_params p = {
        .nr_pfns = g->pages,
        .type = g->pv_width ? XC_GUEST_PV : XC_GUEST_HVM,
        .pv_width = g->pv_width,
        .qemu_host = g->qemu_host,
        .seed = seed,
        .dirty_per_call = g->dirty_per_call,
        .max_pages = g->max_pages,
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

/* A page as the guest sees it: PFNs in the places of machine frames. */
static void as_guest_sees(struct xc_hv *hv, xc_pfn_t pfn, uint64_t *out)
{
    unsigned level = hv->pv ? xc_hv_fake_pv_type(hv, pfn) & 7u : 0;

    memcpy(out, xc_hv_fake_memory(hv) + xc_pages_to_bytes(pfn), XC_PAGE_SIZE);
    for (size_t i = 0; level && i < XC_PAGE_SIZE / 8; i++) {
        uint64_t mfn = (out[i] & SR_FRAME_MASK) >> XC_PAGE_SHIFT, target;

        if (!(out[i] & 1))
            continue;
        assert_int_equal(xc_hv_pv_pfns_of(hv, &mfn, 1, &target), 0);
        out[i] = (out[i] & ~SR_FRAME_MASK) | target << XC_PAGE_SHIFT;
    }
}

static void assert_same_page(struct xc_hv *a, struct xc_hv *b, xc_pfn_t pfn)
{
    uint64_t x[XC_PAGE_SIZE / 8], y[XC_PAGE_SIZE / 8];

    as_guest_sees(a, pfn, x);
    as_guest_sees(b, pfn, y);
    if (memcmp(x, y, sizeof(x)))
        fail_msg("PFN %#llx differs", (unsigned long long)pfn);
    if (a->pv)
        assert_int_equal(xc_hv_fake_pv_type(a, pfn),
                         xc_hv_fake_pv_type(b, pfn));
}

/* Frames differ from host to host: start info and the p2m itself. */
static bool is_rewritten(struct xc_hv *hv, xc_pfn_t pfn)
{
    struct xc_hv_buf frames;
    bool is_frame;
    size_t n;

    if (!hv->pv)
        return false;
    assert_int_equal(xc_hv_pv_p2m_frames(hv, &frames), 0);
    n = frames.bytes / sizeof(xc_pfn_t);
    is_frame = pfn >= XC_FAKE_PV_P2M_PFN && pfn < XC_FAKE_PV_P2M_PFN + n;
    xc_hv_buf_free(&frames);
    return is_frame || pfn == 0;
}

static void assert_p2m_is_right(struct xc_hv *hv, unsigned width)
{
    const uint8_t *p2m =
        xc_hv_fake_memory(hv) + xc_pages_to_bytes(XC_FAKE_PV_P2M_PFN);

    for (xc_pfn_t pfn = 0; pfn < hv->nr_pfns; pfn++) {
        uint64_t listed = 0, mfn;

        memcpy(&listed, p2m + pfn * width, width);
        assert_int_equal(xc_hv_pv_mfns_of(hv, &pfn, 1, &mfn), 0);
        assert_int_equal(listed, width == 4 ? (uint32_t)mfn : mfn);
    }
}

static void assert_same_vcpus(struct xc_hv *a, struct xc_hv *b)
{
    struct xc_hv_pv_info info;
    struct xc_hv_buf x, y;

    assert_int_equal(xc_hv_pv_info(a, &info), 0);
    assert_p2m_is_right(b, info.width);
    for (uint32_t v = 0; v < info.nr_vcpus; v++) {
        for (int part = 0; part < XC_HV_VCPU_PARTS; part++) {
            int rc = xc_hv_pv_get_vcpu(a, v, (enum xc_hv_vcpu_part)part, &x);

            assert_int_equal(
                xc_hv_pv_get_vcpu(b, v, (enum xc_hv_vcpu_part)part, &y), rc);
            if (rc)
                continue;
            assert_int_equal(x.bytes, y.bytes);
            /* registers up to the first frame of machine */
            assert_memory_equal(x.data, y.data, part ? x.bytes : SR_BASIC_SAME);
            xc_hv_buf_free(&x);
            xc_hv_buf_free(&y);
        }
    }
}

void sr_assert_same_guest(struct xc_hv *a, struct xc_hv *b)
{
    assert_int_equal(a->nr_pfns, b->nr_pfns);
    for (xc_pfn_t pfn = 0; pfn < a->nr_pfns; pfn++)
        if (!a->pv || (xc_bitmap_test(xc_hv_fake_touched(a), pfn) &&
                       !is_rewritten(a, pfn)))
            assert_same_page(a, b, pfn);
    if (a->pv)
        assert_same_vcpus(a, b);
    for (int id = XC_HV_HVM_CONTEXT; id <= XC_HV_MSR_POLICY; id++) {
        struct xc_hv_buf x = xc_hv_fake_blob(a, (enum xc_hv_blob)id);
        struct xc_hv_buf y = xc_hv_fake_blob(b, (enum xc_hv_blob)id);

        assert_int_equal(x.bytes, y.bytes);
        if (x.bytes)
            assert_memory_equal(x.data, y.data, x.bytes);
    }
}
