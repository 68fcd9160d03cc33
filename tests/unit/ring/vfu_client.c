/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ring/vfu_client.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define DEADLINE_S 120

static void keep_error(libxl_logger *lg, libxl_loglevel level, uint32_t domid,
                       const char *text)
{
    struct vfu_client *c =
        (struct vfu_client *)((char *)lg - offsetof(struct vfu_client, logger));

    if (level >= LIBXL_LOG_ERROR)
        snprintf(c->last_error, sizeof(c->last_error), "%s", text);
}

void vfc_turn(struct vfu_client *c)
{
    libxl_event *event;
    struct pollfd pfd = {libxl_ctx_fd(c->ctx), POLLIN, 0};

    poll(&pfd, 1, 10);
    if (!libxl_event_check(c->ctx, &event, LIBXL_EVENTMASK_ALL, NULL, NULL))
        libxl_event_free(c->ctx, event);
}

static time_t now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec;
}

void vfc_connect(struct vfu_client *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(c->fd, (struct sockaddr *)c->addr, c->addr_bytes),
                     0);
}

void vfc_version(struct vfu_client *c)
{
    static const char body[] = "\0\0\0\0{\"capabilities\":{}}";

    assert_int_equal(vfc_call(c, VFU_VERSION, body, sizeof(body), NULL, 0), 0);
}

int vfc_listen(struct vfu_client *c)
{
    socklen_t len = sizeof(*c->addr);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    c->addr = calloc(1, sizeof(*c->addr));
    c->addr->sun_family = AF_UNIX;
    assert_int_equal(bind(fd, (struct sockaddr *)c->addr, sizeof(sa_family_t)),
                     0);
    getsockname(fd, (struct sockaddr *)c->addr, &len);
    c->addr_bytes = len;
    assert_int_equal(listen(fd, 4), 0);
    return fd;
}

struct vfu_client *vfc_new(void)
{
    struct vfu_client *c = calloc(1, sizeof(*c));

    c->fd = c->image_fd = -1;
    c->logger.message = keep_error;
    assert_int_equal(libxl_ctx_alloc(&c->ctx, LIBXL_VERSION, 0, &c->logger), 0);
    c->mem_fd = memfd_create("guest", MFD_CLOEXEC);
    assert_int_equal(ftruncate(c->mem_fd, VFC_MEM_BYTES), 0);
    c->mem = mmap(NULL, VFC_MEM_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
                  c->mem_fd, 0);
    c->irq_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return c;
}

void vfc_free(struct vfu_client *c)
{
    libxl_ctx_free(c->ctx);
    munmap(c->mem, VFC_MEM_BYTES);
    close(c->mem_fd);
    close(c->irq_fd);
    if (c->image_fd >= 0)
        close(c->image_fd);
    if (c->fd >= 0)
        close(c->fd);
    free(c->addr);
    free(c);
}

int vfc_setup(void **state)
{
    struct vfu_client *c = vfc_new();
    struct libxl__blk_params p = {.bytes = 1 << 20, .nr_queues = 1};

    c->image_fd = memfd_create("image", MFD_CLOEXEC);
    assert_int_equal(ftruncate(c->image_fd, (off_t)p.bytes), 0);
    p.fd = c->image_fd;
    c->blk = libxl__blk_dev_new(c->ctx, &p);
    assert_non_null(c->blk);
    c->vv = libxl__vfu_virtio_start(c->ctx, libxl__blk_dev_vdev(c->blk),
                                    vfc_listen(c));
    assert_non_null(c->vv);
    vfc_connect(c);
    vfc_version(c);
    *state = c;
    return 0;
}

int vfc_teardown(void **state)
{
    struct vfu_client *c = *state;

    libxl__vfu_virtio_stop(c->vv);
    libxl__blk_dev_free(c->blk);
    vfc_free(c);
    return 0;
}

