/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xen_dm.h - an HVM guest's device model: a QEMU process of Xen's kind, reached
 * by the socket where upstream's libxl has it too.
 *
 * Owns:      a script's descriptors, until its end.
 * Thread:    loop thread only.
 * Errors:    rc, logged.
 */
#ifndef LIBXL_XEN_DM_H
#define LIBXL_XEN_DM_H

#include "dm/qmp_script.h"
#include "host/xen_host.h"

#define LIBXL__XEN_DM_STEPS 4

typedef struct libxl__xen_dm libxl__xen_dm;
struct libxl__xen_dm {
    libxl__host *h;
    libxl__host_call *call;
    /* After the last step: goes on, or answers the call. */
    void (*then)(libxl__egc *egc, libxl__xen_dm *dm, int rc);
    void *user;
    /* private */
    libxl__qmp_script script;
    struct libxl__qmp_step steps[LIBXL__XEN_DM_STEPS];
};

/* On the ao's gc; pass_fd (-1: none) is used up, also by a failure. NULL:
 * logged. */
libxl__xen_dm *libxl__xen_dm_new(libxl__host *h, libxl__host_call *call,
                                 int pass_fd);
void libxl__xen_dm_step(libxl__xen_dm *dm, const char *command,
                        const char *args_json, bool pass_fd);
/* Non-zero: nothing was started; dm is gone. */
int libxl__xen_dm_start(libxl__egc *egc, libxl__xen_dm *dm,
                        void (*then)(libxl__egc *egc, libxl__xen_dm *dm,
                                     int rc));

/* The guest's devices go on: then as above. */
int libxl__xen_dm_cont(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                       void (*then)(libxl__egc *egc, libxl__xen_dm *dm,
                                    int rc));
int libxl__xen_dm_save(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                       int fd);
int libxl__xen_dm_logdirty(libxl__egc *egc, libxl__host *h,
                           libxl__host_call *call, bool enable);

/* xen_dm_keys.c: its keys in xenstore, as EMULATOR_XENSTORE_DATA has them. */
int libxl__xen_dm_keys(libxl__host *h, libxl__gc *gc, uint32_t domid,
                       const void **data, size_t *bytes);
int libxl__xen_dm_put_key(libxl__host *h, libxl__gc *gc, uint32_t domid,
                          const char *key, const char *value);

#endif
