/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * dev_load.c - chains:
 *   piece [-> end_written -> end_answered] [-> load_answered] -> head_written
 *         -> ready
 *   end    -> end_written -> end_answered -> ended
 */
#include "dev/dev_load.h"

#include <endian.h>
#include <string.h>

#include "base/container.h"
#include "base/log.h"

static libxl__dev_load *load_of_line(libxl__dev_line *line)
{
    return CONTAINER_OF(line, libxl__dev_load, line);
}

static libxl__dev_load *load_of_bw(libxl__bufwriter *bw)
{
    return CONTAINER_OF(bw, libxl__dev_load, bw);
}

void libxl__dev_load_init(libxl__dev_load *dl)
{
    memset(dl, 0, sizeof(*dl));
    dl->fd = dl->process = -1;
    libxl__dev_line_init(&dl->line);
    libxl__bufwriter_init(&dl->bw);
}

void libxl__dev_load_stop(libxl__dev_load *dl)
{
    if (!dl->ao)
        return;
    libxl__bufwriter_kill(&dl->bw);
    libxl__dev_line_stop(&dl->line);
    dl->fd = -1;
}

static void finish(libxl__egc *egc, libxl__dev_load *dl, int rc)
{
    if (dl->ending)
        dl->ended(egc, dl, rc);
    else
        dl->ready(egc, dl, rc);
}

static int write_bytes(libxl__dev_load *dl, const void *bytes, size_t n,
                       libxl__bufwriter_callback *done)
{
    dl->bw.ao = dl->ao;
    dl->bw.fd = dl->line.fd;
    dl->bw.what = "a device's process";
    dl->bw.callback = done;
    return libxl__bufwriter_start(&dl->bw, bytes, n);
}

static int ask(libxl__dev_load *dl, const char *request,
               void (*done)(libxl__egc *egc, libxl__dev_line *line, int rc))
{
    dl->line.ctx = libxl__ao_ctx(dl->ao);
    dl->line.domid = dl->domid;
    dl->line.dirfd = dl->dirfd;
    dl->line.index = (unsigned)dl->process;
    dl->line.request = request;
    dl->line.callback = done;
    return libxl__dev_line_start(&dl->line);
}

/* ---- a piece ---- */

static void head_written(libxl__egc *egc, libxl__bufwriter *bw,
                         const struct libxl__dc_result *res)
{
    libxl__dev_load *dl = load_of_bw(bw);
    int rc = libxl__dc_rc(res);

    dl->fd = dl->line.fd;
    finish(egc, dl, rc);
}

static int write_head(libxl__dev_load *dl)
{
    uint32_t head = htole32(dl->bytes);

    dl->total += dl->bytes;
    return write_bytes(dl, &head, sizeof(head), head_written);
}

static void load_answered(libxl__egc *egc, libxl__dev_line *line, int rc)
{
    libxl__dev_load *dl = load_of_line(line);

    if (!rc && !libxl__dev_line_ok(line))
        rc = ERROR_FAIL;
    if (!rc)
        rc = write_head(dl);
    if (rc)
        finish(egc, dl, rc);
}

static int begin_device(libxl__dev_load *dl)
{
    int rc;

    dl->process = (int)dl->wanted;
    dl->total = 0;
    rc = ask(dl, "load", load_answered);
    if (rc != ERROR_NOTFOUND)
        return rc;
    LOGD(libxl__ao_ctx(dl->ao), dl->domid, ERROR,
         "there is state for device %u, which this guest does not have",
         dl->wanted);
    return ERROR_FAIL;
}

/* ---- the end of a device's state ---- */

static void end_answered(libxl__egc *egc, libxl__dev_line *line, int rc)
{
    libxl__dev_load *dl = load_of_line(line);

    if (!rc && !libxl__dev_line_ok(line))
        rc = ERROR_FAIL;
    libxl__dev_line_stop(line);
    if (!rc && !dl->ending) {
        rc = begin_device(dl);
        if (!rc)
            return;
    }
    finish(egc, dl, rc);
}

static void end_written(libxl__egc *egc, libxl__bufwriter *bw,
                        const struct libxl__dc_result *res)
{
    libxl__dev_load *dl = load_of_bw(bw);
    int rc = libxl__dc_rc(res);

    if (!rc)
        rc = ask(dl, NULL, end_answered);
    if (rc)
        finish(egc, dl, rc);
}

static int write_end(libxl__dev_load *dl)
{
    uint8_t end[16] = {0};
    uint64_t total = htole64(dl->total);

    memcpy(end + 8, &total, sizeof(total));
    return write_bytes(dl, end, sizeof(end), end_written);
}

int libxl__dev_load_piece(libxl__dev_load *dl, unsigned process, uint32_t bytes)
{
    dl->wanted = process;
    dl->bytes = bytes;
    if (dl->process < 0)
        return begin_device(dl);
    return dl->process == (int)process ? write_head(dl) : write_end(dl);
}

int libxl__dev_load_end(libxl__dev_load *dl)
{
    if (dl->process < 0)
        return ERROR_NOTFOUND;
    dl->ending = true;
    return write_end(dl);
}
