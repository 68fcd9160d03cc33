/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_sr_save.c - the order of a save:
 *
 *   headers -> static data -> STATIC_DATA_END
 *   -> not live: suspend -> (PV: where its p2m is, if that moved) -> all pages
 *      live:     xc_sr_live.c (log, passes, suspend, what is left)
 *   -> verify: VERIFY -> all pages once more
 *   -> state -> END -> (the owner of the stream goes on) -> dirty log off
 *
 * The guest is left suspended; resuming is the caller's business. The dirty
 * log is off behind every way out but the one that the caller asked for.
 */
#include <errno.h>
#include <string.h>

#include "stream/xc_sr_report.h"
#include "stream/xc_sr_save_priv.h"

static int write_bytes(struct xc_sr_save *s, struct iovec *iov, int n,
                       const char *what)
{
    uint64_t at = s->io.offset;
    int rc = xc_sr_io_writev(&s->io, iov, n);

    if (rc)
        return xc_sr_fail(&s->p->cb, rc, "cannot write %s at offset %llu: %s",
                          what, (unsigned long long)at, strerror(-rc));
    return 0;
}

static int write_headers(struct xc_sr_save *s)
{
    uint8_t bytes[sizeof(struct xc_wire_image_header) +
                  sizeof(struct xc_wire_domain_header)];
    struct xc_build b = xc_build_in(bytes, sizeof(bytes));
    struct xc_sr_domain_header h = {
        .type = s->info.type,
        .xen_major = s->info.xen_major,
        .xen_minor = s->info.xen_minor,
    };
    struct iovec iov = {bytes, sizeof(bytes)};

    xc_sr_put_image_header(&b);
    xc_sr_put_domain_header(&b, &h);
    assert(!b.failed && b.used == sizeof(bytes));
    return write_bytes(s, &iov, 1, "the image header");
}

int xc_sr_save_record(struct xc_sr_save *s, enum xc_rec_type type,
                      const void *body, uint32_t length)
{
    static const uint8_t zeros[XC_REC_ALIGN];
    uint8_t head[sizeof(struct xc_wire_record)];
    struct xc_build b = xc_build_in(head, sizeof(head));
    struct xc_sr_record r = {.type = type, .length = length};
    struct xc_sr_step step = xc_sr_order_step(&s->order, &r);
    struct iovec iov[3] = {
        {head, sizeof(head)},
        {(void *)body, length},
        {(void *)zeros, xc_sr_padding(length)},
    };

    if (step.broken)
        return xc_sr_fail(&s->p->cb, -EINVAL, "cannot write %s (%u bytes): %s",
                          xc_sr_record_name(type), length, step.broken);
    xc_sr_put_record(&b, &r);
    return write_bytes(s, iov, 3, xc_sr_record_name(type));
}

static int add_page(struct xc_sr_save *s, xc_pfn_t pfn)
{
    int rc = xc_sr_batch_add(s->batch, pfn);

    s->progress.done_pages++;
    if (rc || !xc_sr_batch_empty(s->batch))
        return rc;
    return xc_sr_live_breathe(s);
}

int xc_sr_save_all_pages(struct xc_sr_save *s)
{
    struct xc_pfn_run run = {0};
    int rc;

    xc_sr_progress_pass(s, s->info.used_pages ? s->info.used_pages
                                              : s->info.nr_pfns);
    for (;;) {
        rc = xc_hv_next_run(s->p->hv, run.first + run.count, &run);
        if (rc == -ENOENT)
            break;
        if (rc)
            return xc_sr_fail(&s->p->cb, rc,
                              "cannot find the guest's pages (%s): %s",
                              xc_hv_name(s->p->hv), strerror(-rc));
        for (uint64_t i = 0; i < run.count; i++) {
            rc = add_page(s, run.first + i);
            if (rc)
                return rc;
        }
    }
    return xc_sr_batch_flush(s->batch);
}

int xc_sr_save_dirty_pages(struct xc_sr_save *s)
{
    xc_pfn_t pfn = 0;
    int rc;

    xc_sr_progress_pass(s, xc_bitmap_count(&s->dirty));
    for (;;) {
        pfn = xc_bitmap_next(&s->dirty, pfn);
        if (pfn >= s->dirty.bits)
            break;
        rc = add_page(s, pfn++);
        if (rc)
            return rc;
    }
    return xc_sr_batch_flush(s->batch);
}

