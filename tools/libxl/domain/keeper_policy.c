/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * keeper_policy.c - on_poweroff, on_reboot, on_watchdog, on_crash,
 * on_soft_reset. docs/specs/keeper.md has the table.
 */
#include "domain/keeper_policy.h"

static libxl_action_on_shutdown configured(const libxl_domain_config *config,
                                           libxl_shutdown_reason reason)
{
    switch (reason) {
    case LIBXL_SHUTDOWN_REASON_POWEROFF:
        return config->on_poweroff;
    case LIBXL_SHUTDOWN_REASON_REBOOT:
        return config->on_reboot;
    case LIBXL_SHUTDOWN_REASON_WATCHDOG:
        return config->on_watchdog;
    case LIBXL_SHUTDOWN_REASON_SOFT_RESET:
        return config->on_soft_reset;
    case LIBXL_SHUTDOWN_REASON_SUSPEND:
        return LIBXL_ACTION_ON_SHUTDOWN_PRESERVE;
    case LIBXL_SHUTDOWN_REASON_UNKNOWN:
    case LIBXL_SHUTDOWN_REASON_CRASH:
        break;
    }
    return config->on_crash;
}

static enum libxl__keeper_action restart(struct libxl__keeper_end *end)
{
    if (end->lived_ms >= KEEPER_MIN_LIFE_MS)
        return KEEPER_RESTART;
    end->note = "it ended within a second of its start, and is not started "
                "again";
    return KEEPER_LEAVE;
}

enum libxl__keeper_action
libxl__keeper_policy(const libxl_domain_config *config,
                     struct libxl__keeper_end *end)
{
    end->note = NULL;
    if (!end->restart)
        return KEEPER_LEAVE;
    switch (configured(config, end->reason)) {
    case LIBXL_ACTION_ON_SHUTDOWN_DESTROY:
        return KEEPER_DESTROY;
    case LIBXL_ACTION_ON_SHUTDOWN_RESTART:
        return restart(end);
    case LIBXL_ACTION_ON_SHUTDOWN_COREDUMP_DESTROY:
        end->note = "no core is dumped on this kind of host";
        return KEEPER_DESTROY;
    case LIBXL_ACTION_ON_SHUTDOWN_COREDUMP_RESTART:
        end->note = "no core is dumped on this kind of host";
        return restart(end);
    case LIBXL_ACTION_ON_SHUTDOWN_RESTART_RENAME:
        end->note = "\"rename-restart\" is not done on this kind of host: the "
                    "guest is preserved";
        return KEEPER_LEAVE;
    case LIBXL_ACTION_ON_SHUTDOWN_SOFT_RESET:
        end->note = "there is no soft reset on this kind of host: the guest "
                    "is preserved";
        return KEEPER_LEAVE;
    case LIBXL_ACTION_ON_SHUTDOWN_PRESERVE:
        break;
    }
    return KEEPER_LEAVE;
}
