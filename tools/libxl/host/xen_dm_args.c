/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xen_dm_args.c - QEMU's argument vector for an HVM guest on Xen (codec).
 *
 * A guest that moves between upstream's xl and ours finds the same devices in
 * the same places: so the order and the names here are those of upstream's.
 */
#include <inttypes.h>
#include <string.h>

#include "host/xen_dm_start.h"

#define ARGS_MAX 96

struct args {
    libxl__gc *gc;
    const char **list;
    size_t nr;
    bool failed;
};

static void add(struct args *a, const char *text)
{
    if (!text || a->nr + 1 >= ARGS_MAX)
        a->failed = true;
    else
        a->list[a->nr++] = text;
}

static void add_option(struct args *a, const char *name, const char *value)
{
    add(a, name);
    add(a, value);
}

static void add_monitor(struct args *a, const char *id, uint32_t domid)
{
    const char *socket = strcmp(id, "libxl-cmd") ? "qmp-libxenstat" : "qmp-libxl";

    add_option(a, "-chardev",
               libxl__sprintf(a->gc,
                              "socket,id=%s,path=/run/xen/%s-%" PRIu32
                              ",server=on,wait=off",
                              id, socket, domid));
    add_option(a, "-mon",
               libxl__sprintf(a->gc, "chardev=%s,mode=control", id));
}

static void add_kernel(struct args *a, const libxl_domain_build_info *b)
{
    if (b->kernel)
        add_option(a, "-kernel", b->kernel);
    if (b->ramdisk)
        add_option(a, "-initrd", b->ramdisk);
    if (b->cmdline)
        add_option(a, "-append", b->cmdline);
}

static void add_screen(struct args *a, const libxl_domain_build_info *b)
{
    const char *kind = b->vga_kind ? b->vga_kind : "cirrus";
    unsigned mib = (unsigned)(b->video_memkb >> 10);

    if (!strcmp(kind, "std"))
        add_option(a, "-device",
                   libxl__sprintf(a->gc, "VGA,vgamem_mb=%u", mib));
    else if (!strcmp(kind, "cirrus"))
        add_option(a, "-device",
                   libxl__sprintf(a->gc, "cirrus-vga,vgamem_mb=%u", mib));
}

static void add_vnc(struct args *a, const libxl_vnc_info *vnc)
{
    add_option(a, "-vnc",
               vnc->enable
                   ? libxl__sprintf(a->gc, "%s:%d%s",
                                    vnc->listen ? vnc->listen : "127.0.0.1",
                                    vnc->display,
                                    vnc->findunused ? ",to=99" : "")
                   : "none");
}

static void add_machine(struct args *a, const libxl_domain_build_info *b)
{
    add_option(a, "-boot",
               libxl__sprintf(a->gc, "order=%s", b->boot ? b->boot : "cda"));
    if (b->max_vcpus > 1)
        add_option(a, "-smp",
                   libxl__sprintf(a->gc, "%d,maxcpus=%d",
                                  b->avail_vcpus > 0 ? b->avail_vcpus
                                                     : b->max_vcpus,
                                  b->max_vcpus));
    add_option(a, "-net", "none");
    add_option(a, "-machine", "xenfv,suppress-vmdesc=on");
    add_option(a, "-m",
               libxl__sprintf(a->gc, "%" PRIu64,
                              (b->max_memkb - b->video_memkb) >> 10));
}

const char **libxl__xen_dm_args(libxl__gc *gc, const char *program,
                                uint32_t domid,
                                const libxl_domain_config *config,
                                int incoming_fd)
{
    const libxl_domain_build_info *b = &config->b_info;
    struct args a = {
        .gc = gc,
        .list = libxl__zalloc(gc, sizeof(*a.list) * ARGS_MAX),
    };

    if (!a.list)
        return NULL;
    add(&a, program);
    add_option(&a, "-xen-domid", libxl__sprintf(gc, "%" PRIu32, domid));
    add(&a, "-no-shutdown");
    add_monitor(&a, "libxl-cmd", domid);
    add_monitor(&a, "libxenstat-cmd", domid);
    add(&a, "-nodefaults");
    add(&a, "-no-user-config");
    add_option(&a, "-name", config->c_info.name);
    add_vnc(&a, &b->vnc);
    add_option(&a, "-display", "none");
    add_kernel(&a, b);
    for (char **s = b->serial; s && *s; s++)
        add_option(&a, "-serial", *s);
    if (b->nographic && !b->vnc.enable)
        add(&a, "-nographic");
    add_screen(&a, b);
    add_machine(&a, b);
    if (incoming_fd >= 0)
        add_option(&a, "-incoming",
                   libxl__sprintf(gc, "fd:%d", incoming_fd));
    return a.failed ? NULL : a.list;
}
