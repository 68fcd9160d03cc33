/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xl_inherit.c - a configuration file in place of the one that a state was
 * made with. What the guest's devices were made of (machine, CPU, MACs) cannot
 * change under a saved state, so what the file leaves open comes from there.
 */
#include <stdlib.h>
#include <string.h>

#include "xl.h"

static bool inherit_text(char **to, const char *from)
{
    if (*to || !from)
        return true;
    *to = strdup(from);
    return *to != NULL;
}

static bool no_mac(const libxl_device_nic *nic)
{
    static const libxl_mac none;

    return !memcmp(nic->mac, none, sizeof(none));
}

static bool inherit(libxl_domain_config *to, const libxl_domain_config *from)
{
    for (int i = 0; i < to->num_nics && i < from->num_nics; i++) {
        if (no_mac(&to->nics[i]))
            memcpy(to->nics[i].mac, from->nics[i].mac, sizeof(libxl_mac));
    }
    return inherit_text(&to->qemu_host.machine, from->qemu_host.machine) &&
           inherit_text(&to->qemu_host.cpu_model, from->qemu_host.cpu_model) &&
           inherit_text(&to->qemu_host.accel, from->qemu_host.accel);
}

bool xl_read_config_like(struct xl *xl, const char *path,
                         const libxl_domain_config *like,
                         libxl_domain_config *config)
{
    if (!xl_read_config(xl, path, NULL, config))
        return false;
    if (inherit(config, like))
        return true;
    xl_error(xl, "no memory");
    libxl_domain_config_dispose(config);
    return false;
}

bool xl_read_config_of(struct xl *xl, const char *path, uint32_t domid,
                       libxl_domain_config *config)
{
    libxl_domain_config own;
    bool ok;

    if (libxl_retrieve_domain_configuration(xl->ctx, domid, &own, NULL))
        return false;
    ok = xl_read_config_like(xl, path, &own, config);
    libxl_domain_config_dispose(&own);
    return ok;
}
