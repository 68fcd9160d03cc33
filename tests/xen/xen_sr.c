/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xen_sr.c - IN DOM0: save and restore one guest's libxc stream through the
 * plugin, with nothing of libxl between.
 *
 *   xen-sr save DOMID FILE [live]        the guest stays suspended
 *   xen-sr restore FILE NAME MIB [pv [VCPUS]]
 *                                        into a new domain, which then runs;
 *                                        of a PVH guest with one vCPU
 *   xen-sr cut IMAGE INTO                what precedes the libxc stream of an
 *                                        image of xl's, and prints its length
 *   xen-sr log-dirty DOMID                 fails if its writes are being logged
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hv/xc_hv_xen.h"
#include "stream/xc_sr.h"

#undef XC_PAGE_SIZE
#include <xenctrl.h>

#include <xen/hvm/params.h>
#include <xenguest.h>
#include <xenstore.h>

#define SUSPEND_POLLS 3000 /* of 20 ms */
#define PAGING_MIB 4
#define CONSOLE_LIMIT "1048576"

struct dom0 {
    xc_interface *xch;
    struct xs_handle *xs;
    uint32_t domid;
    bool pv;
    unsigned vcpus;
};

struct ports {
    int store, console;
};

static int complain(const char *what)
{
    fprintf(stderr, "xen-sr: %s: %s\n", what, strerror(errno));
    return 1;
}

static void log_line(void *data, enum xc_log_level level, int errnoval,
                     const char *text)
{
    fprintf(stderr, "xen-sr: %s\n", text);
}

/* ---- xenstore ---- */

static bool put(struct dom0 *d, const char *key, const char *value,
                bool guest_writes)
{
    struct xs_permissions ro[2] = {{0, XS_PERM_NONE}, {d->domid, XS_PERM_READ}};
    struct xs_permissions rw[1] = {{d->domid, XS_PERM_NONE}};
    char path[128];

    snprintf(path, sizeof(path), "/local/domain/%u/%s", d->domid, key);
    if (!*key)
        path[strlen(path) - 1] = '\0';
    return xs_write(d->xs, XBT_NULL, path, value, strlen(value)) &&
           xs_set_permissions(d->xs, XBT_NULL, path, guest_writes ? rw : ro,
                              guest_writes ? 1 : 2);
}

static bool put_number(struct dom0 *d, const char *key, uint64_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
    return put(d, key, text, false);
}

/* ---- save ---- */

static bool is_suspended(struct dom0 *d)
{
    xc_domaininfo_t info;

    return xc_domain_getinfolist(d->xch, d->domid, 1, &info) == 1 &&
           info.domain == d->domid && (info.flags & XEN_DOMINF_shutdown) &&
           (info.flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask) ==
               SHUTDOWN_suspend;
}

