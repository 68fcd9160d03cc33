/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * host.h - SEAM 4: a domain's life on this kind of host.
 *
 * host_qemu: a QEMU process. xen_host: a domain. host_fake: tests' script.
 *
 * Thread:    loop thread only.
 * Lifetime:  a call's struct stays the caller's until its callback, which runs
 *            exactly once, never from inside the starting function. An aborted
 *            ao ends the call with ERROR_ABORTED, the guest in a state that
 *            the op names below.
 * Abort:     pause, unpause, resume and destroy are never aborted: they are
 *            short, and clean-up after an aborted ao needs them (its timers
 *            and QMP client have no ao).
 * Rule:      the caller holds the domain's lock. A non-zero return: nothing
 *            was started, and no callback comes.
 */
#ifndef LIBXL_HOST_H
#define LIBXL_HOST_H

#include "engine/engine.h"
#include "helper/save_helper.h"
#include "store/store.h"

typedef struct libxl__host libxl__host;
typedef struct libxl__host_call libxl__host_call;
typedef void libxl__host_callback(libxl__egc *egc, libxl__host_call *call,
                                  int rc);

struct libxl__host_call {
    /* caller fills */
    libxl__ao *ao;
    uint32_t domid;
    void *user;
    libxl__host_callback *callback;
    /* dm_load: what the helper found in the stream */
    const struct libxl__helper_results *results;
    /* destroy: its memory may still be on the way back at the callback */
    bool memory_later;
    /* private to the backend */
    void *state;
};

/* One device: exactly one of the two. */
struct libxl__dev {
    libxl_device_disk *disk;
    libxl_device_nic *nic;
};

/* What its two ends say; -1: nothing yet. Texts are the gc's. */
struct libxl__dev_info {
    const char *backend, *frontend;
    uint32_t backend_id, frontend_id;
    int devid, state, evtch;
    int rref[2]; /* a disk's; an interface's for sending, receiving */
};

struct libxl__host_ops {
    const char *name;  /* "qemu", "xen", "fake" */
    const char *title; /* "QEMU host", "Xen host": for messages */
    bool qemu_image;   /* its images are a QEMU host's (xl header, bit 30) */
    /* A suspended guest's memory stays as it is while dm_save runs: both may be
     * taken at once. */
    bool dm_apart;
    /* A dirty log left on harms nobody: the next operation switches it off. */
    bool log_may_stay;
    libxl__store *(*store)(libxl__host *h);
    /* It has a device model, whose state goes with it. */
    bool (*has_dm)(libxl__host *h, uint32_t domid);

    /* ---- asking: at once, from files ---- */
    int (*dominfo)(libxl__host *h, libxl__gc *gc, uint32_t domid,
                   libxl_dominfo *out);
    /* With poll_ms. Another number than before: it began, ended, stopped, went
     * on, or is another guest. 0: nobody can tell; not logged. */
    uint64_t (*pulse)(libxl__host *h, uint32_t domid);
    int (*facts)(libxl__host *h, libxl_host_fact **out, int *nr);
    libxl_vcpuinfo *(*vcpus)(libxl__host *h, uint32_t domid, int *nr);

    /* ---- life ---- */
    /* Checks config against this host and fills what it decides (machine,
     * CPU model, accelerator, MACs). Refuses by name what it cannot do. */
    int (*check_config)(libxl__host *h, libxl_domain_config *config,
                        bool restore);
    /* The domid exists in the store. Builds the guest, paused; incoming: its
     * memory empty, waiting for state. Fails: nothing is left but the store's
     * record. */
    int (*create)(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                  const libxl_domain_config *config, bool incoming);
    /* Ends the guest; idempotent; the store's record stays. Fails: it, or what
     * serves its disks, may still be there, and no other may be made. */
    int (*destroy)(libxl__egc *egc, libxl__host *h, libxl__host_call *call);
    /* Idempotent. Of a suspended guest: resume will leave it paused. */
    int (*pause)(libxl__egc *egc, libxl__host *h, libxl__host_call *call);
    /* Clears the record's never_started first: a guest that ran must never
     * pass for one that did not. A suspended one runs, too. ERROR_BADFAIL:
     * nobody can tell whether it runs; after any other error it does not. */
    int (*unpause)(libxl__egc *egc, libxl__host *h, libxl__host_call *call);
    /* For a save: stop the guest for good, disks flushed. Aborted: it runs as
     * before. ERROR_TIMEDOUT: it was told to, and may still do so. */
    int (*suspend)(libxl__egc *egc, libxl__host *h, libxl__host_call *call);
    /* Back to what it was before suspend (running or paused); idempotent. */
    int (*resume)(libxl__egc *egc, libxl__host *h, libxl__host_call *call);
    /* After ERROR_TIMEDOUT: nobody has asked the guest for anything since, so
     * that its suspension is the one that was given up. NULL: always. */
    bool (*suspend_is_ours)(libxl__host *h, libxl__gc *gc, uint32_t domid);
    int (*shutdown)(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                    bool reboot);
    int (*trigger)(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                   libxl_trigger trigger, uint32_t vcpuid);
    int (*sysrq)(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                 char key);
    int (*set_memory)(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                      uint64_t target_kb);
    /* NULL: the store's record is all that has a name. */
    int (*rename)(libxl__host *h, uint32_t domid, const char *new_name);

