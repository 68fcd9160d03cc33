/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/xen_rig.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/container.h"
#include "store/domain_record.h"

struct fake_xen fake_xen;
static int channel[2] = {-1, -1};

/* ---- the hypervisor ---- */

static int fake_open(struct libxl__xen_handle **out)
{
    *out = (struct libxl__xen_handle *)&fake_xen;
    if (!fake_xen.open_r)
        fake_xen.open_handles++;
    return fake_xen.open_r;
}

static void fake_close(struct libxl__xen_handle *h)
{
    if (h)
        fake_xen.open_handles--;
}

static int fake_domains(struct libxl__xen_handle *h, uint32_t first,
                        unsigned max, struct libxl__xen_domain *out)
{
    if (!fake_xen.there || first > fake_xen.domain.domid || !max)
        return 0;
    *out = fake_xen.domain;
    return 1;
}

static int fake_create(struct libxl__xen_handle *h,
                       const struct libxl__xen_new *n)
{
    fake_xen.there = true;
    fake_xen.domain = (struct libxl__xen_domain){
        .domid = n->domid,
        .hvm = n->type != LIBXL__XEN_PV,
        .pvh = n->type == LIBXL__XEN_PVH,
        .paused = true,
    };
    memcpy(fake_xen.domain.uuid, n->uuid, sizeof(n->uuid));
    return 0;
}

static int fake_build(struct libxl__xen_handle *h,
                      const struct libxl__xen_image *im,
                      struct libxl__xen_built *out)
{
    fake_xen.builds++;
    fake_xen.builder = pthread_self();
    if (fake_xen.on_build)
        fake_xen.on_build();
    *out = (struct libxl__xen_built){.store_gfn = 7, .console_gfn = 8};
    if (fake_xen.build_why)
        snprintf(out->why, sizeof(out->why), "%s", fake_xen.build_why);
    return fake_xen.build_r;
}

static int fake_destroy(struct libxl__xen_handle *h, uint32_t domid)
{
    fake_xen.there = fake_xen.stays;
    fake_xen.domain.dying = true;
    return 0;
}

static int fake_unpause(struct libxl__xen_handle *h, uint32_t domid)
{
    fake_xen.domain.paused = false;
    return 0;
}

static int fake_resume(struct libxl__xen_handle *h, uint32_t domid)
{
    fake_xen.domain.shutdown = false;
    return 0;
}

static int fake_port(struct libxl__xen_handle *h, uint32_t domid,
                     uint32_t remote, uint32_t *port)
{
    *port = 3;
    return 0;
}

static int fake_param_get(struct libxl__xen_handle *h, uint32_t domid,
                          uint32_t param, uint64_t *value)
{
    *value = 0;
    return 0;
}

static int fake_param_set(struct libxl__xen_handle *h, uint32_t domid,
                          uint32_t param, uint64_t value)
{
    return 0;
}

/* ---- the suspend channel ---- */

static int fake_channel_open(uint32_t domid, uint32_t port,
                             struct libxl__xen_channel **out, int *fd)
{
    *out = NULL;
    if (port != fake_xen.port)
        return -EINVAL;
    assert_int_equal(pipe(channel), 0);
    fake_xen.channels++;
    *out = (struct libxl__xen_channel *)channel;
    *fd = channel[0];
    return 0;
}

/* It suspends, and says so. */
static int fake_channel_notify(struct libxl__xen_channel *c)
{
    if (fake_xen.notify_r)
        return fake_xen.notify_r;
    fake_xen.notified++;
    if (fake_xen.deaf_to_channel)
        return 0;
    fake_xen.domain.shutdown = true;
    fake_xen.domain.reason = LIBXL__XEN_SUSPEND;
    assert_int_equal(write(channel[1], "x", 1), 1);
    return 0;
}

static int fake_channel_take(struct libxl__xen_channel *c)
{
    char x;

    assert_int_equal(read(channel[0], &x, 1), 1);
    return 0;
}

static void fake_channel_close(struct libxl__xen_channel *c)
{
    if (!c)
        return;
    fake_xen.channels--;
    close(channel[0]);
    close(channel[1]);
}

