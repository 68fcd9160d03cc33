/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu_args_dev.c - disks and network cards as QEMU's options.
 *
 * xvda, vda   virtio-blk-pci        hda ...     IDE (ahci on q35)
 * a cdrom is an IDE one, whatever its vdev's prefix: its letter is its place.
 */
#include "dm/qemu_args_dev.h"

#include <string.h>

#include "base/log.h"
#include "config/own_process.h"

enum disk_bus { BUS_VIRTIO, BUS_IDE };

struct disk_place {
    enum disk_bus bus;
    unsigned index; /* of the letter: a is 0 */
};

/* ---- boot order ---- */

/* QEMU wants distinct numbers: the letter's rank, then the device's place
 * among those of its kind. -1: not booted from. */
static int boot_index(const libxl_domain_config *config, char letter,
                      unsigned nth)
{
    const char *order = config->b_info.boot;
    const char *at;

    if (config->b_info.kernel) /* booted by QEMU itself, at place 0 */
        return -1;
    if (!order || !order[0])
        order = "c";
    at = strchr(order, letter);
    return at ? (int)(at - order) * 64 + (int)(nth < 63 ? nth : 63) : -1;
}

static void put_boot_index(struct libxl__json_writer *w, int index)
{
    if (index >= 0)
        libxl__json_put_i64(w, "bootindex", index);
}

/* ---- disks ---- */

static bool parse_vdev(const libxl_device_disk *disk, struct disk_place *out)
{
    const char *v = disk->vdev;
    size_t prefix;

    if (!v)
        return false;
    if (!strncmp(v, "xvd", 3)) {
        out->bus = BUS_VIRTIO;
        prefix = 3;
    } else if (!strncmp(v, "vd", 2)) {
        out->bus = BUS_VIRTIO;
        prefix = 2;
    } else if (!strncmp(v, "hd", 2)) {
        out->bus = BUS_IDE;
        prefix = 2;
    } else {
        return false;
    }
    if (v[prefix] < 'a' || v[prefix] > 'z' || v[prefix + 1])
        return false;
    out->index = (unsigned)(v[prefix] - 'a');
    if (disk->is_cdrom)
        out->bus = BUS_IDE;
    return true;
}

static const char *format_driver(libxl_disk_format format)
{
    switch (format) {
    case LIBXL_DISK_FORMAT_UNKNOWN:
    case LIBXL_DISK_FORMAT_RAW:
        return "raw";
    case LIBXL_DISK_FORMAT_QCOW2:
        return "qcow2";
    default:
        return NULL;
    }
}

/* NULL: this host has all that the disk asks for. */
static const char *disk_refusal(const libxl_domain_config *config,
                                const libxl_device_disk *disk,
                                struct disk_place *place)
{
    bool q35 = !config->qemu_host.machine ||
               !strstr(config->qemu_host.machine, "i440fx");

    if (!parse_vdev(disk, place))
        return "this vdev is not offered on a QEMU host: use xvda.., vda.. or "
               "hda..";
    if (place->bus == BUS_IDE && place->index >= (q35 ? 6u : 4u))
        return "there are only so many IDE places: use xvda.. or vda..";
    if (disk->script && disk->script[0])
        return "script= is not offered on a QEMU host: name the file or device";
    if ((disk->backend == LIBXL_DISK_BACKEND_VHOST_USER ||
         disk->backend == LIBXL_DISK_BACKEND_VFIO_USER) &&
        (place->bus == BUS_IDE || disk->is_cdrom ||
         disk->format != LIBXL_DISK_FORMAT_RAW))
        return "backendtypes vhost-user and vfio-user serve raw disks at "
               "vda.. or xvda..";
    if (disk->format == LIBXL_DISK_FORMAT_EMPTY)
        return disk->is_cdrom ? NULL : "only a cdrom can be empty";
    if (!format_driver(disk->format))
        return "this format is not offered on a QEMU host: use raw or qcow2";
    if (!disk->pdev_path || !disk->pdev_path[0])
        return disk->is_cdrom ? NULL : "it has no target";
    return NULL;
}

