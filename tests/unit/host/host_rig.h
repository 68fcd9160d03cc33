/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host_rig.h - a QEMU host with a state directory of its own, and a way to run
 * its calls to their end.
 *
 * host_rig_close ends every QEMU that a test left behind, also a failed one.
 */
#ifndef HOST_RIG_H
#define HOST_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/host_qemu.h"

struct host_rig {
    libxl_logger logger; /* first */
    libxl_ctx *ctx;
    libxl__host *h;
    libxl__store *st;
    char dir[64];
    char log[8192]; /* what was logged, a line each */
    unsigned errors; /* messages of level ERROR */
};

/* cmocka's setup and teardown; *state is the rig. */
int host_rig_open(void **state);
int host_rig_close(void **state);

/* A host call, run to its end; what it says. */
typedef int host_rig_start(libxl__egc *egc, libxl__host *h,
                           libxl__host_call *call, void *user);
int host_rig_run(struct host_rig *r, uint32_t domid, host_rig_start *start,
                 void *user);

/* A domain's record (no QEMU yet), its lock let go. */
uint32_t host_rig_record(struct host_rig *r, const libxl_domain_config *c);
/* The configuration that most tests want: 32 MiB, one vCPU, TCG, no kernel. */
void host_rig_config(struct host_rig *r, libxl_domain_config *c);
/* record + create; fails the test if it fails. */
uint32_t host_rig_guest(struct host_rig *r, bool incoming);
int host_rig_create(struct host_rig *r, uint32_t domid,
                    const libxl_domain_config *c, bool incoming);
int host_rig_destroy(struct host_rig *r, uint32_t domid);
int host_rig_dm(struct host_rig *r, uint32_t domid, int fd, bool load);
/* One of the calls that take nothing more: ops->pause and so on. */
typedef int host_rig_plain(libxl__egc *egc, libxl__host *h,
                           libxl__host_call *call);
int host_rig_call(struct host_rig *r, uint32_t domid, host_rig_plain *op);
/* query-status, as QEMU says it */
const char *host_rig_status(struct host_rig *r, uint32_t domid);
/* The guest ends, and QEMU does not: as after a reboot. */
void host_rig_end_guest(struct host_rig *r, uint32_t domid);
/* The "status" that a query gives, asked for until it is that; fails the test
 * at a deadline. */
void host_rig_wait_status(struct host_rig *r, uint32_t domid, char *query,
                          const char *wanted);
pid_t host_rig_pid(struct host_rig *r, uint32_t domid);

#endif
