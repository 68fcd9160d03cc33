/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xen_dm.c - what is asked of a guest's device model, by QMP.
 *
 * The guest stands still by the hypervisor's doing when its devices are saved.
 * What they hold goes straight into our descriptor, which QEMU gets as a set of
 * one: the set ends with the connection.
 */
#include "host/xen_dm.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "base/log.h"

#define QMP_DIR "/run/xen"
#define STEP_MS 30000u
#define FDSET "7"

static void finish(libxl__egc *egc, libxl__qmp_script *s, int rc,
                   yajl_val last);

static void drop(libxl__xen_dm *dm)
{
    if (dm->script.dirfd >= 0)
        close(dm->script.dirfd);
    if (dm->script.pass_fd >= 0)
        close(dm->script.pass_fd);
    dm->script.dirfd = dm->script.pass_fd = -1;
}

libxl__xen_dm *libxl__xen_dm_new(libxl__host *h, libxl__host_call *call,
                                 int pass_fd)
{
    libxl__gc *gc = libxl__ao_gc(call->ao);
    libxl__xen_dm *dm = libxl__zalloc(gc, sizeof(*dm));

    if (!dm) {
        if (pass_fd >= 0)
            close(pass_fd);
        return NULL;
    }
    dm->h = h;
    dm->call = call;
    libxl__qmp_script_init(&dm->script);
    dm->script.ctx = h->ctx;
    dm->script.domid = call->domid;
    dm->script.socket = libxl__sprintf(gc, "qmp-libxl-%" PRIu32, call->domid);
    dm->script.steps = dm->steps;
    dm->script.pass_fd = pass_fd;
    dm->script.timeout_ms = STEP_MS;
    dm->script.callback = finish;
    dm->script.user = dm;
    dm->script.dirfd = open(QMP_DIR, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dm->script.dirfd >= 0 && dm->script.socket)
        return dm;
    LOGED(h->ctx, call->domid, ERROR, errno, "cannot open %s", QMP_DIR);
    drop(dm);
    return NULL;
}

void libxl__xen_dm_step(libxl__xen_dm *dm, const char *command,
                        const char *args_json, bool pass_fd)
{
    dm->steps[dm->script.nr_steps++] = (struct libxl__qmp_step){
        .command = command,
        .args_json = args_json,
        .pass_fd = pass_fd,
    };
}

int libxl__xen_dm_start(libxl__egc *egc, libxl__xen_dm *dm,
                        void (*then)(libxl__egc *egc, libxl__xen_dm *dm,
                                     int rc))
{
    int rc;

    dm->then = then;
    rc = libxl__qmp_script_start(egc, &dm->script);
    if (rc)
        drop(dm);
    return rc;
}

static void finish(libxl__egc *egc, libxl__qmp_script *s, int rc, yajl_val last)
{
    libxl__xen_dm *dm = s->user;

    drop(dm);
    dm->then(egc, dm, rc);
}

static void answer(libxl__egc *egc, libxl__xen_dm *dm, int rc)
{
    dm->call->callback(egc, dm->call, rc);
}

int libxl__xen_dm_cont(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                       void (*then)(libxl__egc *egc, libxl__xen_dm *dm, int rc))
{
    libxl__xen_dm *dm = libxl__xen_dm_new(h, call, -1);

    if (!dm)
        return ERROR_FAIL;
    libxl__xen_dm_step(dm, "cont", NULL, false);
    return libxl__xen_dm_start(egc, dm, then);
}

/* QEMU wants a descriptor that is open for writing alone. */
static int open_for_writing(libxl__host *h, libxl__host_call *call, int fd)
{
    char *path = libxl__sprintf(libxl__ao_gc(call->ao), "/proc/self/fd/%d", fd);
    int copy = path ? open(path, O_WRONLY | O_CLOEXEC) : -1;

    if (copy < 0)
        LOGED(h->ctx, call->domid, ERROR, errno,
              "the file for the device state cannot be opened again");
    return copy;
}

int libxl__xen_dm_save(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                       int fd)
{
    int copy = open_for_writing(h, call, fd);
    libxl__xen_dm *dm = copy < 0 ? NULL : libxl__xen_dm_new(h, call, copy);

    if (!dm)
        return ERROR_FAIL;
    libxl__xen_dm_step(dm, "add-fd", "{\"fdset-id\":" FDSET "}", true);
    libxl__xen_dm_step(dm, "xen-save-devices-state",
                       "{\"filename\":\"/dev/fdset/" FDSET "\",\"live\":false}",
                       false);
    return libxl__xen_dm_start(egc, dm, answer);
}

/* What its devices write into the guest's memory is logged too, from here. */
int libxl__xen_dm_logdirty(libxl__egc *egc, libxl__host *h,
                           libxl__host_call *call, bool enable)
{
    libxl__xen_dm *dm = libxl__xen_dm_new(h, call, -1);

    if (!dm)
        return ERROR_FAIL;
    libxl__xen_dm_step(dm, "xen-set-global-dirty-log",
                       enable ? "{\"enable\":true}" : "{\"enable\":false}",
                       false);
    return libxl__xen_dm_start(egc, dm, answer);
}
