/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ring/vu_frontend.h"

#include <endian.h>
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
    struct vu_frontend *f =
        (struct vu_frontend *)((char *)lg - offsetof(struct vu_frontend, logger));

    if (level >= LIBXL_LOG_ERROR)
        snprintf(f->last_error, sizeof(f->last_error), "%s", text);
}

void vuf_turn(struct vu_frontend *f)
{
    libxl_event *event;
    struct pollfd pfd = {libxl_ctx_fd(f->ctx), POLLIN, 0};

    poll(&pfd, 1, 10);
    if (!libxl_event_check(f->ctx, &event, LIBXL_EVENTMASK_ALL, NULL, NULL))
        libxl_event_free(f->ctx, event);
}

static time_t now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec;
}

void vuf_connect(struct vu_frontend *f)
{
    if (f->fd >= 0)
        close(f->fd);
    f->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(f->fd, (struct sockaddr *)f->addr,
                             f->addr_bytes), 0);
}

int vuf_setup(void **state)
{
    struct vu_frontend *f = calloc(1, sizeof(*f));
    struct libxl__blk_params p = {.bytes = 1 << 20, .nr_queues = 2,
                                  .id = "SERIAL"};
    socklen_t len = sizeof(*f->addr);

    f->addr = calloc(1, sizeof(*f->addr));
    f->addr->sun_family = AF_UNIX;
    f->fd = f->kick_fd = f->call_fd = -1;
    f->logger.message = keep_error;
    assert_int_equal(libxl_ctx_alloc(&f->ctx, LIBXL_VERSION, 0, &f->logger), 0);
    f->image_fd = memfd_create("image", MFD_CLOEXEC);
    assert_int_equal(ftruncate(f->image_fd, (off_t)p.bytes), 0);
    p.fd = f->image_fd;
    p.no_uring = getenv("XL_TEST_NO_URING") != NULL;
    f->blk = libxl__blk_dev_new(f->ctx, &p);
    assert_non_null(f->blk);
    /* an abstract address that the kernel chooses */
    f->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(f->listen_fd, (struct sockaddr *)f->addr,
                          sizeof(sa_family_t)), 0);
    getsockname(f->listen_fd, (struct sockaddr *)f->addr, &len);
    f->addr_bytes = len;
    assert_int_equal(listen(f->listen_fd, 4), 0);
    f->vu = libxl__vhost_user_start(f->ctx, libxl__blk_dev_vdev(f->blk),
                                    f->listen_fd);
    assert_non_null(f->vu);

    f->mem_fd = memfd_create("guest", MFD_CLOEXEC);
    assert_int_equal(ftruncate(f->mem_fd, VUF_MEM_BYTES), 0);
    f->mem = mmap(NULL, VUF_MEM_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
                  f->mem_fd, 0);
    f->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    f->call_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    vuf_connect(f);
    *state = f;
    return 0;
}

int vuf_teardown(void **state)
{
    struct vu_frontend *f = *state;

    libxl__vhost_user_stop(f->vu);
    libxl__blk_dev_free(f->blk);
    libxl_ctx_free(f->ctx);
    munmap(f->mem, VUF_MEM_BYTES);
    close(f->mem_fd);
    close(f->fd);
    close(f->kick_fd);
    close(f->call_fd);
    close(f->image_fd);
    free(f->addr);
    free(f);
    return 0;
}

