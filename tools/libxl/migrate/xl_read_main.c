/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xl_read_main.c - reads a whole xl save file, or a bare libxl stream, into a
 * fake guest: what the C readers think of it. For tests.
 *
 *   xl-read [-f xl|libxl] [-m MEMORY_MIB] [-x] [FILE]
 *
 * -x: a libxl stream is of a Xen host's guest (a save file's header says it).
 * Exit status: 0 accepted; 1 refused, with one message; 2 wrong usage.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/container.h"
#include "helper/save_helper.h"
#include "migrate/savefile.h"
#include "stream/stream_read.h"

/* On Xen a guest's PFNs reach up to 4 GiB, however little memory it has. */
#define XEN_PFNS_BYTES (4ull << 30)

struct read_op {
    int fd;
    bool bare, xen, hvm;
    uint64_t memory_bytes;
    libxl__ao *ao;
    libxl__stream_read sr;
    libxl__save_helper sh;
    struct libxl__helper_guest guest;
    int emulator_fd;
};

static struct read_op *op_of_sh(libxl__save_helper *sh)
{
    return CONTAINER_OF(sh, struct read_op, sh);
}

static void message(libxl_logger *lg, libxl_loglevel level, uint32_t domid,
                    const char *text)
{
    if (level >= LIBXL_LOG_WARN)
        fprintf(stderr, "%s\n", text);
}

/* ---- the stream ---- */

static void libxc_done(libxl__egc *egc, libxl__save_helper *sh, int rc)
{
    libxl__stream_read_libxc_done(egc, &op_of_sh(sh)->sr, rc);
}

static void run_libxc(libxl__egc *egc, libxl__stream_read *sr)
{
    struct read_op *op = sr->user;
    int rc;

    op->guest = (struct libxl__helper_guest){
        .hv = op->xen ? "fake-xen" : "fake",
        .memory_bytes = op->memory_bytes,
        .memory_fd = -1,
        .pagemap_fd = -1,
        .uffd = -1,
        .clear_refs_fd = -1,
        .dev_log_fd = -1,
    };
    libxl__save_helper_init(&op->sh);
    op->sh.ao = op->ao;
    op->sh.domid = INVALID_DOMID;
    op->sh.restore = true;
    op->sh.stream_fd = op->fd;
    op->sh.guest = &op->guest;
    op->sh.what = "Reading";
    op->sh.callback = libxc_done;
    rc = libxl__save_helper_start(egc, &op->sh);
    if (rc)
        libxl__stream_read_libxc_done(egc, sr, rc);
}

static int open_emulator(libxl__egc *egc, libxl__stream_read *sr, uint32_t id,
                         uint32_t index, uint64_t bytes)
{
    struct read_op *op = sr->user;

    if (op->emulator_fd < 0)
        op->emulator_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    return op->emulator_fd < 0 ? ERROR_FAIL : op->emulator_fd;
}

static void stream_done(libxl__egc *egc, libxl__stream_read *sr, int rc)
{
    struct read_op *op = sr->user;

    libxl__ao_complete(egc, op->ao, rc);
}

static int start(libxl__egc *egc, libxl__ao *ao, const void *params)
{
    struct read_op *op = *(struct read_op *const *)params;

    op->ao = ao;
    libxl__stream_read_init(&op->sr);
    op->sr.ao = ao;
    op->sr.domid = INVALID_DOMID;
    op->sr.fd = op->fd;
    op->sr.hvm = op->hvm;
    op->sr.need_emulator = !op->xen;
    op->sr.nr_devices = UINT8_MAX;
    op->sr.user = op;
    op->sr.run_libxc = run_libxc;
    op->sr.open_emulator = open_emulator;
    op->sr.callback = stream_done;
    return libxl__stream_read_start(egc, &op->sr);
}

/* ---- the header ---- */

static int refuse(const char *reason)
{
    fprintf(stderr, "xl header: %s\n", reason);
    return ERROR_FAIL;
}