static bool has_medium(const libxl_device_disk *disk)
{
    return disk->format != LIBXL_DISK_FORMAT_EMPTY && disk->pdev_path &&
           disk->pdev_path[0];
}

static bool same_place_before(const libxl_domain_config *config, int n,
                              const struct disk_place *place)
{
    struct disk_place other;
    int i;

    for (i = 0; i < n; i++)
        if (parse_vdev(&config->disks[i], &other) && other.bus == place->bus &&
            other.index == place->index)
            return true;
    return false;
}

static void add_blockdev(struct libxl__arglist *al,
                         const libxl_device_disk *disk, const char *node,
                         bool is_blockdev)
{
    const char *discard = disk->discard_enable ? "unmap" : "ignore";
    struct libxl__json_writer w;

    libxl__json_writer_init(&w);
    libxl__json_writer_one_line(&w);
    libxl__json_open(&w, NULL);
    libxl__json_put_string(&w, "driver", format_driver(disk->format));
    libxl__json_put_string(&w, "node-name", node);
    libxl__json_put_bool(&w, "read-only", !disk->readwrite || disk->is_cdrom);
    libxl__json_put_string(&w, "discard", discard);
    libxl__json_open(&w, "file");
    libxl__json_put_string(&w, "driver", is_blockdev ? "host_device" : "file");
    libxl__json_put_string(&w, "filename", disk->pdev_path);
    libxl__json_put_string(&w, "locking", "auto");
    libxl__json_put_string(&w, "discard", discard);
    libxl__json_close(&w);
    libxl__json_close(&w);
    libxl__arglist_json(al, "-blockdev", &w);
}

static void put_ide_place(struct libxl__json_writer *w, libxl__gc *gc,
                          const libxl_domain_config *config, unsigned index)
{
    bool i440fx = config->qemu_host.machine &&
                  strstr(config->qemu_host.machine, "i440fx");

    libxl__json_put_string(
        w, "bus", libxl__sprintf(gc, "ide.%u", i440fx ? index / 2 : index));
    libxl__json_put_u64(w, "unit", i440fx ? index % 2 : 0);
}

static void add_disk_device(struct libxl__arglist *al,
                            const libxl_domain_config *config,
                            const libxl_device_disk *disk, const char *node,
                            const struct disk_place *place, int bootindex)
{
    const char *driver = "virtio-blk-pci";
    struct libxl__json_writer w;

    if (place->bus == BUS_IDE)
        driver = disk->is_cdrom ? "ide-cd" : "ide-hd";
    libxl__json_writer_init(&w);
    libxl__json_writer_one_line(&w);
    libxl__json_open(&w, NULL);
    libxl__json_put_string(&w, "driver", driver);
    libxl__json_put_string(&w, "id", libxl__sprintf(al->gc, "dev-%s", node));
    if (has_medium(disk))
        libxl__json_put_string(&w, "drive", node);
    if (place->bus == BUS_IDE)
        put_ide_place(&w, al->gc, config, place->index);
    put_boot_index(&w, bootindex);
    libxl__json_close(&w);
    libxl__arglist_json(al, "-device", &w);
}

/* Served by a process of its own, which connects to the socket fd: once, and
 * again when it has died. */
static void add_vhost_user_disk(struct libxl__arglist *al, const char *node,
                                int fd, int bootindex)
{
    const char *chardev = libxl__sprintf(al->gc, "vu-%s", node);
    struct libxl__json_writer w;

    libxl__arglist_optf(al, "-chardev", "socket,id=%s,fd=%d,server=on,wait=off",
                        chardev, fd);
    libxl__json_writer_init(&w);
    libxl__json_open(&w, NULL);
    libxl__json_put_string(&w, "driver", "vhost-user-blk-pci");
    libxl__json_put_string(&w, "id", libxl__sprintf(al->gc, "dev-%s", node));
    libxl__json_put_string(&w, "chardev", chardev);
    libxl__json_put_u64(&w, "num-queues", 1);
    put_boot_index(&w, bootindex);
    libxl__json_close(&w);
    libxl__arglist_json(al, "-device", &w);
}

