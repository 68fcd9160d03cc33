/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xl_agentd_main.c - xl-agentd: the guest's end of the agent channel.
 *
 * A static program: it needs nothing in the guest. It stays in the foreground,
 * as systemd and init's respawn want it.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <syslog.h>
#include <unistd.h>

#include "agent/agentd_core.h"

#define CONF_PATH "/etc/xl-agentd.conf"

enum { CONF_MAX = 64 * 1024 };

static bool to_stderr;

static void write_log(const char *text)
{
    if (to_stderr)
        fprintf(stderr, "xl-agentd: %s\n", text);
    else
        syslog(LOG_INFO, "%s", text);
}

void agentd_log(agentd *d, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    char *p;

    if (d->frozen)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    for (p = text; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            *p = '?';
    write_log(text);
}

static void message(libxl_logger *lg, libxl_loglevel level, uint32_t domid,
                    const char *text)
{
    if (level >= LIBXL_LOG_WARN)
        write_log(text);
}

static void usage(FILE *to)
{
    fprintf(to,
            "usage: xl-agentd [-qv] [-c CONFIG] [-m METHOD] [-p PATH]\n"
            "  -m METHOD  virtio-serial (default), isa-serial, unix-listen\n"
            "  -p PATH    device or socket; default: the port of this name:\n"
            "             org.xl.agent.0\n"
            "  -c CONFIG  default: " CONF_PATH "\n"
            "  -q         speak qemu-ga's dialect, on org.qemu.guest_agent.0\n"
            "  -v         log to stderr instead of syslog\n");
}

static bool parse_method(const char *text, enum agentd_method *how)
{
    static const char *const names[] = {
        [AGENTD_VIRTIO_SERIAL] = "virtio-serial",
        [AGENTD_ISA_SERIAL] = "isa-serial",
        [AGENTD_UNIX] = "unix-listen",
    };
    int i;

    for (i = 0; i < 3; i++)
        if (!strcmp(text, names[i])) {
            *how = (enum agentd_method)i;
            return true;
        }
    return false;
}

/* malloc'ed; "" when it is not there and was not asked for. */
static char *read_conf(const char *path, bool must_be)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *text = calloc(1, CONF_MAX);
    ssize_t n = 0;

    if (fd < 0 && (must_be || errno != ENOENT)) {
        fprintf(stderr, "xl-agentd: cannot read %s: %s\n", path,
                strerror(errno));
        free(text);
        return NULL;
    }
    if (fd >= 0) {
        n = text ? read(fd, text, CONF_MAX - 1) : -1;
        close(fd);
    }
    if (n < 0 || n == CONF_MAX - 1) {
        fprintf(stderr, "xl-agentd: cannot read %s, or it is too long\n", path);
        free(text);
        return NULL;
    }
    return text;
}

static bool load_conf(agentd *d, const char *path)
{
    char *text = read_conf(path ? path : CONF_PATH, path);
    char *why;

    if (!text)
        return false;
    why = libxl__agentd_conf_parse(&d->conf, text);
    free(text);
    if (why)
        fprintf(stderr, "xl-agentd: %s: %s\n", path ? path : CONF_PATH, why);
    free(why);
    return !why;
}

static bool make_hello(agentd *d)
{
    libxl__gc *gc = libxl__ctx_gc(d->ctx);
    char *methods = libxl__agentd_methods(d, gc);
    char *boot_id = libxl__agentd_boot_id(gc);

    if (!methods)
        return false;
    d->hello = libxl__sprintf(
        gc,
        "{\"version\":1,\"role\":\"guest\",\"agent\":\"" AGENTD_NAME "\","
        "\"calls\":%d,\"boot_id\":\"%s\",\"methods\":%s}",
        LIBXL__AGENT_JOBS, boot_id ? boot_id : "", methods);
    return d->hello;
}

static int run(agentd *d)
{
    libxl_event *event;
    int rc;

    libxl__ev_time_init(&d->thaw);
    d->mounts = &libxl__agentd_mounts;
    if (!make_hello(d))
        return 1;
    rc = libxl__agentd_port_start(d);
    if (rc)
        return 1;
    agentd_log(d, "started");
    while (!rc || rc == ERROR_NOT_READY)
        rc = libxl_event_wait(d->ctx, &event, 0, NULL, NULL);
    return 1;
}

int main(int argc, char **argv)
{
    static libxl_logger logger = {.message = message};
    static agentd d;
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    const char *conf = NULL;
    int c;

    while ((c = getopt(argc, argv, "c:m:p:qvh")) != -1) {
        switch (c) {
        case 'c':
            conf = optarg;
            break;
        case 'm':
            if (!parse_method(optarg, &d.how)) {
                usage(stderr);
                return 2;
            }
            break;
        case 'p':
            d.path = optarg;
            break;
        case 'q':
            d.qga = true;
            break;
        case 'v':
            to_stderr = true;
            break;
        default:
            usage(c == 'h' ? stdout : stderr);
            return c == 'h' ? 0 : 2;
        }
    }
    if (optind != argc || (d.how != AGENTD_VIRTIO_SERIAL && !d.path)) {
        usage(stderr);
        return 2;
    }
    sigaction(SIGPIPE, &ignore, NULL);
    if (!to_stderr)
        openlog("xl-agentd", LOG_PID, LOG_DAEMON);
    if (!load_conf(&d, conf) ||
        libxl_ctx_alloc(&d.ctx, LIBXL_VERSION, 0, &logger))
        return 1;
    return run(&d);
}
