/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vu_frontend.h - the other end of vhost_user: a frontend that a test drives
 * message by message, with two small memfds as the guest's memory and a block
 * device of 1 MiB behind the backend.
 */
#ifndef VU_FRONTEND_H
#define VU_FRONTEND_H

#include "ring/blk_dev.h"
#include "ring/vhost_user.h"
#include "ring/vq_layout.h"
#include "ring/vu_wire.h"

struct sockaddr_un;

#define VUF_MEM_BYTES 0x20000u
#define VUF_GPA 0x40000000u
#define VUF_USER UINT64_C(0x7f0000000000)
#define VUF_DESC 0u /* offsets in the memory */
#define VUF_AVAIL 0x1000u
#define VUF_USED 0x2000u
#define VUF_DATA 0x4000u
#define VUF_QSIZE 16u

struct vu_frontend {
    libxl_ctx *ctx;
    libxl_logger logger;
    char last_error[512];
    libxl__blk_dev *blk;
    libxl__vhost_user *vu;
    int image_fd, listen_fd, fd, mem_fd;
    int kick_fd, call_fd;
    uint8_t *mem;
    struct sockaddr_un *addr;
    unsigned addr_bytes;
    uint16_t avail;
};

int vuf_setup(void **state);    /* a backend, and a connected frontend */
int vuf_teardown(void **state);

void vuf_connect(struct vu_frontend *f);
/* Serves what this process serves, for at most 10 ms. */
void vuf_turn(struct vu_frontend *f);
/* fd -1: none. body may be NULL. */
void vuf_send(struct vu_frontend *f, uint32_t request, uint32_t flags,
              const void *body, uint32_t bytes, const int *fds, unsigned nr);
void vuf_send_u64(struct vu_frontend *f, uint32_t request, uint64_t value);
void vuf_send_state(struct vu_frontend *f, uint32_t request, uint32_t index,
                    uint32_t num);
/* Waits for a reply of exactly so many bytes behind the header. */
void vuf_reply(struct vu_frontend *f, uint32_t request, void *body,
               uint32_t bytes);
/* The same, and the fd that must come with it: the caller's. */
int vuf_reply_fd(struct vu_frontend *f, uint32_t request, void *body,
                 uint32_t bytes);
/* Waits until the backend has closed the connection, for this reason. */
void vuf_must_close(struct vu_frontend *f, const char *why);
/* The connection still answers. */
void vuf_must_live(struct vu_frontend *f);

/* Negotiates, maps memory, starts queue 0. */
void vuf_start(struct vu_frontend *f, uint64_t features);
/* What vuf_start sends, of any queue, without waiting. */
void vuf_send_start(struct vu_frontend *f, unsigned q, uint16_t base);
/* A ring that was used before. */
void vuf_start_at(struct vu_frontend *f, uint64_t features, uint16_t base);
void vuf_desc(struct vu_frontend *f, uint16_t i, uint64_t gpa, uint32_t len,
              uint16_t flags, uint16_t next);
void vuf_kick(struct vu_frontend *f, uint16_t head);
/* Waits for used entry number n (from 0). */
uint32_t vuf_wait_used(struct vu_frontend *f, uint16_t n);
/* One request of queue 0: type, sector, data at VUF_DATA; its status. */
uint8_t vuf_blk(struct vu_frontend *f, uint32_t type, uint64_t sector,
                uint32_t data_bytes, bool to_driver);

#endif
