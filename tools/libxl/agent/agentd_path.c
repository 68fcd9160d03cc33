/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agentd_path.c - a file is judged after it was opened, by what it is and where
 * it really lies, and then used through that very descriptor.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/agentd_conf.h"

bool libxl__agentd_path_ok(const char *path)
{
    const char *p;

    if (*path != '/' || strlen(path) >= PATH_MAX)
        return false;
    for (p = path; (p = strstr(p, "/..")); p += 3)
        if (p[3] == '/' || !p[3])
            return false;
    return true;
}

static bool below(const struct agentd_list *allowed, const char *real)
{
    size_t i, n;

    for (i = 0; i < allowed->n; i++) {
        n = strlen(allowed->entries[i]);
        while (n && allowed->entries[i][n - 1] == '/')
            n--;
        if (allowed->entries[i][0] == '/' &&
            !strncmp(allowed->entries[i], real, n) &&
            (real[n] == '/' || !real[n]))
            return true;
    }
    return false;
}

static void proc_path(char out[64], int fd)
{
    snprintf(out, 64, "/proc/self/fd/%d", fd);
}

/* 0: fd is of that type and lies below an allowed directory. */
static int judge(int fd, mode_t type, const struct agentd_list *allowed)
{
    char link[64], real[PATH_MAX];
    struct stat st;
    ssize_t n;

    if (fstat(fd, &st))
        return -errno;
    if ((st.st_mode & S_IFMT) != type)
        return type == S_IFREG && S_ISDIR(st.st_mode) ? -EISDIR : -EACCES;
    proc_path(link, fd);
    n = readlink(link, real, sizeof(real) - 1);
    if (n < 0)
        return -errno;
    real[n] = '\0';
    return below(allowed, real) ? 0 : -EACCES;
}

int libxl__agentd_open_read(const struct agentd_conf *c, const char *path)
{
    char link[64];
    int at, r, fd;

    if (!libxl__agentd_path_ok(path))
        return -EINVAL;
    at = open(path, O_PATH | O_CLOEXEC);
    if (at < 0)
        return -errno;
    r = judge(at, S_IFREG, &c->read);
    if (!r) {
        proc_path(link, at);
        fd = open(link, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        r = fd < 0 ? -errno : fd;
    }
    close(at);
    return r;
}

/* The last component is never followed, and a file with another name somewhere
 * else is not written to. */
static int open_in(int dir, const char *name)
{
    struct stat st;
    int fd, r;

    fd = openat(dir, name,
                O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    r = fstat(fd, &st) ? -errno : 0;
    if (!r && (!S_ISREG(st.st_mode) || st.st_nlink != 1))
        r = -EACCES;
    if (!r)
        return fd;
    close(fd);
    return r;
}

int libxl__agentd_open_write(const struct agentd_conf *c, const char *path)
{
    const char *slash = strrchr(path, '/');
    char parent[PATH_MAX];
    int dir, r;

    if (!libxl__agentd_path_ok(path) || !slash[1])
        return -EINVAL;
    snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path) + 1, path);
    dir = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return -errno;
    r = judge(dir, S_IFDIR, &c->write);
    if (!r)
        r = open_in(dir, slash + 1);
    close(dir);
    return r;
}