static const struct libxl__xen_calls fake_calls = {
    .version = LIBXL__XEN_CALLS_VERSION,
    .open = fake_open,
    .close = fake_close,
    .domains = fake_domains,
    .create = fake_create,
    .build = fake_build,
    .destroy = fake_destroy,
    .unpause = fake_unpause,
    .resume = fake_resume,
    .port = fake_port,
    .param_get = fake_param_get,
    .param_set = fake_param_set,
    .channel_open = fake_channel_open,
    .channel_notify = fake_channel_notify,
    .channel_take = fake_channel_take,
    .channel_close = fake_channel_close,
};

/* ---- the rig ---- */

static void message(libxl_logger *lg, libxl_loglevel level, uint32_t domid,
                    const char *text)
{
    struct xen_rig *r = (struct xen_rig *)lg;
    size_t used = strlen(r->log);

    snprintf(r->log + used, sizeof(r->log) - used, "%s\n", text);
}

int xen_rig_open(void **state)
{
    struct xen_rig *r = calloc(1, sizeof(*r));

    fake_xen = (struct fake_xen){0};
    fake_xs_empty();
    r->logger.message = message;
    strcpy(r->dir, "/tmp/xl-test-xen-XXXXXX");
    assert_non_null(mkdtemp(r->dir));
    snprintf(r->lib, sizeof(r->lib), "%s/lib", r->dir);
    assert_int_equal(mkdir(r->lib, 0700), 0);
    setenv("XL_STATE_DIR", r->dir, 1);
    assert_int_equal(libxl_ctx_alloc(&r->ctx, LIBXL_VERSION, 0, &r->logger), 0);
    r->h =
        libxl__host_xen_open_with(r->ctx, &fake_calls, &fake_xs_calls, r->lib);
    assert_non_null(r->h);
    *state = r;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int flag,
                      struct FTW *ftw)
{
    return remove(path);
}

int xen_rig_close(void **state)
{
    struct xen_rig *r = *state;

    r->h->ops->close(r->h);
    libxl_ctx_free(r->ctx);
    nftw(r->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(r);
    return 0;
}

void xen_rig_record(struct xen_rig *r, const libxl_domain_config *c)
{
    libxl__store *st = r->h->ops->store(r->h);
    struct libxl__domain_record rec = {
        .name = c->c_info.name,
        .uuid = c->c_info.uuid,
        .never_started = true,
        .created_at = 1,
    };
    libxl__gc gc;

    assert_int_equal(st->ops->create(st, INVALID_DOMID, &rec.domid), 0);
    assert_int_equal(rec.domid, 1);
    rec.config_json = libxl_domain_config_to_json(r->ctx, c);
    libxl__gc_init(&gc, r->ctx);
    assert_int_equal(libxl__domain_record_write(st, &gc, &rec), 0);
    libxl__gc_dispose(&gc);
    free(rec.config_json);
}

struct run {
    struct xen_rig *r;
    libxl__host_call call;
    xen_rig_start *start;
    const void *user;
    unsigned abort_ms; /* 0: it is not aborted */
    libxl__ev_time abort;
};

static void done(libxl__egc *egc, libxl__host_call *call, int rc)
{
    struct run *run = call->user;

    libxl__ev_time_deregister(run->r->ctx, &run->abort);
    libxl__ao_complete(egc, call->ao, rc);
}

static void abort_it(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    struct run *run = CONTAINER_OF(ev, struct run, abort);

    libxl_ao_abort(run->r->ctx, NULL);
}

static int start(libxl__egc *egc, libxl__ao *ao, const void *params)
{
    struct run *run = *(struct run *const *)params;
    int rc = 0;

    run->call.ao = ao;
    run->call.callback = done;
    run->call.user = run;
    libxl__ev_time_init(&run->abort);
    if (run->abort_ms)
        rc = libxl__ev_time_register_rel(run->r->ctx, NULL, &run->abort,
                                         abort_it, run->abort_ms);
    assert_int_equal(rc, 0);
    rc = run->start(egc, run->r->h, &run->call, run->user);
    if (rc)
        libxl__ev_time_deregister(run->r->ctx, &run->abort);
    return rc;
}

int xen_rig_run_aborted(struct xen_rig *r, xen_rig_start *begin,
                        const void *user, unsigned ms)
{
    struct run run = {.r = r, .start = begin, .user = user, .abort_ms = ms};
    struct run *p = &run;

    run.call.domid = 1;
    return libxl__ao_run(r->ctx, 1, NULL, start, &p);
}

int xen_rig_run(struct xen_rig *r, xen_rig_start *begin, const void *user)
{
    return xen_rig_run_aborted(r, begin, user, 0);
}
