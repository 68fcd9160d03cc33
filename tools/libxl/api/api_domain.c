/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * api_domain.c - entry points: a domain's life.
 */
#include "base/log.h"
#include "domain/domain.h"
#include "domain/keep.h"
#include "engine/ctx.h"

int libxl_domain_create_new(libxl_ctx *ctx, libxl_domain_config *config,
                            uint32_t *domid_out,
                            const libxl_asyncop_how *ao_how,
                            const libxl_asyncprogress_how *console_how)
{
    struct libxl__create_params p = {config, domid_out, console_how};

    return libxl__ao_run(ctx, INVALID_DOMID, ao_how, libxl__domain_create_start,
                         &p);
}

int libxl_domain_create_restore(libxl_ctx *ctx, libxl_domain_config *config,
                                uint32_t *domid_out, int restore_fd,
                                int stream_version,
                                const libxl_asyncop_how *ao_how,
                                const libxl_asyncprogress_how *console_how)
{
    struct libxl__restore_params p = {config, domid_out, restore_fd,
                                      stream_version, console_how};

    return libxl__ao_run(ctx, INVALID_DOMID, ao_how,
                         libxl__domain_restore_start, &p);
}

int libxl_domain_destroy(libxl_ctx *ctx, uint32_t domid,
                         const libxl_asyncop_how *ao_how)
{
    return libxl__ao_run(ctx, domid, ao_how, libxl__domain_destroy_start, NULL);
}

static int life(libxl_ctx *ctx, uint32_t domid, const libxl_asyncop_how *how,
                enum libxl__life_verb verb)
{
    struct libxl__life_params p = {.verb = verb};

    return libxl__ao_run(ctx, domid, how, libxl__domain_life_start, &p);
}

int libxl_domain_pause(libxl_ctx *ctx, uint32_t domid,
                       const libxl_asyncop_how *ao_how)
{
    return life(ctx, domid, ao_how, LIFE_PAUSE);
}

int libxl_domain_unpause(libxl_ctx *ctx, uint32_t domid,
                         const libxl_asyncop_how *ao_how)
{
    return life(ctx, domid, ao_how, LIFE_UNPAUSE);
}

int libxl_domain_shutdown(libxl_ctx *ctx, uint32_t domid,
                          const libxl_asyncop_how *ao_how)
{
    return life(ctx, domid, ao_how, LIFE_SHUTDOWN);
}

int libxl_domain_reboot(libxl_ctx *ctx, uint32_t domid,
                        const libxl_asyncop_how *ao_how)
{
    return life(ctx, domid, ao_how, LIFE_REBOOT);
}

int libxl_domain_resume(libxl_ctx *ctx, uint32_t domid, int suspend_cancel,
                        const libxl_asyncop_how *ao_how)
{
    return life(ctx, domid, ao_how, LIFE_RESUME);
}

int libxl_send_trigger(libxl_ctx *ctx, uint32_t domid, libxl_trigger trigger,
                       uint32_t vcpuid, const libxl_asyncop_how *ao_how)
{
    struct libxl__life_params p = {
        .verb = LIFE_TRIGGER, .trigger = trigger, .vcpuid = vcpuid};

    return libxl__ao_run(ctx, domid, ao_how, libxl__domain_life_start, &p);
}

int libxl_send_sysrq(libxl_ctx *ctx, uint32_t domid, char sysrq)
{
    struct libxl__life_params p = {.verb = LIFE_SYSRQ, .sysrq = sysrq};

    return libxl__ao_run(ctx, domid, NULL, libxl__domain_life_start, &p);
}

int libxl_domain_rename(libxl_ctx *ctx, uint32_t domid, const char *old_name,
                        const char *new_name)
{
    struct libxl__rename_params p = {old_name, new_name};

    return libxl__ao_run(ctx, domid, NULL, libxl__domain_rename_start, &p);
}

int libxl_set_memory_target(libxl_ctx *ctx, uint32_t domid, int64_t target_kb,
                            bool relative, bool enforce)
{
    struct libxl__life_params p = {.verb = LIFE_SET_MEMORY};
    libxl_dominfo info;
    int rc = libxl__ctx_check(ctx);

    if (!rc && relative) {
        rc = libxl__domain_info(ctx, domid, &info);
        if (!rc)
            target_kb += (int64_t)info.current_memkb;
        libxl_dominfo_dispose(&info);
    }
    if (rc)
        return rc;
    if (target_kb <= 0) {
        LOGD(ctx, domid, ERROR, "a memory target must be more than 0");
        return ERROR_INVAL;
    }
    p.target_kb = (uint64_t)target_kb;
    return libxl__ao_run(ctx, domid, NULL, libxl__domain_life_start, &p);
}

int libxl_domain_keep(libxl_ctx *ctx, uint32_t domid, bool restart)
{
    enum libxl__keep_policy policy = restart ? KEEP_RESTART : KEEP_NO_RESTART;

    return libxl__ao_run(ctx, domid, NULL, libxl__domain_keep_start, &policy);
}
