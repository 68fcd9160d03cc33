/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* host_qemu.c - SEAM 4 on QEMU processes: the table of its ops. */
#include "host/host_qemu.h"

#include <assert.h>
#include <stdlib.h>

static libxl__store *qemu_store(libxl__host *h)
{
    return libxl__host_qemu_of(h)->store;
}

static bool qemu_has_dm(libxl__host *h, uint32_t domid)
{
    return true;
}

static void qemu_close(libxl__host *h)
{
    struct libxl__host_qemu *hq = libxl__host_qemu_of(h);

    if (hq->store)
        hq->store->ops->close(hq->store);
    free(hq);
}

static const struct libxl__host_ops host_qemu_ops = {
    .name = "qemu",
    .title = "QEMU host",
    .qemu_image = true,
    .dm_apart = true,
    .log_may_stay = true,
    .store = qemu_store,
    .has_dm = qemu_has_dm,
    .dominfo = libxl__qemu_dominfo,
    .facts = libxl__qemu_facts,
    .vcpus = libxl__qemu_vcpus,
    .check_config = libxl__qemu_check_config,
    .create = libxl__qemu_create,
    .destroy = libxl__qemu_destroy,
    .pause = libxl__qemu_pause,
    .unpause = libxl__qemu_unpause,
    .suspend = libxl__qemu_suspend,
    .resume = libxl__qemu_resume,
    .shutdown = libxl__qemu_shutdown,
    .trigger = libxl__qemu_trigger,
    .sysrq = libxl__qemu_sysrq,
    .set_memory = libxl__qemu_set_memory,
    .check_saveable = libxl__qemu_check_saveable,
    .helper_guest = libxl__qemu_helper_guest,
    .helper_guest_done = libxl__qemu_helper_guest_done,
    .dm_save = libxl__qemu_dm_save,
    .dm_load = libxl__qemu_dm_load,
    .dm_get_ready = libxl__qemu_dm_get_ready,
    .dm_let_go = libxl__qemu_dm_let_go,
    .restart_device = libxl__qemu_restart_device,
    .close = qemu_close,
};

struct libxl__host_qemu *libxl__host_qemu_of(libxl__host *h)
{
    assert(h->ops == &host_qemu_ops);
    return (struct libxl__host_qemu *)h;
}

libxl__host *libxl__host_qemu_open(libxl_ctx *ctx)
{
    struct libxl__host_qemu *hq = calloc(1, sizeof(*hq));

    if (!hq)
        return NULL;
    hq->host.ops = &host_qemu_ops;
    hq->host.ctx = ctx;
    hq->store = libxl__store_files_open(ctx);
    if (!hq->store) {
        free(hq);
        return NULL;
    }
    return &hq->host;
}