static int fail_info(struct xc_sr_save *s, int rc)
{
    const char *name = xc_hv_name(s->p->hv);

    if (rc == -ERANGE)
        return xc_sr_fail(&s->p->cb, rc,
                          "the guest's own account of its memory cannot be "
                          "true (%s): its highest page lies where no guest of "
                          "this host has one, or its list of frames leads "
                          "nowhere",
                          name);
    return xc_sr_fail(&s->p->cb, rc, "cannot learn about the guest (%s): %s",
                      name, strerror(-rc));
}

/* Neither the log nor the walk over all pages goes beyond what was there when
 * the save began. */
static int check_size(struct xc_sr_save *s)
{
    struct xc_hv_info now;
    int rc = xc_hv_info(s->p->hv, &now);

    if (rc == -ERANGE)
        return xc_sr_fail(&s->p->cb, rc,
                          "memory was added to the guest while it was being "
                          "saved (%s): try again",
                          xc_hv_name(s->p->hv));
    return rc ? fail_info(s, rc) : 0;
}

int xc_sr_save_suspend(struct xc_sr_save *s)
{
    int rc = 0;

    if (s->p->cb.suspend)
        rc = s->p->cb.suspend(s->p->cb.data);
    if (rc)
        return xc_sr_fail(&s->p->cb, rc, "the guest could not be suspended: %s",
                          strerror(-rc));
    s->tables.guest_stands = true;
    return check_size(s);
}

static int save_memory(struct xc_sr_save *s)
{
    int rc;

    if (s->p->live)
        return xc_sr_live(s);
    rc = xc_sr_save_suspend(s);
    if (!rc) /* the guest ran on behind our first look at it */
        rc = xc_sr_save_p2m_again(s);
    return rc ? rc : xc_sr_save_all_pages(s);
}

static int save_again_to_verify(struct xc_sr_save *s)
{
    int rc;

    if (!s->p->verify)
        return 0;
    rc = xc_sr_save_record(s, XC_REC_VERIFY, NULL, 0);
    return rc ? rc : xc_sr_save_all_pages(s);
}

static int save_state(struct xc_sr_save *s)
{
    return s->info.type == XC_GUEST_PV ? xc_sr_save_pv_state(s)
                                       : xc_sr_save_hvm_state(s);
}

static int save_all(struct xc_sr_save *s)
{
    int (*const steps[])(struct xc_sr_save *) = {
        write_headers,        xc_sr_save_static, save_memory,
        save_again_to_verify, save_state,
    };
    int rc = 0;

    for (size_t i = 0; !rc && i < sizeof(steps) / sizeof(steps[0]); i++)
        rc = steps[i](s);
    return rc ? rc : xc_sr_save_record(s, XC_REC_END, NULL, 0);
}

static int save_init(struct xc_sr_save *s)
{
    const struct xc_sr_callbacks *cb = &s->p->cb;
    struct xc_sr_batch_params bp = {
        .hv = s->p->hv,
        .io = &s->io,
        .cb = cb,
        .stats = &s->stats,
    };
    int rc = xc_hv_info(s->p->hv, &s->info);

    if (rc)
        return fail_info(s, rc);
    xc_sr_io_init(&s->io, s->p->fd);
    s->io.cancelled = cb->cancelled;
    s->io.cancel_data = cb->data;
    xc_sr_order_init(&s->order, xc_sr_profile_of(&s->info), XC_WIRE_VERSION);
    xc_sr_precopy_init(&s->policy, &s->p->precopy, s->info.qemu_host);
    bp.by_reference = s->p->by_reference;
    bp.zero_as_xalloc = s->p->zero_as_xalloc || s->info.qemu_host;
    rc = xc_bitmap_init(&s->dirty, s->info.nr_pfns);
    if (rc)
        return xc_sr_fail(cb, rc, "no memory for the set of dirty pages");
    if (s->info.type == XC_GUEST_PV) {
        rc = xc_sr_tables_init(&s->tables, s->p->hv, cb);
        bp.tables = &s->tables;
    }
    return rc ? rc : xc_sr_batch_new(&bp, &s->batch);
}

int xc_sr_save(const struct xc_sr_save_params *p, struct xc_sr_stats *stats)
{
    struct xc_sr_save s = {.p = p};
    int rc = save_init(&s);

    if (!rc)
        rc = save_all(&s);
    s.stats.bytes = s.io.offset;
    *stats = s.stats;
    if (!rc && p->cb.written)
        p->cb.written(p->cb.data, stats);
    if (!rc)
        xc_sr_progress_tell(&s, true);
    if (rc || !p->leave_log)
        xc_sr_live_stop(&s);
    xc_sr_batch_free(s.batch);
    xc_sr_tables_dispose(&s.tables);
    xc_bitmap_dispose(&s.dirty);
    return rc;
}
