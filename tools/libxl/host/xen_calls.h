/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xen_calls.h - the hypervisor, as a table of functions that a plugin fills
 * (xl-host-xen.so, host_xen*.c). Plain C on both sides, as store/xs_calls.h.
 *
 * Owns:      a handle is a connection to the hypervisor.
 * Thread:    a handle belongs to the thread that uses it.
 * Units:     pages of 4 KiB; memory in KiB where the name says kb; times in
 *            nanoseconds.
 * Errors:    0, or negative errno. -ESRCH, -ENOENT: no such domain.
 */
#ifndef LIBXL_XEN_CALLS_H
#define LIBXL_XEN_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIBXL__XEN_CALLS_NAME "libxl__xen_calls"
#define LIBXL__XEN_CALLS_VERSION 2u

struct libxl__xen_handle;  /* the plugin's */
struct libxl__xen_channel; /* the plugin's: an event channel, bound here */

struct libxl__xen_domain {
    uint32_t domid;
    uint8_t uuid[16];
    bool hvm; /* HVM or PVH */
    bool pvh;
    bool running, blocked, paused, shutdown, dying;
    unsigned reason; /* of a shutdown, as libxl_shutdown_reason */
    uint64_t pages, max_pages, outstanding_pages;
    uint64_t cpu_time;
    uint32_t vcpus_online, max_vcpu_id;
};

struct libxl__xen_vcpu {
    bool online, blocked, running;
    int cpu; /* -1: none */
    uint64_t time;
};

struct libxl__xen_phys {
    unsigned threads_per_core, cores_per_socket, nr_cpus, max_cpu_id, nr_nodes;
    unsigned cpu_khz;
    uint64_t total_pages, free_pages, scrub_pages, outstanding_pages;
    uint32_t hw_cap[8];
    bool pv, hvm, hap, shadow;
};

struct libxl__xen_version {
    unsigned major, minor, page_bytes;
    uint64_t virt_start;
    char extra[16], caps[1024], changeset[64], commandline[1024];
    char compiler[64], compile_by[16], compile_domain[32], compile_date[32];
};

enum libxl__xen_type { LIBXL__XEN_PV, LIBXL__XEN_PVH, LIBXL__XEN_HVM };

/* A new domain's frame: no memory, no state. */
struct libxl__xen_new {
    uint32_t domid;
    uint8_t uuid[16];
    enum libxl__xen_type type;
    unsigned vcpus;
    uint64_t max_kb;    /* it may have, with what the host adds */
    uint64_t paging_kb; /* for its page tables (HVM, PVH) */
    bool msr_relaxed;
    bool old_policy; /* CPUID: as before Xen 4.14, when no stream says more */
    int64_t time_offset; /* seconds */
};

/* What is in a new domain when it first runs. */
struct libxl__xen_image {
    uint32_t domid;
    enum libxl__xen_type type;
    const char *kernel, *ramdisk, *cmdline; /* ramdisk, cmdline: or NULL */
    uint64_t memory_kb, target_kb;
    unsigned vcpus;
    uint32_t store_port, console_port;
    bool acpi, apic;
    const char *bios; /* HVM: the firmware's file, for hvmloader */
};
struct libxl__xen_built {
    uint64_t store_gfn, console_gfn;
    char why[256]; /* of a failure, in the builder's words */
};

/* For shutdown() */
#define LIBXL__XEN_SUSPEND 2u

struct libxl__xen_calls {
    unsigned version;
    int (*open)(struct libxl__xen_handle **out);
    void (*close)(struct libxl__xen_handle *h); /* NULL accepted */

    /* asking: how many were filled, from first on, ascending */
    int (*domains)(struct libxl__xen_handle *h, uint32_t first, unsigned max,
                   struct libxl__xen_domain *out);
    int (*vcpu)(struct libxl__xen_handle *h, uint32_t domid, uint32_t vcpu,
                struct libxl__xen_vcpu *out);
    int (*phys)(struct libxl__xen_handle *h, struct libxl__xen_phys *out);
    int (*get_version)(struct libxl__xen_handle *h,
                       struct libxl__xen_version *out);
    const char *(*scheduler)(struct libxl__xen_handle *h); /* a constant */
    int (*sched_get)(struct libxl__xen_handle *h, uint32_t domid,
                     unsigned *weight, unsigned *cap);
    int (*sched_set)(struct libxl__xen_handle *h, uint32_t domid,
                     unsigned weight, unsigned cap);

    /* life */
    int (*create)(struct libxl__xen_handle *h, const struct libxl__xen_new *n);
    int (*build)(struct libxl__xen_handle *h, const struct libxl__xen_image *im,
                 struct libxl__xen_built *out);
    int (*destroy)(struct libxl__xen_handle *h, uint32_t domid);
    int (*pause)(struct libxl__xen_handle *h, uint32_t domid);
    int (*unpause)(struct libxl__xen_handle *h, uint32_t domid);
    int (*shutdown)(struct libxl__xen_handle *h, uint32_t domid,
                    unsigned reason);
    int (*resume)(struct libxl__xen_handle *h, uint32_t domid); /* fast */
    int (*trigger)(struct libxl__xen_handle *h, uint32_t domid, unsigned which,
                   uint32_t vcpu); /* which: as libxl_trigger */
    int (*set_max)(struct libxl__xen_handle *h, uint32_t domid,
                   uint64_t max_kb);

    /* channels and shared pages */
    int (*port)(struct libxl__xen_handle *h, uint32_t domid, uint32_t remote,
                uint32_t *port);
    int (*param_get)(struct libxl__xen_handle *h, uint32_t domid,
                     uint32_t param, uint64_t *value);
    int (*param_set)(struct libxl__xen_handle *h, uint32_t domid,
                     uint32_t param, uint64_t value);
    int (*grants)(struct libxl__xen_handle *h, uint32_t domid, bool hvm,
                  uint64_t console_gfn, uint64_t store_gfn);

    /* An event channel that the guest offers, by its port there. *fd, the
     * channel's own, is readable when the guest has notified it; take makes it
     * ready for the next time. */
    int (*channel_open)(uint32_t domid, uint32_t port,
                        struct libxl__xen_channel **out, int *fd);
    int (*channel_notify)(struct libxl__xen_channel *c);
    int (*channel_take)(struct libxl__xen_channel *c);
    void (*channel_close)(struct libxl__xen_channel *c); /* NULL accepted */
};

/* Of param_get and param_set: the hypervisor's numbers. */
#define LIBXL__XEN_PARAM_CALLBACK_IRQ 0u
#define LIBXL__XEN_PARAM_STORE_EVTCHN 2u
#define LIBXL__XEN_PARAM_HPET 11u
#define LIBXL__XEN_PARAM_TIMER_MODE 10u
#define LIBXL__XEN_PARAM_ACPI_S_STATE 14u
#define LIBXL__XEN_PARAM_VPT_ALIGN 16u
#define LIBXL__XEN_PARAM_CONSOLE_EVTCHN 18u

#endif
