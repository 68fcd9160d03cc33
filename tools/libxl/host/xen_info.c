/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xen_info.c - what list, vcpu-list and info show. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/log.h"
#include "host/xen_host.h"
#include "store/domain_record.h"
#include "store/run_record.h"
#include "store/store_files.h"

#define ASK_AT_ONCE 64u
#define KB_PER_PAGE 4u
#define PAGES_PER_MIB 256u
#define XEND_CONFIG_FORMAT "4"
#define NO_PULSE UINT64_C(2) /* no guest has it: bit 0 is set in theirs */

/* ---- domains ---- */

int libxl__xen_domids(void *user, libxl__gc *gc, uint32_t **domids, int *nr)
{
    struct libxl__host_xen *hx = user;
    struct libxl__xen_domain some[ASK_AT_ONCE];
    uint32_t first = 0, *more;
    int r;

    *domids = NULL;
    *nr = 0;
    do {
        r = hx->calls->domains(hx->xen, first, ASK_AT_ONCE, some);
        if (r < 0)
            return libxl__xen_failed(
                hx, INVALID_DOMID, r,
                "the hypervisor does not list its domains");
        more = libxl__zalloc(gc, sizeof(*more) * (size_t)(*nr + r + 1));
        if (!more)
            return ERROR_NOMEM;
        if (*nr)
            memcpy(more, *domids, sizeof(*more) * (size_t)*nr);
        for (int i = 0; i < r; i++)
            more[(*nr)++] = some[i].domid;
        *domids = more;
        if (r > 0)
            first = some[r - 1].domid + 1;
    } while (r == (int)ASK_AT_ONCE);
    return 0;
}

int libxl__xen_domain(struct libxl__host_xen *hx, uint32_t domid,
                      struct libxl__xen_domain *out)
{
    int r = hx->calls->domains(hx->xen, domid, 1, out);

    if (r < 0 && r != -ESRCH && r != -ENOENT)
        return libxl__xen_failed(hx, domid, r, "the hypervisor says nothing");
    /* it answers with the next one where there is none of this number */
    return r == 1 && out->domid == domid ? 0 : ERROR_DOMAIN_NOTFOUND;
}

libxl_domain_type libxl__xen_type_of(const struct libxl__xen_domain *d)
{
    return d->pvh   ? LIBXL_DOMAIN_TYPE_PVH
           : d->hvm ? LIBXL_DOMAIN_TYPE_HVM
                    : LIBXL_DOMAIN_TYPE_PV;
}

bool libxl__xen_is_suspended(const struct libxl__xen_domain *d)
{
    return d->shutdown && d->reason == LIBXL__XEN_SUSPEND;
}

static void fill(const struct libxl__xen_domain *d, libxl_dominfo *out)
{
    out->domid = d->domid;
    memcpy(out->uuid.uuid, d->uuid, sizeof(out->uuid.uuid));
    out->running = d->running;
    out->blocked = d->blocked;
    out->paused = d->paused;
    out->shutdown = d->shutdown;
    out->dying = d->dying;
    out->shutdown_reason = d->shutdown ? (libxl_shutdown_reason)d->reason
                                       : LIBXL_SHUTDOWN_REASON_UNKNOWN;
    out->current_memkb = d->pages * KB_PER_PAGE;
    out->max_memkb = d->max_pages * KB_PER_PAGE;
    out->outstanding_memkb = d->outstanding_pages * KB_PER_PAGE;
    out->cpu_time = d->cpu_time;
    out->vcpu_online = d->vcpus_online;
    out->vcpu_max_id = d->max_vcpu_id;
    out->domain_type = libxl__xen_type_of(d);
}

/* Seconds since 1970, with a fraction. */
static int64_t started_at(struct libxl__host_xen *hx, libxl__gc *gc,
                          const libxl_uuid *uuid)
{
    const char *text = libxl__uuid_text(gc, uuid);
    const char *when =
        text ? libxl__xs_read(&hx->xs, gc, "/vm/%s/start_time", text) : NULL;

    return when ? strtoll(when, NULL, 10) : 0;
}

/* Of a number that the hypervisor does not know: a guest that ended, and was to
 * start again, but has not. Our record is all that there is of it. */
