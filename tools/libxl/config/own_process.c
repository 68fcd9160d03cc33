/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config/own_process.h"

static bool own_disk(const libxl_device_disk *d)
{
    return d->backend == LIBXL_DISK_BACKEND_VHOST_USER ||
           d->backend == LIBXL_DISK_BACKEND_VFIO_USER;
}

bool libxl__own_process_at(const libxl_domain_config *c, unsigned index,
                           struct libxl__own_process *out)
{
    unsigned n = 0;
    int pci = 0;

    for (int i = 0; i < c->num_disks; i++) {
        const libxl_device_disk *d = &c->disks[i];
        bool vfio = d->backend == LIBXL_DISK_BACKEND_VFIO_USER;

        if (!own_disk(d))
            continue;
        if (n++ == index) {
            *out = (struct libxl__own_process){d, NULL, d->vdev,
                                               vfio ? pci : -1};
            return true;
        }
        pci += vfio;
    }
    for (int i = 0; i < c->num_vfio_users; i++, pci++) {
        if (n++ == index) {
            *out = (struct libxl__own_process){NULL, &c->vfio_users[i],
                                               c->vfio_users[i].name, pci};
            return true;
        }
    }
    return false;
}

unsigned libxl__vfio_user_count(const libxl_domain_config *c)
{
    struct libxl__own_process p;
    unsigned count = 0;

    for (unsigned i = 0; libxl__own_process_at(c, i, &p); i++)
        count += p.pci >= 0;
    return count;
}
