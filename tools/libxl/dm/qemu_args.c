/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* qemu_args.c - see qemu_args.h and docs/specs/qemu-host.md. */
#include "dm/qemu_args.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "dm/arglist.h"
#include "dm/qemu_args_dev.h"

struct args_of {
    struct libxl__arglist al;
    const libxl_domain_config *config;
    uint32_t domid;
    const struct libxl__qemu_runtime *rt;
};

static void refuse(struct args_of *a, const char *key, const char *why)
{
    if (a->al.rc)
        return;
    LOGD(a->al.gc->ctx, a->domid, ERROR, "%s: %s", key, why);
    a->al.rc = ERROR_INVAL;
}

static bool given(const char *s)
{
    return s && s[0];
}

uint64_t libxl__qemu_memory_bytes(const libxl_domain_config *config)
{
    return (config->b_info.max_memkb + 1023) / 1024 * (1 << 20);
}

/* ---- the machine ---- */

static void add_identity(struct args_of *a)
{
    const libxl_domain_create_info *c = &a->config->c_info;
    const char *name = c->name ? c->name : "";
    char uuid[LIBXL_UUID_TEXT];

    libxl__arglist_optf(&a->al, "-name", "guest=%s,debug-threads=on",
                        libxl__qemu_escape(a->al.gc, name));
    libxl_uuid_to_text(&c->uuid, uuid);
    libxl__arglist_opt(&a->al, "-uuid", uuid);
}

static void add_machine(struct args_of *a)
{
    const libxl_qemu_host_info *q = &a->config->qemu_host;
    const char *machine = given(q->machine) ? q->machine : "q35";

    libxl__arglist_optf(&a->al, "-machine",
                        "%s,memory-backend=ram0,suppress-vmdesc=on%s",
                        libxl__qemu_escape(a->al.gc, machine),
                        a->config->b_info.acpi ? "" : ",acpi=off");
    libxl__arglist_opt(&a->al, "-accel", given(q->accel) ? q->accel : "tcg");
    libxl__arglist_opt(&a->al, "-cpu",
                       given(q->cpu_model) ? q->cpu_model : "qemu64");
}

static void add_vcpus(struct args_of *a)
{
    const libxl_domain_build_info *b = &a->config->b_info;
    int max = b->max_vcpus > 0 ? b->max_vcpus : 1;
    int online = b->avail_vcpus > 0 ? b->avail_vcpus : max;

    if (online > max)
        refuse(a, "vcpus", "more than maxvcpus");
    libxl__arglist_optf(&a->al, "-smp", "cpus=%d,maxcpus=%d", online, max);
}

static void add_memory(struct args_of *a)
{
    uint64_t bytes = libxl__qemu_memory_bytes(a->config);

    if (!bytes)
        refuse(a, "memory", "it is not set");
    libxl__arglist_optf(&a->al, "-m", "%" PRIu64 "M", bytes >> 20);
    libxl__arglist_optf(&a->al, "-object",
                        "memory-backend-file,id=ram0,size=%" PRIu64
                        "M,share=on,mem-path=/proc/self/fd/%d",
                        bytes >> 20, a->rt->memory_fd);
}

static void add_clock(struct args_of *a)
{
    const libxl_domain_build_info *b = &a->config->b_info;
    time_t t = (time_t)(a->rt->rtc_seconds + b->rtc_timeoffset);
    char text[40];
    struct tm tm;

    if (b->rtc_timeoffset && a->rt->rtc_seconds && gmtime_r(&t, &tm)) {
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
        libxl__arglist_optf(&a->al, "-rtc", "base=%s", text);
        return;
    }
    libxl__arglist_opt(&a->al, "-rtc",
                       b->localtime ? "base=localtime" : "base=utc");
}

static void add_boot(struct args_of *a)
{
    const libxl_domain_build_info *b = &a->config->b_info;

    if (a->rt->bios_path)
        libxl__arglist_opt(&a->al, "-bios", a->rt->bios_path);
    if (!given(b->kernel)) {
        if (given(b->ramdisk))
            refuse(a, "ramdisk", "it needs a kernel");
        return;
    }
    libxl__arglist_opt(&a->al, "-kernel", b->kernel);
    if (given(b->ramdisk))
        libxl__arglist_opt(&a->al, "-initrd", b->ramdisk);
    if (given(b->cmdline))
        libxl__arglist_opt(&a->al, "-append", b->cmdline);
}

