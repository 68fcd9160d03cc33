/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ring/fd_recv.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_FDS 16u

void libxl__fds_drop(int *fds, unsigned *nr)
{
    for (unsigned i = 0; i < *nr; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    *nr = 0;
}

/* False: there were more than fit. */
static bool keep_fds(struct fd_recv *in, struct msghdr *mh)
{
    bool all = !(mh->msg_flags & MSG_CTRUNC);

    for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c; c = CMSG_NXTHDR(mh, c)) {
        size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t i = 0; i < n; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
            if (*in->nr_fds < in->max_fds) {
                in->fds[(*in->nr_fds)++] = fd;
            } else {
                close(fd);
                all = false;
            }
        }
    }
    return all;
}

int libxl__fd_recv(struct fd_recv *in, size_t want, const char **wrong)
{
    union {
        char buf[CMSG_SPACE(MAX_FDS * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec iov = {in->buf + *in->got, want - *in->got};
    struct msghdr mh = {.msg_iov = &iov,
                        .msg_iovlen = 1,
                        .msg_control = control.buf,
                        .msg_controllen = sizeof(control.buf)};
    ssize_t r;

    do
        r = recvmsg(in->socket, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (r < 0 && errno == EINTR);
    if (r < 0)
        return errno == EAGAIN ? 0 : -1;
    if (!keep_fds(in, &mh)) {
        *wrong = "more fds than any message has";
        return -1;
    }
    if (!r) {
        *wrong = *in->got ? "half a message" : NULL;
        return -1;
    }
    *in->got += (size_t)r;
    return *in->got == want;
}
