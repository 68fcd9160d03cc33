/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* host_qemu_info.c - what list and vcpu-list show: records and /proc alone. */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "host/host_qemu.h"

/* ---- /proc/PID/stat and task/TID/stat ---- */

struct task_stat {
    char comm[32];
    char state;
    uint64_t cpu_ns; /* utime + stime */
    int cpu;         /* last run on */
};

/* Fields behind the last ')': state is 3, utime 14, stime 15, processor 39. */
static bool parse_stat(char *buf, struct task_stat *out)
{
    char *open = strchr(buf, '('), *p = strrchr(buf, ')'), *end;
    uint64_t ticks = 0, tick_ns;
    int field;

    if (!open || !p || p[1] != ' ')
        return false;
    snprintf(out->comm, sizeof(out->comm), "%.*s", (int)(p - open - 1),
             open + 1);
    p += 2;
    out->state = *p;
    out->cpu = -1;
    tick_ns = 1000000000u / (uint64_t)sysconf(_SC_CLK_TCK);
    for (field = 3; field <= 39 && p; field++) {
        if (field == 14 || field == 15)
            ticks += strtoull(p, &end, 10);
        if (field == 39)
            out->cpu = (int)strtol(p, &end, 10);
        p = strchr(p, ' ');
        if (p)
            p++;
    }
    out->cpu_ns = ticks * tick_ns;
    return true;
}

static bool read_stat(const char *path, struct task_stat *out)
{
    char buf[1024];
    ssize_t got;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return false;
    got = read(fd, buf, sizeof(buf) - 1);
    close(fd);
    if (got <= 0)
        return false;
    buf[got] = '\0';
    return parse_stat(buf, out);
}

/* QEMU names its vCPU threads "CPU 0/TCG" (debug-threads=on). */
static bool parse_vcpu(const char *comm, unsigned *n)
{
    char *end;

    if (strncmp(comm, "CPU ", 4) || !isdigit((unsigned char)comm[4]))
        return false;
    *n = (unsigned)strtoul(comm + 4, &end, 10);
    return *end == '/';
}

static void each_vcpu(pid_t pid,
                      void (*fn)(unsigned n, const struct task_stat *t,
                                 void *user),
                      void *user)
{
    char path[64];
    struct task_stat t;
    struct dirent *de;
    unsigned n;
    DIR *d;

    snprintf(path, sizeof(path), "/proc/%ld/task", (long)pid);
    d = opendir(path);
    if (!d)
        return;
    while ((de = readdir(d))) {
        if (!isdigit((unsigned char)de->d_name[0]))
            continue;
        snprintf(path, sizeof(path), "/proc/%ld/task/%.16s/stat", (long)pid,
                 de->d_name);
        if (read_stat(path, &t) && parse_vcpu(t.comm, &n))
            fn(n, &t, user);
    }
    closedir(d);
}

/* ---- dominfo ---- */

static void note_busy(unsigned n, const struct task_stat *t, void *user)
{
    if (t->state == 'R')
        *(bool *)user = true;
}

static void set_state(libxl_dominfo *out, const struct libxl__run_record *run,
                      pid_t pid)
{
    bool busy = false;

    switch (run->state) {
    case LIBXL__RUN_PAUSED:
        out->paused = true;
        break;
    case LIBXL__RUN_SUSPENDED:
        out->shutdown = true;
        out->shutdown_reason = LIBXL_SHUTDOWN_REASON_SUSPEND;
        break;
    case LIBXL__RUN_SHUTDOWN:
        out->shutdown = true;
        out->shutdown_reason = run->reason;
        break;
    case LIBXL__RUN_RUNNING:
        each_vcpu(pid, note_busy, &busy);
        out->running = busy;
        out->blocked = !busy;
        break;
    }
}

/* The part that only a living process has. */
static void set_live(struct libxl__host_qemu *hq, libxl_dominfo *out,
                     const struct libxl__qemu_ident *id, bool never_started)
{
    struct libxl__run_record run;
    struct task_stat t;
    char path[64];

    libxl__run_record_read(hq->store, out->domid, &run);
    set_state(out, &run, id->proc.pid);
    snprintf(path, sizeof(path), "/proc/%ld/stat", (long)id->proc.pid);
    /* QEMU's own start is not the guest's time. */
    if (!never_started && read_stat(path, &t))
        out->cpu_time = t.cpu_ns;
}

