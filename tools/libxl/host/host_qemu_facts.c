/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * host_qemu_facts.c - what xl info prints. First the keys that programs read
 * from upstream's xl, then what is particular to a QEMU host and why.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "host/host_qemu.h"
#include "host/qemu_probe.h"
#include "host/qemu_spawn.h"

enum { MAX_FACTS = 32 };

struct facts {
    libxl__gc *gc;
    libxl_host_fact *list;
    int nr;
    bool failed;
};

static void add(struct facts *f, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void add(struct facts *f, const char *key, const char *fmt, ...)
{
    libxl_host_fact *fact = &f->list[f->nr];
    va_list ap;

    if (f->failed || f->nr == MAX_FACTS)
        return;
    f->nr++;
    fact->key = strdup(key);
    va_start(ap, fmt);
    if (vasprintf(&fact->value, fmt, ap) < 0)
        fact->value = NULL;
    va_end(ap);
    f->failed = !fact->key || !fact->value;
}

/* ---- the machine ---- */

/* The value of the first line "KEY : value"; 0 when there is none. */
static double first_value(const char *path, const char *key)
{
    FILE *f = fopen(path, "re");
    char line[256], *colon;
    double v = 0;

    while (f && !v && fgets(line, sizeof(line), f)) {
        colon = strchr(line, ':');
        if (colon && !strncmp(line, key, strlen(key)))
            v = strtod(colon + 1, NULL);
    }
    if (f)
        fclose(f);
    return v;
}

static int count_nodes(void)
{
    char path[64];
    int n = 0;

    do {
        snprintf(path, sizeof(path), "/sys/devices/system/node/node%d", n);
    } while (!access(path, F_OK) && ++n < 1024);
    return n ? n : 1;
}

static void add_machine(struct facts *f)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    long cores = (long)first_value("/proc/cpuinfo", "cpu cores");
    long siblings = (long)first_value("/proc/cpuinfo", "siblings");
    struct utsname u;

    if (uname(&u))
        return;
    add(f, "host", "%s", u.nodename);
    add(f, "release", "%s", u.release);
    add(f, "version", "%s", u.version);
    add(f, "machine", "%s", u.machine);
    add(f, "nr_cpus", "%ld", cpus);
    add(f, "max_cpu_id", "%ld", cpus - 1);
    add(f, "nr_nodes", "%d", count_nodes());
    add(f, "cores_per_socket", "%ld", cores ? cores : cpus);
    add(f, "threads_per_core", "%ld",
        cores && siblings > cores ? siblings / cores : 1);
    add(f, "cpu_mhz", "%.3f", first_value("/proc/cpuinfo", "cpu MHz"));
    add(f, "virt_caps", "hvm");
    add(f, "total_memory", "%.0f",
        first_value("/proc/meminfo", "MemTotal") / 1024);
    add(f, "free_memory", "%.0f",
        first_value("/proc/meminfo", "MemAvailable") / 1024);
}

/* ---- dirty tracking ---- */

/* QEMU's uffd is asked for the same features; this one is ours, to look. */
static bool uffd_works(char *why, size_t bytes)
{
    struct uffdio_api api = {
        .api = UFFD_API,
        .features = (1u << 12) | (1u << 13) | (1u << 15),
    };
    int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | 1);
    bool ok;

    if (fd < 0) {
        snprintf(why, bytes, "no userfaultfd (%s)", strerror(errno));
        return false;
    }
    ok = !ioctl(fd, UFFDIO_API, &api);
    if (!ok)
        snprintf(why, bytes, "no asynchronous write protection in this kernel");
    close(fd);
    return ok;
}

static int yama_scope(void)
{
    FILE *f = fopen("/proc/sys/kernel/yama/ptrace_scope", "re");
    int scope = 0;

    if (f) {
        if (fscanf(f, "%d", &scope) != 1)
            scope = 0;
        fclose(f);
    }
    return scope;
}

static bool soft_dirty_works(void)
{
    uint64_t entry = 0;
    volatile char byte = 1;
    int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    long page = sysconf(_SC_PAGESIZE);

    byte++;
    if (fd < 0)
        return false;
    if (pread(fd, &entry, sizeof(entry),
              (off_t)((uintptr_t)&byte / (uintptr_t)page * 8)) != 8)
        entry = 0;
    close(fd);
    return entry >> 55 & 1;
}

static void add_tracking(struct facts *f)
{
    const char *next = soft_dirty_works() ? "soft-dirty bits"
                                          : "comparing checksums of all pages";
    char why[96] = "";

    if (!libxl__qemu_preload_path(f->gc))
        snprintf(why, sizeof(why), "xl-preload-uffd.so is not installed");
    else if (yama_scope() >= 2 && geteuid())
        snprintf(why, sizeof(why), "kernel.yama.ptrace_scope is %d",
                 yama_scope());
    else if (uffd_works(why, sizeof(why))) {
        add(f, "dirty_tracking", "userfaultfd (write protection, "
                                 "asynchronous, with PAGEMAP_SCAN)");
        return;
    }
    add(f, "dirty_tracking", "%s: %s", next, why);
}

/* ---- QEMU ---- */

static void add_qemu(struct facts *f, struct libxl__host_qemu *hq)
{
    struct libxl__qemu_probe qemu;
    struct libxl__kvm_probe kvm;

    add(f, "host_kind", "QEMU");
    if (libxl__qemu_probe(hq->store, f->gc, NULL, &qemu)) {
        add(f, "qemu_version", "not found");
    } else {
        add(f, "qemu_version", "%s", qemu.version);
        add(f, "qemu_path", "%s", qemu.path);
        add(f, "qemu_machine", "%s", qemu.machine);
        add(f, "qemu_sandbox", "%s",
            qemu.sandbox ? "on" : "off: this QEMU is built without it");
    }
    libxl__kvm_probe(hq->store, f->gc, &kvm);
    add(f, "accelerator", "%s (%s)", kvm.works ? "kvm" : "tcg",
        kvm.why ? kvm.why : "not known");
    add(f, "state_directory", "%s", libxl__store_files_path(hq->store));
}

int libxl__qemu_facts(libxl__host *h, libxl_host_fact **out, int *nr)
{
    struct facts f = { 0 };
    libxl__gc gc;

    libxl__gc_init(&gc, h->ctx);
    f.gc = &gc;
    f.list = calloc(MAX_FACTS, sizeof(*f.list));
    f.failed = !f.list;
    if (!f.failed) {
        add_machine(&f);
        /* Programs that look for a hypervisor's version find none. */
        add(&f, "xen_major", "0");
        add(&f, "xen_minor", "0");
        add(&f, "xen_extra", "-qemu");
        add(&f, "xen_version", "0.0-qemu");
        add_qemu(&f, libxl__host_qemu_of(h));
        add_tracking(&f);
    }
    libxl__gc_dispose(&gc);
    if (f.failed) {
        if (f.list)
            libxl_host_facts_free(f.list, f.nr);
        return ERROR_NOMEM;
    }
    *out = f.list;
    *nr = f.nr;
    return 0;
}
