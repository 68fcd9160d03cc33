/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu_probe.c - version, machine type and sandbox of a QEMU program.
 *
 * The answers are kept with the program's device, inode, size and change time:
 * asking takes a tenth of a second, and happens once a QEMU.
 */
#include "host/qemu_probe.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "config/own_process.h"
#include "store/store_dir.h"
#include "store/store_files.h"

#define CACHE_NAME "probe-qemu"

enum { RUN_MS = 15000, OUTPUT_BYTES = 65536 };

extern char **environ;

/* ---- running it ---- */

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Everything until end of file or the deadline; false: the deadline. */
static bool read_until(int fd, char *buf, size_t size, int64_t deadline)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    size_t have = 0;
    ssize_t got;
    int64_t left;

    buf[0] = '\0';
    for (;;) {
        left = deadline - now_ms();
        if (left <= 0)
            return false;
        if (poll(&p, 1, (int)left) <= 0)
            continue;
        if (have + 1 >= size)
            return true;
        got = read(fd, buf + have, size - 1 - have);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return true;
        have += (size_t)got;
        buf[have] = '\0';
    }
}

/* stdout and stderr into buf. 0: it ended with status 0. */
static int run(const char *const *argv, char *buf, size_t size)
{
    posix_spawn_file_actions_t fa;
    int fds[2], status = -1, e;
    pid_t pid;
    bool ok;

    if (pipe2(fds, O_CLOEXEC))
        return -1;
    posix_spawn_file_actions_init(&fa);
    posix_spawn_file_actions_addopen(&fa, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&fa, fds[1], 1);
    posix_spawn_file_actions_adddup2(&fa, fds[1], 2);
    e = posix_spawn(&pid, argv[0], &fa, NULL, (char **)(uintptr_t)argv,
                    environ);
    posix_spawn_file_actions_destroy(&fa);
    close(fds[1]);
    if (e) {
        close(fds[0]);
        return -1;
    }
    ok = read_until(fds[0], buf, size, now_ms() + RUN_MS);
    close(fds[0]);
    if (!ok)
        kill(pid, SIGKILL); /* our own child, not waited for yet */
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return ok && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* ---- finding it ---- */

static char *find_program(libxl__gc *gc, const char *name)
{
    const char *path = getenv("PATH"), *end;
    char *full;

    if (strchr(name, '/'))
        return libxl__strdup(gc, name);
    for (; path && *path; path = *end ? end + 1 : end) {
        end = strchrnul(path, ':');
        full = libxl__sprintf(gc, "%.*s/%s", (int)(end - path), path, name);
        if (full && !access(full, X_OK))
            return full;
    }
    return NULL;
}

/* ---- its words ---- */

static const char *parse_version(libxl__gc *gc, const char *text)
{
    const char *at = strstr(text, "version ");
    size_t n;

    if (!at)
        return NULL;
    at += strlen("version ");
    n = strspn(at, "0123456789.");
    return n ? libxl__strndup(gc, at, n) : NULL;
}

/* "q35   Standard PC (...) (alias of pc-q35-7.2)" */
static const char *parse_machine(libxl__gc *gc, const char *text)
{
    const char *line = strstr(text, "\nq35 "), *at, *end;

    if (!line)
        return NULL;
    end = strchrnul(line + 1, '\n');
    at = strstr(line, "(alias of ");
    if (!at || at > end)
        return NULL;
    at += strlen("(alias of ");
    return libxl__strndup(gc, at, strcspn(at, ")\n"));
}

/* The first word of each line, with a space before and behind. */
static char *parse_machines(libxl__gc *gc, const char *text)
{
    char *out = libxl__zalloc(gc, strlen(text) + 2), *p = out;
    size_t n;

    if (!out)
        return NULL;
    *p++ = ' ';
    while (*text) {
        n = strcspn(text, " \n");
        if (n && text[n] == ' ') {
            p = mempcpy(p, text, n);
            *p++ = ' ';
        }
        text = strchrnul(text, '\n');
        text += *text == '\n';
    }
    return out;
}

static int ask_machines(libxl__gc *gc, struct libxl__qemu_probe *out, char *buf)
{
    static const char sandbox[] = "on,obsolete=deny,elevateprivileges=deny,"
                                  "spawn=deny,resourcecontrol=deny";
    const char *const strict[] = {
        out->path, "-sandbox", sandbox, "-machine", "help", NULL
    };
    const char *const plain[] = { out->path, "-machine", "help", NULL };

    out->sandbox = !run(strict, buf, OUTPUT_BYTES);
    if (!out->sandbox && run(plain, buf, OUTPUT_BYTES))
        return ERROR_FAIL;
    out->machine = parse_machine(gc, buf);
    out->machines = parse_machines(gc, buf);
    return out->machine && out->machines ? 0 : ERROR_FAIL;
}

/* Since 10.1, where it was not left out. */
static void ask_vfio_user(struct libxl__qemu_probe *out, char *buf)
{
    const char *const argv[] = { out->path, "-device", "vfio-user-pci,help",
                                 NULL };

    /* one that has no such device says so, and ends with status 0 too */
    out->vfio_user = !run(argv, buf, OUTPUT_BYTES) && strstr(buf, "socket=");
}

int libxl__qemu_has_vfio_user(libxl_ctx *ctx, const libxl_domain_config *config,
                              const struct libxl__qemu_probe *probe)
{
    struct libxl__own_process dev;

    if (probe->vfio_user)
        return 0;
    for (unsigned i = 0; libxl__own_process_at(config, i, &dev); i++) {
        if (dev.pci < 0)
            continue;
        LOG(ctx, ERROR, "device %s is served over vfio-user, which %s (QEMU "
            "%s) cannot use: it needs QEMU 10.1 or newer with vfio-user-pci "
            "(device_model_override names another)", dev.name, probe->path,
            probe->version);
        return ERROR_QEMU_API;
    }
    return 0;
}

/* JSON for -device, -action and the like came with 6.2. */
static bool too_old(const char *version)
{
    char *end;
    long major = strtol(version, &end, 10);
    long minor = *end == '.' ? strtol(end + 1, NULL, 10) : 0;

    return major < 6 || (major == 6 && minor < 2);
}

static int ask(libxl_ctx *ctx, libxl__gc *gc, struct libxl__qemu_probe *out)
{
    const char *const version[] = { out->path, "-version", NULL };
    char *buf = malloc(OUTPUT_BYTES);
    int rc = ERROR_NOMEM;

    if (!buf)
        return rc;
    rc = run(version, buf, OUTPUT_BYTES) ? ERROR_FAIL : 0;
    if (!rc)
        out->version = parse_version(gc, buf);
    if (!rc && out->version && too_old(out->version)) {
        LOG(ctx, ERROR, "%s is QEMU %s: this host needs 6.2 or newer",
            out->path, out->version);
        free(buf);
        return ERROR_QEMU_API;
    }
    if (!rc)
        rc = out->version ? ask_machines(gc, out, buf) : ERROR_FAIL;
    if (!rc)
        ask_vfio_user(out, buf);
    if (rc)
        LOG(ctx, ERROR, "%s did not say what it is: %.*s", out->path,
            (int)strcspn(buf, "\n"), buf);
    free(buf);
    return rc;
}

/* ---- the cache ---- */

static char *file_key(libxl__gc *gc, const char *path, const struct stat *st)
{
    return libxl__sprintf(gc, "%s %" PRIu64 ":%" PRIu64 " %lld %lld.%09ld",
                          path, (uint64_t)st->st_dev, (uint64_t)st->st_ino,
                          (long long)st->st_size,
                          (long long)st->st_ctim.tv_sec, st->st_ctim.tv_nsec);
}

static bool cached(libxl__store *st, libxl__gc *gc, const char *key,
                   struct libxl__qemu_probe *out)
{
    const char *was, *version, *machine, *machines;
    yajl_val root;
    char *text;
    bool ok = false;

    if (libxl__file_read(st->ctx, INVALID_DOMID,
                         libxl__store_files_of(st)->dirfd, CACHE_NAME, &text))
        return false;
    root = yajl_tree_parse(text, NULL, 0);
    free(text);
    was = libxl__json_string(root, "file");
    version = libxl__json_string(root, "version");
    machine = libxl__json_string(root, "machine");
    machines = libxl__json_string(root, "machines");
    if (was && version && machine && machines && !strcmp(was, key)) {
        out->version = libxl__strdup(gc, version);
        out->machine = libxl__strdup(gc, machine);
        out->machines = libxl__strdup(gc, machines);
        ok = libxl__json_bool(root, "sandbox", &out->sandbox) &&
             libxl__json_bool(root, "vfio_user", &out->vfio_user) &&
             out->version && out->machine && out->machines;
    }
    yajl_tree_free(root);
    return ok;
}

/* Not being able to keep it costs time, and nothing else. */
static void keep(libxl__store *st, libxl__gc *gc, const char *key,
                 const struct libxl__qemu_probe *p)
{
    struct libxl__json_writer w;
    char *text;

    libxl__json_writer_init(&w);
    libxl__json_open(&w, NULL);
    libxl__json_put_string(&w, "file", key);
    libxl__json_put_string(&w, "version", p->version);
    libxl__json_put_string(&w, "machine", p->machine);
    libxl__json_put_string(&w, "machines", p->machines);
    libxl__json_put_bool(&w, "sandbox", p->sandbox);
    libxl__json_put_bool(&w, "vfio_user", p->vfio_user);
    libxl__json_close(&w);
    text = libxl__json_finish(&w, gc);
    libxl__json_writer_dispose(&w);
    if (text)
        libxl__file_replace(st->ctx, INVALID_DOMID,
                            libxl__store_files_of(st)->dirfd, CACHE_NAME,
                            text, false);
}

int libxl__qemu_probe(libxl__store *st, libxl__gc *gc, const char *program,
                      struct libxl__qemu_probe *out)
{
    const char *name = program && *program ? program : "qemu-system-x86_64";
    struct stat file;
    char *key;
    int rc;

    memset(out, 0, sizeof(*out));
    out->path = find_program(gc, name);
    if (!out->path || stat(out->path, &file)) {
        LOG(st->ctx, ERROR,
            "cannot find QEMU (%s): install qemu-system-x86, or name it with "
            "device_model_override",
            name);
        return ERROR_NOTFOUND;
    }
    key = file_key(gc, out->path, &file);
    if (!key)
        return ERROR_NOMEM;
    if (cached(st, gc, key, out))
        return 0;
    rc = ask(st->ctx, gc, out);
    if (!rc)
        keep(st, gc, key, out);
    return rc;
}
