/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libxl_domain.h - operations on domains. libxl_event.h says what ao_how
 * means. Unless noted, an operation takes the domain's lock: ERROR_LOCK_FAIL
 * when another one has it (logged: "busy: save by pid N").
 */
#ifndef LIBXL_DOMAIN_H
#define LIBXL_DOMAIN_H

#ifndef LIBXL_H
#error "include libxl.h"
#endif

/* ---- asking (no lock; never waits for a guest) ---- */

/* malloc'ed array; free with libxl_dominfo_list_free. NULL: error, logged. */
libxl_dominfo *libxl_list_domain(libxl_ctx *ctx, int *nb_domain_out);
/* ERROR_DOMAIN_NOTFOUND without a message when there is none. */
int libxl_domain_info(libxl_ctx *ctx, libxl_dominfo *out, uint32_t domid);
int libxl_name_to_domid(libxl_ctx *ctx, const char *name, uint32_t *domid_out);
/* A number, a name or a uuid. */
int libxl_domain_qualifier_to_domid(libxl_ctx *ctx, const char *text,
                                    uint32_t *domid_out);
char *libxl_domid_to_name(libxl_ctx *ctx, uint32_t domid); /* malloc'ed */
int libxl_retrieve_domain_configuration(libxl_ctx *ctx, uint32_t domid,
                                        libxl_domain_config *out,
                                        const libxl_asyncop_how *ao_how);
libxl_vcpuinfo *libxl_list_vcpu(libxl_ctx *ctx, uint32_t domid, int *nr_out);
int libxl_get_host_facts(libxl_ctx *ctx, libxl_host_fact **out, int *nr_out);
/* Paths for people and tools; malloc'ed; NULL with errno-less log if none. */
char *libxl_console_log_path(libxl_ctx *ctx, uint32_t domid);
char *libxl_console_socket_path(libxl_ctx *ctx, uint32_t domid);
/* Where another program shows the console (a Xen host): becomes it, and returns
 * only with an error. ERROR_NI: there is a socket instead. */
bool libxl_console_is_program(libxl_ctx *ctx);
int libxl_primary_console_exec(libxl_ctx *ctx, uint32_t domid);

/* ---- life ---- */

/* Leaves the domain paused. *domid_out is valid, or INVALID_DOMID, as soon as
 * the operation has completed; on failure nothing of the domain is left. */
int libxl_domain_create_new(libxl_ctx *ctx, libxl_domain_config *config,
                            uint32_t *domid_out,
                            const libxl_asyncop_how *ao_how,
                            const libxl_asyncprogress_how *console_how);
int libxl_domain_destroy(libxl_ctx *ctx, uint32_t domid,
                         const libxl_asyncop_how *ao_how); /* overrides locks */
int libxl_domain_pause(libxl_ctx *ctx, uint32_t domid,
                       const libxl_asyncop_how *ao_how);
int libxl_domain_unpause(libxl_ctx *ctx, uint32_t domid,
                         const libxl_asyncop_how *ao_how);
int libxl_domain_shutdown(libxl_ctx *ctx, uint32_t domid,
                          const libxl_asyncop_how *ao_how);
int libxl_domain_reboot(libxl_ctx *ctx, uint32_t domid,
                        const libxl_asyncop_how *ao_how);
int libxl_domain_rename(libxl_ctx *ctx, uint32_t domid, const char *old_name,
                        const char *new_name);
typedef enum {
    LIBXL_TRIGGER_POWER = 1, LIBXL_TRIGGER_SLEEP, LIBXL_TRIGGER_NMI,
    LIBXL_TRIGGER_INIT, LIBXL_TRIGGER_RESET, LIBXL_TRIGGER_S3RESUME,
} libxl_trigger;
int libxl_send_trigger(libxl_ctx *ctx, uint32_t domid, libxl_trigger trigger,
                       uint32_t vcpuid, const libxl_asyncop_how *ao_how);
int libxl_send_sysrq(libxl_ctx *ctx, uint32_t domid, char sysrq);
int libxl_set_memory_target(libxl_ctx *ctx, uint32_t domid, int64_t target_kb,
                            bool relative, bool enforce);

/* How a domain shares the processors. ERROR_NI: not on this kind of host. */
typedef struct {
    unsigned weight, cap; /* cap: percent of a processor, 0: none */
} libxl_sched_params;
int libxl_domain_sched_params_get(libxl_ctx *ctx, uint32_t domid,
                                  libxl_sched_params *out);
int libxl_domain_sched_params_set(libxl_ctx *ctx, uint32_t domid,
                                  const libxl_sched_params *in);

/* ---- save and restore ---- */

#define LIBXL_SUSPEND_DEBUG 1u /* send VERIFY and every page once more */
#define LIBXL_SUSPEND_LIVE 2u