void vuf_send(struct vu_frontend *f, uint32_t request, uint32_t flags,
              const void *body, uint32_t bytes, const int *fds, unsigned nr)
{
    uint32_t header[3] = {htole32(request), htole32(VU_F_VERSION | flags),
                          htole32(bytes)};
    struct iovec iov[2] = {{header, sizeof(header)}, {(void *)body, bytes}};
    union {
        char buf[CMSG_SPACE(16 * sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct msghdr mh = {.msg_iov = iov, .msg_iovlen = body ? 2 : 1};

    if (nr) {
        struct cmsghdr *c;

        mh.msg_control = control.buf;
        mh.msg_controllen = CMSG_SPACE(nr * sizeof(int));
        c = CMSG_FIRSTHDR(&mh);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(nr * sizeof(int));
        memcpy(CMSG_DATA(c), fds, nr * sizeof(int));
    }
    assert_true(sendmsg(f->fd, &mh, MSG_NOSIGNAL) > 0);
}

void vuf_send_u64(struct vu_frontend *f, uint32_t request, uint64_t value)
{
    value = htole64(value);
    vuf_send(f, request, 0, &value, sizeof(value), NULL, 0);
}

void vuf_send_state(struct vu_frontend *f, uint32_t request, uint32_t index,
                    uint32_t num)
{
    uint32_t body[2] = {htole32(index), htole32(num)};

    vuf_send(f, request, 0, body, sizeof(body), NULL, 0);
}

/* bytes of the connection; 0: closed */
static size_t wait_bytes(struct vu_frontend *f, void *to, size_t bytes)
{
    time_t end = now() + DEADLINE_S;
    size_t got = 0;

    while (got < bytes && now() < end) {
        ssize_t r = recv(f->fd, (char *)to + got, bytes - got, MSG_DONTWAIT);

        if (r == 0 || (r < 0 && errno == ECONNRESET))
            return 0;
        if (r > 0)
            got += (size_t)r;
        else
            vuf_turn(f);
    }
    assert_int_equal(got, bytes);
    return got;
}

void vuf_reply(struct vu_frontend *f, uint32_t request, void *body,
               uint32_t bytes)
{
    uint32_t header[3];

    assert_int_not_equal(wait_bytes(f, header, sizeof(header)), 0);
    assert_int_equal(le32toh(header[0]), request);
    assert_int_equal(le32toh(header[1]), VU_F_VERSION | VU_F_REPLY);
    assert_int_equal(le32toh(header[2]), bytes);
    assert_int_not_equal(wait_bytes(f, body, bytes), 0);
}

int vuf_reply_fd(struct vu_frontend *f, uint32_t request, void *body,
                 uint32_t bytes)
{
    struct pollfd pfd = {f->fd, POLLIN, 0};
    uint32_t header[3];
    struct iovec iov[2] = {{header, sizeof(header)}, {body, bytes}};
    union {
        char buf[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct msghdr mh = {.msg_iov = iov, .msg_iovlen = 2,
                        .msg_control = control.buf,
                        .msg_controllen = sizeof(control.buf)};
    time_t end = now() + DEADLINE_S;
    struct cmsghdr *c;
    int fd;

    while (poll(&pfd, 1, 0) == 0 && now() < end)
        vuf_turn(f);
    assert_int_equal(recvmsg(f->fd, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC),
                     sizeof(header) + bytes);
    assert_int_equal(le32toh(header[0]), request);
    assert_int_equal(le32toh(header[2]), bytes);
    c = CMSG_FIRSTHDR(&mh);
    assert_non_null(c);
    memcpy(&fd, CMSG_DATA(c), sizeof(fd));
    return fd;
}

void vuf_must_close(struct vu_frontend *f, const char *why)
{
    char byte;

    assert_int_equal(wait_bytes(f, &byte, 1), 0);
    assert_non_null(strstr(f->last_error, why));
    /* and the next one is served */
    vuf_connect(f);
    vuf_must_live(f);
}

void vuf_must_live(struct vu_frontend *f)
{
    uint64_t nr;

    vuf_send(f, VU_GET_QUEUE_NUM, 0, NULL, 0, NULL, 0);
    vuf_reply(f, VU_GET_QUEUE_NUM, &nr, sizeof(nr));
    assert_int_equal(le64toh(nr), 2);
}

static void add_memory(struct vu_frontend *f)
{
    uint64_t body[5] = {0, htole64(VUF_GPA), htole64(VUF_MEM_BYTES),
                        htole64(VUF_USER), 0};

    vuf_send(f, VU_ADD_MEM_REG, 0, body, sizeof(body), &f->mem_fd, 1);
}

void vuf_send_start(struct vu_frontend *f, unsigned q, uint16_t base)
{
    struct {
        uint32_t index, flags;
        uint64_t desc, used, avail, log;
    } addr = {htole32(q), 0, htole64(VUF_USER + VUF_DESC),
              htole64(VUF_USER + VUF_USED), htole64(VUF_USER + VUF_AVAIL), 0};
    uint64_t queue = htole64(q);

    add_memory(f);
    vuf_send_state(f, VU_SET_VRING_NUM, q, VUF_QSIZE);
    vuf_send_state(f, VU_SET_VRING_BASE, q, base);
    vuf_send(f, VU_SET_VRING_ADDR, 0, &addr, sizeof(addr), NULL, 0);
    vuf_send(f, VU_SET_VRING_CALL, 0, &queue, sizeof(queue), &f->call_fd, 1);
    vuf_send(f, VU_SET_VRING_KICK, 0, &queue, sizeof(queue), &f->kick_fd, 1);
    vuf_send_state(f, VU_SET_VRING_ENABLE, q, 1);
}

void vuf_start_at(struct vu_frontend *f, uint64_t features, uint16_t base)
{
    vuf_send(f, VU_SET_OWNER, 0, NULL, 0, NULL, 0);
    vuf_send_u64(f, VU_SET_FEATURES,
                 features | UINT64_C(1) << VU_FEATURE_PROTOCOL);
    vuf_send_u64(f, VU_SET_PROTOCOL_FEATURES, 1u << VU_PF_REPLY_ACK);
    vuf_send_start(f, 0, base);
    vuf_must_live(f);
}

void vuf_start(struct vu_frontend *f, uint64_t features)
{
    vuf_start_at(f, features, 0);
}

void vuf_desc(struct vu_frontend *f, uint16_t i, uint64_t gpa, uint32_t len,
              uint16_t flags, uint16_t next)
{
    struct vq_desc d = {htole64(gpa), htole32(len), htole16(flags),
                        htole16(next)};

    memcpy(f->mem + VUF_DESC + i * sizeof(d), &d, sizeof(d));
}

void vuf_kick(struct vu_frontend *f, uint16_t head)
{
    uint16_t *avail = (uint16_t *)(f->mem + VUF_AVAIL);
    uint64_t one = 1;

    avail[2 + f->avail % VUF_QSIZE] = htole16(head);
    __atomic_store_n(&avail[1], htole16(++f->avail), __ATOMIC_RELEASE);
    assert_int_equal(write(f->kick_fd, &one, sizeof(one)), sizeof(one));
}

uint32_t vuf_wait_used(struct vu_frontend *f, uint16_t n)
{
    volatile uint16_t *idx = (uint16_t *)(f->mem + VUF_USED + 2);
    time_t end = now() + DEADLINE_S;
    uint32_t len;

    while ((int16_t)(le16toh(*idx) - n) <= 0 && now() < end)
        vuf_turn(f);
    assert_true((int16_t)(le16toh(*idx) - n) > 0);
    memcpy(&len, f->mem + VUF_USED + VQ_USED_RING(n % VUF_QSIZE) + 4, 4);
    return le32toh(len);
}

uint8_t vuf_blk(struct vu_frontend *f, uint32_t type, uint64_t sector,
                uint32_t data_bytes, bool to_driver)
{
    struct {
        uint32_t type, reserved;
        uint64_t sector;
    } header = {htole32(type), 0, htole64(sector)};
    uint8_t *status = f->mem + VUF_DATA - 1;
    uint16_t n = f->avail, last = data_bytes ? 2 : 1;

    *status = 0xff;
    memcpy(f->mem + VUF_DATA - 32, &header, sizeof(header));
    vuf_desc(f, 0, VUF_GPA + VUF_DATA - 32, sizeof(header), VQ_DESC_F_NEXT, 1);
    if (data_bytes)
        vuf_desc(f, 1, VUF_GPA + VUF_DATA, data_bytes,
                 (uint16_t)(VQ_DESC_F_NEXT | (to_driver ? VQ_DESC_F_WRITE : 0)),
                 2);
    vuf_desc(f, last, VUF_GPA + VUF_DATA - 1, 1, VQ_DESC_F_WRITE, 0);
    vuf_kick(f, 0);
    vuf_wait_used(f, n);
    return *status;
}
