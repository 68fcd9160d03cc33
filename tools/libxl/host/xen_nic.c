/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xen_nic.c - one network interface, and its nodes. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>

#include "base/log.h"
#include "host/xen_dev.h"

const char *libxl__xen_nic_fault(const libxl_device_nic *n, bool hvm)
{
    if (!n->bridge)
        return "it has no bridge";
    if (n->nictype == LIBXL_NIC_TYPE_VIF_IOEMU && !hvm)
        return "only an HVM guest has emulated ones";
    return NULL;
}

/* An address below Xen's prefix. */
int libxl__xen_nic_decide(libxl_ctx *ctx, libxl_device_nic *n,
                          libxl_nic_type type)
{
    static const libxl_mac none, prefix = {0x00, 0x16, 0x3e};

    if (n->nictype == LIBXL_NIC_TYPE_UNKNOWN)
        n->nictype = type;
    if (memcmp(n->mac, none, sizeof(none)))
        return 0;
    memcpy(n->mac, prefix, 3);
    if (getrandom(n->mac + 3, 3, 0) != 3) {
        LOGE(ctx, ERROR, errno, "no random numbers for an address");
        return ERROR_FAIL;
    }
    n->mac[3] &= 0x7f;
    return 0;
}

const char *libxl__xen_nic_tap(libxl__gc *gc, uint32_t domid,
                               const libxl_device_nic *n)
{
    return libxl__sprintf(gc, "vif%" PRIu32 ".%d-emu", domid, n->devid);
}

static void put_back(struct libxl__xs_writer *w,
                     const struct libxl__xen_ends *e, const libxl_device_nic *n,
                     const char *mac, enum libxl__xs_perms perms)
{
    bool emulated = n->nictype == LIBXL_NIC_TYPE_VIF_IOEMU;
    const char *script =
        libxl__xen_script_path(w->gc, n->script ? n->script : "vif-bridge");

    if (!script) {
        w->rc = ERROR_NOMEM;
        return;
    }
    libxl__xen_put_back(w, e, perms);
    libxl__xs_put(w, perms, "script", "%s", script);
    if (n->ifname)
        libxl__xs_put(w, perms, "vifname", "%s", n->ifname);
    libxl__xs_put(w, perms, "mac", "%s", mac);
    if (n->ip)
        libxl__xs_put(w, perms, "ip", "%s", n->ip);
    if (n->rate_interval_usecs)
        libxl__xs_put(w, perms, "rate", "%" PRIu64 ",%" PRIu32,
                      n->rate_bytes_per_interval, n->rate_interval_usecs);
    if (n->mtu)
        libxl__xs_put(w, perms, "mtu", "%d", n->mtu);
    libxl__xs_put(w, perms, "bridge", "%s", n->bridge);
    libxl__xs_put(w, perms, "handle", "%d", n->devid);
    libxl__xs_put(w, perms, "type", "%s", emulated ? "vif_ioemu" : "vif");
    libxl__xs_put(w, perms, "hotplug-status", "%s", "");
    libxl__xs_put(w, perms, "state", "%s", "1");
}

void libxl__xen_nic_put(struct libxl__xs_writer *w, const libxl_device_nic *n)
{
    char mac[LIBXL_MAC_TEXT];
    struct libxl__xen_ends e;

    if (!libxl__xen_ends(w->gc, w->guest, "vif", (unsigned)n->devid, &e)) {
        w->rc = ERROR_NOMEM;
        return;
    }
    libxl_mac_to_text(n->mac, mac);
    libxl__xen_put_front(w, &e);
    libxl__xs_put(w, LIBXL__XS_GUEST_SHARES, "handle", "%d", n->devid);
    libxl__xs_put(w, LIBXL__XS_GUEST_SHARES, "mac", "%s", mac);
    libxl__xs_put(w, LIBXL__XS_GUEST_SHARES, "state", "%s", "1");
    put_back(w, &e, n, mac, LIBXL__XS_PRIVATE);
    put_back(w, &e, n, mac, LIBXL__XS_GUEST_READS);
}