/* ---- channels ---- */

static void add_monitors(struct args_of *a)
{
    libxl__arglist_optf(&a->al, "-chardev",
                        "socket,id=qmp-cmd,fd=%d,server=on,wait=off",
                        a->rt->qmp_cmd_fd);
    libxl__arglist_opt(&a->al, "-mon", "chardev=qmp-cmd,mode=control");
    libxl__arglist_optf(&a->al, "-chardev",
                        "socket,id=qmp-event,fd=%d,server=on,wait=off",
                        a->rt->qmp_event_fd);
    libxl__arglist_opt(&a->al, "-mon", "chardev=qmp-event,mode=control");
}

static void add_console(struct args_of *a)
{
    char **serial = a->config->b_info.serial;

    if (serial && serial[0] &&
        (strcmp(serial[0], "pty") || (serial[1] && serial[1][0])))
        refuse(a, "serial", "a QEMU host has one serial port, \"pty\", which "
                            "is what xl console shows");
    libxl__arglist_optf(&a->al, "-chardev",
                        "socket,id=console,fd=%d,server=on,wait=off",
                        a->rt->console_fd);
    libxl__arglist_opt(&a->al, "-serial", "chardev:console");
}

static void add_port(struct args_of *a, int nr, const char *id, int fd,
                     const char *name)
{
    libxl__arglist_optf(&a->al, "-chardev",
                        "socket,id=%s,fd=%d,server=on,wait=off", id, fd);
    libxl__arglist_optf(&a->al, "-device",
                        "virtserialport,bus=vserial0.0,nr=%d,chardev=%s,"
                        "name=%s,id=%s0",
                        nr, id, name, id);
}

static void add_agent(struct args_of *a)
{
    if (a->rt->agent_fd < 0)
        return;
    libxl__arglist_opt(&a->al, "-device", "virtio-serial-pci,id=vserial0");
    add_port(a, 1, "agent", a->rt->agent_fd, "org.xl.agent.0");
    add_port(a, 2, "qga", a->rt->qga_fd, "org.qemu.guest_agent.0");
}

/* ---- screen and usb ---- */

static const char *vga_device(struct args_of *a)
{
    const char *kind = a->config->b_info.vga_kind;

    if (a->config->b_info.nographic)
        return NULL;
    if (!given(kind))
        return a->config->b_info.vnc.enable ? "VGA" : NULL;
    if (!strcmp(kind, "none"))
        return NULL;
    if (!strcmp(kind, "std"))
        return "VGA";
    if (!strcmp(kind, "cirrus"))
        return "cirrus-vga";
    refuse(a, "vga", "a QEMU host offers none, stdvga and cirrus");
    return NULL;
}

static void add_screen(struct args_of *a)
{
    const libxl_vnc_info *vnc = &a->config->b_info.vnc;
    const char *vga = vga_device(a);
    const char *listen = given(vnc->listen) ? vnc->listen : "127.0.0.1";

    libxl__arglist_opt(&a->al, "-display", "none");
    if (given(a->config->b_info.keymap))
        libxl__arglist_opt(&a->al, "-k", a->config->b_info.keymap);
    if (vga)
        libxl__arglist_optf(&a->al, "-device", "%s,id=vga0", vga);
    if (!vnc->enable)
        return;
    if (vnc->display < 0 || vnc->display > 999)
        refuse(a, "vncdisplay", "it must be in 0..999");
    libxl__arglist_optf(&a->al, "-vnc", "%s:%d%s%s",
                        libxl__qemu_escape(a->al.gc, listen), vnc->display,
                        vnc->findunused ? ",to=99" : "",
                        given(vnc->passwd) ? ",password=on" : "");
}

static const char *usb_driver(const char *name)
{
    if (!strcmp(name, "tablet"))
        return "usb-tablet";
    if (!strcmp(name, "mouse"))
        return "usb-mouse";
    if (!strcmp(name, "keyboard"))
        return "usb-kbd";
    return NULL;
}

