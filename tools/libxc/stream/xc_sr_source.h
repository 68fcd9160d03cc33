/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xc_sr_source.h - the next bytes of the stream as memory: mapped from a
 * regular file (no copy), read into one buffer from anything else.
 *
 * Owns:      one buffer of XC_SR_SOURCE_MAX bytes, made when first needed, and
 *            at most one mapping.
 * Errors:    as xc_sr_io.h.
 * Lifetime:  what get returned lives until put, or dispose.
 * Rule:      what was read may be changed. Mapped bytes may only be handed to a
 *            system call: if somebody cuts the file short meanwhile, touching
 *            them is fatal, while the system call merely fails.
 */
#ifndef XC_SR_SOURCE_H
#define XC_SR_SOURCE_H

#include "hv/xc_hv.h"
#include "stream/xc_sr_io.h"

#define XC_SR_SOURCE_MAX ((size_t)XC_BATCH_MAX * XC_PAGE_SIZE)

struct xc_sr_source {
    struct xc_sr_io *io;
    bool may_map;
    uint8_t *buffer;
    void *mapping;
    size_t mapped_bytes;
};

/* may_map: pages go to system calls alone. */
void xc_sr_source_init(struct xc_sr_source *s, struct xc_sr_io *io,
                       bool may_map);
/* From here on pages are looked at by ourselves. */
void xc_sr_source_read_only(struct xc_sr_source *s);
void xc_sr_source_dispose(struct xc_sr_source *s); /* idempotent */
int xc_sr_source_get(struct xc_sr_source *s, size_t n, void **out);
void xc_sr_source_put(struct xc_sr_source *s);

#endif
