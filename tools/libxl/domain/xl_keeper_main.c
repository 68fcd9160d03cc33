/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xl_keeper_main.c - xl-keeper DOMID: the background process of one domain.
 *
 * Says "ready" on stdout and closes it. Lives until the domain is gone. What
 * it has to say goes to keeper.log in the domain's directory, which is bounded.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "domain/keeper.h"

#define KEEPER_LOG_BYTES (64 << 10)

struct keeper_log {
    libxl_logger logger; /* first */
    int fd;
};

static void message(libxl_logger *lg, libxl_loglevel level, uint32_t domid,
                    const char *text)
{
    struct keeper_log *log = (struct keeper_log *)lg;
    struct stat st;
    char when[32];
    time_t now = time(NULL);
    struct tm tm;

    if (level < LIBXL_LOG_NOTICE || log->fd < 0)
        return;
    if (fstat(log->fd, &st) ||
        (st.st_size > KEEPER_LOG_BYTES && ftruncate(log->fd, 0)))
        return;
    strftime(when, sizeof(when), "%F %T", gmtime_r(&now, &tm));
    dprintf(log->fd, "%s [%d] %s\n", when, (int)getpid(), text);
}

static void open_log(libxl_ctx *ctx, uint32_t domid, struct keeper_log *log)
{
    libxl__host *h = libxl__host_get(ctx);
    libxl__store *st = h ? h->ops->store(h) : NULL;
    int dirfd;

    if (!st || st->ops->open_dir(st, domid, &dirfd))
        return;
    log->fd =
        openat(dirfd, "keeper.log",
               O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    close(dirfd);
}

static bool parse_domid(const char *text, uint32_t *out)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    *out = (uint32_t)n;
    return *text >= '0' && *text <= '9' && !*end && n < INVALID_DOMID;
}

static void detach(void)
{
    const int signals[] = {SIGPIPE, SIGHUP, SIGINT, SIGQUIT, SIGXFSZ};
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    size_t i;

    for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        sigaction(signals[i], &ignore, NULL);
    if (chdir("/")) /* only keeps a file system busy */
        return;
}

static void say_ready(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (write(STDOUT_FILENO, "ready\n", 6) < 0)
        errno = 0; /* EPIPE */
    if (null >= 0) {
        dup2(null, STDOUT_FILENO);
        close(null);
    }
}

static int keep(libxl_ctx *ctx, uint32_t domid)
{
    const libxl_asyncop_how how = {.callback = NULL};
    libxl_event *event;
    int rc = libxl__ao_run(ctx, domid, &how, libxl__keeper_start, NULL);

    if (rc && rc != ERROR_LOCK_FAIL)
        return rc;
    detach(); /* first: who asked for it may be gone */
    say_ready(); /* also when another keeper was elected */
    if (rc)
        return 0;
    rc = libxl_event_wait(ctx, &event, LIBXL_EVENTMASK_ALL, NULL, NULL);
    if (!rc)
        libxl_event_free(ctx, event);
    return rc;
}

int main(int argc, char **argv)
{
    struct keeper_log log = {.logger.message = message, .fd = -1};
    libxl_ctx *ctx;
    uint32_t domid;
    int rc;

    if (argc != 2 || !parse_domid(argv[1], &domid)) {
        fprintf(stderr, "usage: xl-keeper DOMID (started by xl)\n");
        return 2;
    }
    if (libxl_ctx_alloc(&ctx, LIBXL_VERSION, 0, &log.logger))
        return 1;
    open_log(ctx, domid, &log);
    rc = keep(ctx, domid);
    libxl_ctx_free(ctx);
    if (log.fd >= 0)
        close(log.fd);
    return rc ? 1 : 0;
}