static void add_usb(struct args_of *a)
{
    const libxl_domain_build_info *b = &a->config->b_info;
    char **p = b->usbdevice;
    int n = 0;

    if (!b->usb && !(p && *p))
        return;
    libxl__arglist_opt(&a->al, "-device", "qemu-xhci,id=usb0");
    for (; p && *p; p++, n++) {
        const char *driver = usb_driver(*p);

        if (!driver) {
            refuse(a, "usbdevice", "a QEMU host offers tablet, mouse and "
                                   "keyboard (a host's device cannot be saved)");
            return;
        }
        libxl__arglist_optf(&a->al, "-device", "%s,bus=usb0.0,id=usbdev%d",
                            driver, n);
    }
}

/* ---- the whole ---- */

/* A guest's poweroff, reboot or panic leaves QEMU alive and paused: the keeper
 * decides what becomes of it. Devices whose state cannot be saved are refused
 * by QEMU itself (-only-migratable), also those of device_model_args. */
static void add_rules(struct args_of *a)
{
    libxl__arglist_add(&a->al, "-no-user-config");
    libxl__arglist_add(&a->al, "-nodefaults");
    libxl__arglist_add(&a->al, "-only-migratable");
    libxl__arglist_opt(&a->al, "-action",
                       "reboot=shutdown,shutdown=pause,panic=pause,"
                       "watchdog=pause");
    if (!a->rt->no_sandbox)
        libxl__arglist_opt(&a->al, "-sandbox",
                           "on,obsolete=deny,elevateprivileges=deny,"
                           "spawn=deny,resourcecontrol=deny");
    libxl__arglist_add(&a->al, "-S");
    if (a->rt->incoming)
        libxl__arglist_opt(&a->al, "-incoming", "defer");
}

static void add_extra(struct args_of *a)
{
    char **p;

    for (p = a->config->b_info.extra; p && *p; p++)
        libxl__arglist_add(&a->al, *p);
}

static void refuse_other_types(struct args_of *a)
{
    if (a->config->c_info.type == LIBXL_DOMAIN_TYPE_PV)
        refuse(a, "type", "a QEMU host cannot run \"pv\" guests: use \"hvm\"");
    if (a->config->c_info.type == LIBXL_DOMAIN_TYPE_PVH)
        refuse(a, "type", "a QEMU host cannot run \"pvh\" guests: use \"hvm\"");
}

char **libxl__qemu_args(libxl__gc *gc, const libxl_domain_config *config,
                        uint32_t domid, const struct libxl__qemu_runtime *rt,
                        int *rc_out)
{
    struct args_of a = { .config = config, .domid = domid, .rt = rt };

    libxl__arglist_init(&a.al, gc);
    refuse_other_types(&a);
    libxl__arglist_add(&a.al, rt->qemu_path);
    add_rules(&a);
    add_identity(&a);
    add_machine(&a);
    add_vcpus(&a);
    add_memory(&a);
    add_clock(&a);
    add_boot(&a);
    add_monitors(&a);
    add_console(&a);
    add_screen(&a);
    add_agent(&a);
    libxl__arglist_opt(&a.al, "-device", "virtio-balloon-pci,id=balloon0");
    libxl__arglist_opt(&a.al, "-device", "pvpanic,id=panic0");
    if (!a.al.rc)
        libxl__qemu_add_disks(&a.al, config, domid, rt);
    if (!a.al.rc)
        libxl__qemu_add_vfio_users(&a.al, config, rt);
    if (!a.al.rc)
        libxl__qemu_add_nics(&a.al, config, domid, rt);
    add_usb(&a);
    add_extra(&a);
    *rc_out = a.al.rc;
    return a.al.rc ? NULL : a.al.argv;
}

int libxl__qemu_args_check(libxl__gc *gc, const libxl_domain_config *config,
                           uint32_t domid)
{
    const struct libxl__qemu_runtime rt = { .qemu_path = "qemu",
                                            .agent_fd = -1,
                                            .vfio_dir_fd = -1 };
    int rc;

    libxl__qemu_args(gc, config, domid, &rt, &rc);
    return rc;
}
