/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * host_qemu_ident.c - which process a guest is.
 *
 * The record's object "qemu" says. It is written right after the start; a xl
 * that was killed in between leaves a QEMU that only its environment names,
 * and that is where it is then looked for.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "host/host_qemu.h"

/* ---- the record ---- */

static bool decode(const char *text, struct libxl__qemu_ident *out)
{
    yajl_val root = yajl_tree_parse(text, NULL, 0);
    bool ok;

    memset(out, 0, sizeof(*out));
    ok = !libxl__proc_id_from_json(root, &out->proc) &&
         libxl__json_u64(root, "memory_bytes", &out->memory_bytes);
    yajl_tree_free(root);
    return ok;
}

int libxl__qemu_ident_write(struct libxl__host_qemu *hq, uint32_t domid,
                            const struct libxl__qemu_ident *id)
{
    struct libxl__domain_record rec;
    struct libxl__json_writer w;
    libxl__gc gc;
    int rc;

    libxl__gc_init(&gc, hq->host.ctx);
    rc = libxl__domain_record_read(hq->store, &gc, domid, &rec);
    if (rc)
        goto out;
    libxl__json_writer_init(&w);
    libxl__json_open(&w, NULL);
    libxl__json_put_string(&w, "boot_id", id->proc.boot_id);
    libxl__json_put_i64(&w, "pid", id->proc.pid);
    libxl__json_put_u64(&w, "start_time", id->proc.start_time);
    libxl__json_put_u64(&w, "memory_bytes", id->memory_bytes);
    libxl__json_close(&w);
    rec.qemu_json = libxl__json_finish(&w, &gc);
    libxl__json_writer_dispose(&w);
    rc = rec.qemu_json ? libxl__domain_record_write(hq->store, &gc, &rec)
                       : ERROR_NOMEM;
out:
    libxl__gc_dispose(&gc);
    return rc;
}

/* ---- the environment ---- */

char *libxl__qemu_tag(struct libxl__host_qemu *hq, libxl__gc *gc,
                      uint32_t domid)
{
    const char *dir = libxl__store_files_path(hq->store);
    char real[PATH_MAX];

    return libxl__sprintf(gc, "XL_DOMAIN=%s/%u",
                          realpath(dir, real) ? real : dir, domid);
}

static bool env_has(pid_t pid, const char *tag)
{
    size_t tag_bytes = strlen(tag) + 1, have;
    char path[64], buf[65536];
    ssize_t got;
    char *at;
    int fd;

    snprintf(path, sizeof(path), "/proc/%ld/environ", (long)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    got = read(fd, buf, sizeof(buf));
    close(fd);
    if (got <= 0)
        return false;
    have = (size_t)got;
    at = memmem(buf, have, tag, tag_bytes);
    return at && (at == buf || !at[-1]);
}

static bool find_by_env(struct libxl__host_qemu *hq, uint32_t domid,
                        struct libxl__proc_id *out)
{
    struct dirent *de;
    bool found = false;
    libxl__gc gc;
    char *tag;
    DIR *d;

    d = opendir("/proc");
    if (!d)
        return false;
    libxl__gc_init(&gc, hq->host.ctx);
    tag = libxl__qemu_tag(hq, &gc, domid);
    while (tag && !found && (de = readdir(d))) {
        pid_t pid = (pid_t)strtol(de->d_name, NULL, 10);

        found = pid > 0 && !libxl__proc_id_of(pid, out) && env_has(pid, tag);
    }
    if (!found)
        memset(out, 0, sizeof(*out));
    libxl__gc_dispose(&gc);
    closedir(d);
    return found;
}

int libxl__qemu_ident_read(struct libxl__host_qemu *hq, uint32_t domid,
                           struct libxl__qemu_ident *out)
{
    struct libxl__domain_record rec;
    libxl__gc gc;
    int rc;

    memset(out, 0, sizeof(*out));
    libxl__gc_init(&gc, hq->host.ctx);
    rc = libxl__domain_record_read(hq->store, &gc, domid, &rec);
    if (rc == ERROR_NOTFOUND)
        rc = ERROR_DOMAIN_NOTFOUND;
    if (!rc && !(rec.qemu_json && decode(rec.qemu_json, out)))
        rc = find_by_env(hq, domid, &out->proc) ? 0 : ERROR_DOMAIN_NOTFOUND;
    libxl__gc_dispose(&gc);
    return rc;
}

int libxl__qemu_open_proc(const struct libxl__proc_id *id, const char *name,
                          int flags)
{
    char path[96];
    int fd;

    snprintf(path, sizeof(path), "/proc/%ld/%s", (long)id->pid, name);
    fd = open(path, flags | O_CLOEXEC);
    /* As with a pidfd: opened first, compared afterwards. */
    if (fd >= 0 && libxl__proc_id_state(id) != LIBXL__PROC_ALIVE) {
        close(fd);
        errno = ESRCH;
        return -1;
    }
    return fd;
}

/* ---- QEMU's log ---- */

enum { QEMU_LOG_BYTES = 65536 };

int libxl__qemu_log_make(void)
{
    int fd = memfd_create("xl-qemu-log", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0)
        return -1;
    if (ftruncate(fd, QEMU_LOG_BYTES) ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)) {
        close(fd);
        return -1;
    }
    return fd;
}

/* "qemu-system-x86_64: text"; NULL: a warning, or no message of QEMU's. */
static char *message_in(char *line)
{
    char *text = strstr(line, ": ");

    if (strncmp(line, "qemu-system-", 12) || !text)
        return NULL;
    text += 2;
    return strncmp(text, "warning: ", 9) ? text : NULL;
}

const char *libxl__qemu_log_reason(libxl__gc *gc, int log_fd)
{
    char buf[4096], *line, *next, *text = NULL, *last = NULL;
    size_t hint;
    ssize_t got = -1;

    if (log_fd >= 0)
        got = pread(log_fd, buf, sizeof(buf) - 1, 0);
    if (got <= 0)
        return "it gave no reason";
    buf[got] = '\0';
    for (line = buf; line && !text; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        text = message_in(line);
        if (*line)
            last = line;
    }
    if (!text)
        return last ? libxl__strdup(gc, last) : "it gave no reason";
    /* "Is another process using the image [..]?" and the like */
    hint = next && strncmp(next, "qemu-system-", 12) ? strcspn(next, "\n") : 0;
    return libxl__sprintf(gc, "%s%s%.*s", text, hint ? ". " : "", (int)hint,
                          next ? next : "");
}