static void set_config(libxl_dominfo *out, const libxl_domain_build_info *b)
{
    out->max_memkb = out->current_memkb = b->max_memkb;
    if (b->target_memkb && b->target_memkb < b->max_memkb)
        out->current_memkb = b->target_memkb;
    out->vcpu_online =
        (uint32_t)(b->avail_vcpus > 0 ? b->avail_vcpus : b->max_vcpus);
    out->vcpu_max_id = (uint32_t)b->max_vcpus - 1;
}

/* Without its process a domain is a dying one, until someone cleans up; before
 * it has one, it is being made. */
static void set_process(struct libxl__host_qemu *hq, libxl_dominfo *out,
                        const struct libxl__domain_record *rec)
{
    struct libxl__qemu_ident id;

    if (!rec->qemu_json)
        out->paused = true;
    else if (libxl__qemu_ident_read(hq, out->domid, &id) ||
             libxl__proc_id_state(&id.proc) != LIBXL__PROC_ALIVE)
        out->dying = true;
    else
        set_live(hq, out, &id, rec->never_started);
}

int libxl__qemu_dominfo(libxl__host *h, libxl__gc *gc, uint32_t domid,
                        libxl_dominfo *out)
{
    struct libxl__host_qemu *hq = libxl__host_qemu_of(h);
    struct libxl__domain_record rec;
    libxl_domain_config config;
    int rc;

    memset(out, 0, sizeof(*out));
    rc = libxl__domain_record_read(hq->store, gc, domid, &rec);
    if (rc)
        return rc == ERROR_NOTFOUND ? ERROR_DOMAIN_NOTFOUND : rc;
    rc = libxl_domain_config_from_json(h->ctx, &config, rec.config_json);
    if (!rc)
        out->name = strdup(rec.name);
    if (!rc && !out->name)
        rc = ERROR_NOMEM;
    if (!rc) {
        out->domid = domid;
        out->uuid = rec.uuid;
        out->domain_type = LIBXL_DOMAIN_TYPE_HVM;
        out->shutdown_reason = LIBXL_SHUTDOWN_REASON_UNKNOWN;
        out->never_started = rec.never_started;
        set_config(out, &config.b_info);
        set_process(hq, out, &rec);
    }
    libxl_domain_config_dispose(&config);
    return rc;
}

/* ---- vcpus ---- */

struct vcpu_list {
    libxl_vcpuinfo *v;
    int nr;
};

static void fill_vcpu(unsigned n, const struct task_stat *t, void *user)
{
    struct vcpu_list *l = user;

    if (n >= (unsigned)l->nr)
        return;
    l->v[n].online = true;
    l->v[n].cpu = t->cpu;
    l->v[n].running = t->state == 'R';
    l->v[n].blocked = t->state != 'R';
    l->v[n].vcpu_time = t->cpu_ns;
}

libxl_vcpuinfo *libxl__qemu_vcpus(libxl__host *h, uint32_t domid, int *nr)
{
    struct vcpu_list l = { 0 };
    struct libxl__qemu_ident id;
    libxl_dominfo info;
    libxl__gc gc;
    int rc, i;

    *nr = 0;
    libxl__gc_init(&gc, h->ctx);
    rc = libxl__qemu_dominfo(h, &gc, domid, &info);
    if (rc)
        goto out;
    l.nr = (int)info.vcpu_max_id + 1;
    l.v = calloc((size_t)l.nr, sizeof(*l.v));
    libxl_dominfo_dispose(&info);
    if (!l.v)
        goto out;
    for (i = 0; i < l.nr; i++) {
        l.v[i].vcpuid = (uint32_t)i;
        l.v[i].cpu = -1;
    }
    if (!libxl__qemu_ident_read(libxl__host_qemu_of(h), domid, &id))
        each_vcpu(id.proc.pid, fill_vcpu, &l);
    *nr = l.nr;
out:
    libxl__gc_dispose(&gc);
    return l.v;
}
