/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xen_rig.h - a Xen host whose hypervisor and xenstore are tables of a test's
 * own, with directories of its own.
 */
#ifndef XEN_RIG_H
#define XEN_RIG_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/xen_host.h"
#include "store/fake_xs.h"

/* The hypervisor, with one domain; what it did is for the test to look at. */
struct fake_xen {
    struct libxl__xen_domain domain;
    bool there;
    bool stays; /* when it is destroyed: somebody has pages of it */
    /* the builder: what it answers; before that on_build, on its thread */
    int open_r, build_r;
    const char *build_why;
    void (*on_build)(void);
    pthread_t builder;
    unsigned builds, open_handles;
    /* the suspend channel: its port, and what the guest does when notified */
    uint32_t port;
    int notify_r;
    bool deaf_to_channel;
    unsigned notified, channels;
};
extern struct fake_xen fake_xen;

struct xen_rig {
    libxl_logger logger; /* first */
    libxl_ctx *ctx;
    libxl__host *h;
    char dir[64];
    char lib[80]; /* in it: libxl's userdata */
    char log[4096];
};

/* cmocka's setup and teardown; *state is the rig. */
int xen_rig_open(void **state);
int xen_rig_close(void **state);

/* The record of a domain 1 that is to be made. */
void xen_rig_record(struct xen_rig *r, const libxl_domain_config *c);

typedef int xen_rig_start(libxl__egc *egc, libxl__host *h,
                          libxl__host_call *call, const void *user);
/* Of domain 1, run to its end; what it says. */
int xen_rig_run(struct xen_rig *r, xen_rig_start *start, const void *user);
/* The same; aborted after so many milliseconds. */
int xen_rig_run_aborted(struct xen_rig *r, xen_rig_start *start,
                        const void *user, unsigned ms);

#endif
