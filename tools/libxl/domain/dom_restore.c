/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * dom_restore.c - two chains at once, in order of time:
 *   start -> created [-> died]                                    \
 *         -> run_libxc -> sh_done -> open_emulator                  > both_done
 *         [-> open_device -> dev_ready]... -> stream_done -> dev_ended
 *   both_done -> loaded -> finish
 *
 * The host's new guest has memory before it has anything else: it is filled
 * while the rest of it comes up. Its device model gets ready for its state
 * meanwhile, where it can: who sends the guest has stopped it when that comes.
 */
#include "domain/dom_restore.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/container.h"
#include "base/log.h"
#include "base/proc_id.h"

#define EMULATOR_ID_QEMU 2    /* libxl stream: qemu-xen, "upstream QEMU" */
#define EMULATOR_ID_UNKNOWN 0 /* the stream reader lets converted ones through */
#define KEYS_MAX 3072u        /* of a device model: a thousand regions */

static void created(libxl__egc *egc, libxl__host_call *call, int rc);
static void watch_process(libxl__egc *egc, libxl__dom_restore *dr);
static void stop_stream(libxl__egc *egc, libxl__dom_restore *dr, int rc);
static void run_libxc(libxl__egc *egc, libxl__stream_read *sr);
static void sh_done(libxl__egc *egc, libxl__save_helper *sh, int rc);
static int open_emulator(libxl__egc *egc, libxl__stream_read *sr, uint32_t id,
                         uint32_t index, uint64_t bytes);
static int emulator_xenstore(libxl__egc *egc, libxl__stream_read *sr,
                             const char *key, const char *value);
static void stream_done(libxl__egc *egc, libxl__stream_read *sr, int rc);
static void dev_ready(libxl__egc *egc, libxl__dev_load *dev, int rc);
static void dev_ended(libxl__egc *egc, libxl__dev_load *dev, int rc);
static void stream_over(libxl__egc *egc, libxl__dom_restore *dr, int rc);
static void both_done(libxl__egc *egc, libxl__dom_restore *dr);
static void loaded(libxl__egc *egc, libxl__host_call *call, int rc);

static libxl__dom_restore *dom_restore_of_sh(libxl__save_helper *sh)
{
    return CONTAINER_OF(sh, libxl__dom_restore, sh);
}

static libxl__dom_restore *dom_restore_of_death(libxl__ev_fd *ev)
{
    return CONTAINER_OF(ev, libxl__dom_restore, death);
}

static libxl__host_call make_call(libxl__dom_restore *dr,
                                  libxl__host_callback *callback)
{
    return (libxl__host_call){
        .ao = dr->ao,
        .domid = dr->domid,
        .user = dr,
        .callback = callback,
    };
}

static void finish(libxl__egc *egc, libxl__dom_restore *dr, int rc)
{
    if (dr->host->ops->dm_let_go)
        dr->host->ops->dm_let_go(dr->host, &dr->load);
    if (dr->guest_open)
        dr->host->ops->helper_guest_done(dr->host, &dr->guest);
    dr->guest_open = false;
    if (dr->emulator_fd >= 0)
        close(dr->emulator_fd);
    dr->emulator_fd = -1;
    libxl__dev_load_stop(&dr->dev);
    if (dr->dirfd >= 0)
        close(dr->dirfd);
    dr->dirfd = -1;
    dr->callback(egc, dr, rc);
}

static int start_stream(libxl__egc *egc, libxl__dom_restore *dr)
{
    libxl__host *h = dr->host;
    int rc = h->ops->helper_guest(h, dr->domid, false, &dr->guest);

    if (rc)
        return rc;
    dr->guest_open = true;
    libxl__stream_read_init(&dr->stream);
    dr->stream.ao = dr->ao;
    dr->stream.domid = dr->domid;
    dr->stream.fd = dr->fd;
    dr->has_dm = dr->host->ops->has_dm(dr->host, dr->domid);
    dr->stream.hvm = dr->has_dm;
    dr->stream.nr_devices = libxl__vfio_user_count(dr->config);
    dr->stream.user = dr;
    dr->stream.run_libxc = run_libxc;
    dr->stream.open_emulator = open_emulator;
    dr->stream.emulator_xenstore = emulator_xenstore;
    dr->stream.callback = stream_done;
    return libxl__stream_read_start(egc, &dr->stream);
}

