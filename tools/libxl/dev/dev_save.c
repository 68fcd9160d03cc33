/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * dev_save.c - chains:
 *   begin -> answered ... -> begun
 *   next -> head_read -> piece
 *                     -> end_read -> next device's head_read, or piece (end)
 */
#include "dev/dev_save.h"

#include <endian.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/container.h"
#include "base/log.h"

#define FRAME_MAX (1u << 20)
#define HEAD_BYTES 4u
#define END_BYTES 12u /* behind the head */

static libxl__dev_save *save_of_line(libxl__dev_line *line)
{
    return CONTAINER_OF(line, libxl__dev_save, line);
}

static libxl__dev_save *save_of_br(libxl__bufreader *br)
{
    return CONTAINER_OF(br, libxl__dev_save, br);
}

static libxl__dev_save *save_of_deadline(libxl__ev_time *ev)
{
    return CONTAINER_OF(ev, libxl__dev_save, deadline);
}

static libxl_ctx *ctx_of(const libxl__dev_save *ds)
{
    return libxl__ao_ctx(ds->ao);
}

static void head_read(libxl__egc *egc, libxl__bufreader *br,
                      const struct libxl__dc_result *res);
static void end_read(libxl__egc *egc, libxl__bufreader *br,
                     const struct libxl__dc_result *res);

void libxl__dev_save_init(libxl__dev_save *ds)
{
    memset(ds, 0, sizeof(*ds));
    libxl__dev_line_init(&ds->line);
    libxl__bufreader_init(&ds->br);
    libxl__ev_time_init(&ds->deadline);
}

void libxl__dev_save_stop(libxl__dev_save *ds)
{
    if (!ds->ao)
        return;
    libxl__dev_line_stop(&ds->line);
    libxl__bufreader_kill(&ds->br);
    libxl__ev_time_deregister(ctx_of(ds), &ds->deadline);
    for (unsigned i = 0; i < ds->nr; i++)
        close(ds->devs[i].fd);
    ds->nr = 0;
}

static void refuse(libxl__dev_save *ds, unsigned process, const char *why)
{
    char name[LIBXL__DEV_NAME_BYTES];

    libxl__dev_name(ds->dirfd, process, name);
    LOGD(ctx_of(ds), ds->domid, ERROR, "device %s: %s", name, why);
}

/* ---- who has state? ---- */

static void answered(libxl__egc *egc, libxl__dev_line *line, int rc)
{
    libxl__dev_save *ds = save_of_line(line);

    if (!rc && strcmp(line->text, "none")) {
        if (!libxl__dev_line_ok(line)) {
            refuse(ds, line->index, "it cannot be saved or migrated: the guest "
                                    "was not touched");
            rc = ERROR_FAIL;
        } else {
            ds->devs[ds->nr].fd = line->fd;
            ds->devs[ds->nr].total = 0;
            ds->devs[ds->nr++].process = line->index;
            line->fd = -1;
        }
    }
    libxl__dev_line_stop(line);
    line->index++;
    if (!rc && line->index < LIBXL__DEV_MAX) {
        rc = libxl__dev_line_start(line);
        if (!rc)
            return;
    }
    ds->begun(egc, ds, rc == ERROR_NOTFOUND ? 0 : rc);
}

int libxl__dev_save_begin(libxl__dev_save *ds)
{
    ds->line.ctx = ctx_of(ds);
    ds->line.domid = ds->domid;
    ds->line.dirfd = ds->dirfd;
    ds->line.index = 0;
    ds->line.request = ds->live ? "save live" : "save";
    ds->line.callback = answered;
    return libxl__dev_line_start(&ds->line);
}

/* ---- pieces ---- */

static void finish(libxl__egc *egc, libxl__dev_save *ds, int rc)
{
    if (rc)
        libxl__ev_time_deregister(ctx_of(ds), &ds->deadline);
    ds->piece(egc, ds, rc);
}

static void set_deadline(libxl__dev_save *ds);

/* Also while a piece is copied: then only a device that gives nothing is late,
 * not a stream that takes nothing. The reader sees the connection's end. */