static int ended_on_record(struct libxl__host_xen *hx, libxl__gc *gc,
                           uint32_t domid, libxl_dominfo *out)
{
    libxl__store *files = hx->store->files;
    struct libxl__domain_record own;
    struct libxl__run_record run;

    if (libxl__run_record_read(files, domid, &run) ||
        run.state != LIBXL__RUN_SHUTDOWN ||
        libxl__domain_record_read(files, gc, domid, &own))
        return ERROR_DOMAIN_NOTFOUND;
    out->domid = domid;
    out->uuid = own.uuid;
    out->shutdown = true;
    out->shutdown_reason = run.reason;
    out->domain_type = LIBXL_DOMAIN_TYPE_INVALID;
    out->name = strdup(own.name);
    return out->name ? 0 : ERROR_NOMEM;
}

int libxl__xen_dominfo(libxl__host *h, libxl__gc *gc, uint32_t domid,
                       libxl_dominfo *out)
{
    struct libxl__host_xen *hx = libxl__host_xen_of(h);
    struct libxl__domain_record own;
    struct libxl__xen_domain d;
    const char *name;
    int rc;

    memset(out, 0, sizeof(*out));
    rc = libxl__xen_domain(hx, domid, &d);
    if (rc == ERROR_DOMAIN_NOTFOUND)
        return ended_on_record(hx, gc, domid, out);
    if (rc)
        return rc;
    fill(&d, out);
    name = libxl__xs_read(&hx->xs, gc, "/local/domain/%u/name", domid);
    if (name) {
        out->name = strdup(name);
        if (!out->name)
            return ERROR_NOMEM;
    }
    if (!libxl__domain_record_read(hx->store->files, gc, domid, &own) &&
        !memcmp(&own.uuid, &out->uuid, sizeof(own.uuid)))
        out->never_started = own.never_started;
    out->started_at = started_at(hx, gc, &out->uuid);
    return 0;
}

/* The hypervisor alone is asked. */
uint64_t libxl__xen_pulse(libxl__host *h, uint32_t domid)
{
    struct libxl__host_xen *hx = libxl__host_xen_of(h);
    struct libxl__xen_domain d;
    uint64_t id[2];
    int r = hx->calls->domains(hx->xen, domid, 1, &d);

    if (r < 0 && r != -ESRCH && r != -ENOENT)
        return 0;
    if (r != 1 || d.domid != domid)
        return NO_PULSE;
    memcpy(id, d.uuid, sizeof(id));
    id[0] ^= id[1] ^ id[0] >> 48 ^ id[1] >> 48;
    return id[0] << 16 | (uint64_t)(d.reason & 0xff) << 8 | d.paused << 3 |
           d.dying << 2 | d.shutdown << 1 | 1;
}

/* It has no vCPU any more: an empty list. Else NULL. */
static libxl_vcpuinfo *vcpus_on_record(struct libxl__host_xen *hx,
                                       uint32_t domid)
{
    libxl_dominfo info = {0};
    libxl__gc gc;
    int rc;

    libxl__gc_init(&gc, hx->host.ctx);
    rc = ended_on_record(hx, &gc, domid, &info);
    libxl_dominfo_dispose(&info);
    libxl__gc_dispose(&gc);
    return rc ? NULL : calloc(1, sizeof(libxl_vcpuinfo));
}

libxl_vcpuinfo *libxl__xen_vcpus(libxl__host *h, uint32_t domid, int *nr)
{
    struct libxl__host_xen *hx = libxl__host_xen_of(h);
    struct libxl__xen_domain d;
    libxl_vcpuinfo *list;
    int rc = libxl__xen_domain(hx, domid, &d);

    *nr = 0;
    if (rc == ERROR_DOMAIN_NOTFOUND)
        return vcpus_on_record(hx, domid);
    if (rc || d.max_vcpu_id >= 4096)
        return NULL;
    list = calloc(d.max_vcpu_id + 1, sizeof(*list));
    for (uint32_t i = 0; list && i <= d.max_vcpu_id; i++) {
        struct libxl__xen_vcpu v;

        if (hx->calls->vcpu(hx->xen, domid, i, &v))
            continue; /* a number without a vCPU */
        list[(*nr)++] = (libxl_vcpuinfo){
            .vcpuid = i,
            .cpu = v.cpu,
            .online = v.online,
            .blocked = v.blocked,
            .running = v.running,
            .vcpu_time = v.time,
        };
    }
    return list;
}

/* ---- xl info ---- */

struct facts {
    libxl_host_fact *list;
    int nr, room;
    bool failed;
};

