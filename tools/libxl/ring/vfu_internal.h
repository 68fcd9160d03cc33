/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vfu_internal.h - what vfu_server.c (bytes in and out), vfu_dispatch.c (what a
 * command does), vfu_feature.c (migration, logging), vfu_irq.c and vfu_dma.c
 * share.
 */
#ifndef LIBXL_VFU_INTERNAL_H
#define LIBXL_VFU_INTERNAL_H

#include "engine/ev_fd.h"
#include "io/acceptor.h"
#include "ring/vfu.h"
#include "ring/vfu_wire.h"

#define VFU_MAX_VECTORS 32u

struct vfu_irq {
    int fd; /* -1: nobody listens */
    bool masked, pending;
};

struct vfu_mapping {
    uint64_t addr, bytes;
    void *map; /* NULL: without an fd, not ours to touch */
    size_t map_bytes;
};

/* The migration region of 2021: what this iteration shows. */
struct vfu_v1 {
    bool ready;
    uint32_t bytes;
};

struct libxl__vfu {
    libxl_ctx *ctx;
    libxl__vfu_device *dev;
    int listen_fd, conn_fd;
    libxl__acceptor acceptor;
    libxl__ev_fd conn_ev;
    const char *reason;
    bool negotiated;
    struct vfu_irq irqs[VFU_NR_IRQS][VFU_MAX_VECTORS];
    struct vfu_mapping mappings[LIBXL__RING_MAX_REGIONS];
    unsigned nr_mappings;
    uint8_t *log;        /* one bit a page, from log_base; NULL: not logging */
    uint64_t log_bytes;
    /* the message being read, or waiting until the device is idle */
    uint8_t *in;
    size_t in_got;
    struct vfu_header header;
    int fds[VFU_MAX_FDS]; /* -1: taken by a handler */
    unsigned nr_fds;
    struct vfu_msg msg;
    bool waiting, closing;
    bool is_idle; /* a handler is called because the device is */
    struct vfu_v1 v1;
    /* the toolstack's, waiting until the device is idle */
    enum devmig_state move_to;
    libxl__vfu_moved *moved; /* NULL: none */
    void *moved_user;
    uint8_t *out; /* VFU_HEADER_BYTES + VFU_MAX_BODY */
};

/* What a command does: 0, with *bytes of reply body written to body; or a
 * positive errno for the error reply. body has VFU_MAX_BODY bytes. */
typedef int vfu_handler(libxl__egc *egc, libxl__vfu *vfu, uint8_t *body,
                        uint32_t *bytes);
/* vfu_dispatch.c; NULL: not known */
vfu_handler *libxl__vfu_handler(uint16_t command);

/* vfu_server.c */
int libxl__vfu_take_fd(libxl__vfu *vfu, unsigned i);

/* vfu_dma.c; positive errno */
int libxl__vfu_map(libxl__vfu *vfu, const struct vfu_dma *dma, int fd);
int libxl__vfu_unmap(libxl__vfu *vfu, const struct vfu_dma *dma);
void libxl__vfu_unmap_all(libxl__vfu *vfu);
bool libxl__vfu_memory_lost(const libxl__vfu *vfu);

/* vfu_irq.c */
int libxl__vfu_set_irqs(libxl__vfu *vfu, const struct vfu_irq_set *set);
void libxl__vfu_irqs_reset(libxl__vfu *vfu);

/* vfu_feature.c */
vfu_handler libxl__vfu_do_feature;
vfu_handler libxl__vfu_do_mig_read;
vfu_handler libxl__vfu_do_mig_write;
void libxl__vfu_log_stop(libxl__vfu *vfu);
/* Positive errno. out has VFU_MAX_XFER bytes. */
int libxl__vfu_log_begin(libxl__vfu *vfu);
int libxl__vfu_log_take(libxl__vfu *vfu, uint64_t addr, uint64_t bytes,
                        uint64_t page_bytes, uint8_t *out, uint64_t *words);

/* vfu_v1.c; positive errno */
vfu_handler libxl__vfu_do_dirty_pages;
int libxl__vfu_v1_read(libxl__vfu *vfu, uint64_t at, uint8_t *out, uint32_t n);
int libxl__vfu_v1_write(libxl__vfu *vfu, uint64_t at, const uint8_t *in,
                        uint32_t n);
/* The rest of the region's information, behind its 32 bytes; all its bytes. */
uint32_t libxl__vfu_v1_info(uint8_t *body, uint32_t argsz);

#endif
