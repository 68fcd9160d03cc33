/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* host_qemu_device.c - a disk's process that has died, started again for the
 * QEMU that still listens for it. */
#include <errno.h>
#include <unistd.h>

#include "base/log.h"
#include "host/host_qemu.h"
#include "host/qemu_spawn.h"

static int start(struct libxl__host_qemu *hq, uint32_t domid,
                 const libxl_domain_config *config,
                 struct libxl__dev_start *s)
{
    struct libxl__own_process dev;
    int rc;

    if (!libxl__own_process_at(config, s->index, &dev)) {
        LOGD(hq->host.ctx, domid, ERROR,
             "no device of the domain is device dev-%u", s->index);
        return ERROR_FAIL;
    }
    s->memory_bytes = libxl__qemu_memory_bytes(config);
    rc = hq->store->ops->open_dir(hq->store, domid, &s->dirfd);
    if (rc)
        return rc;
    rc = libxl__dev_start_again(hq->host.ctx, domid, s, &dev);
    close(s->dirfd);
    return rc;
}

int libxl__qemu_restart_device(libxl__host *h, uint32_t domid, unsigned index,
                               bool active)
{
    struct libxl__host_qemu *hq = libxl__host_qemu_of(h);
    struct libxl__dev_start s = {
        .index = index,
        .log_fd = libxl__qemu_log_make(),
        .incoming = !active,
    };
    struct libxl__domain_record rec;
    libxl_domain_config config;
    libxl__gc gc;
    int rc = ERROR_FAIL;

    libxl__gc_init(&gc, h->ctx);
    libxl_domain_config_init(&config);
    if (s.log_fd < 0)
        LOGED(h->ctx, domid, ERROR, errno, "cannot make a device's log");
    else
        rc = libxl__domain_record_read(hq->store, &gc, domid, &rec);
    if (!rc)
        rc = libxl_domain_config_from_json(h->ctx, &config, rec.config_json);
    if (!rc) {
        rc = start(hq, domid, &config, &s);
        libxl_domain_config_dispose(&config);
    }
    if (s.log_fd >= 0)
        close(s.log_fd);
    libxl__gc_dispose(&gc);
    return rc;
}