void vfc_send(struct vfu_client *c, uint16_t command, uint32_t size,
              uint32_t flags, const void *body, uint32_t bytes, const int *fds,
              unsigned nr_fds)
{
    uint8_t header[VFU_HEADER_BYTES];
    struct iovec iov[2] = {{header, sizeof(header)}, {(void *)body, bytes}};
    union {
        char buf[CMSG_SPACE(32 * sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct msghdr mh = {.msg_iov = iov, .msg_iovlen = bytes ? 2 : 1};

    libxl__vfu_put16(header, ++c->id);
    libxl__vfu_put16(header + 2, command);
    libxl__vfu_put32(header + 4, size);
    libxl__vfu_put32(header + 8, flags);
    libxl__vfu_put32(header + 12, 0);
    if (nr_fds) {
        struct cmsghdr *cm;

        mh.msg_control = control.buf;
        mh.msg_controllen = CMSG_SPACE(nr_fds * sizeof(int));
        cm = CMSG_FIRSTHDR(&mh);
        cm->cmsg_level = SOL_SOCKET;
        cm->cmsg_type = SCM_RIGHTS;
        cm->cmsg_len = CMSG_LEN(nr_fds * sizeof(int));
        memcpy(CMSG_DATA(cm), fds, nr_fds * sizeof(int));
    }
    assert_true(sendmsg(c->fd, &mh, MSG_NOSIGNAL) > 0);
}

static bool receive(struct vfu_client *c, void *to, size_t bytes)
{
    time_t end = now() + DEADLINE_S;
    size_t got = 0;

    while (got < bytes && now() < end) {
        ssize_t r = recv(c->fd, (char *)to + got, bytes - got, MSG_DONTWAIT);

        if (r == 0 || (r < 0 && errno == ECONNRESET))
            return false;
        if (r > 0)
            got += (size_t)r;
        else
            vfc_turn(c);
    }
    assert_int_equal(got, bytes);
    return true;
}

uint32_t vfc_call(struct vfu_client *c, uint16_t command, const void *body,
                  uint32_t bytes, const int *fds, unsigned nr_fds)
{
    uint8_t h[VFU_HEADER_BYTES];

    vfc_send(c, command, VFU_HEADER_BYTES + bytes, 0, body, bytes, fds, nr_fds);
    assert_true(receive(c, h, sizeof(h)));
    assert_int_equal(h[0] | h[1] << 8, c->id);
    assert_int_equal(h[2] | h[3] << 8, command);
    c->error = libxl__vfu_get32(h + 12);
    assert_int_equal(libxl__vfu_get32(h + 8),
                     VFU_F_REPLY | (c->error ? VFU_F_ERROR : 0));
    c->body_bytes = libxl__vfu_get32(h + 4) - VFU_HEADER_BYTES;
    assert_true(c->body_bytes <= sizeof(c->body));
    if (c->body_bytes)
        assert_true(receive(c, c->body, c->body_bytes));
    return c->error;
}

void vfc_must_close(struct vfu_client *c, const char *why)
{
    uint8_t byte;

    assert_false(receive(c, &byte, 1));
    assert_non_null(strstr(c->last_error, why));
    vfc_connect(c);
    vfc_version(c);
}

uint32_t vfc_map(struct vfu_client *c, uint64_t addr, uint64_t bytes,
                 uint64_t offset, uint32_t flags, bool with_fd)
{
    uint8_t body[32];

    libxl__vfu_put32(body, sizeof(body));
    libxl__vfu_put32(body + 4, flags);
    libxl__vfu_put64(body + 8, offset);
    libxl__vfu_put64(body + 16, addr);
    libxl__vfu_put64(body + 24, bytes);
    return vfc_call(c, VFU_DMA_MAP, body, sizeof(body), &c->mem_fd, with_fd);
}

static void access_head(uint8_t *body, uint32_t region, uint64_t offset,
                        uint32_t count)
{
    libxl__vfu_put64(body, offset);
    libxl__vfu_put32(body + 8, region);
    libxl__vfu_put32(body + 12, count);
}

uint32_t vfc_read(struct vfu_client *c, uint32_t region, uint64_t offset,
                  uint32_t count)
{
    uint8_t body[16];

    access_head(body, region, offset, count);
    return vfc_call(c, VFU_REGION_READ, body, sizeof(body), NULL, 0);
}

uint32_t vfc_write(struct vfu_client *c, uint32_t region, uint64_t offset,
                   const void *data, uint32_t count)
{
    uint8_t body[16 + 64];

    assert_true(count <= 64);
    access_head(body, region, offset, count);
    memcpy(body + 16, data, count);
    return vfc_call(c, VFU_REGION_WRITE, body, 16 + count, NULL, 0);
}

uint32_t vfc_reg(struct vfu_client *c, uint64_t offset, uint32_t count)
{
    uint32_t v = 0;

    assert_int_equal(vfc_read(c, 0, offset, count), 0);
    assert_int_equal(c->body_bytes, 16 + count);
    memcpy(&v, c->body + 16, count);
    return v;
}

uint32_t vfc_set_reg(struct vfu_client *c, uint64_t offset, uint32_t value,
                     uint32_t count)
{
    return vfc_write(c, 0, offset, &value, count);
}

uint32_t vfc_irqs(struct vfu_client *c, uint32_t flags, uint32_t index,
                  uint32_t start, uint32_t count, const int *fds,
                  unsigned nr_fds)
{
    uint8_t body[20 + 64] = {0};
    uint32_t bools = flags & VFU_IRQ_SET_BOOL ? count : 0;

    libxl__vfu_put32(body, 20);
    libxl__vfu_put32(body + 4, flags);
    libxl__vfu_put32(body + 8, index);
    libxl__vfu_put32(body + 12, start);
    libxl__vfu_put32(body + 16, count);
    memset(body + 20, 1, bools <= 64 ? bools : 64);
    return vfc_call(c, VFU_DEVICE_SET_IRQS, body, 20 + bools, fds, nr_fds);
}

uint32_t vfc_feature(struct vfu_client *c, uint32_t flags, const void *data,
                     uint32_t bytes)
{
    uint8_t body[8 + 64];

    libxl__vfu_put32(body, 8 + bytes);
    libxl__vfu_put32(body + 4, flags);
    if (bytes)
        memcpy(body + 8, data, bytes);
    return vfc_call(c, VFU_DEVICE_FEATURE, body, 8 + bytes, NULL, 0);
}

uint32_t vfc_set_state(struct vfu_client *c, uint32_t state)
{
    uint8_t data[8] = {0};

    libxl__vfu_put32(data, state);
    return vfc_feature(c, VFU_FEATURE_MIG_STATE | VFU_FEATURE_SET, data, 8);
}

uint32_t vfc_state(struct vfu_client *c)
{
    assert_int_equal(
        vfc_feature(c, VFU_FEATURE_MIG_STATE | VFU_FEATURE_GET, NULL, 0), 0);
    return libxl__vfu_get32(c->body + 8);
}
