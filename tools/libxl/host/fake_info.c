/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fake_info.c - the questions of host.h, answered by the fake host.
 */
#include "host/fake_info.h"

#include <stdlib.h>
#include <string.h>

#include "host/fake_guest.h"
#include "store/domain_record.h"
#include "store/run_record.h"

/* As the Xen host: of a guest that is no more. */
static int ended_on_record(libxl__host *h, uint32_t domid,
                           struct libxl__fake_guest *g)
{
    struct libxl__run_record run;

    if (libxl__run_record_read(h->ops->store(h), domid, &run) ||
        run.state != LIBXL__RUN_SHUTDOWN)
        return ERROR_DOMAIN_NOTFOUND;
    g->state = FAKE_SHUTDOWN;
    g->reason = run.reason;
    return 0;
}

int libxl__fake_dominfo(libxl__host *h, libxl__gc *gc, uint32_t domid,
                        libxl_dominfo *out)
{
    struct libxl__domain_record rec;
    libxl_domain_config config;
    struct libxl__fake_guest g;
    int rc;

    memset(out, 0, sizeof(*out));
    rc = libxl__domain_record_read(h->ops->store(h), gc, domid, &rec);
    if (rc)
        return rc == ERROR_NOTFOUND ? ERROR_DOMAIN_NOTFOUND : rc;
    rc = libxl__fake_guest_read(h->ops->store(h), domid, &g);
    if (!rc && h->poll_ms && g.state == FAKE_NONE)
        rc = ended_on_record(h, domid, &g);
    if (rc)
        return rc;
    rc = libxl_domain_config_from_json(h->ctx, &config, rec.config_json);
    if (rc)
        return rc;
    out->name = strdup(rec.name);
    out->uuid = rec.uuid;
    out->domid = domid;
    out->running = g.state == FAKE_RUNNING;
    out->paused = g.state == FAKE_PAUSED && !g.was;
    out->shutdown = g.state == FAKE_SHUTDOWN || g.was;
    out->shutdown_reason = g.was           ? LIBXL_SHUTDOWN_REASON_SUSPEND
                           : out->shutdown ? (libxl_shutdown_reason)g.reason
                                           : LIBXL_SHUTDOWN_REASON_UNKNOWN;
    out->dying = g.state == FAKE_NONE;
    out->current_memkb = out->max_memkb = config.b_info.max_memkb;
    out->cpu_time = rec.never_started ? 0 : 1000000000u;
    out->vcpu_online = (uint32_t)config.b_info.max_vcpus;
    out->vcpu_max_id = out->vcpu_online ? out->vcpu_online - 1 : 0;
    out->domain_type = LIBXL_DOMAIN_TYPE_HVM;
    out->never_started = rec.never_started;
    out->started_at = rec.created_at;
    libxl_domain_config_dispose(&config);
    return out->name ? 0 : ERROR_NOMEM;
}

uint64_t libxl__fake_pulse(libxl__host *h, uint32_t domid)
{
    struct libxl__fake_guest g;

    if (libxl__fake_guest_read(h->ops->store(h), domid, &g))
        return 0;
    return 1 | (uint64_t)g.state << 8 | (uint64_t)g.was << 16 |
           (uint64_t)g.reason << 24;
}

int libxl__fake_facts(libxl__host *h, libxl_host_fact **out, int *nr)
{
    static const char *const facts[][2] = {
        {"host", "fake"},          {"nr_cpus", "2"},
        {"nr_nodes", "1"},         {"cores_per_socket", "2"},
        {"threads_per_core", "1"}, {"total_memory", "4096"},
        {"free_memory", "4096"},   {"hypervisor", "fake (for tests)"},
    };
    const int n = sizeof(facts) / sizeof(facts[0]);
    libxl_host_fact *list = calloc((size_t)n, sizeof(*list));
    int i;

    *out = NULL;
    *nr = 0;
    for (i = 0; list && i < n; i++) {
        list[i].key = strdup(facts[i][0]);
        list[i].value = strdup(facts[i][1]);
        if (!list[i].key || !list[i].value) {
            libxl_host_facts_free(list, n);
            return ERROR_NOMEM;
        }
    }
    if (!list)
        return ERROR_NOMEM;
    *out = list;
    *nr = n;
    return 0;
}

libxl_vcpuinfo *libxl__fake_vcpus(libxl__host *h, uint32_t domid, int *nr)
{
    libxl_vcpuinfo *list = calloc(1, sizeof(*list));
    struct libxl__fake_guest g;

    *nr = 0;
    if (!list || libxl__fake_guest_read(h->ops->store(h), domid, &g)) {
        free(list);
        return NULL;
    }
    list[0].cpu = -1;
    list[0].online = true;
    list[0].running = g.state == FAKE_RUNNING;
    *nr = 1;
    return list;
}
