/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xen_layout.c - a domain's nodes in xenstore, as guests and other toolstacks
 * expect them. Nodes that the guest writes to are its own.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <sys/time.h>

#include "host/xen_host.h"
#include "store/domain_record.h"

#define READS LIBXL__XS_GUEST_READS
#define OWNS LIBXL__XS_GUEST_OWNS
#define PRIVATE LIBXL__XS_PRIVATE

static void put_vcpus(struct libxl__xs_writer *w,
                      const libxl_domain_build_info *b)
{
    int online = b->avail_vcpus > 0 ? b->avail_vcpus : b->max_vcpus;

    libxl__xs_put(w, READS, "cpu", "%s", "");
    for (int i = 0; i < b->max_vcpus; i++) {
        const char *dir = libxl__sprintf(w->gc, "cpu/%d", i);
        const char *key = libxl__sprintf(w->gc, "cpu/%d/availability", i);

        if (!dir || !key) {
            w->rc = ERROR_NOMEM;
            return;
        }
        libxl__xs_put(w, READS, dir, "%s", "");
        libxl__xs_put(w, READS, key, "%s", i < online ? "online" : "offline");
    }
}

static void put_memory(struct libxl__xs_writer *w,
                       const libxl_domain_build_info *b)
{
    libxl__xs_put(w, READS, "memory", "%s", "");
    libxl__xs_put(w, READS, "memory/static-max", "%" PRIu64, b->max_memkb);
    libxl__xs_put(w, READS, "memory/target", "%" PRIu64,
                  b->target_memkb - b->video_memkb);
    libxl__xs_put(w, READS, "memory/videoram", "%" PRIu64, b->video_memkb);
}

static void put_control(struct libxl__xs_writer *w)
{
    static const char *const guests[] = {
        "control/shutdown",
        "control/feature-poweroff",
        "control/feature-reboot",
        "control/feature-suspend",
        "control/sysrq",
        "data",
        "drivers",
        "feature",
        "attr",
        "error",
        "device/suspend/event-channel",
    };

    libxl__xs_put(w, READS, "device", "%s", "");
    libxl__xs_put(w, READS, "device/suspend", "%s", "");
    libxl__xs_put(w, READS, "control", "%s", "");
    for (size_t i = 0; i < sizeof(guests) / sizeof(guests[0]); i++)
        libxl__xs_put(w, OWNS, guests[i], "%s", "");
    libxl__xs_put(w, READS, "control/platform-feature-multiprocessor-suspend",
                  "%s", "1");
    libxl__xs_put(w, READS, "control/platform-feature-xs_reset_watches", "%s",
                  "1");
}

static void put_console(struct libxl__xs_writer *w,
                        const struct libxl__xen_ports *ports)
{
    libxl__xs_put(w, READS, "domid", "%" PRIu32, w->guest);
    libxl__xs_put(w, READS, "store", "%s", "");
    libxl__xs_put(w, READS, "store/port", "%" PRIu32, ports->store);
    libxl__xs_put(w, READS, "console", "%s", "");
    libxl__xs_put(w, READS, "console/backend",
                  "/local/domain/0/backend/console/%" PRIu32 "/0", w->guest);
    libxl__xs_put(w, LIBXL__XS_GUEST_SHARES, "console/backend-id", "%s", "0");
    libxl__xs_put(w, READS, "console/limit", "%s", "1048576");
    libxl__xs_put(w, READS, "console/type", "%s", "xenconsoled");
    libxl__xs_put(w, READS, "console/output", "%s", "pty");
    libxl__xs_put(w, READS, "console/tty", "%s", "");
    libxl__xs_put(w, READS, "console/port", "%" PRIu32, ports->console);
}

/* Both ends of a device say where the other one is. */
static void put_console_device(struct libxl__xs_writer *w,
                               enum libxl__xs_perms perms)
{
    libxl__xs_put(w, perms, "", "%s", "");
    libxl__xs_put(w, perms, "frontend", "/local/domain/%" PRIu32 "/console",
                  w->guest);
    libxl__xs_put(w, perms, "frontend-id", "%" PRIu32, w->guest);
    libxl__xs_put(w, perms, "online", "%s", "1");
    libxl__xs_put(w, perms, "state", "%s", "1");
    libxl__xs_put(w, perms, "protocol", "%s", "vt100");
}

/* A keyboard and mouse, which upstream gives every HVM guest: QEMU serves it.
 */
static void put_vkbd(struct libxl__xs_writer *w)
{
    const char *ends[] = {
        libxl__sprintf(w->gc, "/local/domain/0/backend/vkbd/%" PRIu32 "/0",
                       w->guest),
        libxl__sprintf(w->gc, "/libxl/%" PRIu32 "/device/vkbd/0", w->guest),
    };
    const char *front = libxl__sprintf(
        w->gc, "/local/domain/%" PRIu32 "/device/vkbd/0", w->guest);

    if (!ends[0] || !ends[1] || !front) {
        w->rc = ERROR_NOMEM;
        return;
    }
    w->base = front;
    libxl__xs_put(w, LIBXL__XS_GUEST_SHARES, "", "%s", "");
    libxl__xs_put(w, LIBXL__XS_GUEST_SHARES, "backend", "%s", ends[0]);
    libxl__xs_put(w, LIBXL__XS_GUEST_SHARES, "backend-id", "%s", "0");
    libxl__xs_put(w, LIBXL__XS_GUEST_SHARES, "state", "%s", "1");
    for (int i = 0; i < 2; i++) {
        enum libxl__xs_perms perms = i ? PRIVATE : READS;

        w->base = ends[i];
        libxl__xs_put(w, perms, "", "%s", "");
        libxl__xs_put(w, perms, "frontend", "%s", front);
        libxl__xs_put(w, perms, "frontend-id", "%" PRIu32, w->guest);
        libxl__xs_put(w, perms, "online", "%s", "1");
        libxl__xs_put(w, perms, "state", "%s", "1");
    }
    w->base = ends[1];
    libxl__xs_put(w, PRIVATE, "backend", "%s", ends[0]);
}