int libxl__dom_restore_start(libxl__egc *egc, libxl__dom_restore *dr)
{
    int rc;

    dr->emulator_fd = dr->pidfd = dr->dirfd = -1;
    libxl__ev_fd_init(&dr->death);
    libxl__dev_load_init(&dr->dev);
    dr->guest_open = dr->helping = dr->piece_waits = false;
    dr->emulator_came = false;
    dr->create_rc = 0;
    dr->call = make_call(dr, created);
    dr->load = make_call(dr, loaded);
    rc = dr->host->ops->create(egc, dr->host, &dr->call, dr->config, true);
    if (rc)
        return rc;
    dr->creating = true;
    dr->stream_rc = start_stream(egc, dr);
    dr->streaming = !dr->stream_rc;
    return 0;
}

static int give_piece(libxl__dom_restore *dr)
{
    libxl__store *store = dr->host->ops->store(dr->host);
    int rc = 0;

    if (dr->dirfd < 0)
        rc = store->ops->open_dir(store, dr->domid, &dr->dirfd);
    if (rc)
        return rc;
    dr->dev.ao = dr->ao;
    dr->dev.domid = dr->domid;
    dr->dev.dirfd = dr->dirfd;
    dr->dev.ready = dev_ready;
    dr->dev.ended = dev_ended;
    dr->dev.user = dr;
    return libxl__dev_load_piece(&dr->dev, dr->piece_process, dr->piece_bytes);
}

/* A device's state may have come before the device. */
static void go_on(libxl__egc *egc, libxl__dom_restore *dr)
{
    int rc = dr->piece_waits ? give_piece(dr) : 0;

    dr->piece_waits = false;
    if (rc)
        libxl__stream_read_emulator_ready(egc, &dr->stream, rc);
    else
        watch_process(egc, dr);
}

static int make_emulator_fd(libxl__dom_restore *dr)
{
    if (dr->emulator_fd < 0)
        dr->emulator_fd = memfd_create("dm-state", MFD_CLOEXEC);
    if (dr->emulator_fd >= 0)
        return 0;
    LOGED(dr->host->ctx, dr->domid, ERROR, errno,
          "no memory for the device model's state");
    return ERROR_FAIL;
}

/* What fails here fails in dm_load again, and counts there. A state that is on
 * its way already is being written to the file, and has come first. */
static void get_ready(libxl__egc *egc, libxl__dom_restore *dr)
{
    const struct libxl__host_ops *ops = dr->host->ops;

    if (ops->dm_get_ready && !dr->emulator_came && ops->has_dm(dr->host, dr->domid) &&
        !make_emulator_fd(dr))
        (void)ops->dm_get_ready(egc, dr->host, &dr->load, dr->emulator_fd);
}

static void created(libxl__egc *egc, libxl__host_call *call, int rc)
{
    libxl__dom_restore *dr = call->user;

    dr->creating = false;
    dr->create_rc = rc;
    if (!rc && dr->streaming)
        get_ready(egc, dr);
    if (!rc && dr->made)
        dr->made(egc, dr);
    if (!dr->streaming)
        both_done(egc, dr);
    else if (rc)
        stop_stream(egc, dr, rc);
    else
        go_on(egc, dr);
}

/* ---- a guest that ends while it is being filled ---- */

