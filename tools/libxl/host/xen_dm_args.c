/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xen_dm_args.c - QEMU's argument vector on Xen (codec): an HVM guest's device
 * model, or what serves disks of a PV or PVH guest.
 *
 * A guest that moves between upstream's xl and ours finds the same devices in
 * the same places: so the order and the names here are those of upstream's.
 */
#include <inttypes.h>
#include <string.h>

#include "host/xen_dm_args.h"
#include "host/xen_dm_start.h"

static void add_monitor(struct libxl__arglist *al, const char *id,
                        uint32_t domid)
{
    const char *socket =
        strcmp(id, "libxl-cmd") ? "qmp-libxenstat" : "qmp-libxl";

    libxl__arglist_opt(al, "-chardev",
                       libxl__sprintf(al->gc,
                                      "socket,id=%s,path=/run/xen/%s-%" PRIu32
                                      ",server=on,wait=off",
                                      id, socket, domid));
    libxl__arglist_opt(al, "-mon",
                       libxl__sprintf(al->gc, "chardev=%s,mode=control", id));
}

static void add_kernel(struct libxl__arglist *al,
                       const libxl_domain_build_info *b)
{
    if (b->kernel)
        libxl__arglist_opt(al, "-kernel", b->kernel);
    if (b->ramdisk)
        libxl__arglist_opt(al, "-initrd", b->ramdisk);
    if (b->cmdline)
        libxl__arglist_opt(al, "-append", b->cmdline);
}

static void add_screen(struct libxl__arglist *al,
                       const libxl_domain_build_info *b)
{
    const char *kind = b->vga_kind ? b->vga_kind : "cirrus";
    unsigned mib = (unsigned)(b->video_memkb >> 10);

    if (!strcmp(kind, "std"))
        libxl__arglist_opt(al, "-device",
                           libxl__sprintf(al->gc, "VGA,vgamem_mb=%u", mib));
    else if (!strcmp(kind, "cirrus"))
        libxl__arglist_opt(
            al, "-device",
            libxl__sprintf(al->gc, "cirrus-vga,vgamem_mb=%u", mib));
}

static void add_vnc(struct libxl__arglist *al, const libxl_vnc_info *vnc)
{
    libxl__arglist_opt(
        al, "-vnc",
        vnc->enable
            ? libxl__sprintf(al->gc, "%s:%d%s",
                             vnc->listen ? vnc->listen : "127.0.0.1",
                             vnc->display, vnc->findunused ? ",to=99" : "")
            : "none");
}

static void add_machine(struct libxl__arglist *al, uint32_t domid,
                        const libxl_domain_config *config)
{
    const libxl_domain_build_info *b = &config->b_info;

    libxl__arglist_opt(
        al, "-boot",
        libxl__sprintf(al->gc, "order=%s", b->boot ? b->boot : "cda"));
    if (b->max_vcpus > 1)
        libxl__arglist_opt(
            al, "-smp",
            libxl__sprintf(al->gc, "%d,maxcpus=%d",
                           b->avail_vcpus > 0 ? b->avail_vcpus : b->max_vcpus,
                           b->max_vcpus));
    if (!libxl__xen_args_nics(al, domid, config))
        libxl__arglist_opt(al, "-net", "none");
    libxl__arglist_opt(al, "-machine", "xenfv,suppress-vmdesc=on");
}

static void add_hvm(struct libxl__arglist *al, uint32_t domid,
                    const libxl_domain_config *config)
{
    const libxl_domain_build_info *b = &config->b_info;

    add_vnc(al, &b->vnc);
    libxl__arglist_opt(al, "-display", "none");
    add_kernel(al, b);
    libxl__xen_args_scsi(al, config);
    for (char **s = b->serial; s && *s; s++)
        libxl__arglist_opt(al, "-serial", *s);
    if (b->nographic && !b->vnc.enable)
        libxl__arglist_add(al, "-nographic");
    add_screen(al, b);
    add_machine(al, domid, config);
}

/* It serves disks, and is nothing that the guest sees. */
static void add_backend(struct libxl__arglist *al)
{
    libxl__arglist_opt(al, "-vnc", "none");
    libxl__arglist_opt(al, "-display", "none");
    libxl__arglist_add(al, "-nographic");
    libxl__arglist_opt(al, "-machine", "xenpv");
}

char **libxl__xen_dm_args(libxl__gc *gc, const char *program, uint32_t domid,
                          const libxl_domain_config *config, int incoming_fd)
{
    const libxl_domain_build_info *b = &config->b_info;
    bool hvm = config->c_info.type == LIBXL_DOMAIN_TYPE_HVM;
    struct libxl__arglist al;

    libxl__arglist_init(&al, gc);
    libxl__arglist_add(&al, program);
    libxl__arglist_opt(&al, "-xen-domid",
                       libxl__sprintf(gc, "%" PRIu32, domid));
    libxl__arglist_add(&al, "-no-shutdown");
    add_monitor(&al, "libxl-cmd", domid);
    add_monitor(&al, "libxenstat-cmd", domid);
    libxl__arglist_add(&al, "-nodefaults");
    libxl__arglist_add(&al, "-no-user-config");
    if (!hvm)
        libxl__arglist_add(&al, "-xen-attach");
    libxl__arglist_opt(&al, "-name", config->c_info.name);
    if (hvm)
        add_hvm(&al, domid, config);
    else
        add_backend(&al);
    libxl__arglist_opt(
        &al, "-m",
        libxl__sprintf(gc, "%" PRIu64, (b->max_memkb - b->video_memkb) >> 10));
    if (hvm)
        libxl__xen_args_drives(&al, config);
    if (incoming_fd >= 0)
        libxl__arglist_opt(&al, "-incoming",
                           libxl__sprintf(gc, "fd:%d", incoming_fd));
    return al.rc ? NULL : al.argv;
}