static void on_deadline(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    libxl__dev_save *ds = save_of_deadline(ev);
    struct pollfd pfd = {ds->devs[ds->at].fd, POLLIN, 0};

    if (poll(&pfd, 1, 0) > 0) {
        set_deadline(ds);
        return;
    }
    refuse(ds, ds->devs[ds->at].process, "no state came from it for 30 s");
    ds->late = true;
    shutdown(ds->devs[ds->at].fd, SHUT_RDWR);
}

static void set_deadline(libxl__dev_save *ds)
{
    libxl__ev_time_deregister(ctx_of(ds), &ds->deadline);
    if (libxl__ev_time_register_rel(ctx_of(ds), NULL, &ds->deadline,
                                    on_deadline, LIBXL__DEV_ANSWER_MS))
        LOGD(ctx_of(ds), ds->domid, WARN, "no deadline for a device's state");
}

static int read_part(libxl__dev_save *ds, void *to, size_t bytes,
                     libxl__bufreader_callback *done)
{
    ds->br.ao = ds->ao;
    ds->br.fd = ds->devs[ds->at].fd;
    ds->br.what = "a device's state";
    ds->br.callback = done;
    return libxl__bufreader_start(&ds->br, to, bytes);
}

static int read_head(libxl__dev_save *ds)
{
    set_deadline(ds);
    return read_part(ds, ds->head, HEAD_BYTES, head_read);
}

int libxl__dev_save_next(libxl__dev_save *ds)
{
    ds->end = false;
    return read_head(ds);
}

/* false: the wait has ended, with an error. */
static bool came(libxl__egc *egc, libxl__dev_save *ds,
                 const struct libxl__dc_result *res)
{
    int rc = libxl__dc_rc(res);

    if (!rc)
        return true;
    if (!ds->late && rc != ERROR_ABORTED)
        refuse(ds, ds->devs[ds->at].process,
               "its process ended before its state was whole");
    finish(egc, ds, rc);
    return false;
}

static uint32_t get32(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return le32toh(v);
}

static void head_read(libxl__egc *egc, libxl__bufreader *br,
                      const struct libxl__dc_result *res)
{
    libxl__dev_save *ds = save_of_br(br);
    int rc;

    if (!came(egc, ds, res))
        return;
    ds->bytes = get32(ds->head);
    if (!ds->bytes) {
        rc = read_part(ds, ds->head, END_BYTES, end_read);
        if (rc)
            finish(egc, ds, rc);
        return;
    }
    if (ds->bytes > FRAME_MAX) {
        refuse(ds, ds->devs[ds->at].process, "a frame of more than 1 MiB");
        finish(egc, ds, ERROR_FAIL);
        return;
    }
    ds->index = ds->at + 1;
    ds->fd = ds->devs[ds->at].fd;
    ds->devs[ds->at].total += ds->bytes;
    finish(egc, ds, 0);
}

/* NULL: the device's state is whole. */
static const char *check_end(const libxl__dev_save *ds, char *buf, size_t n)
{
    uint32_t error = get32(ds->head);
    uint64_t total;

    memcpy(&total, ds->head + 4, sizeof(total));
    total = le64toh(total);
    if (error) {
        snprintf(buf, n, "it could not give its state: %s",
                 strerror((int)(error & 0xfff)));
        return buf;
    }
    if (total != ds->devs[ds->at].total) {
        snprintf(buf, n, "it gave %" PRIu64 " bytes of state and says %" PRIu64,
                 ds->devs[ds->at].total, total);
        return buf;
    }
    return total ? NULL : "it gave no state";
}

static void end_read(libxl__egc *egc, libxl__bufreader *br,
                     const struct libxl__dc_result *res)
{
    libxl__dev_save *ds = save_of_br(br);
    const char *wrong;
    char buf[120];
    int rc;

    if (!came(egc, ds, res))
        return;
    wrong = check_end(ds, buf, sizeof(buf));
    if (wrong) {
        refuse(ds, ds->devs[ds->at].process, wrong);
        finish(egc, ds, ERROR_FAIL);
        return;
    }
    if (++ds->at == ds->nr) {
        libxl__ev_time_deregister(ctx_of(ds), &ds->deadline);
        ds->end = true;
        finish(egc, ds, 0);
        return;
    }
    rc = read_head(ds);
    if (rc)
        finish(egc, ds, rc);
}
