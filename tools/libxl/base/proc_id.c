/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* proc_id.c - identity of processes, from /proc. */
#include "base/proc_id.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/json.h"

/* Small files of /proc come whole in one read. */
static int read_proc(const char *path, char *buf, size_t size)
{
    ssize_t got;
    int fd, e;

    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return ERROR_NOTFOUND;
    do {
        got = read(fd, buf, size - 1);
        e = errno;
    } while (got < 0 && e == EINTR);
    close(fd);
    if (got <= 0)
        return ERROR_NOTFOUND;
    buf[got] = '\0';
    return 0;
}

static int read_boot_id(char out[LIBXL__BOOT_ID_BYTES])
{
    char buf[64];
    int rc;

    rc = read_proc("/proc/sys/kernel/random/boot_id", buf, sizeof(buf));
    if (rc)
        return rc;
    buf[strcspn(buf, "\n")] = '\0';
    if (strlen(buf) != LIBXL__BOOT_ID_BYTES - 1)
        return ERROR_FAIL;
    memcpy(out, buf, LIBXL__BOOT_ID_BYTES);
    return 0;
}

/* pid (comm) state ppid ... starttime: comm may hold spaces and brackets, so
 * the fields are counted from the last ')'. state is field 3, starttime 22. */
static int read_start_time(pid_t pid, uint64_t *out)
{
    char path[64], buf[1024], *p, state;
    int rc, field;

    snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
    rc = read_proc(path, buf, sizeof(buf));
    if (rc)
        return rc;
    p = strrchr(buf, ')');
    if (!p || p[1] != ' ')
        return ERROR_FAIL;
    p += 2;
    state = *p;
    if (state == 'Z' || state == 'X')
        return ERROR_NOTFOUND;
    for (field = 3; field < 22; field++) {
        p = strchr(p, ' ');
        if (!p)
            return ERROR_FAIL;
        p++;
    }
    *out = strtoull(p, NULL, 10);
    return 0;
}

int libxl__proc_id_of(pid_t pid, struct libxl__proc_id *out)
{
    int rc;

    memset(out, 0, sizeof(*out));
    out->pid = pid;
    if (pid <= 0)
        return ERROR_NOTFOUND;
    rc = read_boot_id(out->boot_id);
    if (rc)
        return rc;
    return read_start_time(pid, &out->start_time);
}

int libxl__proc_id_self(struct libxl__proc_id *out)
{
    return libxl__proc_id_of(getpid(), out);
}

enum libxl__proc_state libxl__proc_id_state(const struct libxl__proc_id *id)
{
    char boot_id[LIBXL__BOOT_ID_BYTES];
    uint64_t start_time;
    int rc;

    if (id->pid <= 0)
        return LIBXL__PROC_GONE;
    rc = read_boot_id(boot_id);
    if (!rc && strcmp(boot_id, id->boot_id))
        return LIBXL__PROC_OTHER_BOOT;
    rc = read_start_time(id->pid, &start_time);
    if (rc || start_time != id->start_time)
        return LIBXL__PROC_GONE;
    return LIBXL__PROC_ALIVE;
}

int libxl__proc_id_open(const struct libxl__proc_id *id, int *pidfd_out)
{
    int pidfd;

    *pidfd_out = -1;
    if (id->pid <= 0)
        return ERROR_NOTFOUND;
    pidfd = (int)syscall(SYS_pidfd_open, id->pid, 0);
    if (pidfd < 0)
        return errno == ESRCH || errno == EINVAL ? ERROR_NOTFOUND : ERROR_FAIL;
    /* Only now: the pid cannot pass to another process under this pidfd
     * without the start time telling. */
    if (libxl__proc_id_state(id) != LIBXL__PROC_ALIVE) {
        close(pidfd);
        return ERROR_NOTFOUND;
    }
    *pidfd_out = pidfd;
    return 0;
}

int libxl__proc_id_signal(const struct libxl__proc_id *id, int signo)
{
    int rc, r, pidfd;

    rc = libxl__proc_id_open(id, &pidfd);
    if (rc)
        return rc;
    r = (int)syscall(SYS_pidfd_send_signal, pidfd, signo, NULL, 0);
    if (r)
        rc = errno == ESRCH ? ERROR_NOTFOUND : ERROR_FAIL;
    close(pidfd);
    return rc;
}

char *libxl__proc_id_to_json(libxl__gc *gc, const struct libxl__proc_id *id)
{
    return libxl__sprintf(
        gc, "{\"boot_id\":\"%s\",\"pid\":%ld,\"start_time\":%" PRIu64 "}",
        id->boot_id, (long)id->pid, id->start_time);
}

int libxl__proc_id_from_json(yajl_val v, struct libxl__proc_id *out)
{
    const char *boot_id;
    uint64_t pid, start_time;
    bool ok;

    memset(out, 0, sizeof(*out));
    boot_id = libxl__json_string(v, "boot_id");
    ok = boot_id && strlen(boot_id) == LIBXL__BOOT_ID_BYTES - 1 &&
         libxl__json_u64(v, "pid", &pid) && pid > 0 && pid <= INT32_MAX &&
         libxl__json_u64(v, "start_time", &start_time);
    if (!ok)
        return ERROR_INVAL;
    memcpy(out->boot_id, boot_id, LIBXL__BOOT_ID_BYTES);
    out->pid = (pid_t)pid;
    out->start_time = start_time;
    return 0;
}