/* What hvmloader reads, and makes tables of. */
static void put_firmware(struct libxl__xs_writer *w,
                         const libxl_domain_build_info *b)
{
    libxl__xs_put(w, READS, "hvmloader", "%s", "");
    libxl__xs_put(w, READS, "hvmloader/bios", "%s", "seabios");
    libxl__xs_put(w, READS, "hvmloader/allow-memory-relocate", "%s", "0");
    libxl__xs_put(w, READS, "platform", "%s", "");
    libxl__xs_put(w, READS, "platform/acpi", "%d", b->acpi);
    libxl__xs_put(w, READS, "platform/acpi_s3", "%s", "1");
    libxl__xs_put(w, READS, "platform/acpi_s4", "%s", "1");
}

static int put_others(struct libxl__xs_writer *w,
                      const libxl_domain_config *config)
{
    const char *uuid = libxl__uuid_text(w->gc, &config->c_info.uuid);
    struct timeval now;

    w->base = libxl__sprintf(
        w->gc, "/local/domain/0/backend/console/%" PRIu32 "/0", w->guest);
    if (!w->base || !uuid)
        return ERROR_NOMEM;
    put_console_device(w, READS);
    w->base = libxl__sprintf(w->gc, "/libxl/%" PRIu32, w->guest);
    if (!w->base)
        return ERROR_NOMEM;
    libxl__xs_put(w, PRIVATE, "", "%s", "");
    libxl__xs_put(w, PRIVATE, "type", "%s",
                  libxl_domain_type_to_string(config->c_info.type));
    libxl__xs_put(w, PRIVATE, "dm-version", "%s", "qemu_xen");
    w->base =
        libxl__sprintf(w->gc, "/libxl/%" PRIu32 "/device/console/0", w->guest);
    if (!w->base)
        return ERROR_NOMEM;
    put_console_device(w, PRIVATE);
    libxl__xs_put(w, PRIVATE, "backend",
                  "/local/domain/0/backend/console/%" PRIu32 "/0", w->guest);
    w->base = libxl__sprintf(w->gc, "/vm/%s", uuid);
    if (!w->base)
        return ERROR_NOMEM;
    gettimeofday(&now, NULL);
    libxl__xs_put(w, READS, "start_time", "%lld.%02ld", (long long)now.tv_sec,
                  (long)now.tv_usec / 10000);
    return w->rc;
}

int libxl__xen_lay_out(struct libxl__host_xen *hx, libxl__gc *gc,
                       uint32_t domid, const libxl_domain_config *config,
                       const struct libxl__xen_ports *ports)
{
    struct libxl__xs_writer w = {
        .xs = &hx->xs,
        .gc = gc,
        .guest = domid,
        .base = libxl__sprintf(gc, "/local/domain/%" PRIu32, domid),
    };

    if (!w.base)
        return ERROR_NOMEM;
    /* of a domain that had the number before and was not cleaned up after */
    libxl__xs_remove(&hx->xs, "/local/domain/%" PRIu32, domid);
    libxl__xs_remove(&hx->xs, "/libxl/%" PRIu32, domid);
    libxl__xs_put(&w, READS, "", "%s", "");
    put_vcpus(&w, &config->b_info);
    put_memory(&w, &config->b_info);
    put_control(&w);
    put_console(&w, ports);
    if (config->c_info.type == LIBXL_DOMAIN_TYPE_HVM)
        put_firmware(&w, &config->b_info);
    if (!w.rc)
        w.rc = put_others(&w, config);
    if (!w.rc && config->c_info.type == LIBXL_DOMAIN_TYPE_HVM)
        put_vkbd(&w);
    return w.rc;
}

int libxl__xen_read_ports(struct libxl__host_xen *hx, libxl__gc *gc,
                          uint32_t domid, struct libxl__xen_ports *out)
{
    char *store = libxl__xs_read(&hx->xs, gc,
                                 "/local/domain/%" PRIu32 "/store/port", domid);
    char *console = libxl__xs_read(
        &hx->xs, gc, "/local/domain/%" PRIu32 "/console/port", domid);

    if (!store || !console)
        return ERROR_NOTFOUND;
    out->store = (uint32_t)strtoul(store, NULL, 10);
    out->console = (uint32_t)strtoul(console, NULL, 10);
    return 0;
}

int libxl__xen_introduce(struct libxl__host_xen *hx, libxl__gc *gc,
                         uint32_t domid, uint64_t store_gfn,
                         uint64_t console_gfn)
{
    struct libxl__xs_writer w = {
        .xs = &hx->xs,
        .gc = gc,
        .guest = domid,
        .base = libxl__sprintf(gc, "/local/domain/%" PRIu32, domid),
    };
    struct libxl__xen_ports ports;
    int rc = libxl__xen_read_ports(hx, gc, domid, &ports);

    if (rc || !w.base)
        return rc ? rc : ERROR_NOMEM;
    libxl__xs_put(&w, READS, "store/ring-ref", "%" PRIu64, store_gfn);
    libxl__xs_put(&w, READS, "console/ring-ref", "%" PRIu64, console_gfn);
    if (w.rc)
        return w.rc;
    return libxl__xen_failed(
        hx, domid,
        hx->xs.calls->introduce(hx->xs.handle, domid, store_gfn, ports.store),
        "xenstored does not accept the domain");
}
