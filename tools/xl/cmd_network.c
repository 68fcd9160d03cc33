/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_network.c - xl network-attach, network-detach, network-list: interfaces
 * of a domain that runs. */
#include <stdlib.h>
#include <string.h>

#include "xl_device.h"
#include "xl_spec.h"

static int attach(struct xl *xl, uint32_t domid, const char *spec)
{
    struct xl_cfg_error err;
    libxl_device_nic nic;
    int rc = ERROR_INVAL;

    libxl_device_nic_init(&nic);
    if (!xl_vif_parse(spec, &nic, &err))
        xl_error(xl, "%s", err.text);
    else
        rc = xl->dry_run ? 0 : libxl_device_nic_add(xl->ctx, domid, &nic, NULL);
    libxl_device_nic_dispose(&nic);
    return rc ? XL_FAILED : XL_OK;
}

int xl_cmd_network_attach(struct xl *xl, int argc, char **argv)
{
    return xl_device_attach(xl, argc, argv, 1, attach);
}

/* By its number, or by its address. */
static bool is_meant(const libxl_device_nic *nic, const char *text)
{
    libxl_mac mac;
    char number[16];

    if (libxl_mac_from_text(text, mac))
        return !memcmp(mac, nic->mac, sizeof(mac));
    snprintf(number, sizeof(number), "%d", nic->devid);
    return !strcmp(number, text);
}

static int detach(struct xl *xl, uint32_t domid, const char *text, bool force)
{
    int n, at = 0, rc = ERROR_NOTFOUND;
    libxl_device_nic *nics = libxl_device_nic_list(xl->ctx, domid, &n);

    while (at < n && !is_meant(&nics[at], text))
        at++;
    if (n >= 0 && at >= n)
        xl_error(xl,
                 "%s: the domain has no such interface (see xl "
                 "network-list)",
                 text);
    else if (n >= 0)
        rc = force ? libxl_device_nic_destroy(xl->ctx, domid, &nics[at], NULL)
                   : libxl_device_nic_remove(xl->ctx, domid, &nics[at], NULL);
    libxl_device_nic_list_free(nics, n);
    return rc ? XL_FAILED : XL_OK;
}

int xl_cmd_network_detach(struct xl *xl, int argc, char **argv)
{
    return xl_device_detach(xl, argc, argv, detach);
}

/* ---- list ---- */

static void show_json(struct xl_device_list *l, uint32_t domid,
                      const libxl_device_nic *nic, const char *mac,
                      const libxl_nicinfo *i)
{
    xl_device_json_open(l);
    xl_device_json_int(l, "domid", (int)domid);
    xl_device_json_int(l, "devid", i->devid);
    xl_device_json_text(l, "mac", mac);
    xl_device_json_text(l, "bridge", nic->bridge);
    xl_device_json_int(l, "backend_id", (int)i->backend_id);
    xl_device_json_text(l, "backend", i->backend);
    xl_device_json_text(l, "frontend", i->frontend);
    xl_device_json_int(l, "state", i->state);
    xl_device_json_int(l, "evtch", i->evtch);
    xl_device_json_int(l, "rref_tx", i->rref_tx);
    xl_device_json_int(l, "rref_rx", i->rref_rx);
    xl_device_json_close(l);
}

static bool show(struct xl *xl, uint32_t domid, struct xl_device_list *l)
{
    int n;
    libxl_device_nic *nics = libxl_device_nic_list(xl->ctx, domid, &n);
    bool ok = n >= 0;

    for (int i = 0; i < n; i++) {
        char mac[LIBXL_MAC_TEXT];
        libxl_nicinfo info;

        libxl_mac_to_text(nics[i].mac, mac);
        if (libxl_device_nic_getinfo(xl->ctx, domid, &nics[i], &info))
            ok = false;
        else if (l->gen)
            show_json(l, domid, &nics[i], mac, &info);
        else
            printf("%-3d %-2u %s%6d %5d %6d %5d/%-11d %-30s\n", info.devid,
                   info.backend_id, mac, info.devid, info.state, info.evtch,
                   info.rref_tx, info.rref_rx, info.backend);
        libxl_nicinfo_dispose(&info);
    }
    libxl_device_nic_list_free(nics, n);
    return ok;
}

int xl_cmd_network_list(struct xl *xl, int argc, char **argv)
{
    char header[112];

    snprintf(header, sizeof(header),
             "%-3s %-2s %-17s %-6s %-5s %-6s %5s/%-5s %-30s", "Idx", "BE",
             "Mac Addr.", "handle", "state", "evt-ch", "tx-", "rx-ring-ref",
             "BE-path");
    return xl_device_lists(xl, argc, argv, header, show);
}
