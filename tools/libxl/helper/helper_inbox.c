/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* helper_inbox.c - whole messages out of the helper's socket (mover). */
#include "helper/helper_inbox.h"

#include <errno.h>
#include <sys/socket.h>

/* Reads until 'want' bytes of the frame are there. 1, 0: not yet, or error. */
static int fill(struct libxl__helper_inbox *in, int fd, size_t want)
{
    while (in->have < want) {
        ssize_t r =
            recv(fd, in->frame + in->have, want - in->have, MSG_DONTWAIT);

        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return 0;
        if (r < 0)
            return errno == ECONNRESET ? -EPIPE : -errno;
        if (!r)
            return -EPIPE;
        in->have += (size_t)r;
    }
    return 1;
}

int libxl__helper_inbox_take(struct libxl__helper_inbox *in, int fd,
                             struct libxl__hw_msg *out)
{
    uint32_t body_bytes;
    uint16_t number;
    int r = fill(in, fd, LIBXL__HW_HEADER_BYTES);

    if (r <= 0)
        return r;
    r = libxl__hw_decode_header(in->frame, &body_bytes, &number);
    if (r)
        return r;
    r = fill(in, fd, LIBXL__HW_HEADER_BYTES + body_bytes);
    if (r <= 0)
        return r;
    in->have = 0;
    r = libxl__hw_decode(LIBXL__HW_CHILD, number,
                         in->frame + LIBXL__HW_HEADER_BYTES, body_bytes, out);
    return r ? r : 1;
}
