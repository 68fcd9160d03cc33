/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu_tap.c - a network tap on a bridge. It lives as long as QEMU holds its
 * fd: nothing is left to clean up when QEMU dies, however it dies.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/sockios.h>

#include "base/log.h"
#include "host/qemu_spawn.h"

/* 0, or an errno */
static int make_tap(const char *name, int *fd_out)
{
    struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

    *fd_out = fd;
    if (fd < 0)
        return errno;
    snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
    return ioctl(fd, TUNSETIFF, &ifr) ? errno : 0;
}

/* A bridge takes the lowest address of its ports for its own: with this one,
 * the highest, a guest's coming and going never changes the host's. */
static int set_address(int sock, const char *name)
{
    static const unsigned char high[] = { 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff };
    struct ifreq ifr = { .ifr_hwaddr.sa_family = ARPHRD_ETHER };

    snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
    memcpy(ifr.ifr_hwaddr.sa_data, high, sizeof(high));
    return ioctl(sock, SIOCSIFHWADDR, &ifr) ? errno : 0;
}

static int join_bridge(const char *name, const char *bridge)
{
    struct ifreq ifr = { .ifr_flags = 0 };
    int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int e;

    if (sock < 0)
        return errno;
    e = set_address(sock, name);
    snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", bridge);
    ifr.ifr_ifindex = (int)if_nametoindex(name);
    if (!e && ioctl(sock, SIOCBRADDIF, &ifr))
        e = errno;
    snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
    if (!e && ioctl(sock, SIOCGIFFLAGS, &ifr))
        e = errno;
    ifr.ifr_flags |= IFF_UP;
    if (!e && ioctl(sock, SIOCSIFFLAGS, &ifr))
        e = errno;
    close(sock);
    return e;
}

int libxl__qemu_tap_open(libxl_ctx *ctx, uint32_t domid,
                         const libxl_device_nic *nic, int index, int *fd_out)
{
    char name[IFNAMSIZ];
    int e;

    if (nic->ifname && nic->ifname[0])
        snprintf(name, sizeof(name), "%s", nic->ifname);
    else
        snprintf(name, sizeof(name), "vif%u.%d", domid, index);
    e = make_tap(name, fd_out);
    if (e) {
        LOGED(ctx, domid, ERROR, e,
              "vif %d: cannot make the network tap %s%s", index, name,
              e == EPERM || e == EACCES ? " (bridge= needs root; without it "
                                          "the vif has user-mode networking)"
                                        : "");
        return ERROR_FAIL;
    }
    e = join_bridge(name, nic->bridge);
    if (e) {
        LOGED(ctx, domid, ERROR, e, "vif %d: cannot put %s on the bridge %s",
              index, name, nic->bridge);
        return ERROR_FAIL;
    }
    return 0;
}
