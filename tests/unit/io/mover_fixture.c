/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "io/mover_fixture.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/container.h"

static struct reader *reader_of(libxl__bufreader *br)
{
    return CONTAINER_OF(br, struct reader, br);
}

static struct writer *writer_of(libxl__bufwriter *bw)
{
    return CONTAINER_OF(bw, struct writer, bw);
}

static struct copier *copier_of(libxl__datacopier *dc)
{
    return CONTAINER_OF(dc, struct copier, dc);
}

static void was_read(libxl__egc *egc, libxl__bufreader *br,
                     const struct libxl__dc_result *res)
{
    reader_of(br)->done++;
    reader_of(br)->res = *res;
}

static void was_written(libxl__egc *egc, libxl__bufwriter *bw,
                        const struct libxl__dc_result *res)
{
    writer_of(bw)->done++;
    writer_of(bw)->res = *res;
}

static void was_copied(libxl__egc *egc, libxl__datacopier *dc,
                       const struct libxl__dc_result *res)
{
    copier_of(dc)->done++;
    copier_of(dc)->res = *res;
}

void mover_reader_init(struct fixture *f, struct reader *r, int fd)
{
    libxl__bufreader_init(&r->br);
    r->br.ao = f->ao;
    r->br.fd = fd;
    r->br.what = "the source";
    r->br.callback = was_read;
    r->done = 0;
}

void mover_writer_init(struct fixture *f, struct writer *w, int fd)
{
    libxl__bufwriter_init(&w->bw);
    w->bw.ao = f->ao;
    w->bw.fd = fd;
    w->bw.what = "the sink";
    w->bw.callback = was_written;
    w->done = 0;
}

void mover_copier_init(struct fixture *f, struct copier *c, int from, int to,
                       uint64_t bytes)
{
    libxl__datacopier_init(&c->dc);
    c->dc.ao = f->ao;
    c->dc.readfd = from;
    c->dc.writefd = to;
    c->dc.bytes_to_read = bytes;
    c->dc.copywhat = "a copy";
    c->dc.readwhat = "the source";
    c->dc.writewhat = "the sink";
    c->dc.callback = was_copied;
    c->done = 0;
}

void mover_tiny_pipe(int fds[2])
{
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_true(fcntl(fds[1], F_SETPIPE_SZ, 4096) >= 4096);
}

int mover_temp_file(void)
{
    char path[] = "/tmp/xl-unit-io.XXXXXX";
    int fd = mkostemp(path, O_CLOEXEC);

    assert_true(fd >= 0);
    unlink(path);
    return fd;
}

static uint8_t pattern_at(size_t i)
{
    return (uint8_t)(i * 7 + (i >> 8) * 13 + (i >> 16));
}

void mover_fill_pattern(uint8_t *buf, size_t bytes)
{
    size_t i;

    for (i = 0; i < bytes; i++)
        buf[i] = pattern_at(i);
}

void mover_check_pattern(const uint8_t *buf, size_t bytes)
{
    size_t i;

    for (i = 0; i < bytes && buf[i] == pattern_at(i); i++)
        ;
    assert_int_equal(i, bytes);
}
