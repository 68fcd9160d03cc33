/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* qemu_spawn.c - see qemu_spawn.h. */
#include "host/qemu_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/paths.h"
#include "base/sock_at.h"
#include "dev/dev.h"
#include "host/qemu_probe.h"

extern char **environ;

void libxl__qemu_kit_init(struct libxl__qemu_kit *kit)
{
    size_t i;

    memset(kit, 0, sizeof(*kit));
    for (i = 0; i < sizeof(kit->fds) / sizeof(*kit->fds); i++)
        kit->fds[i] = -1;
}

void libxl__qemu_kit_dispose(struct libxl__qemu_kit *kit)
{
    size_t i;

    /* stdout and stderr are one fd */
    kit->fds[1] = -1;
    for (i = 0; i < sizeof(kit->fds) / sizeof(*kit->fds); i++) {
        if (kit->fds[i] >= 0)
            close(kit->fds[i]);
        kit->fds[i] = -1;
    }
}

/* ---- its parts ---- */

static int make_memory(libxl_ctx *ctx, uint32_t domid, uint64_t bytes,
                       int *fd_out)
{
    int fd = memfd_create("xl-guest-ram", MFD_CLOEXEC);

    *fd_out = fd;
    if (fd >= 0 && !ftruncate(fd, (off_t)bytes))
        return 0;
    LOGED(ctx, domid, ERROR, errno,
          "cannot make the guest's memory of %llu MiB",
          (unsigned long long)(bytes >> 20));
    return ERROR_NOMEM;
}

static int listen_at(libxl_ctx *ctx, uint32_t domid, int dirfd,
                     const char *name, int *fd_out)
{
    *fd_out = libxl__listen_at(dirfd, name);
    if (*fd_out >= 0)
        return 0;
    LOGED(ctx, domid, ERROR, errno, "cannot make the socket \"%s\"", name);
    return ERROR_FAIL;
}

static int make_sockets(libxl_ctx *ctx, uint32_t domid, int dirfd,
                        struct libxl__qemu_kit *kit)
{
    static const struct {
        const char *name;
        int number;
    } sockets[] = {
        { "qmp-cmd", LIBXL__QEMU_CMD_FD },
        { "qmp-event", LIBXL__QEMU_EVENT_FD },
        { "console", LIBXL__QEMU_CONSOLE_FD },
        { "agent", LIBXL__QEMU_AGENT_FD },
        { "qga", LIBXL__QEMU_QGA_FD },
    };
    size_t i;
    int rc = 0;

    for (i = 0; i < sizeof(sockets) / sizeof(*sockets) && !rc; i++)
        rc = listen_at(ctx, domid, dirfd, sockets[i].name,
                       &kit->fds[sockets[i].number]);
    return rc;
}

static int make_taps(libxl_ctx *ctx, uint32_t domid,
                     const libxl_domain_config *config,
                     struct libxl__qemu_kit *kit)
{
    int i, rc = 0;

    if (config->num_nics > LIBXL__QEMU_MAX_NICS) {
        LOGD(ctx, domid, ERROR, "more than %d vifs", LIBXL__QEMU_MAX_NICS);
        return ERROR_INVAL;
    }
    for (i = 0; i < config->num_nics && !rc; i++) {
        const libxl_device_nic *nic = &config->nics[i];

        kit->tap_numbers[i] = -1;
        if (!nic->bridge || !nic->bridge[0])
            continue;
        rc = libxl__qemu_tap_open(ctx, domid, nic, i, &kit->fds[kit->nr_fds]);
        if (!rc)
            kit->tap_numbers[i] = (int)kit->nr_fds++;
    }
    return rc;
}

/* QEMU connects to vfio-user devices by a path: below this descriptor, which
 * any root directory and any length of ours leaves valid. */
static int lend_directory(int dirfd, struct libxl__qemu_kit *kit)
{
    int fd = fcntl(dirfd, F_DUPFD_CLOEXEC, 0);

    if (fd < 0)
        return ERROR_FAIL;
    kit->rt.vfio_dir_fd = (int)kit->nr_fds;
    kit->fds[kit->nr_fds++] = fd;
    return 0;
}

/* Devices that a process of their own serves: started here, and each ends by
 * itself when QEMU does. */
static int start_devices(libxl_ctx *ctx, uint32_t domid,
                         const libxl_domain_config *config, bool incoming,
                         int dirfd, struct libxl__qemu_kit *kit)
{
    struct libxl__dev_start start = {
        .dirfd = dirfd,
        .log_fd = kit->fds[LIBXL__QEMU_LOG_FD],
        .memory_bytes = libxl__qemu_memory_bytes(config),
        .incoming = incoming,
    };
    struct libxl__own_process dev;
    int rc = 0;

    for (int i = 0; i < config->num_disks; i++)
        kit->disk_numbers[i] = -1;
    if (libxl__vfio_user_count(config))
        rc = lend_directory(dirfd, kit);
    for (; !rc && libxl__own_process_at(config, start.index, &dev);
         start.index++) {
        if (start.index == LIBXL__DEV_MAX) {
            LOGD(ctx, domid, ERROR, "more than %d devices with a process of "
                 "their own", LIBXL__DEV_MAX);
            return ERROR_INVAL;
        }
        rc = libxl__dev_start(ctx, domid, &start, &dev,
                              &kit->fds[kit->nr_fds]);
        if (!rc && dev.disk)
            kit->disk_numbers[dev.disk - config->disks] = (int)kit->nr_fds;
        kit->nr_fds += !rc;
    }
    return rc;
}