/* There is no guest to fill; the sender may be silent for long. */
static void stop_stream(libxl__egc *egc, libxl__dom_restore *dr, int rc)
{
    if (dr->helping)
        libxl__save_helper_stop(egc, &dr->sh, rc);
    else
        libxl__stream_read_stop(egc, &dr->stream, rc);
}

static void stop_watching(libxl__dom_restore *dr)
{
    libxl__ev_fd_deregister(dr->host->ctx, &dr->death);
    if (dr->pidfd >= 0)
        close(dr->pidfd);
    dr->pidfd = -1;
}

static void died(libxl__egc *egc, libxl__ev_fd *ev, int fd, short events,
                 short revents)
{
    libxl__dom_restore *dr = dom_restore_of_death(ev);

    stop_watching(dr);
    LOGD(dr->host->ctx, dr->domid, ERROR,
         "the guest's process has ended while its memory was being filled");
    stop_stream(egc, dr, ERROR_FAIL);
}

/* Without a watch its death is noticed at the stream's end. */
static void watch_process(libxl__egc *egc, libxl__dom_restore *dr)
{
    struct libxl__proc_id proc;

    if (dr->guest.qemu_pid <= 0) /* a host without processes */
        return;
    if (libxl__proc_id_of(dr->guest.qemu_pid, &proc) == ERROR_NOTFOUND ||
        libxl__proc_id_open(&proc, &dr->pidfd) == ERROR_NOTFOUND)
        died(egc, &dr->death, -1, 0, 0);
    else if (dr->pidfd >= 0)
        libxl__ev_fd_register(dr->host->ctx, &dr->death, died, dr->pidfd,
                              POLLIN);
}

/* ---- memory ---- */

static void run_libxc(libxl__egc *egc, libxl__stream_read *sr)
{
    libxl__dom_restore *dr = sr->user;
    int rc;

    if (dr->create_rc) { /* there is no guest to fill */
        libxl__stream_read_libxc_done(egc, sr, dr->create_rc);
        return;
    }
    libxl__save_helper_init(&dr->sh);
    dr->sh.ao = dr->ao;
    dr->sh.domid = dr->domid;
    dr->sh.restore = true;
    dr->sh.stream_fd = dr->fd;
    dr->sh.guest = &dr->guest;
    dr->sh.what = dr->what;
    dr->sh.callback = sh_done;
    rc = libxl__save_helper_start(egc, &dr->sh);
    dr->helping = !rc;
    if (rc)
        libxl__stream_read_libxc_done(egc, sr, rc);
}

static void sh_done(libxl__egc *egc, libxl__save_helper *sh, int rc)
{
    libxl__dom_restore *dr = dom_restore_of_sh(sh);

    dr->helping = false;
    dr->results = sh->results;
    libxl__stream_read_libxc_done(egc, &dr->stream, rc);
}

/* ---- the device model's state ---- */

/* A device's own state goes to its process as it comes, once there is one. */
static int open_device(libxl__dom_restore *dr, uint32_t index, uint64_t bytes)
{
    struct libxl__own_process dev;
    unsigned n = 0;
    int rc;

    /* the reader has bounded the index by their number */
    while (libxl__own_process_at(dr->config, n, &dev) &&
           dev.pci != (int)index - 1)
        n++;
    dr->piece_process = n;
    dr->piece_bytes = (uint32_t)bytes;
    dr->piece_waits = dr->creating;
    rc = dr->creating ? 0 : dr->create_rc;
    if (!rc && !dr->creating)
        rc = give_piece(dr);
    return rc ? rc : LIBXL__SR_LATER;
}

static void dev_ready(libxl__egc *egc, libxl__dev_load *dev, int rc)
{
    libxl__dom_restore *dr = dev->user;

    libxl__stream_read_emulator_ready(egc, &dr->stream, rc ? rc : dev->fd);
}