/* A PCI device in a place of its own: the toolstack finds it there again when
 * it re-creates its configuration after a restore. */
static void add_vfio_user(struct libxl__arglist *al, const char *id,
                          unsigned pci, const struct libxl__qemu_runtime *rt,
                          int bootindex)
{
    struct libxl__json_writer w;

    libxl__json_writer_init(&w);
    libxl__json_writer_one_line(&w);
    libxl__json_open(&w, NULL);
    libxl__json_put_string(&w, "driver", "vfio-user-pci");
    libxl__json_put_string(&w, "id", id);
    libxl__json_put_string(
        &w, "addr", libxl__sprintf(al->gc, "0x%x", LIBXL__VFIO_SLOT + pci));
    put_boot_index(&w, bootindex);
    libxl__json_open(&w, "socket");
    libxl__json_put_string(&w, "type", "unix");
    libxl__json_put_string(&w, "path",
                           libxl__sprintf(al->gc, "/proc/self/fd/%d/vfio-%u",
                                          rt->vfio_dir_fd, pci));
    libxl__json_close(&w);
    libxl__json_close(&w);
    libxl__arglist_json(al, "-device", &w);
}

void libxl__qemu_add_vfio_users(struct libxl__arglist *al,
                                const libxl_domain_config *config,
                                const struct libxl__qemu_runtime *rt)
{
    struct libxl__own_process dev;

    for (unsigned i = 0; libxl__own_process_at(config, i, &dev); i++)
        if (!dev.disk)
            add_vfio_user(al, libxl__sprintf(al->gc, "vfio%d", dev.pci),
                          (unsigned)dev.pci, rt, -1);
}

/* Its number among the vfio-user devices. */
static unsigned pci_of(const libxl_domain_config *config,
                       const libxl_device_disk *disk)
{
    struct libxl__own_process dev;

    for (unsigned i = 0; libxl__own_process_at(config, i, &dev); i++)
        if (dev.disk == disk)
            return (unsigned)dev.pci;
    return 0;
}

void libxl__qemu_add_disks(struct libxl__arglist *al,
                           const libxl_domain_config *config, uint32_t domid,
                           const struct libxl__qemu_runtime *rt)
{
    unsigned nth_disk = 0, nth_cdrom = 0;
    int i;

    for (i = 0; i < config->num_disks && !al->rc; i++) {
        const libxl_device_disk *disk = &config->disks[i];
        char *node = libxl__sprintf(al->gc, "disk%d", i);
        bool blockdev = rt->disk_is_blockdev && rt->disk_is_blockdev[i];
        struct disk_place place;
        const char *why = disk_refusal(config, disk, &place);
        int boot;

        if (!why && same_place_before(config, i, &place))
            why = "another disk has this place";
        if (why) {
            LOGD(al->gc->ctx, domid, ERROR, "disk %s (%s): %s",
                 disk->vdev ? disk->vdev : "without vdev",
                 disk->pdev_path ? disk->pdev_path : "no target", why);
            al->rc = ERROR_INVAL;
            return;
        }
        boot = disk->is_cdrom ? boot_index(config, 'd', nth_cdrom++)
                              : boot_index(config, 'c', nth_disk++);
        if (disk->backend == LIBXL_DISK_BACKEND_VHOST_USER) {
            add_vhost_user_disk(al, node, rt->disk_fds ? rt->disk_fds[i] : -1,
                                boot);
            continue;
        }
        if (disk->backend == LIBXL_DISK_BACKEND_VFIO_USER) {
            add_vfio_user(al, libxl__sprintf(al->gc, "dev-%s", node),
                          pci_of(config, disk), rt, boot);
            continue;
        }
        if (has_medium(disk))
            add_blockdev(al, disk, node, blockdev);
        add_disk_device(al, config, disk, node, &place, boot);
    }
}

