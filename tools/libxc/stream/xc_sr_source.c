/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/xc_sr_source.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void xc_sr_source_init(struct xc_sr_source *s, struct xc_sr_io *io,
                       bool may_map)
{
    *s = (struct xc_sr_source){.io = io, .may_map = may_map && io->file};
}

void xc_sr_source_read_only(struct xc_sr_source *s)
{
    s->may_map = false;
}

void xc_sr_source_dispose(struct xc_sr_source *s)
{
    xc_sr_source_put(s);
    free(s->buffer);
    s->buffer = NULL;
}

void xc_sr_source_put(struct xc_sr_source *s)
{
    if (s->mapping)
        munmap(s->mapping, s->mapped_bytes);
    s->mapping = NULL;
}

static int get_read(struct xc_sr_source *s, size_t n, void **out)
{
    if (!s->buffer)
        s->buffer = malloc(XC_SR_SOURCE_MAX);
    if (!s->buffer)
        return -ENOMEM;
    *out = s->buffer;
    return xc_sr_io_read(s->io, s->buffer, n);
}

/* -EOPNOTSUPP: read it instead. */
static int get_mapped(struct xc_sr_source *s, size_t n, void **out)
{
    off_t at = lseek(s->io->fd, 0, SEEK_CUR);
    size_t lead = (size_t)at % XC_PAGE_SIZE;
    struct stat st;
    void *m;

    if (at < 0 || fstat(s->io->fd, &st) < 0)
        return -errno;
    if (st.st_size < at || (uint64_t)(st.st_size - at) < n) {
        s->io->missing = n - (st.st_size > at ? (size_t)(st.st_size - at) : 0);
        return -ENODATA;
    }
    m = mmap(NULL, lead + n, PROT_READ, MAP_SHARED | MAP_POPULATE, s->io->fd,
             at - (off_t)lead);
    if (m == MAP_FAILED)
        return -EOPNOTSUPP;
    s->mapping = m;
    s->mapped_bytes = lead + n;
    if (lseek(s->io->fd, (off_t)n, SEEK_CUR) < 0)
        return -errno;
    s->io->offset += n;
    *out = (uint8_t *)m + lead;
    return 0;
}

int xc_sr_source_get(struct xc_sr_source *s, size_t n, void **out)
{
    int rc = -EOPNOTSUPP;

    assert(n <= XC_SR_SOURCE_MAX && !s->mapping);
    if (s->may_map)
        rc = get_mapped(s, n, out);
    return rc == -EOPNOTSUPP ? get_read(s, n, out) : rc;
}
