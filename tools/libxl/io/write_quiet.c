/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* write_quiet.c - the application's SIGPIPE is none of our business. */
#include <errno.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "io/io_end.h"
#include "io/write_quiet.h"

/* The signal goes to this thread: it is blocked, taken if it came, and
 * unblocked, unless one was pending already (then that one stays). */
ssize_t libxl__write_quiet(int fd, const void *buf, size_t bytes)
{
    const struct timespec now = {0};
    sigset_t sigpipe, before, pending;
    ssize_t n;
    int errnoval;

    sigemptyset(&sigpipe);
    sigaddset(&sigpipe, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &sigpipe, &before);
    n = write(fd, buf, bytes);
    errnoval = errno;
    if (n < 0 && errnoval == EPIPE && !sigismember(&pending, SIGPIPE))
        while (sigtimedwait(&sigpipe, NULL, &now) < 0 && errno == EINTR)
            ;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = errnoval;
    return n;
}
