/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * host_qemu.h - what the files of the QEMU host share.
 *
 * Owns:      struct libxl__host_qemu owns the store. A libxl__qemu_op lives on
 *            the heap from start to its callback.
 * Thread:    loop thread only.
 * Errors:    rc, logged where the cause is known.
 */
#ifndef LIBXL_HOST_QEMU_H
#define LIBXL_HOST_QEMU_H

#include "base/proc_id.h"
#include "dev/dev.h"
#include "dm/qmp_script.h"
#include "host/host.h"
#include "host/qemu_pci.h"
#include "store/domain_record.h"
#include "store/run_record.h"

struct libxl__host_qemu {
    libxl__host host; /* first: see libxl__host_qemu_of */
    libxl__store *store;
};
struct libxl__host_qemu *libxl__host_qemu_of(libxl__host *h);

/* ---- the process of a guest ---- */

/* Descriptors of QEMU, by number: what a later xl finds below /proc/PID/fd. */
enum {
    LIBXL__QEMU_LOG_FD = 2,
    LIBXL__QEMU_MEMORY_FD = 3,
    LIBXL__QEMU_CMD_FD = 4,
    LIBXL__QEMU_EVENT_FD = 5,
    LIBXL__QEMU_CONSOLE_FD = 6,
    LIBXL__QEMU_AGENT_FD = 7,
    LIBXL__QEMU_QGA_FD = 8,
    LIBXL__QEMU_FIRST_TAP_FD = 9,
};

/* The record's object "qemu". */
struct libxl__qemu_ident {
    struct libxl__proc_id proc;
    uint64_t memory_bytes;
};

/* ERROR_DOMAIN_NOTFOUND: no such domain, or no process was ever started for
 * it (then found by its environment, if it runs all the same). Not logged. */
int libxl__qemu_ident_read(struct libxl__host_qemu *hq, uint32_t domid,
                           struct libxl__qemu_ident *out);
int libxl__qemu_ident_write(struct libxl__host_qemu *hq, uint32_t domid,
                            const struct libxl__qemu_ident *id);
/* "XL_DOMAIN=STATE_DIR/DOMID": marks QEMU's environment, from gc. */
char *libxl__qemu_tag(struct libxl__host_qemu *hq, libxl__gc *gc,
                      uint32_t domid);
/* /proc/PID/NAME of exactly this process; -1 with errno. */
int libxl__qemu_open_proc(const struct libxl__proc_id *id, const char *name,
                          int flags);

/* QEMU's stderr: a sealed memfd, so that it cannot grow without bound. */
int libxl__qemu_log_make(void); /* -1 with errno */
/* Its first complaint, from gc; "it gave no reason" when there is none. */
const char *libxl__qemu_log_reason(libxl__gc *gc, int log_fd);

/* ---- a call that is a QMP script ---- */

#define LIBXL__QEMU_MAX_STEPS 8

/* What host_qemu_state.c needs to have been said before, on either side. */
#define LIBXL__QEMU_CAPABILITIES                                               \
    "{\"capabilities\":[{\"capability\":\"x-ignore-shared\",\"state\":true},"  \
    "{\"capability\":\"events\",\"state\":true}]}"

struct libxl__qemu_op {
    struct libxl__host_qemu *hq;
    libxl__host_call *call;
    libxl__gc gc;
    libxl__qmp_script script;
    struct libxl__qmp_step steps[LIBXL__QEMU_MAX_STEPS];
    int dirfd;
    int log_fd; /* -1, or QEMU's log: quoted when it dies */
    int own_fd; /* -1, or what is closed at its end */
    struct libxl__qemu_ident ident;
    struct libxl__run_record run; /* as it was before */
    uint64_t target_kb;           /* of set_memory */
    unsigned retries; /* how often QEMU's refusal is not the last word */
    libxl__ev_time retry;
    /* NULL, or asked of the guest's device processes before the script, and
     * after one that succeeded */
    const char *dev_before, *dev_after;
    bool dev_without_dead; /* dev_before passes over processes that ended */
    libxl__dev_ask dev;
    /* vfio-user devices: quiet right before the script, re-created at the end */
    bool pci_quiet, pci_recreate;
    libxl__qemu_pci pci;
    /* "cont" without an answer is no failure of it: QEMU is asked whether the
     * guest runs. ERROR_BADFAIL: it does not say. */
    bool must_know, asking;
    int unanswered_rc; /* of that "cont" */
    /* Begun early (dm_get_ready), nobody waits for it yet; early_lost: it has
     * failed meanwhile, and is to be begun anew. */
    bool early, early_lost;
    /* NULL, or: looks at the result; what it returns is the call's rc */
    int (*done)(struct libxl__qemu_op *op, int rc, yajl_val last);
};

