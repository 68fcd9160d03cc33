/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * new_domain.c - order of making: directory and lock, journal, record, and only
 * then anything of a guest. Whoever finds the journal without its owner removes
 * the domain.
 */
#include "domain/new_domain.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "base/log.h"
#include "domain/names.h"
#include "domain/stale.h"
#include "domain/unfinished.h"

static void kept(libxl__egc *egc, libxl__keep *ke, int rc);
static void undo_destroyed(libxl__egc *egc, libxl__host_call *call, int rc);

static int choose_uuid(libxl_ctx *ctx, libxl_uuid *uuid)
{
    if (!libxl__uuid_is_nil(uuid))
        return 0;
    if (getrandom(uuid, sizeof(*uuid), 0) != sizeof(*uuid)) {
        LOGE(ctx, ERROR, errno, "no random numbers for a uuid");
        return ERROR_FAIL;
    }
    uuid->uuid[6] = (uuid->uuid[6] & 0x0f) | 0x40; /* version 4 */
    uuid->uuid[8] = (uuid->uuid[8] & 0x3f) | 0x80; /* RFC 4122 */
    return 0;
}

/* Nobody but domid (INVALID_DOMID: nobody) has the name, or the uuid. */
static int check_free(libxl__new_domain *nd, libxl__gc *gc, uint32_t domid)
{
    const libxl_domain_create_info *ci = &nd->config->c_info;
    int rc = libxl__name_check_free(nd->store, gc, ci->name, domid);

    if (rc)
        return rc;
    if (nd->verb == JOURNAL_RECEIVE)
        return libxl__incoming_check_free(nd->store, gc, nd->final_name,
                                          &ci->uuid, domid);
    return libxl__uuid_check_free(nd->store, gc, &ci->uuid, domid);
}

static int check(libxl__new_domain *nd, libxl__gc *gc)
{
    libxl_domain_create_info *ci = &nd->config->c_info;
    bool restore = nd->verb != JOURNAL_CREATE;
    int rc;

    if (!ci->name || !ci->name[0]) {
        LOG(nd->host->ctx, ERROR, "the configuration has no name");
        return ERROR_INVAL;
    }
    libxl__stale_sweep_all(nd->host, gc);
    libxl__unfinished_sweep(nd->store, gc);
    rc = choose_uuid(nd->host->ctx, &ci->uuid);
    if (!rc)
        rc = nd->host->ops->check_config(nd->host, nd->config, restore);
    return rc ? rc : check_free(nd, gc, INVALID_DOMID);
}

static int write_record(libxl__new_domain *nd, libxl__gc *gc)
{
    struct libxl__domain_record rec = {
        .domid = nd->domid,
        .name = nd->config->c_info.name,
        .uuid = nd->config->c_info.uuid,
        .never_started = true,
        .created_at = time(NULL),
    };
    char *json = libxl_domain_config_to_json(nd->host->ctx, nd->config);

    rec.config_json = json ? libxl__gc_take(gc, json) : NULL;
    if (!rec.config_json)
        return ERROR_NOMEM;
    return libxl__domain_record_write(nd->store, gc, &rec);
}

static int write_records(libxl__new_domain *nd, libxl__gc *gc)
{
    int rc;

    rc = libxl__journal_init(&nd->journal, nd->verb, JSTEP_BUILDING);
    if (!rc)
        rc = libxl__journal_write(nd->store, gc, nd->domid, &nd->journal);
    if (!rc)
        rc = write_record(nd, gc);
    /* Again, now that others can see us: see names.c. */
    return rc ? rc : check_free(nd, gc, nd->domid);
}

static void forget(libxl__new_domain *nd)
{
    if (nd->domid != INVALID_DOMID)
        nd->store->ops->remove(nd->store, nd->domid);
    libxl__domain_lock_release(nd->lock);
    nd->lock = NULL;
    nd->domid = INVALID_DOMID;
}

int libxl__new_domain_begin(libxl__new_domain *nd)
{
    libxl__gc *gc = libxl__ao_gc(nd->ao);
    uint32_t want =
        nd->config->c_info.domid ? nd->config->c_info.domid : INVALID_DOMID;
    int rc;

    nd->lock = NULL;
    nd->domid = INVALID_DOMID;
    nd->host = libxl__host_get(libxl__ao_ctx(nd->ao));
    if (!nd->host)
        return ERROR_FAIL;
    nd->store = nd->host->ops->store(nd->host);
    rc = check(nd, gc);
    if (!rc)
        rc = nd->store->ops->create(nd->store, want, &nd->domid);
    if (!rc)
        rc = libxl__domain_lock_take(nd->store, nd->domid,
                                     libxl__journal_verb_name(nd->verb), false,
                                     &nd->lock);
    if (!rc)
        rc = write_records(nd, gc);
    if (rc)
        forget(nd);
    return rc;
}

int libxl__new_domain_done(libxl__new_domain *nd)
{
    int rc = libxl__journal_erase(nd->store, nd->domid);

    if (rc)
        return rc;
    libxl__domain_lock_release(nd->lock);
    nd->lock = NULL;
    return 0;
}

void libxl__new_domain_complete(libxl__egc *egc, libxl__new_domain *nd,
                                uint32_t *domid_out,
                                const libxl_asyncprogress_how *console_how)
{
    nd->domid_out = domid_out;
    nd->console_how = *console_how;
    nd->keep = (libxl__keep){
        .ao = nd->ao,
        .host = nd->host,
        .domid = nd->domid,
        .policy = KEEP_AS_IT_WAS,
        .user = nd,
        .callback = kept,
    };
    libxl__keep_start(egc, &nd->keep);
}

/* A whole guest is not given up for the want of a keeper (which was logged). */
static void kept(libxl__egc *egc, libxl__keep *ke, int rc)
{
    libxl__new_domain *nd = ke->user;
    libxl_event *event = libxl__event_new(
        LIBXL_EVENT_TYPE_DOMAIN_CREATE_CONSOLE_AVAILABLE, nd->domid, 0);

    *nd->domid_out = nd->domid;
    if (event)
        libxl__ao_progress_report(egc, nd->ao, &nd->console_how, event);
    libxl__ao_complete(egc, nd->ao, 0);
}

void libxl__new_domain_undo(libxl__egc *egc, libxl__new_domain *nd, int rc,
                            void (*undone)(libxl__egc *egc,
                                           libxl__new_domain *nd, int rc))
{
    int r;

    nd->rc = rc;
    nd->undone = undone;
    nd->call = (libxl__host_call){
        .ao = nd->ao,
        .domid = nd->domid,
        .user = nd,
        .callback = undo_destroyed,
    };
    r = nd->host->ops->destroy(egc, nd->host, &nd->call);
    if (r)
        undo_destroyed(egc, &nd->call, r);
}

/* A guest that cannot be ended keeps its records and its journal: `xl recover`
 * or the next operation tries again. */
static void undo_destroyed(libxl__egc *egc, libxl__host_call *call, int rc)
{
    libxl__new_domain *nd = call->user;

    nd->undo_failed = rc != 0;
    if (!rc)
        forget(nd);
    libxl__domain_lock_release(nd->lock);
    nd->lock = NULL;
    nd->domid = INVALID_DOMID;
    nd->undone(egc, nd, nd->rc);
}
