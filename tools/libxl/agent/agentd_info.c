/* SPDX-License-Identifier: GPL-2.0-or-later */
/* agentd_info.c - what the guest says of itself; its kernel's log. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "agent/agent_wire.h"
#include "agent/agentd_core.h"

enum { SMALL_FILE = 16 * 1024, ADDRESSES_MAX = 256, KLOG_READ_ALL = 3 };

/* From gc; NULL: there is none. */
static char *small_file(libxl__gc *gc, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *text;
    ssize_t n;

    if (fd < 0)
        return NULL;
    text = libxl__zalloc(gc, SMALL_FILE);
    n = text ? read(fd, text, SMALL_FILE - 1) : -1;
    close(fd);
    return n < 0 ? NULL : text;
}

char *libxl__agentd_boot_id(libxl__gc *gc)
{
    char *id = small_file(gc, "/proc/sys/kernel/random/boot_id");

    if (id)
        id[strcspn(id, "\n")] = '\0';
    return id;
}

/* KEY="value" or KEY=value; NULL: not there. */
char *libxl__agentd_os_release(libxl__gc *gc, const char *key)
{
    char *text = small_file(gc, "/etc/os-release");
    size_t n = strlen(key);
    char *line;

    for (line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, n) || line[n] != '=')
            continue;
        line += n + 1;
        if (*line == '"' || *line == '\'')
            line++;
        return libxl__strndup(gc, line, strcspn(line, "\"'\n"));
    }
    return NULL;
}

/* A line "KEY:  number kB" of /proc/meminfo. */
static uint64_t meminfo_kb(libxl__gc *gc, const char *key)
{
    char *text = small_file(gc, "/proc/meminfo");
    char *line = text ? strstr(text, key) : NULL;

    return line ? strtoull(line + strlen(key), NULL, 10) : 0;
}

static void put_address(struct libxl__json_writer *w, const struct ifaddrs *ifa)
{
    char text[INET6_ADDRSTRLEN];
    const void *address;

    if (ifa->ifa_addr->sa_family == AF_INET)
        address = &((struct sockaddr_in *)ifa->ifa_addr)->sin_addr;
    else
        address = &((struct sockaddr_in6 *)ifa->ifa_addr)->sin6_addr;
    if (!inet_ntop(ifa->ifa_addr->sa_family, address, text, sizeof(text)))
        return;
    libxl__json_open(w, NULL);
    libxl__json_put_string(w, "interface", ifa->ifa_name);
    libxl__json_put_string(w, "address", text);
    libxl__json_close(w);
}

static bool has_address(const struct ifaddrs *ifa)
{
    return ifa->ifa_addr && !(ifa->ifa_flags & IFF_LOOPBACK) &&
           (ifa->ifa_addr->sa_family == AF_INET ||
            ifa->ifa_addr->sa_family == AF_INET6);
}

static void put_addresses(struct libxl__json_writer *w)
{
    struct ifaddrs *all = NULL, *ifa;
    int n = 0;

    libxl__json_open_list(w, "addresses");
    if (getifaddrs(&all))
        all = NULL;
    for (ifa = all; ifa && n < ADDRESSES_MAX; ifa = ifa->ifa_next)
        if (has_address(ifa)) {
            put_address(w, ifa);
            n++;
        }
    if (all)
        freeifaddrs(all);
    libxl__json_close_list(w);
}

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec ts = {0};

    clock_gettime(clock, &ts);
    return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static char *info_text(libxl__gc *gc)
{
    struct libxl__json_writer w;
    struct utsname u;
    char *os, *text;

    if (uname(&u))
        return NULL;
    os = libxl__agentd_os_release(gc, "PRETTY_NAME");
    libxl__json_writer_init(&w);
    libxl__json_open(&w, NULL);
    libxl__json_put_string(&w, "hostname", u.nodename);
    libxl__json_put_string(&w, "os", os ? os : u.sysname);
    libxl__json_put_string(&w, "kernel", u.release);
    libxl__json_put_string(&w, "machine", u.machine);
    libxl__json_put_string(&w, "boot_id", libxl__agentd_boot_id(gc));
    libxl__json_put_u64(&w, "uptime_s", clock_ns(CLOCK_BOOTTIME) / 1000000000);
    libxl__json_put_u64(&w, "time_ns", clock_ns(CLOCK_REALTIME));
    libxl__json_put_u64(&w, "memory_kb", meminfo_kb(gc, "MemTotal:"));
    libxl__json_put_u64(&w, "memory_available_kb",
                        meminfo_kb(gc, "MemAvailable:"));
    put_addresses(&w);
    libxl__json_close(&w);
    text = libxl__json_finish(&w, gc);
    libxl__json_writer_dispose(&w);
    return text;
}

void libxl__agentd_info(libxl__egc *egc, agentd *d, libxl__agent_job *job)
{
    char *text = info_text(libxl__egc_gc(egc));

    if (text)
        libxl__agent_job_result(egc, job, text, NULL, 0);
    else
        libxl__agentd_fail_errno(egc, job, ENOMEM);
}

void libxl__agentd_viewdmesg(libxl__egc *egc, agentd *d, libxl__agent_job *job)
{
    char *buf = malloc(LIBXL__AGENT_DATA_MAX);
    char *text;
    int n;

    n = buf ? klogctl(KLOG_READ_ALL, buf, LIBXL__AGENT_DATA_MAX) : -1;
    if (n < 0) {
        libxl__agentd_fail_errno(egc, job, buf ? errno : ENOMEM);
    } else {
        text = libxl__sprintf(libxl__egc_gc(egc),
                              "{\"length\":%d,\"truncated\":%s}", n,
                              n == LIBXL__AGENT_DATA_MAX ? "true" : "false");
        if (text)
            libxl__agent_job_result(egc, job, text, buf, (size_t)n);
        else
            libxl__agentd_fail_errno(egc, job, ENOMEM);
    }
    free(buf);
}
