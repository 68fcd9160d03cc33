/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * store.h - SEAM 3: where a domain's metadata lies, and watches on it.
 *
 * store_files: a directory a domain below the state directory; each record is
 * one file, replaced atomically (write beside, fsync, rename; "run" and "wish",
 * which end with the host, without fsync). store_xen:
 * the record "domain" as xenstore and libxl's userdata have it, the others in
 * files.
 *
 * Records (store_files' names): "domain" (name, uuid, configuration JSON,
 * identity of QEMU), "run" (run state as last seen by the keeper), "journal"
 * (the running operation), "keeper" (identity of the keeper).
 *
 * Thread:    loop thread only. Files are small: these calls do not block for
 *            longer than a disk takes.
 * Errors:    rc. ERROR_NOTFOUND: no such record, not logged.
 */
#ifndef LIBXL_STORE_H
#define LIBXL_STORE_H

#include "engine/engine.h"

typedef struct libxl__store libxl__store;
struct libxl__domain_record;

struct libxl__store_ops {
    const char *name;
    /* Before a lock: the domain has a directory for it, which is its own.
     * ERROR_NOTFOUND: no such domain, not logged. */
    int (*prepare)(libxl__store *st, uint32_t domid);
    /* domids with a record, ascending; from gc */
    int (*list)(libxl__store *st, libxl__gc *gc, uint32_t **domids, int *nr);
    /* A new domid, its directory made and its lock held by this process.
     * want: INVALID_DOMID, or the domid to keep (ERROR_INVAL: taken). */
    int (*create)(libxl__store *st, uint32_t want, uint32_t *domid_out);
    /* The domain and all its records. Idempotent. */
    int (*remove)(libxl__store *st, uint32_t domid);
    /* text: malloc'ed, owned by the caller */
    int (*read)(libxl__store *st, uint32_t domid, const char *record,
                char **text);
    int (*write)(libxl__store *st, uint32_t domid, const char *record,
                 const char *text);
    int (*erase)(libxl__store *st, uint32_t domid, const char *record);
    /* The record "domain", of which domid, name and uuid alone need be there:
     * for searches over all domains. Name from gc. */
    int (*identity)(libxl__store *st, libxl__gc *gc, uint32_t domid,
                    struct libxl__domain_record *out);
    /* An O_PATH fd of the domain's directory, owned by the caller. ERROR_NI:
     * this store has none. */
    int (*open_dir)(libxl__store *st, uint32_t domid, int *fd_out);
    void (*close)(libxl__store *st);
};

struct libxl__store {
    const struct libxl__store_ops *ops;
    libxl_ctx *ctx;
    libxl__store *files; /* where its locks lie: itself, or one behind it */
};

/* NULL: no state directory can be made (logged). */
libxl__store *libxl__store_files_open(libxl_ctx *ctx);
const char *libxl__store_files_path(libxl__store *st); /* for xl info */

/* The domain's lock: one operation at a time, by an open-file-description lock
 * that ends with the process. The record in it (verb, pid, start time) names
 * the holder to others. */
typedef struct libxl__domain_lock libxl__domain_lock;
/* ERROR_LOCK_FAIL: busy; logged as "busy: VERB by pid N" unless quiet. */
int libxl__domain_lock_take(libxl__store *st, uint32_t domid, const char *verb,
                            bool quiet, libxl__domain_lock **out);
/* Of a lock that is busy: its holder gave this verb. A hint: it may be over. */
bool libxl__domain_lock_is_for(libxl__store *st, uint32_t domid,
                               const char *verb);
void libxl__domain_lock_release(libxl__domain_lock *lock); /* NULL accepted */

#endif
