/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vu_internal.h - what vu_server.c (bytes in and out), vu_dispatch.c (what a
 * request does), vu_mem.c (mappings) and vu_reconnect.c (requests under way)
 * share.
 */
#ifndef LIBXL_VU_INTERNAL_H
#define LIBXL_VU_INTERNAL_H

#include "engine/ev_fd.h"
#include "io/acceptor.h"
#include "ring/vhost_user.h"
#include "ring/vu_inflight.h"
#include "ring/vu_state.h"
#include "ring/vu_wire.h"

struct vu_queue {
    libxl__vhost_user *vu;
    unsigned index;
    int kick_fd, call_fd, err_fd; /* -1: none */
    libxl__ev_fd kick_ev;
    bool kick_set; /* the frontend has said how it kicks: may be "not by fd" */
    bool addr_set;
    uint32_t num;
    uint16_t base;
    struct vu_vring_addr addr;
    struct vu_inflight inflight;
};

struct vu_mapping {
    uint64_t gpa, bytes, user;
    void *map;
    size_t map_bytes;
};

struct libxl__vhost_user {
    libxl_ctx *ctx;
    libxl__vdev *dev;
    int listen_fd; /* -1: one frontend, connected from the start */
    int conn_fd;   /* -1: no frontend */
    void (*gone)(libxl__egc *egc, libxl__vdev *dev);
    libxl__acceptor acceptor;
    libxl__ev_fd conn_ev;
    const char *reason;
    uint64_t protocol_features;
    struct vu_queue queues[LIBXL__VDEV_MAX_QUEUES];
    struct vu_mapping mappings[LIBXL__RING_MAX_REGIONS];
    unsigned nr_mappings;
    void *log_map;
    size_t log_map_bytes;
    void *inflight_map; /* NULL: the frontend keeps no table */
    size_t inflight_map_bytes;
    struct vu_state state;
    /* the message being read, or waiting until the device is idle */
    uint8_t in[VU_HEADER_BYTES + VU_MAX_PAYLOAD];
    size_t in_got;
    struct vu_header header;
    int fds[VU_MAX_FDS]; /* -1: taken by a handler */
    unsigned nr_fds;
    struct vu_msg msg;
    bool waiting; /* for idle: to apply msg, or to close */
    bool closing;
};

/* vu_dispatch.c: apply vu->msg, reply. NULL, or why the connection must end. */
const char *libxl__vu_dispatch(libxl__egc *egc, libxl__vhost_user *vu);
void libxl__vu_queue_reset(libxl__vhost_user *vu, unsigned q);
/* Some ring runs, or is broken and may hold requests. */
bool libxl__vu_any_ring(const libxl__vhost_user *vu);

/* vu_server.c */
#define VU_MEMORY_LOST "memory that it has truncated"
void libxl__vu_close(libxl__egc *egc, libxl__vhost_user *vu,
                     const char *reason);
const char *libxl__vu_send(libxl__vhost_user *vu, const uint8_t *buf,
                           size_t bytes);
const char *libxl__vu_send_fd(libxl__vhost_user *vu, const uint8_t *buf,
                              size_t bytes, int fd); /* stays the caller's */
int libxl__vu_take_fd(libxl__vhost_user *vu, unsigned i); /* caller's now */

/* vu_mem.c: the fd stays the caller's. NULL, or what is wrong. */
void *libxl__vu_map_shared(int fd, uint64_t bytes); /* NULL: cannot be */
const char *libxl__vu_map(libxl__vhost_user *vu, const struct vu_region *r,
                          int fd);
const char *libxl__vu_unmap(libxl__vhost_user *vu, const struct vu_region *r);
void libxl__vu_unmap_all(libxl__vhost_user *vu);
/* A frontend's own address of so many bytes, as the guest's. */
bool libxl__vu_to_gpa(const libxl__vhost_user *vu, uint64_t user,
                      uint64_t bytes, uint64_t *gpa);
const char *libxl__vu_map_log(libxl__vhost_user *vu, const struct vu_log *log,
                              int fd);
void libxl__vu_unmap_log(libxl__vhost_user *vu);
bool libxl__vu_memory_lost(const libxl__vhost_user *vu);

/* vu_reconnect.c */
const char *libxl__vu_do_get_inflight_fd(libxl__egc *egc,
                                         libxl__vhost_user *vu);
const char *libxl__vu_do_set_inflight_fd(libxl__egc *egc,
                                         libxl__vhost_user *vu);
/* The queue's ring was just set up: takes over what is under way in it. */
const char *libxl__vu_queue_go_on(libxl__vhost_user *vu, struct vu_queue *vq);
void libxl__vu_unmap_inflight(libxl__vhost_user *vu);

#endif
