/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xen_dev.h - disks and network interfaces of guests: nodes that both ends find
 * one another by, and the host's hotplug scripts.
 *
 * Owns:      nothing that outlives a call.
 * Thread:    loop thread only.
 * Errors:    rc, logged by the device's name.
 */
#ifndef LIBXL_XEN_DEV_H
#define LIBXL_XEN_DEV_H

#include <stdio.h>
#include <sys/types.h>

#include "host/xen_host.h"

#define LIBXL__XEN_SCRIPTS "/etc/xen/scripts/"

/* ---- xen_dev.c: all of a domain's ---- */

/* ERROR_INVAL, logged: there is something among them that is not carried. */
int libxl__xen_dev_check(libxl_ctx *ctx, uint32_t domid,
                         const libxl_domain_config *config);
/* What was left open: addresses, numbers, backends, types. */
int libxl__xen_dev_decide(libxl_ctx *ctx, libxl_domain_config *config);
int libxl__xen_dev_lay_out(struct libxl__host_xen *hx, libxl__gc *gc,
                           uint32_t domid, const libxl_domain_config *config);
/* A QEMU has to serve some of them. */
bool libxl__xen_dev_want_qemu(const libxl_domain_config *config);

/* The three places of one device; kind: the backend's. From gc. */
struct libxl__xen_ends {
    const char *front, *back, *libxl;
};
bool libxl__xen_ends(libxl__gc *gc, uint32_t domid, const char *kind,
                     unsigned id, struct libxl__xen_ends *out);
void libxl__xen_put_front(struct libxl__xs_writer *w,
                          const struct libxl__xen_ends *e);
/* perms LIBXL__XS_PRIVATE: the toolstacks' copy, else the backend itself. */
void libxl__xen_put_back(struct libxl__xs_writer *w,
                         const struct libxl__xen_ends *e,
                         enum libxl__xs_perms perms);

/* ---- xen_disk.c, xen_nic.c: one of them ---- */

/* A disk has a target; a CD drive may be empty. */
bool libxl__xen_disk_is_empty(const libxl_device_disk *d);
/* NULL, or why it is not carried. */
const char *libxl__xen_disk_fault(const libxl_device_disk *d, bool hvm);
void libxl__xen_disk_decide(libxl_device_disk *d);
/* Within a transaction: it looks for others that have the same. */
void libxl__xen_disk_put(struct libxl__host_xen *hx, struct libxl__xs_writer *w,
                         const libxl_device_disk *d);
const char *libxl__xen_nic_fault(const libxl_device_nic *n, bool hvm);
/* type: for an interface that has none */
int libxl__xen_nic_decide(libxl_ctx *ctx, libxl_device_nic *n,
                          libxl_nic_type type);
void libxl__xen_nic_put(struct libxl__xs_writer *w, const libxl_device_nic *n);
/* Of its emulated twin, which QEMU has, until a script gives it another; from
 * gc. */
const char *libxl__xen_nic_tap(libxl__gc *gc, uint32_t domid,
                               const libxl_device_nic *n);

/* ---- xen_disk_wait.c ---- */

typedef struct libxl__xen_disk_wait libxl__xen_disk_wait;
/* config need not outlive the call. NULL: no memory. */
libxl__xen_disk_wait *libxl__xen_disk_wait_new(
    libxl__host *h, libxl__host_call *call, const libxl_domain_config *config);
/* Waits until the disks' backends have taken them, and answers the call.
 * Abortable. */
int libxl__xen_disk_wait_start(libxl__egc *egc, libxl__xen_disk_wait *dw);

/* ---- xen_disk_share.c: who else uses it ---- */

/* ERROR_FAIL, logged: somebody does, and one of the two writes. To be called
 * within the transaction that the disk's nodes are written in. */
int libxl__xen_disk_check_free(struct libxl__host_xen *hx, libxl__gc *gc,
                               uint32_t domid, const libxl_device_disk *d);
/* By a table like /proc/mounts; *where: the directory. */
bool libxl__xen_is_mounted(FILE *mounts, dev_t dev, bool write, char *where,
                           size_t size);

/* ---- xen_hotplug.c: a script of the host ---- */

struct libxl__xen_script {
    /* caller fills */
    struct libxl__host_xen *hx;
    libxl__gc *gc;
    uint32_t domid;
    const char *back;       /* the backend's path */
    const char *type;       /* "vif", "vbd" */
    const char *verb, *arg; /* arg: or NULL */
    libxl__ao *ao;          /* an abort of it ends the script; or NULL */
    unsigned limit_ms;      /* 0: as long as upstream lets it run */
    void *user;
    void (*done)(libxl__egc *egc, struct libxl__xen_script *s, bool ok);
    /* private */
    libxl__ev_child child;
    libxl__ev_time deadline;
    const char *path;
    bool stopped; /* for done to see: killed, by the deadline or an abort */
};
/* The one that the backend's node "script" names. It is killed, with all that
 * it has started, when it takes too long (logged). */
int libxl__xen_script_run(struct libxl__xen_script *s);
/* False: the interface of that backend wants a vifname and has not got it, so
 * who has is another one, which a script would take for this one. */
bool libxl__xen_nic_has_its_name(struct libxl__host_xen *hx, libxl__gc *gc,
                                 uint32_t domid, const char *back);
/* Where the one of that name is; from gc. */
const char *libxl__xen_script_path(libxl__gc *gc, const char *name);

/* ---- xen_dev_plug.c ---- */

typedef struct libxl__xen_plug libxl__xen_plug;
/* config need not outlive the call. NULL: no memory. */
libxl__xen_plug *libxl__xen_plug_new(libxl__host *h, libxl__host_call *call,
                                     const libxl_domain_config *config);
/* When it fails it takes back what was begun: nobody ends the domain then. */
void libxl__xen_plug_undoes(libxl__xen_plug *p);
/* Connects the interfaces to their bridges, and answers the call. */
int libxl__xen_plug_start(libxl__egc *egc, libxl__xen_plug *p);

/* ---- xen_dev_clean.c: of a domain that is no more ---- */

/* Ends what serves its devices, removes all backends of that number but QEMU's
 * disks, and answers the call. The hypervisor need not know the domain any
 * more. */
int libxl__xen_dev_clean(libxl__egc *egc, libxl__host *h,
                         libxl__host_call *call);

/* ---- xen_dev_add.c, xen_dev_remove.c, xen_dev_info.c: of a running one ----
 */

int libxl__xen_dev_decide_one(libxl__host *h, uint32_t domid,
                              const libxl_domain_config *config,
                              struct libxl__dev *dev);
int libxl__xen_dev_add(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                       const libxl_domain_config *config,
                       const struct libxl__dev *dev);
int libxl__xen_dev_remove(libxl__egc *egc, libxl__host *h,
                          libxl__host_call *call, const struct libxl__dev *dev,
                          bool force);
int libxl__xen_dev_info(libxl__host *h, libxl__gc *gc, uint32_t domid,
                        const struct libxl__dev *dev,
                        struct libxl__dev_info *out);
/* "vbd"/"vif" and number in the guest; *out: where its ends are, from gc.
 * ERROR_NOTFOUND: there is no such device, not logged. */
int libxl__xen_dev_find(struct libxl__host_xen *hx, libxl__gc *gc,
                        uint32_t domid, const char *kind, unsigned id,
                        struct libxl__xen_ends *out);
/* "disk xvdb", "network interface 1"; kind and number as above. */
const char *libxl__xen_dev_name(libxl__gc *gc, const struct libxl__dev *dev,
                                const char **kind, unsigned *id);

#endif
