/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xen_host.h - SEAM 4 on Xen: what the files xen_*.c share.
 *
 * A guest is a domain of the hypervisor; its nodes in xenstore and libxl's
 * userdata are those that upstream's xl makes, so that either finds the
 * other's domains as its own.
 *
 * Owns:      libxl__host_xen owns its connections to the hypervisor and to
 *            xenstore, and its store.
 * Thread:    loop thread only.
 * Errors:    rc, logged.
 */
#ifndef LIBXL_XEN_HOST_H
#define LIBXL_XEN_HOST_H

#include "host/host.h"
#include "host/xen_calls.h"
#include "store/xs.h"

struct libxl__host_xen {
    libxl__host host; /* first: see libxl__host_xen_of */
    const struct libxl__xen_calls *calls;
    struct libxl__xen_handle *xen;
    struct libxl__xs xs;
    libxl__store *store;
};

struct libxl__host_xen *libxl__host_xen_of(libxl__host *h);
/* With tables and directories of a test's own. */
libxl__host *libxl__host_xen_open_with(libxl_ctx *ctx,
                                       const struct libxl__xen_calls *calls,
                                       const struct libxl__xs_calls *xs_calls,
                                       const char *userdata_dir);

/* ---- a call that may have to wait ---- */

/* ERROR_NOT_READY: not yet, look again in a moment. rc_wait is ERROR_TIMEDOUT
 * as a rule, ERROR_ABORTED once when the ao is aborted. */
struct libxl__xen_wait {
    struct libxl__host_xen *hx;
    libxl__host_call *call;
    int (*look)(libxl__egc *egc, struct libxl__xen_wait *w, int rc_wait);
    bool abortable;
    uint64_t deadline_ms;               /* for look's own use */
    unsigned phase, tries;              /* the same */
    struct libxl__xen_channel *channel; /* the same */
    libxl__ev_fd told;                  /* the same */
    /* private */
    libxl__ev_time tick;
    libxl__ev_immediate soon;
    int rc;
};

/* The call's callback gets rc, as a fresh event. */
int libxl__xen_answer(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                      int rc);
/* On the ao's gc. NULL: no memory. */
struct libxl__xen_wait *libxl__xen_wait_new(libxl__host *h,
                                            libxl__host_call *call);
/* Looks now and then until look says something else: that is the call's rc. */
int libxl__xen_wait_start(libxl__egc *egc, struct libxl__xen_wait *w);
/* Of one that was started: looks now. It may be gone behind this. */
void libxl__xen_wait_look(libxl__egc *egc, struct libxl__xen_wait *w);

/* ---- asking ---- */

/* ERROR_DOMAIN_NOTFOUND, not logged. */
int libxl__xen_domain(struct libxl__host_xen *hx, uint32_t domid,
                      struct libxl__xen_domain *out);
libxl_domain_type libxl__xen_type_of(const struct libxl__xen_domain *d);
bool libxl__xen_is_suspended(const struct libxl__xen_domain *d);
/* Logs "WHAT: reason of r"; ERROR_FAIL or ERROR_NOMEM; 0 for 0. */
int libxl__xen_failed(struct libxl__host_xen *hx, uint32_t domid, int r,
                      const char *what);

/* ---- the ops, by file ---- */

/* xen_info.c */
int libxl__xen_dominfo(libxl__host *h, libxl__gc *gc, uint32_t domid,
                       libxl_dominfo *out);
uint64_t libxl__xen_pulse(libxl__host *h, uint32_t domid);
int libxl__xen_facts(libxl__host *h, libxl_host_fact **out, int *nr);
libxl_vcpuinfo *libxl__xen_vcpus(libxl__host *h, uint32_t domid, int *nr);
/* for the store: struct libxl__host_xen * */
int libxl__xen_domids(void *user, libxl__gc *gc, uint32_t **domids, int *nr);
/* xen_config.c */
int libxl__xen_check_config(libxl__host *h, libxl_domain_config *config,
                            bool restore);
int libxl__xen_check_saveable(libxl__host *h, uint32_t domid,
                              const libxl_domain_config *config);
/* xen_make.c */
int libxl__xen_create(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                      const libxl_domain_config *config, bool incoming);
int libxl__xen_load(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                    int fd);
enum libxl__xen_type libxl__xen_kind(const libxl_domain_config *config);
/* xen_layout.c: its nodes in xenstore */
struct libxl__xen_ports {
    uint32_t store, console;
};
int libxl__xen_lay_out(struct libxl__host_xen *hx, libxl__gc *gc,
                       uint32_t domid, const libxl_domain_config *config,
                       const struct libxl__xen_ports *ports);
/* The pages that it shares with the host are there: xenstored serves it. */
int libxl__xen_introduce(struct libxl__host_xen *hx, libxl__gc *gc,
                         uint32_t domid, uint64_t store_gfn,
                         uint64_t console_gfn);
int libxl__xen_read_ports(struct libxl__host_xen *hx, libxl__gc *gc,
                          uint32_t domid, struct libxl__xen_ports *out);
/* xen_make.c: QEMU where one is wanted, then its devices; it ends the call.
 * state_fd: the device model's, lent; -1: it starts anew */
int libxl__xen_serve(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                     const libxl_domain_config *config, int state_fd);
/* xen_build.c: config until call's callback */
int libxl__xen_build(libxl__host *h, libxl__host_call *call,
                     const libxl_domain_config *config,
                     const struct libxl__xen_ports *ports);
/* xen_life.c */
int libxl__xen_destroy(libxl__egc *egc, libxl__host *h, libxl__host_call *call);
int libxl__xen_pause(libxl__egc *egc, libxl__host *h, libxl__host_call *call);
int libxl__xen_unpause(libxl__egc *egc, libxl__host *h, libxl__host_call *call);
int libxl__xen_trigger(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                       libxl_trigger trigger, uint32_t vcpuid);
int libxl__xen_rename(libxl__host *h, uint32_t domid, const char *new_name);
/* xen_request.c: what the guest itself has to do */
int libxl__xen_shutdown(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                        bool reboot);
int libxl__xen_sysrq(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                     char key);
int libxl__xen_set_memory(libxl__egc *egc, libxl__host *h,
                          libxl__host_call *call, uint64_t target_kb);
/* No PV drivers: it does not look at xenstore. */
int libxl__xen_is_deaf(struct libxl__host_xen *hx,
                       const struct libxl__xen_domain *d, bool *deaf);
/* xen_paths.c: Xen's own programs. NULL: not installed. */
const char *libxl__xen_program(libxl__gc *gc, const char *name);
const char *libxl__xen_bios(libxl__gc *gc, const libxl_domain_config *config);
int libxl__xen_console_exec(libxl__host *h, uint32_t domid);
/* xen_served.c: the two below, and the QEMU that serves it */
int libxl__xen_suspend_served(libxl__egc *egc, libxl__host *h,
                              libxl__host_call *call);
int libxl__xen_resume_served(libxl__egc *egc, libxl__host *h,
                             libxl__host_call *call);
/* xen_suspend.c */
int libxl__xen_suspend(libxl__egc *egc, libxl__host *h, libxl__host_call *call);
int libxl__xen_resume(libxl__egc *egc, libxl__host *h, libxl__host_call *call);
bool libxl__xen_suspend_is_ours(libxl__host *h, libxl__gc *gc, uint32_t domid);

#endif
