/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * host_qemu_memory.c - how the save helper reaches a guest's RAM.
 *
 * QEMU alone holds the memfd: it is opened through /proc/PID/fd. For a live
 * save there is also QEMU's userfaultfd (which the preload left open there,
 * fetched with pidfd_getfd), /proc/PID/pagemap, and clear_refs for kernels
 * that only have soft-dirty bits; and where in QEMU the RAM is mapped.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/log.h"
#include "dev/dev.h"
#include "host/host_qemu.h"

/* ---- where it is mapped ---- */

/* A number in base, and the one character behind it; NULL: not there. */
static const char *take_number(const char *p, int base, char behind,
                               uint64_t *out)
{
    char *end;

    if (!p)
        return NULL;
    *out = strtoull(p, &end, base);
    return end != p && *end == behind ? end + 1 : NULL;
}

/* "start-end perms offset maj:min inode path": the mapping that begins at the
 * file's first byte and covers all of it. */
static bool line_maps(const char *line, const struct stat *st, uint64_t bytes,
                      uint64_t *va)
{
    uint64_t start, end, offset, maj, min, inode;
    const char *p = take_number(line, 16, '-', &start);

    p = take_number(p, 16, ' ', &end);
    p = p ? strchr(p, ' ') : NULL; /* the permissions */
    p = take_number(p, 16, ' ', &offset);
    p = take_number(p, 16, ':', &maj);
    p = take_number(p, 16, ' ', &min);
    p = take_number(p, 10, ' ', &inode);
    if (!p || inode != st->st_ino || offset || end - start != bytes ||
        makedev((unsigned)maj, (unsigned)min) != st->st_dev)
        return false;
    *va = start;
    return true;
}

static uint64_t find_mapping(const struct libxl__proc_id *id, int memory_fd,
                             uint64_t bytes)
{
    struct stat st;
    char *line = NULL;
    size_t room = 0;
    uint64_t va = 0;
    FILE *f;
    int fd;

    if (fstat(memory_fd, &st))
        return 0;
    fd = libxl__qemu_open_proc(id, "maps", O_RDONLY);
    if (fd < 0)
        return 0;
    f = fdopen(fd, "r");
    if (!f) {
        close(fd);
        return 0;
    }
    while (!va && getline(&line, &room, f) > 0)
        line_maps(line, &st, bytes, &va);
    free(line);
    fclose(f);
    return va;
}

/* ---- the userfaultfd ---- */

static int find_uffd_number(pid_t pid)
{
    char dir[64], link[64];
    int found = -1;
    struct dirent *de;
    ssize_t n;
    DIR *d;

    snprintf(dir, sizeof(dir), "/proc/%ld/fd", (long)pid);
    d = opendir(dir);
    if (!d)
        return -1;
    while (found < 0 && (de = readdir(d))) {
        n = readlinkat(dirfd(d), de->d_name, link, sizeof(link) - 1);
        if (n <= 0)
            continue;
        link[n] = '\0';
        if (!strcmp(link, "anon_inode:[userfaultfd]"))
            found = (int)strtol(de->d_name, NULL, 10);
    }
    closedir(d);
    return found;
}

static int fetch_uffd(const struct libxl__proc_id *id)
{
    int number = find_uffd_number(id->pid), pidfd, fd;

    if (number < 0 || libxl__proc_id_open(id, &pidfd))
        return -1;
    fd = (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);
    close(pidfd);
    return fd;
}

/* ---- the op ---- */

static int open_memory(libxl__host *h, uint32_t domid,
                       const struct libxl__qemu_ident *id, int *fd_out)
{
    struct stat st;
    char name[24];
    int fd;

    snprintf(name, sizeof(name), "fd/%d", LIBXL__QEMU_MEMORY_FD);
    fd = libxl__qemu_open_proc(&id->proc, name, O_RDWR);
    *fd_out = fd;
    if (fd < 0) {
        LOGED(h->ctx, domid, ERROR, errno,
              "cannot open the guest's memory (QEMU is pid %ld)",
              (long)id->proc.pid);
        return ERROR_FAIL;
    }
    if (fstat(fd, &st) || (uint64_t)st.st_size != id->memory_bytes) {
        LOGD(h->ctx, domid, ERROR,
             "QEMU's fd %d is not the guest's memory of %" PRIu64 " bytes",
             LIBXL__QEMU_MEMORY_FD, id->memory_bytes);
        return ERROR_FAIL;
    }
    return 0;
}

/* -1 where no device is a process of its own. */
static int open_dev_log(libxl__host *h, uint32_t domid, int *fd_out)
{
    libxl__store *st = libxl__host_qemu_of(h)->store;
    int dirfd, rc;

    rc = st->ops->open_dir(st, domid, &dirfd);
    if (rc)
        return rc;
    *fd_out = openat(dirfd, LIBXL__DEV_LOG_NAME, O_RDWR | O_CLOEXEC);
    close(dirfd);
    if (*fd_out >= 0 || errno == ENOENT)
        return 0;
    LOGED(h->ctx, domid, ERROR, errno,
          "cannot open the devices' dirty log \"%s\"", LIBXL__DEV_LOG_NAME);
    return ERROR_FAIL;
}

int libxl__qemu_helper_guest(libxl__host *h, uint32_t domid, bool live,
                             struct libxl__helper_guest *out)
{
    struct libxl__qemu_ident id;
    int rc;

    memset(out, 0, sizeof(*out));
    out->hv = "qemu";
    out->domid = domid;
    out->memory_fd = out->pagemap_fd = out->uffd = out->clear_refs_fd = -1;
    out->dev_log_fd = -1;
    rc = libxl__qemu_ident_read(libxl__host_qemu_of(h), domid, &id);
    if (rc) {
        LOGD(h->ctx, domid, ERROR, "the guest has no QEMU process");
        return rc;
    }
    rc = open_memory(h, domid, &id, &out->memory_fd);
    if (rc) {
        libxl__qemu_helper_guest_done(h, out);
        return rc;
    }
    out->memory_bytes = id.memory_bytes;
    out->qemu_pid = id.proc.pid;
    if (!live)
        return 0;
    out->qemu_va = find_mapping(&id.proc, out->memory_fd, id.memory_bytes);
    out->uffd = fetch_uffd(&id.proc);
    out->pagemap_fd = libxl__qemu_open_proc(&id.proc, "pagemap", O_RDONLY);
    out->clear_refs_fd = libxl__qemu_open_proc(&id.proc, "clear_refs",
                                               O_WRONLY);
    rc = open_dev_log(h, domid, &out->dev_log_fd);
    if (rc)
        libxl__qemu_helper_guest_done(h, out);
    return rc;
}

static void close_one(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void libxl__qemu_helper_guest_done(libxl__host *h,
                                   struct libxl__helper_guest *g)
{
    close_one(&g->memory_fd);
    close_one(&g->pagemap_fd);
    close_one(&g->uffd);
    close_one(&g->clear_refs_fd);
    close_one(&g->dev_log_fd);
}