/* ERROR_NOT_READY: its QEMU has ended (logged). *out is freed with
 * libxl__qemu_op_drop, or by the op's end once started. */
int libxl__qemu_op_new(libxl__host *h, libxl__host_call *call,
                       struct libxl__qemu_op **out);
void libxl__qemu_op_step(struct libxl__qemu_op *op, const char *command,
                         const char *args_json);
/* Starts the script; on error the op has been dropped. */
int libxl__qemu_op_start(libxl__egc *egc, struct libxl__qemu_op *op);
void libxl__qemu_op_drop(struct libxl__qemu_op *op);

/* Of query-status: it has been stopped, or never ran, and has not ended. */
bool libxl__qemu_only_stopped(yajl_val status);

/* ---- the ops, by file ---- */

/* host_qemu_create.c */
int libxl__qemu_create(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                       const libxl_domain_config *config, bool incoming);
/* host_qemu_destroy.c */
int libxl__qemu_destroy(libxl__egc *egc, libxl__host *h,
                        libxl__host_call *call);
/* host_qemu_life.c */
int libxl__qemu_pause(libxl__egc *egc, libxl__host *h, libxl__host_call *call);
int libxl__qemu_unpause(libxl__egc *egc, libxl__host *h,
                        libxl__host_call *call);
int libxl__qemu_suspend(libxl__egc *egc, libxl__host *h,
                        libxl__host_call *call);
int libxl__qemu_resume(libxl__egc *egc, libxl__host *h, libxl__host_call *call);
/* host_qemu_request.c: what a guest or its owner asks for */
int libxl__qemu_shutdown(libxl__egc *egc, libxl__host *h,
                         libxl__host_call *call, bool reboot);
int libxl__qemu_trigger(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                        libxl_trigger trigger, uint32_t vcpuid);
int libxl__qemu_sysrq(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                      char key);
int libxl__qemu_set_memory(libxl__egc *egc, libxl__host *h,
                           libxl__host_call *call, uint64_t target_kb);
/* host_qemu_info.c */
int libxl__qemu_dominfo(libxl__host *h, libxl__gc *gc, uint32_t domid,
                        libxl_dominfo *out);
libxl_vcpuinfo *libxl__qemu_vcpus(libxl__host *h, uint32_t domid, int *nr);
/* host_qemu_device.c */
int libxl__qemu_restart_device(libxl__host *h, uint32_t domid, unsigned index,
                               bool active);
/* host_qemu_facts.c */
int libxl__qemu_facts(libxl__host *h, libxl_host_fact **out, int *nr);
/* host_qemu_config.c */
int libxl__qemu_check_config(libxl__host *h, libxl_domain_config *config,
                             bool restore);
int libxl__qemu_check_saveable(libxl__host *h, uint32_t domid,
                               const libxl_domain_config *config);
/* host_qemu_state.c */
int libxl__qemu_dm_save(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                        int fd);
int libxl__qemu_dm_load(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                        int fd);
int libxl__qemu_dm_get_ready(libxl__egc *egc, libxl__host *h,
                             libxl__host_call *call, int fd);
void libxl__qemu_dm_let_go(libxl__host *h, libxl__host_call *call);
/* host_qemu_memory.c */
int libxl__qemu_helper_guest(libxl__host *h, uint32_t domid, bool live,
                             struct libxl__helper_guest *out);
void libxl__qemu_helper_guest_done(libxl__host *h,
                                   struct libxl__helper_guest *g);

#endif