    /* ---- for save and restore ---- */
    /* Refuses, by name, what cannot be carried (before anything is touched). */
    int (*check_saveable)(libxl__host *h, uint32_t domid,
                          const libxl_domain_config *config);
    /* How the helper reaches the guest; fds are closed by helper_guest_done. */
    int (*helper_guest)(libxl__host *h, uint32_t domid, bool live,
                        struct libxl__helper_guest *out);
    void (*helper_guest_done)(libxl__host *h, struct libxl__helper_guest *g);
    /* Device-model state of a suspended guest into fd (a memfd, empty). */
    int (*dm_save)(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                   int fd);
    /* NULL, or: from here on its device model logs what it writes into the
     * guest's memory, or does no more. Never aborted. */
    int (*dm_logdirty)(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                       bool enable);
    /* NULL, both: its device model keeps nothing beside its state. Else what it
     * keeps (key NUL value NUL ..., from gc; NULL, 0: nothing), of one that
     * stands still; and one pair, that a stream's reader has let through,
     * before dm_load. */
    int (*dm_keys)(libxl__host *h, libxl__gc *gc, uint32_t domid,
                   const void **data, size_t *bytes);
    int (*dm_put_key)(libxl__host *h, libxl__gc *gc, uint32_t domid,
                      const char *key, const char *value);
    /* The other way, into a domain made with incoming, memory complete; fd -1
     * where there is no device model. The guest is whole then, and paused. */
    int (*dm_load)(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                   int fd);
    /* NULL, or: for an incoming guest, what can be done of dm_load early, with
     * the same call and fd, which has nothing in it yet. No callback: dm_load
     * goes on from there, or dm_let_go gives it up. */
    int (*dm_get_ready)(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                        int fd);
    void (*dm_let_go)(libxl__host *h, libxl__host_call *call);
    /* NULL: guests share processors as processes do. in NULL: asks alone. */
    int (*sched)(libxl__host *h, uint32_t domid, const libxl_sched_params *in,
                 libxl_sched_params *out);
    /* ---- devices of a domain that runs; NULL, all four: they are fixed when
     * it is created ---- */
    /* Checks the device, and fills what the host decides. */
    int (*dev_decide)(libxl__host *h, uint32_t domid,
                      const libxl_domain_config *config,
                      struct libxl__dev *dev);
    /* config: the domain's, with it. Fails: nothing of it is left. */
    int (*dev_add)(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                   const libxl_domain_config *config,
                   const struct libxl__dev *dev);
    /* With the guest's consent; force: without. ERROR_NOTFOUND, logged. */
    int (*dev_remove)(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                      const struct libxl__dev *dev, bool force);
    /* ERROR_NOTFOUND: there is none, not logged. */
    int (*dev_info)(libxl__host *h, libxl__gc *gc, uint32_t domid,
                    const struct libxl__dev *dev, struct libxl__dev_info *out);

    /* Becomes the program that shows the console, and returns only with an
     * error. NULL: the keeper has the console, on a socket. */
    int (*console_exec)(libxl__host *h, uint32_t domid);
    /* NULL: no device has a process of its own. Starts the index-th of those
     * again, after its death; active: it takes its image's lock by itself.
     * ERROR_NOT_READY: the guest has ended (not logged). */
    int (*restart_device)(libxl__host *h, uint32_t domid, unsigned index,
                          bool active);
    void (*close)(libxl__host *h);
};

struct libxl__host {
    const struct libxl__host_ops *ops;
    libxl_ctx *ctx;
    bool no_keeper;   /* its guests have no background process */
    uint32_t poll_ms; /* 0: records say when a guest ends; else look so often */
};

/* The host of this ctx: XL_HYPERVISOR, else what answers. NULL: logged. Made
 * at first use, owned by the ctx. */
libxl__host *libxl__host_get(libxl_ctx *ctx);

/* The backends. NULL: logged. */
libxl__host *libxl__host_qemu_open(libxl_ctx *ctx);
libxl__host *libxl__host_xen_open(libxl_ctx *ctx);
libxl__host *libxl__host_fake_open(libxl_ctx *ctx);
/* The fake host, but its images are a Xen host's. */
libxl__host *libxl__host_fake_xen_open(libxl_ctx *ctx);

#endif
