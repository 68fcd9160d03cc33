/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ring/blkd_options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "Usage: xl-blkd --image FILE --socket PATH [options]\n"
    "Serve a raw file or block device to a guest as a virtio block device,\n"
    "over vhost-user or vfio-user.\n"
    "\n"
    "  -i, --image FILE      the file or block device; always taken as raw\n"
    "  -s, --socket PATH     listen on this socket (made here)\n"
    "      --socket-fd N     listen on this inherited socket instead\n"
    "      --connected-fd N  serve this one inherited connection, then end\n"
    "      --vfio-user       be a legacy virtio PCI device, over vfio-user\n"
    "  -r, --read-only       the guest cannot write\n"
    "  -q, --queues N        1 to 16 queues (default 1)\n"
    "      --serial TEXT     what the guest sees as its serial, at most 20\n"
    "                        characters\n"
    "      --control-fd N    inherited socket on which the toolstack asks\n"
    "      --log-fd N        inherited file: a bit for each page that was\n"
    "                        written, of the file that is the guest's memory\n"
    "      --lifeline-fd N   inherited pipe: end when its other end closes\n"
    "      --inactive        lock the image only when the toolstack says so\n"
    "      --again           the connection's frontend has had an earlier\n"
    "                        process: wait until it speaks to this one\n"
    "      --no-io-uring     plain calls, also where io_uring is allowed\n"
    "      --no-sandbox      without a seccomp filter, for debugging\n"
    "  -h, --help            this text\n"
    "\n"
    "It ends on SIGTERM or SIGINT, when the guest's requests are done. Exit\n"
    "status: 0 ended by a signal, 1 a failure, 2 a wrong command line.\n";

enum { OPT_SOCKET_FD = 256, OPT_CONNECTED_FD, OPT_CONTROL_FD, OPT_LOG_FD,
       OPT_LIFELINE_FD, OPT_INACTIVE, OPT_VFIO_USER, OPT_SERIAL, OPT_NO_URING,
       OPT_AGAIN, OPT_NO_SANDBOX };

static const struct option longopts[] = {
    {"image", required_argument, NULL, 'i'},
    {"socket", required_argument, NULL, 's'},
    {"socket-fd", required_argument, NULL, OPT_SOCKET_FD},
    {"connected-fd", required_argument, NULL, OPT_CONNECTED_FD},
    {"control-fd", required_argument, NULL, OPT_CONTROL_FD},
    {"log-fd", required_argument, NULL, OPT_LOG_FD},
    {"lifeline-fd", required_argument, NULL, OPT_LIFELINE_FD},
    {"inactive", no_argument, NULL, OPT_INACTIVE},
    {"vfio-user", no_argument, NULL, OPT_VFIO_USER},
    {"read-only", no_argument, NULL, 'r'},
    {"queues", required_argument, NULL, 'q'},
    {"serial", required_argument, NULL, OPT_SERIAL},
    {"again", no_argument, NULL, OPT_AGAIN},
    {"no-io-uring", no_argument, NULL, OPT_NO_URING},
    {"no-sandbox", no_argument, NULL, OPT_NO_SANDBOX},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static bool number(const char *text, long min, long max, long *out)
{
    char *end;

    errno = 0;
    *out = strtol(text, &end, 10);
    return !errno && *text && !*end && *out >= min && *out <= max;
}

static const char *inherited_fd(const char *value, int *fd)
{
    long n;

    if (!number(value, 3, INT_MAX, &n))
        return "an inherited fd is a number above 2";
    *fd = (int)n;
    return NULL;
}

/* NULL, or what is wrong with the value of opt. */
static const char *apply(struct blkd_options *o, int opt, const char *value)
{
    long n;

    switch (opt) {
    case 'i':
        o->image = value;
        return NULL;
    case 's':
        o->socket_path = value;
        return NULL;
    case OPT_SOCKET_FD:
        return inherited_fd(value, &o->socket_fd);
    case OPT_CONNECTED_FD:
        return inherited_fd(value, &o->connected_fd);
    case OPT_CONTROL_FD:
        return inherited_fd(value, &o->control_fd);
    case OPT_LOG_FD:
        return inherited_fd(value, &o->log_fd);
    case OPT_LIFELINE_FD:
        return inherited_fd(value, &o->lifeline_fd);
    case OPT_INACTIVE:
        o->inactive = true;
        return NULL;
    case OPT_AGAIN:
        o->again = true;
        return NULL;
    case OPT_VFIO_USER:
        o->vfio_user = true;
        return NULL;
    case 'r':
        o->read_only = true;
        return NULL;
    case 'q':
        if (!number(value, 1, 16, &n))
            return "--queues wants a number from 1 to 16";
        o->queues = (unsigned)n;
        return NULL;
    case OPT_SERIAL:
        o->serial = value;
        return strlen(value) <= 20 ? NULL
                                   : "--serial takes at most 20 characters";
    case OPT_NO_URING:
        o->no_uring = true;
        return NULL;
    default:
        o->no_sandbox = true;
        return NULL;
    }
}

static int refuse(const char *why, int *status)
{
    fprintf(stderr, "xl-blkd: %s; see xl-blkd --help\n", why);
    *status = 2;
    return -1;
}

int blkd_options_parse(int argc, char **argv, struct blkd_options *o,
                       int *status)
{
    const char *wrong;
    int opt;

    *o = (struct blkd_options){.socket_fd = -1, .connected_fd = -1,
                               .control_fd = -1, .log_fd = -1, .lifeline_fd = -1,
                               .queues = 1, .serial = ""};
    while ((opt = getopt_long(argc, argv, "i:s:rq:h", longopts, NULL)) != -1) {
        if (opt == 'h') {
            fputs(usage, stdout);
            *status = 0;
            return -1;
        }
        wrong = opt == '?' ? "unknown option" : apply(o, opt, optarg);
        if (wrong)
            return refuse(wrong, status);
    }
    if (optind < argc)
        return refuse("it takes options alone", status);
    if (!o->image)
        return refuse("--image is missing", status);
    if (!!o->socket_path + (o->socket_fd >= 0) + (o->connected_fd >= 0) != 1)
        return refuse("give one of --socket, --socket-fd and --connected-fd",
                      status);
    if (o->again && o->connected_fd < 0)
        return refuse("--again wants --connected-fd", status);
    if (o->vfio_user && o->connected_fd >= 0)
        return refuse("--vfio-user wants a listening socket", status);
    return 0;
}
