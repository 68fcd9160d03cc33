/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * savefile_read.c - the xl header and the configuration from an fd, not one
 * byte more. Chain: start -> header_read -> optional_read -> finish
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/container.h"
#include "base/log.h"
#include "domain/domain.h"
#include "host/host.h"
#include "io/bufreader.h"
#include "migrate/savefile.h"

struct reading {
    libxl__ao *ao;
    struct libxl__savefile_read_params p;
    uint8_t raw[LIBXL__SAVEFILE_HEADER_BYTES];
    struct libxl__savefile_header header;
    char *optional;
    libxl__bufreader br;
};

static void header_read(libxl__egc *egc, libxl__bufreader *br,
                        const struct libxl__dc_result *res);
static void optional_read(libxl__egc *egc, libxl__bufreader *br,
                          const struct libxl__dc_result *res);

static struct reading *reading_of_br(libxl__bufreader *br)
{
    return CONTAINER_OF(br, struct reading, br);
}

static void finish(libxl__egc *egc, struct reading *rd, int rc)
{
    free(rd->optional);
    libxl__ao_complete(egc, rd->ao, rc);
}

static int start_read(struct reading *rd, void *buf, size_t bytes,
                      libxl__bufreader_callback *callback)
{
    libxl__bufreader_init(&rd->br);
    rd->br.ao = rd->ao;
    rd->br.fd = rd->p.fd;
    rd->br.what = rd->p.name;
    rd->br.callback = callback;
    return libxl__bufreader_start(&rd->br, buf, bytes);
}

int libxl__savefile_read_start(libxl__egc *egc, libxl__ao *ao,
                               const void *params)
{
    struct reading *rd = libxl__zalloc(libxl__ao_gc(ao), sizeof(*rd));

    if (!rd)
        return ERROR_NOMEM;
    rd->ao = ao;
    rd->p = *(const struct libxl__savefile_read_params *)params;
    *rd->p.json = NULL;
    return start_read(rd, rd->raw, sizeof(rd->raw), header_read);
}

static int refused(struct reading *rd, int rc, const char *reason)
{
    if (rc)
        LOG(libxl__ao_ctx(rd->ao), ERROR, "%s: xl header: %s", rd->p.name,
            reason);
    return rc;
}

/* An image is bound to its kind of host: said before a domain exists. */
static int check_host(struct reading *rd)
{
    libxl_ctx *ctx = libxl__ao_ctx(rd->ao);
    libxl__host *h = libxl__host_get(ctx);
    bool qemu = rd->header.mandatory & LIBXL__SAVEFILE_QEMU_HOST;

    if (!h)
        return ERROR_FAIL;
    if (qemu == h->ops->qemu_image)
        return 0;
    LOG(ctx, ERROR,
        "%s was made on a %s host, and this is a %s: restore it on a host of "
        "the kind that made it",
        rd->p.name, qemu ? "QEMU" : "Xen", h->ops->title);
    return ERROR_INVAL;
}

static void header_read(libxl__egc *egc, libxl__bufreader *br,
                        const struct libxl__dc_result *res)
{
    struct reading *rd = reading_of_br(br);
    const char *reason = NULL;
    int rc = libxl__dc_rc(res);

    if (!rc) {
        rc = libxl__savefile_decode(rd->raw, &rd->header, &reason);
        rc = refused(rd, rc, reason);
    }
    if (!rc)
        rc = check_host(rd);
    if (!rc) {
        rd->optional = malloc((size_t)rd->header.optional_bytes + 1);
        rc = rd->optional ? 0 : ERROR_NOMEM;
    }
    if (!rc && rd->header.optional_bytes) {
        rc = start_read(rd, rd->optional, rd->header.optional_bytes,
                        optional_read);
        if (!rc)
            return;
    }
    if (!rc) {
        *rd->p.mandatory = rd->header.mandatory;
        *rd->p.optional = rd->header.optional;
    }
    finish(egc, rd, rc);
}

static void optional_read(libxl__egc *egc, libxl__bufreader *br,
                          const struct libxl__dc_result *res)
{
    struct reading *rd = reading_of_br(br);
    const char *config = NULL, *reason = NULL;
    size_t bytes;
    int rc = libxl__dc_rc(res);

    if (!rc) {
        rc = libxl__savefile_config(rd->optional, rd->header.optional_bytes,
                                    rd->header.mandatory &
                                        LIBXL__SAVEFILE_JSON,
                                    &config, &bytes, &reason);
        rc = refused(rd, rc, reason);
    }
    if (!rc && config) {
        *rd->p.json = strndup(config, bytes);
        rc = *rd->p.json ? 0 : ERROR_NOMEM;
    }
    if (!rc) {
        *rd->p.mandatory = rd->header.mandatory;
        *rd->p.optional = rd->header.optional;
    }
    finish(egc, rd, rc);
}