static int look_at_disks(libxl_ctx *ctx, uint32_t domid,
                         const libxl_domain_config *config,
                         struct libxl__qemu_kit *kit)
{
    struct stat st;
    int i;

    if (config->num_disks > LIBXL__QEMU_MAX_DISKS) {
        LOGD(ctx, domid, ERROR, "more than %d disks", LIBXL__QEMU_MAX_DISKS);
        return ERROR_INVAL;
    }
    for (i = 0; i < config->num_disks; i++)
        kit->disk_is_blockdev[i] = config->disks[i].pdev_path &&
                                   !stat(config->disks[i].pdev_path, &st) &&
                                   S_ISBLK(st.st_mode);
    return 0;
}

static int fill_runtime(struct libxl__host_qemu *hq, libxl__gc *gc,
                        uint32_t domid, const libxl_domain_config *config,
                        bool incoming, struct libxl__qemu_kit *kit)
{
    struct libxl__qemu_runtime *rt = &kit->rt;
    struct libxl__qemu_probe probe;
    int rc;

    rc = libxl__qemu_probe(hq->store, gc,
                           config->b_info.device_model_override, &probe);
    if (rc)
        return rc;
    rc = libxl__qemu_has_vfio_user(hq->host.ctx, config, &probe);
    if (rc)
        return rc;
    rt->qemu_path = probe.path;
    rt->no_sandbox = !probe.sandbox;
    rt->memory_fd = LIBXL__QEMU_MEMORY_FD;
    rt->qmp_cmd_fd = LIBXL__QEMU_CMD_FD;
    rt->qmp_event_fd = LIBXL__QEMU_EVENT_FD;
    rt->console_fd = LIBXL__QEMU_CONSOLE_FD;
    rt->agent_fd = LIBXL__QEMU_AGENT_FD;
    rt->qga_fd = LIBXL__QEMU_QGA_FD;
    rt->vfio_dir_fd = -1;
    rt->tap_fds = kit->tap_numbers;
    rt->disk_is_blockdev = kit->disk_is_blockdev;
    rt->disk_fds = kit->disk_numbers;
    rt->rtc_seconds = time(NULL);
    rt->incoming = incoming;
    return libxl__qemu_bios_path(hq->host.ctx, domid, config, &rt->bios_path);
}

int libxl__qemu_kit_make(struct libxl__host_qemu *hq, libxl__gc *gc,
                         uint32_t domid, const libxl_domain_config *config,
                         bool incoming, struct libxl__qemu_kit *kit)
{
    libxl_ctx *ctx = hq->host.ctx;
    int rc, dirfd = -1;

    kit->nr_fds = LIBXL__QEMU_FIRST_TAP_FD;
    rc = fill_runtime(hq, gc, domid, config, incoming, kit);
    if (!rc)
        rc = look_at_disks(ctx, domid, config, kit);
    if (!rc)
        rc = make_memory(ctx, domid, libxl__qemu_memory_bytes(config),
                         &kit->fds[LIBXL__QEMU_MEMORY_FD]);
    if (rc)
        return rc;
    kit->fds[1] = kit->fds[LIBXL__QEMU_LOG_FD] = libxl__qemu_log_make();
    if (kit->fds[1] < 0) {
        LOGED(ctx, domid, ERROR, errno, "cannot make QEMU's log");
        return ERROR_FAIL;
    }
    rc = hq->store->ops->open_dir(hq->store, domid, &dirfd);
    if (rc)
        return rc;
    rc = make_sockets(ctx, domid, dirfd, kit);
    if (!rc)
        rc = make_taps(ctx, domid, config, kit);
    if (!rc)
        rc = start_devices(ctx, domid, config, incoming, dirfd, kit);
    close(dirfd);
    return rc;
}

/* ---- the environment ---- */

const char *libxl__qemu_preload_path(libxl__gc *gc)
{
    const char *helper = libxl__libexec_path(gc, "xl-save-helper");
    const char *slash = helper ? strrchr(helper, '/') : NULL;
    const char *path;

    if (!slash)
        return NULL;
    path = libxl__sprintf(gc, "%.*s/../lib/xl-preload-uffd.so",
                          (int)(slash - helper), helper);
    return path && !access(path, R_OK) ? path : NULL;
}

const char **libxl__qemu_env(struct libxl__host_qemu *hq, libxl__gc *gc,
                             uint32_t domid)
{
    const char *preload = libxl__qemu_preload_path(gc);
    const char **env;
    size_t n = 0, i;

    while (environ[n])
        n++;
    env = libxl__zalloc(gc, (n + 3) * sizeof(*env));
    if (!env)
        return NULL;
    /* First: who looks for it reads no more than 64 KiB. */
    env[0] = libxl__qemu_tag(hq, gc, domid);
    if (!env[0])
        return NULL;
    for (n = 1, i = 0; environ[i]; i++)
        if (strncmp(environ[i], "LD_PRELOAD=", 11) &&
            strncmp(environ[i], "XL_DOMAIN=", 10))
            env[n++] = environ[i];
    if (preload)
        env[n] = libxl__sprintf(gc, "LD_PRELOAD=%s", preload);
    return env;
}
