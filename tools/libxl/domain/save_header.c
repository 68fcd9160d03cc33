/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * save_header.c - the configuration as it goes into a save file.
 */
#include "domain/save_header.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "migrate/savefile.h"
#include "migrate/sender_facts.h"

/* Xen counts some pages of its own as the guest's; upstream's xl makes room for
 * 1 MiB more than the target. */
#define TARGET_SLACK_KB 512u

/* What a QEMU host must find again is the guest's own, whatever configuration
 * the user gave: it cannot be changed by one. */
static int keep_qemu_host(libxl_qemu_host_info *to,
                          const libxl_qemu_host_info *from)
{
    char *machine = from->machine ? strdup(from->machine) : NULL;
    char *cpu = from->cpu_model ? strdup(from->cpu_model) : NULL;
    char *accel = from->accel ? strdup(from->accel) : NULL;

    if (!machine != !from->machine || !cpu != !from->cpu_model ||
        !accel != !from->accel) {
        free(machine);
        free(cpu);
        free(accel);
        return ERROR_NOMEM;
    }
    free(to->machine);
    free(to->cpu_model);
    free(to->accel);
    to->machine = machine;
    to->cpu_model = cpu;
    to->accel = accel;
    return 0;
}

/* So are the guest's uuid and its network cards' addresses: memory and device
 * state know them. */
static void keep_identity(libxl_domain_config *to,
                          const libxl_domain_config *from)
{
    static const libxl_mac none;

    to->c_info.uuid = from->c_info.uuid;
    for (int i = 0; i < to->num_nics && i < from->num_nics; i++)
        if (!memcmp(to->nics[i].mac, none, sizeof(none)))
            memcpy(to->nics[i].mac, from->nics[i].mac, sizeof(none));
}

/* A guest that is to give memory back may not have done so yet: what it has is
 * sent, and a reader may make room for the target alone. */
static int cover_memory(libxl__dom_op *op, libxl_domain_build_info *b)
{
    libxl_dominfo info = {0};
    int rc = op->host->ops->dominfo(op->host, op->gc, op->domid, &info);
    uint64_t has = info.current_memkb;

    libxl_dominfo_dispose(&info);
    if (has > b->max_memkb)
        has = b->max_memkb;
    if (!rc && b->target_memkb && has > b->target_memkb + TARGET_SLACK_KB)
        b->target_memkb = has;
    return rc;
}

/* *out is initialised, and the caller disposes it, also after an error. */
static int choose_config(libxl__dom_op *op,
                         const struct libxl__save_header_how *how,
                         libxl_domain_config *out)
{
    libxl_domain_config own;
    int rc;

    if (!how->config) {
        rc = libxl__dom_config_load(op->store, op->gc, op->domid, out);
    } else {
        libxl_domain_config_init(out);
        rc = libxl__dom_config_load(op->store, op->gc, op->domid, &own);
        if (!rc)
            rc = libxl_domain_config_copy(op->ctx, out, how->config);
        if (!rc)
            rc = keep_qemu_host(&out->qemu_host, &own.qemu_host);
        if (!rc)
            keep_identity(out, &own);
        libxl_domain_config_dispose(&own);
    }
    out->c_info.domid = how->preserve_domid ? op->domid : 0;
    return rc ? rc : cover_memory(op, &out->b_info);
}

/* Of the disks that the guest has here, whatever configuration is sent. */
static const char *own_facts(libxl__dom_op *op,
                             const struct libxl__save_header_how *how)
{
    libxl_domain_config own;
    const char *facts = NULL;

    if (!libxl__dom_config_load(op->store, op->gc, op->domid, &own))
        facts = libxl__sender_facts_encode(op->gc, &own, how->migration,
                                           how->assume_same_disks);
    libxl_domain_config_dispose(&own);
    return facts;
}

static int build(libxl__dom_op *op, const struct libxl__save_header_how *how,
                 const char *json, void **bytes_out, size_t *nr_out)
{
    struct libxl__savefile_parts parts = {
        .mandatory = LIBXL__SAVEFILE_JSON | LIBXL__SAVEFILE_STREAM_V2,
        .json = json,
        .lead = LIBXL__SAVEFILE_LEAD,
    };
    const char *reason = NULL;
    int rc;

    if (op->host->ops->qemu_image)
        parts.mandatory |= LIBXL__SAVEFILE_QEMU_HOST;
    else if (how->native)
        parts.mandatory |= LIBXL__SAVEFILE_ZERO_PAGES;
    if (how->migration) {
        parts.optional = LIBXL__SAVEFILE_BACK_CHANNEL;
        parts.facts = own_facts(op, how);
        if (!parts.facts)
            return ERROR_NOMEM;
    }
    rc = libxl__savefile_build(&parts, bytes_out, nr_out, &reason);
    if (rc)
        LOGD(op->ctx, op->domid, ERROR, "cannot make the xl header: %s",
             reason);
    return rc;
}

int libxl__save_header(libxl__dom_op *op,
                       const struct libxl__save_header_how *how,
                       void **bytes_out, size_t *nr_out)
{
    libxl_domain_config config;
    char *json = NULL;
    int rc = choose_config(op, how, &config);

    if (!rc) {
        json = libxl_domain_config_to_json(op->ctx, &config);
        rc = json ? build(op, how, json, bytes_out, nr_out) : ERROR_NOMEM;
    }
    free(json);
    libxl_domain_config_dispose(&config);
    return rc;
}
