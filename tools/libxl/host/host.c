/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * host.c - which kind of host this is: XL_HYPERVISOR, else a Xen host where the
 * hypervisor answers, else a QEMU host.
 */
#include "host/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "engine/ctx.h"

static const struct kind {
    const char *name;
    libxl__host *(*open)(libxl_ctx *ctx);
} kinds[] = {
    {"qemu", libxl__host_qemu_open},
    {"xen", libxl__host_xen_open},
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

/* A guest of Xen has the device too, and is refused there; a dom0 is told by
 * what it may do. */
static const char *what_answers(void)
{
    char caps[32] = "";
    FILE *f;

    if (access("/dev/xen/privcmd", R_OK | W_OK))
        return "qemu";
    f = fopen("/proc/xen/capabilities", "re");
    if (!f)
        return "qemu";
    if (!fgets(caps, sizeof(caps), f))
        caps[0] = '\0';
    fclose(f);
    return strstr(caps, "control_d") ? "xen" : "qemu";
}

libxl__host *libxl__host_get(libxl_ctx *ctx)
{
    struct libxl__ctx_slot *slot = libxl__ctx_host_slot(ctx);
    const char *name = getenv("XL_HYPERVISOR");
    const struct kind *kind;

    if (slot->p)
        return slot->p;
    kind = find_kind(name && name[0] ? name : what_answers());
    if (!kind) {
        LOG(ctx, ERROR, "XL_HYPERVISOR=%s: this build does not know it", name);
        return NULL;
    }
    slot->p = kind->open(ctx);
    slot->close = close_host;
    return slot->p;
}
