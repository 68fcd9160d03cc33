/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * restore.c - chain, in order of time:
 *   start -> created -> run_libxc -> sh_done -> open_emulator -> stream_done
 *         -> loaded -> complete
 *   and when anything fails: fail -> undone
 *
 * The guest stays paused. The journal says "building" from before the first
 * byte of a guest until all of it is there.
 */
#include <errno.h>
#include <inttypes.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/container.h"
#include "base/log.h"
#include "domain/domain.h"
#include "domain/new_domain.h"
#include "stream/stream_read.h"

#define EMULATOR_ID_QEMU 2 /* libxl stream: qemu-xen, "upstream QEMU" */

struct restore {
    libxl__new_domain nd;
    libxl__host_call call;
    uint32_t *domid_out;
    int fd;
    libxl_asyncprogress_how console_how;
    struct libxl__helper_guest guest;
    bool guest_open;
    libxl__stream_read stream;
    libxl__save_helper sh;
    int emulator_fd; /* -1: none has come */
};

static void created(libxl__egc *egc, libxl__host_call *call, int rc);
static void run_libxc(libxl__egc *egc, libxl__stream_read *sr);
static void sh_done(libxl__egc *egc, libxl__save_helper *sh, int rc);
static int open_emulator(libxl__egc *egc, libxl__stream_read *sr, uint32_t id,
                         uint32_t index, uint64_t bytes);
static int emulator_xenstore(libxl__egc *egc, libxl__stream_read *sr,
                             const char *key, const char *value);
static void stream_done(libxl__egc *egc, libxl__stream_read *sr, int rc);
static void loaded(libxl__egc *egc, libxl__host_call *call, int rc);
static void undone(libxl__egc *egc, libxl__new_domain *nd, int rc);

static struct restore *restore_of_sh(libxl__save_helper *sh)
{
    return CONTAINER_OF(sh, struct restore, sh);
}

static libxl__host_call *make_call(struct restore *re,
                                   libxl__host_callback *callback)
{
    re->call = (libxl__host_call){
        .ao = re->nd.ao,
        .domid = re->nd.domid,
        .user = re,
        .callback = callback,
    };
    return &re->call;
}

static void let_go(struct restore *re)
{
    if (re->guest_open)
        re->nd.host->ops->helper_guest_done(re->nd.host, &re->guest);
    re->guest_open = false;
    if (re->emulator_fd >= 0)
        close(re->emulator_fd);
    re->emulator_fd = -1;
}

static void fail(libxl__egc *egc, struct restore *re, int rc)
{
    let_go(re);
    libxl__new_domain_undo(egc, &re->nd, rc, undone);
}

static void undone(libxl__egc *egc, libxl__new_domain *nd, int rc)
{
    libxl__ao_complete(egc, nd->ao, rc);
}

static int check_version(libxl_ctx *ctx, int version)
{
    if (version == 2)
        return 0;
    LOG(ctx, ERROR,
        "a libxl stream of version %d: only version 2 can be restored",
        version);
    return ERROR_INVAL;
}

int libxl__domain_restore_start(libxl__egc *egc, libxl__ao *ao,
                                const void *params)
{
    const struct libxl__restore_params *p = params;
    struct restore *re = libxl__zalloc(libxl__ao_gc(ao), sizeof(*re));
    int rc;

    *p->domid_out = INVALID_DOMID;
    if (!re)
        return ERROR_NOMEM;
    re->domid_out = p->domid_out;
    re->fd = p->fd;
    re->emulator_fd = -1;
    libxl__ao_progress_gethow(&re->console_how, p->console_how);
    re->nd.ao = ao;
    re->nd.config = p->config;
    re->nd.verb = JOURNAL_RESTORE;
    re->nd.user = re;
    rc = check_version(libxl__ao_ctx(ao), p->stream_version);
    if (!rc)
        rc = libxl__new_domain_begin(&re->nd);
    if (rc)
        return rc;
    rc = re->nd.host->ops->create(egc, re->nd.host, make_call(re, created),
                                  p->config, true);
    if (rc)
        fail(egc, re, rc);
    return 0;
}