static int suspend(void *data)
{
    struct dom0 *d = data;

    if (!put(d, "control/shutdown", "suspend", true))
        return -errno;
    for (int i = 0; i < SUSPEND_POLLS; i++) {
        if (is_suspended(d))
            return 0;
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
    return -ETIMEDOUT;
}

static xc_hv_xen_open_fn *plugin(void)
{
    void *so = dlopen(XC_HV_XEN_PLUGIN, RTLD_NOW | RTLD_LOCAL);

    if (!so)
        fprintf(stderr, "xen-sr: %s\n", dlerror());
    return so ? (xc_hv_xen_open_fn *)dlsym(so, XC_HV_XEN_OPEN) : NULL;
}

/* ports: of a domain that is to be filled */
static struct xc_hv *attach(struct dom0 *d, const struct ports *ports)
{
    struct xc_hv_xen_params p = {
        .domid = d->domid,
        .restore = ports,
        .store_port = ports ? (uint32_t)ports->store : 0,
        .console_port = ports ? (uint32_t)ports->console : 0,
    };
    xc_hv_xen_open_fn *open_fn = plugin();
    struct xc_hv *hv = NULL;
    int rc;

    if (!open_fn)
        return NULL;
    rc = open_fn(&p, &hv);
    if (rc)
        fprintf(stderr, "xen-sr: domain %u: %s\n", d->domid, strerror(-rc));
    return hv;
}

static int save(struct dom0 *d, const char *file, bool live)
{
    struct xc_sr_save_params p = {
        .hv = attach(d, NULL),
        .fd = open(file, O_CREAT | O_TRUNC | O_RDWR, 0600),
        .live = live,
        .cb = {.data = d, .log = log_line, .suspend = suspend},
    };
    struct xc_sr_stats stats = {0};
    int rc;

    if (!p.hv || p.fd < 0)
        return complain(file);
    rc = xc_sr_save(&p, &stats);
    xc_hv_close(p.hv);
    if (!rc && (fsync(p.fd) || close(p.fd)))
        rc = -errno;
    printf("saved %d: %llu pages, %llu zero, %llu passes, %llu bytes\n", rc,
           (unsigned long long)stats.data_pages,
           (unsigned long long)stats.zero_pages,
           (unsigned long long)stats.passes, (unsigned long long)stats.bytes);
    return rc ? 1 : 0;
}

/* ---- restore ---- */

static bool make_domain(struct dom0 *d, unsigned mib, struct ports *ports)
{
    struct xen_domctl_createdomain c = {
        .flags = d->pv ? 0 : XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap,
        .max_vcpus = d->vcpus,
        .max_evtchn_port = 1023,
        .max_grant_frames = 64,
        .max_maptrack_frames = 1024,
        .grant_opts = XEN_DOMCTL_GRANT_version(2),
        .arch.emulation_flags = d->pv ? 0 : XEN_X86_EMU_LAPIC,
    };
    unsigned paging = PAGING_MIB;

    for (size_t i = 0; i < sizeof(c.handle); i++)
        c.handle[i] = (uint8_t)(i + 1);
    d->domid = 0;
    if (xc_domain_create(d->xch, &d->domid, &c))
        return false;
    /* the paging pool wants a vCPU to be there */
    if (xc_domain_max_vcpus(d->xch, d->domid, c.max_vcpus) ||
        xc_domain_setmaxmem(d->xch, d->domid, (mib + 1) * UINT64_C(1024)))
        return false;
    if (!d->pv &&
        xc_shadow_control(d->xch, d->domid, XEN_DOMCTL_SHADOW_OP_SET_ALLOCATION,
                          &paging, 0) < 0)
        return false;
    ports->store = xc_evtchn_alloc_unbound(d->xch, d->domid, 0);
    ports->console = xc_evtchn_alloc_unbound(d->xch, d->domid, 0);
    return ports->store > 0 && ports->console > 0;
}

static bool introduce(struct dom0 *d, const char *name,
                      const struct ports *ports,
                      const struct xc_sr_restore_result *r)
{
    return put(d, "", "", false) && put(d, "name", name, false) &&
           put_number(d, "domid", d->domid) && put(d, "device", "", false) &&
           put(d, "control", "", false) &&
           put(d, "control/shutdown", "", true) &&
           put_number(d, "store/ring-ref", r->store_pfn) &&
           put_number(d, "store/port", (uint64_t)ports->store) &&
           put(d, "console", "", false) &&
           put(d, "console/type", "xenconsoled", false) &&
           put(d, "console/output", "pty", false) &&
           put(d, "console/limit", CONSOLE_LIMIT, false) &&
           put(d, "console/tty", "", false) &&
           put_number(d, "console/ring-ref", r->console_pfn) &&
           put_number(d, "console/port", (uint64_t)ports->console) &&
           xs_introduce_domain(d->xs, d->domid, (unsigned long)r->store_pfn,
                               (unsigned)ports->store);
}

static bool start(struct dom0 *d, const char *name, const struct ports *ports,
                  const struct xc_sr_restore_result *r)
{
    if (!d->pv && (xc_hvm_param_set(d->xch, d->domid, HVM_PARAM_STORE_EVTCHN,
                                    (uint64_t)ports->store) ||
                   xc_hvm_param_set(d->xch, d->domid, HVM_PARAM_CONSOLE_EVTCHN,
                                    (uint64_t)ports->console)))
        return false;
    if (xc_dom_gnttab_seed(d->xch, d->domid, !d->pv, r->console_pfn,
                           r->store_pfn, 0, 0))
        return false;
    return introduce(d, name, ports, r) && !xc_domain_unpause(d->xch, d->domid);
}

static int restore(struct dom0 *d, const char *file, const char *name,
                   unsigned mib)
{
    struct xc_sr_restore_params p = {
        .fd = open(file, O_RDONLY),
        .cb = {.log = log_line},
    };
    struct xc_sr_restore_result result;
    struct ports ports = {0};
    int rc;

    if (p.fd < 0)
        return complain(file);
    rc = make_domain(d, mib, &ports) ? 0 : -complain("a new domain");
    p.hv = rc ? NULL : attach(d, &ports);
    rc = p.hv ? xc_sr_restore(&p, &result) : -ENODEV;
    xc_hv_close(p.hv);
    if (!rc && !start(d, name, &ports, &result))
        rc = -complain("starting the domain");
    if (rc && d->domid)
        xc_domain_destroy(d->xch, d->domid);
    if (!rc)
        printf("restored into %u: %llu pages\n", d->domid,
               (unsigned long long)result.stats.data_pages);
    return rc ? 1 : 0;
}

/* ---- log-dirty ---- */

/* It can be switched on just when it is off, so it was off when that works. */
static int log_dirty_is_off(struct dom0 *d)
{
    int r = xc_shadow_control(d->xch, d->domid,
                              XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY, NULL, 0);

    if (r < 0 && errno != EOPNOTSUPP)
        return complain("log-dirty is on");
    if (r >= 0)
        xc_shadow_control(d->xch, d->domid, XEN_DOMCTL_SHADOW_OP_OFF, NULL, 0);
    return 0;
}

/* ---- cut ---- */

static int cut(const char *image, const char *into)
{
    static const char marker[] = "\xff\xff\xff\xff\xff\xff\xff\xffXENF";
    char head[65536];
    int from = open(image, O_RDONLY);
    int to = open(into, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    ssize_t n = from < 0 ? -1 : read(from, head, sizeof(head));
    char *at =
        n < 0 ? NULL : memmem(head, (size_t)n, marker, sizeof(marker) - 1);

    if (!at || to < 0 || write(to, head, (size_t)(at - head)) != at - head)
        return complain(image);
    printf("%td\n", at - head);
    return 0;
}

int main(int argc, char **argv)
{
    struct dom0 d = {.vcpus = 1};

    if (argc == 4 && !strcmp(argv[1], "cut"))
        return cut(argv[2], argv[3]);
    d.xch = xc_interface_open(NULL, NULL, 0);
    d.xs = xs_open(0);
    if (!d.xch || !d.xs)
        return complain("not in a dom0");
    if (argc >= 4 && !strcmp(argv[1], "save")) {
        d.domid = (uint32_t)atoi(argv[2]);
        return save(&d, argv[3], argc == 5 && !strcmp(argv[4], "live"));
    }
    if (argc == 3 && !strcmp(argv[1], "log-dirty")) {
        d.domid = (uint32_t)atoi(argv[2]);
        return log_dirty_is_off(&d);
    }
    d.pv = argc >= 6 && !strcmp(argv[5], "pv");
    if (argc == 7)
        d.vcpus = (unsigned)atoi(argv[6]);
    if (argc >= 5 && !strcmp(argv[1], "restore"))
        return restore(&d, argv[2], argv[3], (unsigned)atoi(argv[4]));
    fputs("usage: xen-sr save DOMID FILE [live] | restore FILE NAME MIB [pv "
          "[VCPUS]] | cut IMAGE INTO | log-dirty DOMID\n",
          stderr);
    return 2;
}
