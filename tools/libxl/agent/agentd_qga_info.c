/* SPDX-License-Identifier: GPL-2.0-or-later */
/* agentd_qga_info.c - what the guest says of itself, in qemu-ga's words. */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>

#include "agent/agentd_core.h"

enum { INTERFACES_MAX = 64 };

static char *finish(struct libxl__json_writer *w, libxl__gc *gc)
{
    char *text = libxl__json_finish(w, gc);

    libxl__json_writer_dispose(w);
    if (text)
        text[strcspn(text, "\n")] = '\0';
    return text;
}

static void begin(struct libxl__json_writer *w)
{
    libxl__json_writer_init(w);
    libxl__json_writer_one_line(w);
}

char *libxl__agentd_qga_osinfo(libxl__gc *gc)
{
    static const struct {
        const char *release, *key;
    } rows[] = {
        {"ID", "id"},
        {"NAME", "name"},
        {"PRETTY_NAME", "pretty-name"},
        {"VERSION", "version"},
        {"VERSION_ID", "version-id"},
    };
    struct libxl__json_writer w;
    struct utsname u;
    size_t i;

    if (uname(&u))
        return NULL;
    begin(&w);
    libxl__json_open(&w, NULL);
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        libxl__json_put_string(&w, rows[i].key,
                               libxl__agentd_os_release(gc, rows[i].release));
    libxl__json_put_string(&w, "kernel-release", u.release);
    libxl__json_put_string(&w, "kernel-version", u.version);
    libxl__json_put_string(&w, "machine", u.machine);
    libxl__json_close(&w);
    return finish(&w, gc);
}

char *libxl__agentd_qga_hostname(libxl__gc *gc)
{
    struct libxl__json_writer w;
    struct utsname u;

    if (uname(&u))
        return NULL;
    begin(&w);
    libxl__json_open(&w, NULL);
    libxl__json_put_string(&w, "host-name", u.nodename);
    libxl__json_close(&w);
    return finish(&w, gc);
}

static unsigned prefix_of(const struct sockaddr *mask, const void *bits,
                          size_t bytes)
{
    const uint8_t *p = bits;
    unsigned n = 0;
    size_t i;

    for (i = 0; mask && i < bytes; i++)
        n += (unsigned)__builtin_popcount(p[i]);
    return n;
}

static void put_ip(struct libxl__json_writer *w, const struct ifaddrs *ifa)
{
    const struct sockaddr *a = ifa->ifa_addr, *m = ifa->ifa_netmask;
    bool v4 = a->sa_family == AF_INET;
    char text[INET6_ADDRSTRLEN];
    unsigned prefix;

    if (v4) {
        inet_ntop(AF_INET, &((const struct sockaddr_in *)a)->sin_addr, text,
                  sizeof(text));
        prefix = prefix_of(m, &((const struct sockaddr_in *)m)->sin_addr, 4);
    } else {
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)a)->sin6_addr, text,
                  sizeof(text));
        prefix = prefix_of(m, &((const struct sockaddr_in6 *)m)->sin6_addr, 16);
    }
    libxl__json_open(w, NULL);
    libxl__json_put_string(w, "ip-address-type", v4 ? "ipv4" : "ipv6");
    libxl__json_put_string(w, "ip-address", text);
    libxl__json_put_u64(w, "prefix", prefix);
    libxl__json_close(w);
}

static void put_ips(struct libxl__json_writer *w, const struct ifaddrs *all,
                    const char *name)
{
    const struct ifaddrs *ifa;

    libxl__json_open_list(w, "ip-addresses");
    for (ifa = all; ifa; ifa = ifa->ifa_next)
        if (ifa->ifa_addr && !strcmp(ifa->ifa_name, name) &&
            (ifa->ifa_addr->sa_family == AF_INET ||
             ifa->ifa_addr->sa_family == AF_INET6))
            put_ip(w, ifa);
    libxl__json_close_list(w);
}

/* Each interface has exactly one packet address: its hardware's. */
static void put_interface(struct libxl__json_writer *w,
                          const struct ifaddrs *all, const struct ifaddrs *ifa)
{
    const struct sockaddr_ll *ll = (const void *)ifa->ifa_addr;
    char mac[18];

    snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", ll->sll_addr[0],
             ll->sll_addr[1], ll->sll_addr[2], ll->sll_addr[3], ll->sll_addr[4],
             ll->sll_addr[5]);
    libxl__json_open(w, NULL);
    libxl__json_put_string(w, "name", ifa->ifa_name);
    libxl__json_put_string(w, "hardware-address", mac);
    put_ips(w, all, ifa->ifa_name);
    libxl__json_close(w);
}

char *libxl__agentd_qga_interfaces(libxl__gc *gc)
{
    struct libxl__json_writer w;
    struct ifaddrs *all, *ifa;
    int n = 0;

    if (getifaddrs(&all))
        return NULL;
    begin(&w);
    libxl__json_open_list(&w, NULL);
    for (ifa = all; ifa && n < INTERFACES_MAX; ifa = ifa->ifa_next)
        if (ifa->ifa_addr && ifa->ifa_addr->sa_family == AF_PACKET) {
            put_interface(&w, all, ifa);
            n++;
        }
    libxl__json_close_list(&w);
    freeifaddrs(all);
    return finish(&w, gc);
}