/* Knobs of a live save; all 0: defaults of the host kind. */
typedef struct {
    uint32_t max_downtime_ms;
    uint32_t max_iters;
    uint32_t min_remaining_pages;
    bool abort_if_busy;
    uint64_t bandwidth_bps;
    uint32_t timeout_ms;
    bool zero_as_xalloc; /* the reader is ours: send zero pages without data */
} libxl_precopy_how;

/* Writes the libxl stream to fd. Neither resumes nor destroys the domain: it
 * is left suspended on success, and as it was on failure. fd is blocking while
 * the operation runs. precopy may be NULL. */
int libxl_domain_suspend(libxl_ctx *ctx, uint32_t domid, int fd, int flags,
                         const libxl_precopy_how *precopy,
                         const libxl_asyncop_how *ao_how);
/* Lets a suspended domain go on (paused if it was paused before). */
int libxl_domain_resume(libxl_ctx *ctx, uint32_t domid, int suspend_cancel,
                        const libxl_asyncop_how *ao_how);
/* Reads the libxl stream (stream_version 2; 1: legacy, converted) from fd.
 * Leaves the domain paused. */
int libxl_domain_create_restore(libxl_ctx *ctx, libxl_domain_config *config,
                                uint32_t *domid_out, int restore_fd,
                                int stream_version,
                                const libxl_asyncop_how *ao_how,
                                const libxl_asyncprogress_how *console_how);

/* `xl save`, whole: xl header and stream to a temporary file beside path,
 * fsync, rename, and only then destroy (or resume, or leave paused). A path
 * that is a FIFO or device is written directly. Never leaves the guest paused
 * or a file that looks complete when it fails. config NULL: the domain's own. */
typedef enum {
    LIBXL_SAVE_THEN_DESTROY, LIBXL_SAVE_THEN_RESUME, LIBXL_SAVE_THEN_PAUSE,
} libxl_save_then;
typedef struct {
    const char *path; /* "-": fd is used instead */
    int fd;
    libxl_save_then then;
    bool preserve_domid;
    int flags; /* LIBXL_SUSPEND_* */
    const libxl_domain_config *config;
    const libxl_precopy_how *precopy;
    /* Xen host: without the pages of zeros, in a file that says so in its
     * header and that Xen's own toolstack therefore refuses. */
    bool native;
} libxl_save_how;
int libxl_domain_save_file(libxl_ctx *ctx, uint32_t domid,
                           const libxl_save_how *how,
                           const libxl_asyncop_how *ao_how);

/* xl's file header: reads it and the configuration from fd, leaving fd at the
 * first byte of the stream. json_out is malloc'ed, NULL if there is none. */
int libxl_savefile_read_header(libxl_ctx *ctx, int fd, const char *name,
                               uint32_t *mandatory_flags, uint32_t *optional_flags,
                               char **json_out);

/* ---- migration ---- */

typedef struct {
    const char *rune; /* for `sh -c`: runs `xl migrate-receive` there */
    const libxl_domain_config *config; /* NULL: the domain's own */
    bool preserve_domid;
    int flags; /* LIBXL_SUSPEND_* */
    const libxl_precopy_how *precopy;
    /* The user answers for disks of which the receiver cannot know whether they
     * are the same ones. */
    bool assume_same_disks;
} libxl_migrate_how;
typedef struct {
    uint64_t bytes, data_pages, zero_pages, passes;
    uint64_t total_ms;
    uint64_t downtime_ms; /* suspended here to running there */
} libxl_migrate_stats;
/* Sends the guest; it runs there, and is gone here, when this returns 0. On
 * failure it runs here as before, or (ERROR_BADFAIL, logged) the link broke
 * when nobody could know where it runs: `xl recover` finds out. stats may be
 * NULL. */
int libxl_domain_migrate(libxl_ctx *ctx, uint32_t domid,
                         const libxl_migrate_how *how,
                         libxl_migrate_stats *stats,
                         const libxl_asyncop_how *ao_how);

typedef struct {
    int in_fd, out_fd; /* the stream and the handshake: stdin and stdout */
    bool paused;       /* do not run it when it has come */
    bool restart;      /* its keeper is to apply on_poweroff and so on */
} libxl_migrate_receive_how;
/* 0: it runs (or waits, paused) here; or a sender's question what became of a
 * migration was answered: then *domid_out is INVALID_DOMID. */
int libxl_domain_migrate_receive(libxl_ctx *ctx,
                                 const libxl_migrate_receive_how *how,
                                 uint32_t *domid_out,
                                 const libxl_asyncop_how *ao_how);

/* Ends whatever state a double failure left (INVALID_DOMID: of all domains).
 * Says what it did; ERROR_NOT_READY: a question is left that only the user can
 * answer. */
int libxl_domain_recover(libxl_ctx *ctx, uint32_t domid,
                         const libxl_asyncop_how *ao_how);

/* The domain's background process: starts one where there is none. restart:
 * apply on_poweroff/on_reboot/on_crash. */
int libxl_domain_keep(libxl_ctx *ctx, uint32_t domid, bool restart);

#endif