/* ---- network cards ---- */

static const char *nic_driver(const libxl_device_nic *nic)
{
    static const char *const known[] = { "virtio-net-pci", "e1000", "e1000e",
                                         "rtl8139", "ne2k_pci", "pcnet" };
    size_t i;

    if (!nic->model || !nic->model[0] || !strcmp(nic->model, "virtio") ||
        !strcmp(nic->model, "virtio-net"))
        return "virtio-net-pci";
    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (!strcmp(nic->model, known[i]))
            return known[i];
    return NULL;
}

/* NULL: this host has all that the card asks for. */
static const char *nic_refusal(const libxl_device_nic *nic)
{
    const char *slash = nic->script ? strrchr(nic->script, '/') : NULL;
    const char *script = slash ? slash + 1 : nic->script;

    if (!nic_driver(nic))
        return "this model is not offered on a QEMU host: use virtio-net-pci, "
               "e1000, e1000e, rtl8139, ne2k_pci or pcnet";
    if (script && script[0] && strcmp(script, "vif-bridge"))
        return "script= is not offered on a QEMU host: use bridge=";
    if (nic->rate_bytes_per_interval)
        return "rate= is not offered on a QEMU host: limit the bridge's port";
    if (nic->mtu)
        return "mtu= is not offered on a QEMU host: set the bridge's";
    if (nic->ip && nic->ip[0])
        return "ip= is not offered on a QEMU host: set it in the guest";
    return NULL;
}

static void add_nic_device(struct libxl__arglist *al,
                           const libxl_domain_config *config, int i,
                           const char *driver)
{
    const uint8_t *m = config->nics[i].mac;
    int boot = boot_index(config, 'n', (unsigned)i);
    struct libxl__json_writer w;

    libxl__json_writer_init(&w);
    libxl__json_writer_one_line(&w);
    libxl__json_open(&w, NULL);
    libxl__json_put_string(&w, "driver", driver);
    libxl__json_put_string(&w, "id", libxl__sprintf(al->gc, "nic%d", i));
    libxl__json_put_string(&w, "netdev", libxl__sprintf(al->gc, "net%d", i));
    libxl__json_put_string(&w, "mac",
                           libxl__sprintf(al->gc,
                                          "%02x:%02x:%02x:%02x:%02x:%02x", m[0],
                                          m[1], m[2], m[3], m[4], m[5]));
    put_boot_index(&w, boot);
    /* Without network boot its ROM would only make the saved state bigger. */
    if (boot < 0)
        libxl__json_put_string(&w, "romfile", "");
    libxl__json_close(&w);
    libxl__arglist_json(al, "-device", &w);
}

void libxl__qemu_add_nics(struct libxl__arglist *al,
                          const libxl_domain_config *config, uint32_t domid,
                          const struct libxl__qemu_runtime *rt)
{
    int i;

    for (i = 0; i < config->num_nics && !al->rc; i++) {
        const char *why = nic_refusal(&config->nics[i]);
        int tap = rt->tap_fds ? rt->tap_fds[i] : -1;

        if (why) {
            LOGD(al->gc->ctx, domid, ERROR, "vif %d (model \"%s\"): %s", i,
                 config->nics[i].model ? config->nics[i].model : "", why);
            al->rc = ERROR_INVAL;
            return;
        }
        if (tap >= 0)
            libxl__arglist_optf(al, "-netdev", "tap,id=net%d,fd=%d", i, tap);
        else
            libxl__arglist_optf(al, "-netdev", "user,id=net%d", i);
        add_nic_device(al, config, i, nic_driver(&config->nics[i]));
    }
}