static void created(libxl__egc *egc, libxl__host_call *call, int rc)
{
    struct restore *re = call->user;
    libxl__host *h = re->nd.host;

    if (!rc)
        rc = h->ops->helper_guest(h, re->nd.domid, false, &re->guest);
    if (!rc) {
        re->guest_open = true;
        libxl__stream_read_init(&re->stream);
        re->stream.ao = re->nd.ao;
        re->stream.domid = re->nd.domid;
        re->stream.fd = re->fd;
        re->stream.hvm = true;
        re->stream.nr_devices = 0;
        re->stream.user = re;
        re->stream.run_libxc = run_libxc;
        re->stream.open_emulator = open_emulator;
        re->stream.emulator_xenstore = emulator_xenstore;
        re->stream.callback = stream_done;
        rc = libxl__stream_read_start(egc, &re->stream);
    }
    if (rc)
        fail(egc, re, rc);
}

/* ---- memory ---- */

static void run_libxc(libxl__egc *egc, libxl__stream_read *sr)
{
    struct restore *re = sr->user;
    int rc;

    libxl__save_helper_init(&re->sh);
    re->sh.ao = re->nd.ao;
    re->sh.domid = re->nd.domid;
    re->sh.restore = true;
    re->sh.stream_fd = re->fd;
    re->sh.guest = &re->guest;
    re->sh.what = "Restoring";
    re->sh.callback = sh_done;
    rc = libxl__save_helper_start(egc, &re->sh);
    if (rc)
        libxl__stream_read_libxc_done(egc, sr, rc);
}

static void sh_done(libxl__egc *egc, libxl__save_helper *sh, int rc)
{
    struct restore *re = restore_of_sh(sh);

    libxl__stream_read_libxc_done(egc, &re->stream, rc);
}

/* ---- the device model's state ---- */

static int open_emulator(libxl__egc *egc, libxl__stream_read *sr, uint32_t id,
                         uint32_t index, uint64_t bytes)
{
    struct restore *re = sr->user;
    libxl_ctx *ctx = re->nd.host->ctx;

    if (id != EMULATOR_ID_QEMU || index) {
        LOGD(ctx, re->nd.domid, ERROR,
             "the image has state of a device model (id %" PRIu32
             ", index %" PRIu32 ") that this host does not have",
             id, index);
        return ERROR_INVAL;
    }
    re->emulator_fd = memfd_create("dm-state", MFD_CLOEXEC);
    if (re->emulator_fd >= 0)
        return re->emulator_fd;
    LOGED(ctx, re->nd.domid, ERROR, errno,
          "no memory for the device model's state");
    return ERROR_FAIL;
}

/* A QEMU host's device model keeps no keys: what comes is not ours. */
static int emulator_xenstore(libxl__egc *egc, libxl__stream_read *sr,
                             const char *key, const char *value)
{
    return 0;
}

/* A save file ends with its END record. */
static int check_nothing_follows(struct restore *re)
{
    struct stat st;
    off_t at;

    if (fstat(re->fd, &st) || !S_ISREG(st.st_mode))
        return 0;
    at = lseek(re->fd, 0, SEEK_CUR);
    if (at < 0 || at >= st.st_size)
        return 0;
    LOGD(re->nd.host->ctx, re->nd.domid, ERROR,
         "%" PRIu64 " bytes follow the end of the image (libxl stream, END "
         "record, offset %" PRIu64 "): the file is damaged",
         (uint64_t)(st.st_size - at), (uint64_t)at);
    return ERROR_FAIL;
}

static void stream_done(libxl__egc *egc, libxl__stream_read *sr, int rc)
{
    struct restore *re = sr->user;
    libxl__host *h = re->nd.host;

    if (!rc)
        rc = check_nothing_follows(re);
    if (!rc && re->emulator_fd < 0) {
        LOGD(h->ctx, re->nd.domid, ERROR,
             "the image has no state of its device model (libxl stream, "
             "EMULATOR_CONTEXT): the guest cannot run");
        rc = ERROR_FAIL;
    }
    if (!rc)
        rc = h->ops->dm_load(egc, h, make_call(re, loaded), re->emulator_fd);
    if (rc)
        fail(egc, re, rc);
}

static void loaded(libxl__egc *egc, libxl__host_call *call, int rc)
{
    struct restore *re = call->user;

    if (!rc)
        rc = libxl__new_domain_done(&re->nd);
    if (rc) {
        fail(egc, re, rc);
        return;
    }
    let_go(re);
    libxl__new_domain_complete(egc, &re->nd, re->domid_out, &re->console_how);
}
