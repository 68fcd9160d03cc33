/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * host.c - which kind of host this is: XL_HYPERVISOR, else a QEMU host.
 */
#include "host/host.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "engine/ctx.h"

static const struct kind {
    const char *name;
    libxl__host *(*open)(libxl_ctx *ctx);
} kinds[] = {
    {"qemu", libxl__host_qemu_open},
    {"fake", libxl__host_fake_open},
    {"fake-xen", libxl__host_fake_xen_open},
};

static void close_host(void *p)
{
    libxl__host *h = p;

    h->ops->close(h);
}

static const struct kind *find_kind(const char *name)
{
    size_t i;

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (!strcmp(kinds[i].name, name))
            return &kinds[i];
    }
    return NULL;
}

libxl__host *libxl__host_get(libxl_ctx *ctx)
{
    struct libxl__ctx_slot *slot = libxl__ctx_host_slot(ctx);
    const char *name = getenv("XL_HYPERVISOR");
    const struct kind *kind;

    if (slot->p)
        return slot->p;
    kind = find_kind(name && name[0] ? name : "qemu");
    if (!kind) {
        LOG(ctx, ERROR, "XL_HYPERVISOR=%s: this build does not know it", name);
        return NULL;
    }
    slot->p = kind->open(ctx);
    slot->close = close_host;
    return slot->p;
}
