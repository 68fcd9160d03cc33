/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfu_client.h - the other end of vfu: a vfio-user client that a test drives
 * message by message, before a legacy virtio block device of 1 MiB.
 */
#ifndef VFU_CLIENT_H
#define VFU_CLIENT_H

#include "ring/blk_dev.h"
#include "ring/vfu_virtio.h"
#include "ring/vfu_wire.h"

struct sockaddr_un;

#define VFC_MEM_BYTES 0x20000u
#define VFC_ADDR 0x40000000u

struct vfu_client {
    libxl_ctx *ctx;
    libxl_logger logger;
    char last_error[512];
    libxl__blk_dev *blk;
    libxl__vfu_virtio *vv;
    int image_fd, fd, mem_fd, irq_fd;
    uint8_t *mem;
    struct sockaddr_un *addr;
    unsigned addr_bytes;
    uint16_t id;
    /* the last reply */
    uint32_t error, body_bytes;
    uint8_t body[VFU_MAX_BODY];
};

/* The parts, for a device of the test's own. */
struct vfu_client *vfc_new(void);
int vfc_listen(struct vfu_client *c); /* a socket for that device's server */
void vfc_free(struct vfu_client *c);
void vfc_turn(struct vfu_client *c); /* of the loop; waits at most 10 ms */

int vfc_setup(void **state); /* connected, the version negotiated */
int vfc_teardown(void **state);
void vfc_connect(struct vfu_client *c); /* afresh, nothing negotiated */
void vfc_version(struct vfu_client *c);

/* Sends a command and waits for its reply, which must have the same id and
 * command. Returns the reply's errno. */
uint32_t vfc_call(struct vfu_client *c, uint16_t command, const void *body,
                  uint32_t bytes, const int *fds, unsigned nr_fds);
/* Sends it as it stands: bytes of the header's size field may lie. */
void vfc_send(struct vfu_client *c, uint16_t command, uint32_t size,
              uint32_t flags, const void *body, uint32_t bytes,
              const int *fds, unsigned nr_fds);
/* The connection ends, for this reason, and the next client is served. */
void vfc_must_close(struct vfu_client *c, const char *why);

uint32_t vfc_map(struct vfu_client *c, uint64_t addr, uint64_t bytes,
                 uint64_t offset, uint32_t flags, bool with_fd);
uint32_t vfc_read(struct vfu_client *c, uint32_t region, uint64_t offset,
                  uint32_t count);
uint32_t vfc_write(struct vfu_client *c, uint32_t region, uint64_t offset,
                   const void *data, uint32_t count);
uint32_t vfc_reg(struct vfu_client *c, uint64_t offset, uint32_t count);
uint32_t vfc_set_reg(struct vfu_client *c, uint64_t offset, uint32_t value,
                     uint32_t count);
uint32_t vfc_irqs(struct vfu_client *c, uint32_t flags, uint32_t index,
                  uint32_t start, uint32_t count, const int *fds,
                  unsigned nr_fds);
uint32_t vfc_feature(struct vfu_client *c, uint32_t flags, const void *data,
                     uint32_t bytes);
uint32_t vfc_set_state(struct vfu_client *c, uint32_t state);
uint32_t vfc_state(struct vfu_client *c);

#endif
