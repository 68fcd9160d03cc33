/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* child_channel.c - the save helper's side of its control socket (mover). */
#include "helper/child_channel.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Of the one conversation of this process. */
static bool takes_xalloc;
static int broken; /* the parent said what was not asked: -EPROTO */

static int write_all(const uint8_t *p, size_t n)
{
    while (n) {
        ssize_t r = write(LIBXL__HW_FD_CONTROL, p, n);

        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0)
            return -errno;
        p += r;
        n -= (size_t)r;
    }
    return 0;
}

static int read_all(uint8_t *p, size_t n)
{
    while (n) {
        ssize_t r = read(LIBXL__HW_FD_CONTROL, p, n);

        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0)
            return -errno;
        if (!r)
            return -EPIPE;
        p += r;
        n -= (size_t)r;
    }
    return 0;
}

int child_channel_send(const struct libxl__hw_msg *msg)
{
    uint8_t frame[LIBXL__HW_FRAME_MAX];

    return write_all(frame, libxl__hw_encode(msg, frame));
}

int child_channel_receive(struct libxl__hw_msg *msg)
{
    uint8_t frame[LIBXL__HW_FRAME_MAX];
    uint32_t body_bytes;
    uint16_t number;
    int r = read_all(frame, LIBXL__HW_HEADER_BYTES);

    if (r)
        return r;
    r = libxl__hw_decode_header(frame, &body_bytes, &number);
    if (r)
        return r;
    r = read_all(frame, body_bytes);
    if (r)
        return r;
    return libxl__hw_decode(LIBXL__HW_PARENT, number, frame, body_bytes, msg);
}

/* What the parent tells unasked may lie in front of its answer. */
static int receive_answer(struct libxl__hw_msg *answer)
{
    int r = broken;

    while (!r) {
        r = child_channel_receive(answer);
        if (r || answer->number != LIBXL__HW_TAKES_XALLOC)
            break;
        takes_xalloc = true;
    }
    return r;
}

bool child_channel_takes_xalloc(void)
{
    struct pollfd pfd = {.fd = LIBXL__HW_FD_CONTROL, .events = POLLIN};
    struct libxl__hw_msg msg;

    /* A parent that is gone is noticed by the next request. */
    if (takes_xalloc || broken || poll(&pfd, 1, 0) != 1 ||
        child_channel_receive(&msg))
        return takes_xalloc;
    if (msg.number == LIBXL__HW_TAKES_XALLOC)
        takes_xalloc = true;
    else
        broken = -EPROTO;
    return takes_xalloc;
}

int child_channel_call(const struct libxl__hw_msg *msg)
{
    struct libxl__hw_msg answer;
    int r = child_channel_send(msg);

    if (r)
        return r;
    r = receive_answer(&answer);
    if (r)
        return r;
    if (answer.number != LIBXL__HW_REPLY || answer.u.reply.r > 0)
        return -EPROTO;
    return answer.u.reply.r;
}
