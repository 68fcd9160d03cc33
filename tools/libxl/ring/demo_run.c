/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ring/demo_run.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/container.h"
#include "ring/blkd_sandbox.h"
#include "ring/devctl.h"
#include "ring/devproc.h"

#define PROGRAM "xl-demo-pci"
#define BALLAST_MAX (UINT64_C(1) << 40)

static const char usage[] =
    "Usage: xl-demo-pci --socket PATH [options]\n"
    "Serve a small PCI device (registers, a timer, a copy engine) to a guest\n"
    "over vfio-user: a device whose state can be looked at.\n"
    "\n"
    "  -s, --socket PATH     listen on this socket (made here)\n"
    "      --socket-fd N     listen on this inherited socket instead\n"
    "      --control-fd N    inherited socket on which the toolstack asks\n"
    "      --log-fd N        inherited file: a bit for each page that was\n"
    "                        written, of the file that is the guest's memory\n"
    "      --lifeline-fd N   inherited pipe: end when its other end closes\n"
    "      --inactive        the guest comes from elsewhere\n"
    "      --ballast BYTES   so many bytes of state beside the registers\n"
    "      --v1              migration as in the protocol of 2021\n"
    "      --no-sandbox      without a seccomp filter, for debugging\n"
    "  -h, --help            this text\n";

struct demo_proc {
    const char *socket_path;
    int socket_fd, control_fd, log_fd;
    bool inactive, no_sandbox;
    libxl_logger logger;
    libxl_ctx *ctx;
    struct libxl__demo demo;
    struct devctl control;
    struct libxl__devproc_end end;
};

enum { OPT_SOCKET_FD = 256, OPT_CONTROL_FD, OPT_LOG_FD, OPT_LIFELINE_FD,
       OPT_INACTIVE, OPT_BALLAST, OPT_V1, OPT_NO_SANDBOX, OPT_HOOK };

static const struct option longopts[] = {
    {"socket", required_argument, NULL, 's'},
    {"socket-fd", required_argument, NULL, OPT_SOCKET_FD},
    {"control-fd", required_argument, NULL, OPT_CONTROL_FD},
    {"log-fd", required_argument, NULL, OPT_LOG_FD},
    {"lifeline-fd", required_argument, NULL, OPT_LIFELINE_FD},
    {"inactive", no_argument, NULL, OPT_INACTIVE},
    {"ballast", required_argument, NULL, OPT_BALLAST},
    {"v1", no_argument, NULL, OPT_V1},
    {"no-sandbox", no_argument, NULL, OPT_NO_SANDBOX},
    {"hook", required_argument, NULL, OPT_HOOK}, /* of a test's program */
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static void say(libxl_logger *lg, libxl_loglevel level, uint32_t domid,
                const char *text)
{
    if (level >= LIBXL_LOG_INFO)
        fprintf(stderr, PROGRAM ": %s\n", text);
}

static bool number(const char *text, uint64_t max, uint64_t *out)
{
    char *end;

    errno = 0;
    *out = strtoull(text, &end, 10);
    return !errno && *text >= '0' && *text <= '9' && !*end && *out <= max;
}

static bool inherited(const char *text, int *fd)
{
    uint64_t n;

    if (!number(text, INT_MAX, &n) || n < 3)
        return false;
    *fd = (int)n;
    return true;
}

static bool apply(struct demo_proc *p, const struct demo_hooks *hooks, int opt,
                  const char *value)
{
    switch (opt) {
    case 's':
        p->socket_path = value;
        return true;
    case OPT_SOCKET_FD:
        return inherited(value, &p->socket_fd);
    case OPT_CONTROL_FD:
        return inherited(value, &p->control_fd);
    case OPT_LOG_FD:
        return inherited(value, &p->log_fd);
    case OPT_LIFELINE_FD:
        return inherited(value, &p->end.lifeline_fd);
    case OPT_BALLAST:
        return number(value, BALLAST_MAX, &p->demo.ballast);
    case OPT_INACTIVE:
        return p->inactive = true;
    case OPT_V1:
        return p->demo.pci.v1 = true;
    case OPT_NO_SANDBOX:
        return p->no_sandbox = true;
    case OPT_HOOK:
        return hooks && hooks->option(value);
    default:
        return false;
    }
}

/* -1: go on; else the exit status. */
static int parse(struct demo_proc *p, int argc, char **argv,
                 const struct demo_hooks *hooks)
{
    int opt;

    while ((opt = getopt_long(argc, argv, "s:h", longopts, NULL)) != -1) {
        if (opt == 'h') {
            fputs(usage, stdout);
            return 0;
        }
        if (!apply(p, hooks, opt, optarg)) {
            fprintf(stderr, PROGRAM ": a wrong option or value; see " PROGRAM
                    " --help\n");
            return 2;
        }
    }
    if (optind < argc || !p->socket_path == (p->socket_fd < 0)) {
        fprintf(stderr, PROGRAM ": give one of --socket and --socket-fd; see "
                PROGRAM " --help\n");
        return 2;
    }
    return -1;
}

/* It has no image: nothing is locked. */
static const char *set_active(void *user, bool active)
{
    struct demo_proc *p = user;

    p->inactive = !active;
    return NULL;
}

static bool is_active(void *user)
{
    const struct demo_proc *p = user;

    return !p->inactive;
}

static void ended(libxl__egc *egc, struct libxl__devproc_end *end)
{
    libxl__devproc_tell_main(egc);
}

static int start(struct demo_proc *p, const struct demo_hooks *hooks)
{
    int fd = p->socket_fd;

    if (p->socket_path)
        fd = libxl__devproc_listen(PROGRAM, p->socket_path);
    if (fd < 0 || libxl_ctx_alloc(&p->ctx, LIBXL_VERSION, 0, &p->logger))
        return -1;
    p->demo.ctx = p->end.ctx = p->control.ctx = p->ctx;
    p->end.ended = ended;
    if (libxl__demo_start(&p->demo, fd) ||
        libxl__devproc_map_log(PROGRAM, &p->demo.mem, p->log_fd) ||
        libxl__devproc_watch_end(&p->end))
        return -1;
    if (hooks)
        hooks->made(&p->demo);
    p->control.user = p;
    p->control.set_active = set_active;
    p->control.is_active = is_active;
    p->control.pci = &p->demo.pci;
    return p->control_fd < 0 ? 0 : devctl_start(&p->control, p->control_fd);
}

int demo_run(int argc, char **argv, const struct demo_hooks *hooks)
{
    static struct demo_proc proc = {
        .socket_fd = -1, .control_fd = -1, .log_fd = -1,
        .end.lifeline_fd = -1, .logger = {.message = say},
    };
    struct demo_proc *p = &proc;
    libxl_event *event;
    int status = parse(p, argc, argv, hooks), r;

    if (status >= 0)
        return status;
    if (start(p, hooks))
        return 1;
    r = p->no_sandbox ? 0 : blkd_sandbox_enter();
    if (r) {
        fprintf(stderr, PROGRAM ": no sandbox: %s (--no-sandbox goes without)"
                "\n", strerror(-r));
        return 1;
    }
    if (libxl_event_wait(p->ctx, &event, LIBXL_EVENTMASK_ALL, NULL, NULL))
        return 1;
    libxl_event_free(p->ctx, event);
    libxl__devproc_unwatch(&p->end);
    if (p->control_fd >= 0)
        devctl_stop(&p->control);
    libxl__demo_stop(&p->demo);
    if (p->socket_path)
        unlink(p->socket_path);
    return libxl_ctx_free(p->ctx) ? 1 : 0;
}
