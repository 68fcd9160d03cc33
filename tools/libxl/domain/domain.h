/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * domain.h - the operations, as libxl__ao_run starts them; and the questions.
 *
 * Each X_start takes a const struct libxl__X_params * that need only live until
 * it returns; pointers in it stay valid until the ao completes, as the public
 * header promises.
 */
#ifndef LIBXL_DOMAIN_OPS_H
#define LIBXL_DOMAIN_OPS_H

#include "engine/engine.h"

struct libxl__create_params {
    libxl_domain_config *config;
    uint32_t *domid_out;
    const libxl_asyncprogress_how *console_how;
};
struct libxl__restore_params {
    libxl_domain_config *config;
    uint32_t *domid_out;
    int fd;
    int stream_version;
    const libxl_asyncprogress_how *console_how;
};
struct libxl__suspend_params {
    int fd;
    unsigned flags;
    const libxl_precopy_how *precopy;
};
struct libxl__life_params {
    enum libxl__life_verb {
        LIFE_PAUSE,
        LIFE_UNPAUSE,
        LIFE_SHUTDOWN,
        LIFE_REBOOT,
        LIFE_TRIGGER,
        LIFE_SYSRQ,
        LIFE_SET_MEMORY,
        LIFE_RESUME,
    } verb;
    libxl_trigger trigger;
    uint32_t vcpuid;
    char sysrq;
    uint64_t target_kb;
};
struct libxl__rename_params {
    const char *old_name; /* NULL: whatever it is */
    const char *new_name;
};
enum libxl__device_verb { DEVICE_ADD, DEVICE_REMOVE, DEVICE_FORCE };
struct libxl__device_params {
    enum libxl__device_verb verb;
    libxl_device_disk *disk; /* this one or the other */
    libxl_device_nic *nic;
};
struct libxl__savefile_read_params {
    int fd;
    const char *name;
    uint32_t *mandatory, *optional;
    char **json;
};

struct libxl__migrate_send_params {
    libxl_migrate_how how;
    libxl_migrate_stats *stats; /* may be NULL */
};
struct libxl__migrate_receive_params {
    libxl_migrate_receive_how how;
    uint32_t *domid_out;
};

libxl__ao_start_fn libxl__domain_create_start;
libxl__ao_start_fn libxl__domain_restore_start;
libxl__ao_start_fn libxl__domain_destroy_start; /* params: none */
libxl__ao_start_fn libxl__domain_life_start;
libxl__ao_start_fn libxl__domain_device_start;
libxl__ao_start_fn libxl__domain_rename_start;
libxl__ao_start_fn libxl__domain_suspend_start;
libxl__ao_start_fn libxl__domain_save_file_start; /* libxl_save_how */
libxl__ao_start_fn libxl__domain_recover_start;   /* params: none */
libxl__ao_start_fn libxl__savefile_read_start;
libxl__ao_start_fn libxl__migrate_send_start;
libxl__ao_start_fn libxl__migrate_receive_start;
libxl__ao_start_fn libxl__domain_keep_start; /* enum libxl__keep_policy */

/* ---- asking: at once ---- */
int libxl__domain_list(libxl_ctx *ctx, libxl_dominfo **out, int *nr);
int libxl__domain_info(libxl_ctx *ctx, uint32_t domid, libxl_dominfo *out);
int libxl__domain_find(libxl_ctx *ctx, const char *text, bool name_only,
                       uint32_t *domid_out);
int libxl__domain_config(libxl_ctx *ctx, uint32_t domid,
                         libxl_domain_config *out);
char *libxl__domain_file_path(libxl_ctx *ctx, uint32_t domid,
                              const char *file); /* malloc'ed; NULL: logged */

#endif
