/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mover_fixture.h - the three movers with their last result, pipes that hold
 * little, and bytes that can be checked.
 */
#ifndef MOVER_FIXTURE_H
#define MOVER_FIXTURE_H

#include "engine/engine_fixture.h"
#include "io/bufreader.h"
#include "io/bufwriter.h"
#include "io/datacopier.h"

struct reader {
    libxl__bufreader br;
    int done;
    struct libxl__dc_result res;
};

struct writer {
    libxl__bufwriter bw;
    int done;
    struct libxl__dc_result res;
};

struct copier {
    libxl__datacopier dc;
    int done;
    struct libxl__dc_result res;
};

void mover_reader_init(struct fixture *f, struct reader *r, int fd);
void mover_writer_init(struct fixture *f, struct writer *w, int fd);
void mover_copier_init(struct fixture *f, struct copier *c, int from, int to,
                       uint64_t bytes);

void mover_tiny_pipe(int fds[2]); /* one page */
int mover_temp_file(void);        /* unlinked, read-write */
void mover_fill_pattern(uint8_t *buf, size_t bytes);
void mover_check_pattern(const uint8_t *buf, size_t bytes);

#endif