static int open_emulator(libxl__egc *egc, libxl__stream_read *sr, uint32_t id,
                         uint32_t index, uint64_t bytes)
{
    libxl__dom_restore *dr = sr->user;
    libxl_ctx *ctx = dr->host->ctx;
    int rc;

    if (id == EMULATOR_ID_QEMU && index)
        return open_device(dr, index, bytes);
    if ((id != EMULATOR_ID_QEMU && id != EMULATOR_ID_UNKNOWN) || index) {
        LOGD(ctx, dr->domid, ERROR,
             "the image has state of a device model (id %" PRIu32
             ", index %" PRIu32 ") that this host does not have",
             id, index);
        return ERROR_INVAL;
    }
    rc = make_emulator_fd(dr);
    dr->emulator_came = !rc;
    return rc ? rc : dr->emulator_fd;
}

/* A host whose device model keeps no keys has no use for them. */
static int emulator_xenstore(libxl__egc *egc, libxl__stream_read *sr,
                             const char *key, const char *value)
{
    libxl__dom_restore *dr = sr->user;
    libxl__host *h = dr->host;

    if (!h->ops->dm_put_key)
        return 0;
    if (++dr->nr_keys > KEYS_MAX) {
        LOGD(h->ctx, dr->domid, ERROR,
             "the image has more than %u keys of a device model (libxl stream, "
             "EMULATOR_XENSTORE_DATA)",
             KEYS_MAX);
        return ERROR_FAIL;
    }
    return h->ops->dm_put_key(h, libxl__egc_gc(egc), dr->domid, key, value);
}

/* A save file ends with its END record. */
static int check_nothing_follows(libxl__dom_restore *dr)
{
    struct stat st;
    off_t at;

    if (!dr->whole_file || fstat(dr->fd, &st) || !S_ISREG(st.st_mode))
        return 0;
    at = lseek(dr->fd, 0, SEEK_CUR);
    if (at < 0 || at >= st.st_size)
        return 0;
    LOGD(dr->host->ctx, dr->domid, ERROR,
         "%" PRIu64 " bytes follow the end of the image (libxl stream, END "
         "record, offset %" PRIu64 "): the file is damaged",
         (uint64_t)(st.st_size - at), (uint64_t)at);
    return ERROR_FAIL;
}

static void stream_done(libxl__egc *egc, libxl__stream_read *sr, int rc)
{
    libxl__dom_restore *dr = sr->user;

    stop_watching(dr);
    if (!rc) {
        rc = libxl__dev_load_end(&dr->dev);
        if (!rc)
            return;
    }
    stream_over(egc, dr, rc == ERROR_NOTFOUND ? 0 : rc);
}

static void dev_ended(libxl__egc *egc, libxl__dev_load *dev, int rc)
{
    stream_over(egc, dev->user, rc);
}

static void stream_over(libxl__egc *egc, libxl__dom_restore *dr, int rc)
{
    if (rc)
        libxl__dev_load_stop(&dr->dev);
    dr->streaming = false;
    dr->stream_rc = rc;
    if (!dr->creating)
        both_done(egc, dr);
}

static int check_stream(libxl__dom_restore *dr)
{
    if (dr->stream_rc)
        return dr->stream_rc;
    if (dr->emulator_came || !dr->has_dm)
        return check_nothing_follows(dr);
    LOGD(dr->host->ctx, dr->domid, ERROR,
         "the image has no state of its device model (libxl stream, "
         "EMULATOR_CONTEXT): the guest cannot run");
    return ERROR_FAIL;
}

static void both_done(libxl__egc *egc, libxl__dom_restore *dr)
{
    libxl__host *h = dr->host;
    int rc = dr->create_rc ? dr->create_rc : check_stream(dr);

    dr->load.results = &dr->results;
    if (!rc)
        rc = h->ops->dm_load(egc, h, &dr->load, dr->emulator_fd);
    if (rc)
        finish(egc, dr, rc);
}

static void loaded(libxl__egc *egc, libxl__host_call *call, int rc)
{
    finish(egc, call->user, rc);
}