static void add(struct facts *f, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void add(struct facts *f, const char *key, const char *fmt, ...)
{
    char *value = NULL;
    va_list ap;

    if (f->nr == f->room || f->failed) {
        f->failed = true;
        return;
    }
    va_start(ap, fmt);
    if (vasprintf(&value, fmt, ap) < 0)
        value = NULL;
    va_end(ap);
    f->list[f->nr] = (libxl_host_fact){strdup(key), value};
    f->failed = !value || !f->list[f->nr].key;
    f->nr++;
}

static void add_machine(struct facts *f)
{
    struct utsname u;

    if (uname(&u))
        return;
    add(f, "host", "%s", u.nodename);
    add(f, "release", "%s", u.release);
    add(f, "version", "%s", u.version);
    add(f, "machine", "%s", u.machine);
}

static void add_phys(struct facts *f, const struct libxl__xen_phys *p)
{
    const uint32_t *c = p->hw_cap;

    add(f, "nr_cpus", "%u", p->nr_cpus);
    add(f, "max_cpu_id", "%u", p->max_cpu_id);
    add(f, "nr_nodes", "%u", p->nr_nodes);
    add(f, "cores_per_socket", "%u", p->cores_per_socket);
    add(f, "threads_per_core", "%u", p->threads_per_core);
    add(f, "cpu_mhz", "%u.%03u", p->cpu_khz / 1000, p->cpu_khz % 1000);
    add(f, "hw_caps", "%08x:%08x:%08x:%08x:%08x:%08x:%08x:%08x", c[0], c[1],
        c[2], c[3], c[4], c[5], c[6], c[7]);
    add(f, "virt_caps", "%s%s%s%s", p->pv ? "pv" : "", p->hvm ? " hvm" : "",
        p->hap ? " hap" : "", p->shadow ? " shadow" : "");
    add(f, "total_memory", "%" PRIu64, p->total_pages / PAGES_PER_MIB);
    add(f, "free_memory", "%" PRIu64,
        (p->free_pages - p->outstanding_pages) / PAGES_PER_MIB);
    add(f, "outstanding_claims", "%" PRIu64,
        p->outstanding_pages / PAGES_PER_MIB);
    add(f, "free_cpus", "%d", 0);
}

static void add_version(struct facts *f, const struct libxl__xen_version *v,
                        const char *scheduler)
{
    add(f, "xen_major", "%u", v->major);
    add(f, "xen_minor", "%u", v->minor);
    add(f, "xen_extra", "%s", v->extra);
    add(f, "xen_version", "%u.%u%s", v->major, v->minor, v->extra);
    add(f, "xen_caps", "%s", v->caps);
    add(f, "xen_scheduler", "%s", scheduler);
    add(f, "xen_pagesize", "%u", v->page_bytes);
    add(f, "platform_params", "virt_start=0x%" PRIx64, v->virt_start);
    add(f, "xen_changeset", "%s", v->changeset);
    add(f, "xen_commandline", "%s", v->commandline);
    add(f, "cc_compiler", "%s", v->compiler);
    add(f, "cc_compile_by", "%s", v->compile_by);
    add(f, "cc_compile_domain", "%s", v->compile_domain);
    add(f, "cc_compile_date", "%s", v->compile_date);
    add(f, "xend_config_format", "%s", XEND_CONFIG_FORMAT);
}

int libxl__xen_facts(libxl__host *h, libxl_host_fact **out, int *nr)
{
    struct libxl__host_xen *hx = libxl__host_xen_of(h);
    struct facts f = {.room = 64};
    struct libxl__xen_version version;
    struct libxl__xen_phys phys;
    int r;

    r = hx->calls->phys(hx->xen, &phys);
    if (!r)
        r = hx->calls->get_version(hx->xen, &version);
    if (r)
        return libxl__xen_failed(hx, INVALID_DOMID, r,
                                 "the hypervisor says nothing of itself");
    f.list = calloc((size_t)f.room, sizeof(*f.list));
    if (!f.list)
        return ERROR_NOMEM;
    add_machine(&f);
    add_phys(&f, &phys);
    add_version(&f, &version, hx->calls->scheduler(hx->xen));
    add(&f, "hypervisor", "xen");
    add(&f, "state_directory", "%s", libxl__store_files_path(hx->store));
    if (f.failed) {
        libxl_host_facts_free(f.list, f.nr);
        return ERROR_NOMEM;
    }
    *out = f.list;
    *nr = f.nr;
    return 0;
}
