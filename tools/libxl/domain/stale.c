/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * stale.c - domains of an earlier boot.
 */
#include "domain/stale.h"

#include "base/json.h"
#include "base/log.h"
#include "base/proc_id.h"
#include "store/domain_record.h"

static bool of_earlier_boot(libxl__store *st, libxl__gc *gc, uint32_t domid,
                            struct libxl__domain_record *rec)
{
    struct libxl__proc_id id;
    yajl_val root;
    int rc;

    if (libxl__domain_record_read(st, gc, domid, rec) || !rec->qemu_json)
        return false;
    root = libxl__json_parse(st->ctx, domid, "QEMU's identity", rec->qemu_json);
    rc = root ? libxl__proc_id_from_json(root, &id) : ERROR_FAIL;
    yajl_tree_free(root);
    return !rc && libxl__proc_id_state(&id) == LIBXL__PROC_OTHER_BOOT;
}

bool libxl__stale_sweep(libxl__host *h, libxl__gc *gc, uint32_t domid)
{
    libxl__store *st = h->ops->store(h);
    struct libxl__domain_record rec;
    libxl__domain_lock *lock;
    int rc;

    if (st->files != st) /* xenstore ends with the host */
        return false;
    if (!of_earlier_boot(st, gc, domid, &rec) ||
        libxl__domain_lock_take(st, domid, "sweep", true, &lock))
        return false;
    rc = st->ops->remove(st, domid);
    libxl__domain_lock_release(lock);
    if (!rc)
        LOGD(h->ctx, domid, NOTICE,
             "the guest \"%s\" ended when this host went down: its records "
             "are removed",
             rec.name);
    return !rc;
}

void libxl__stale_sweep_all(libxl__host *h, libxl__gc *gc)
{
    libxl__store *st = h->ops->store(h);
    uint32_t *domids;
    int nr, i;

    if (st->files != st || st->ops->list(st, gc, &domids, &nr))
        return;
    for (i = 0; i < nr; i++)
        libxl__stale_sweep(h, gc, domids[i]);
}