static int read_exact(int fd, void *buf, size_t n)
{
    size_t have = 0;

    while (have < n) {
        ssize_t r = read(fd, (char *)buf + have, n - have);

        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            return refuse("the file ends too early [xl.truncated]");
        have += (size_t)r;
    }
    return 0;
}

static int take_config(struct read_op *op, libxl_ctx *ctx, const char *json)
{
    libxl_domain_config config;
    int rc = libxl_domain_config_from_json(ctx, &config, json);

    op->hvm = config.c_info.type == LIBXL_DOMAIN_TYPE_HVM;
    if (!op->memory_bytes)
        op->memory_bytes =
            (config.b_info.max_memkb << 10) + (op->xen ? XEN_PFNS_BYTES : 0);
    libxl_domain_config_dispose(&config);
    return rc;
}

static int read_xl_header(struct read_op *op, libxl_ctx *ctx)
{
    uint8_t raw[LIBXL__SAVEFILE_HEADER_BYTES];
    struct libxl__savefile_header h;
    const char *reason, *json;
    char *data;
    size_t n;
    int rc = read_exact(op->fd, raw, sizeof(raw));

    if (rc)
        return rc;
    if (libxl__savefile_decode(raw, &h, &reason))
        return refuse(reason);
    op->xen = !(h.mandatory & LIBXL__SAVEFILE_QEMU_HOST);
    data = malloc(h.optional_bytes + 1);
    if (!data)
        return refuse("no memory");
    rc = read_exact(op->fd, data, h.optional_bytes);
    if (!rc &&
        libxl__savefile_config(data, h.optional_bytes,
                               h.mandatory & LIBXL__SAVEFILE_JSON, &json, &n,
                               &reason))
        rc = refuse(reason);
    if (!rc && json && h.mandatory & LIBXL__SAVEFILE_JSON)
        rc = take_config(op, ctx, json);
    free(data);
    return rc;
}

/* ---- the whole ---- */

static int check_end(int fd)
{
    char more;

    if (read(fd, &more, 1) <= 0)
        return 0;
    fprintf(stderr, "libxl stream: data behind END [libxl.trailing]\n");
    return ERROR_FAIL;
}

static int read_all(struct read_op *op)
{
    libxl_logger logger = {.message = message};
    libxl_ctx *ctx;
    int rc = libxl_ctx_alloc(&ctx, LIBXL_VERSION, 0, &logger);

    if (rc)
        return rc;
    if (!op->bare)
        rc = read_xl_header(op, ctx);
    if (!rc)
        rc = libxl__ao_run(ctx, INVALID_DOMID, NULL, start, &op);
    if (!rc)
        rc = check_end(op->fd);
    libxl_ctx_free(ctx);
    return rc;
}

static int usage(void)
{
    fprintf(stderr,
            "usage: xl-read [-f xl|libxl] [-m MEMORY_MIB] [-x] [FILE]\n");
    return 2;
}

int main(int argc, char **argv)
{
    struct read_op op = {.fd = STDIN_FILENO, .hvm = true, .emulator_fd = -1};
    int opt;

    while ((opt = getopt(argc, argv, "f:m:x")) != -1) {
        if (opt == 'f' && !strcmp(optarg, "libxl"))
            op.bare = true;
        else if (opt == 'm')
            op.memory_bytes = strtoull(optarg, NULL, 10) << 20;
        else if (opt == 'x')
            op.xen = true;
        else if (opt != 'f' || strcmp(optarg, "xl"))
            return usage();
    }
    if (optind + 1 < argc)
        return usage();
    if (optind < argc)
        op.fd = open(argv[optind], O_RDONLY | O_CLOEXEC);
    if (op.fd < 0) {
        perror(argv[optind]);
        return 1;
    }
    if (op.bare && !op.memory_bytes)
        op.memory_bytes = 64 << 20;
    return read_all(&op) ? 1 : 0;
}
