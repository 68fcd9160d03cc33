/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xen_hotplug.c - runs a hotplug script of the host for one device. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/container.h"
#include "base/log.h"
#include "host/xen_dev.h"

#define ENV_MAX 128
#define OURS 8
#define LIMIT_MS 40000u
#define BACKENDS "/local/domain/0/"

static struct libxl__xen_script *script_of(libxl__ev_child *ch)
{
    return CONTAINER_OF(ch, struct libxl__xen_script, child);
}

static struct libxl__xen_script *script_of_deadline(libxl__ev_time *ev)
{
    return CONTAINER_OF(ev, struct libxl__xen_script, deadline);
}

static unsigned limit_ms(const struct libxl__xen_script *s)
{
    return s->limit_ms ? s->limit_ms : LIMIT_MS;
}

const char *libxl__xen_script_path(libxl__gc *gc, const char *name)
{
    return libxl__sprintf(gc, "%s%s", name[0] == '/' ? "" : LIBXL__XEN_SCRIPTS,
                          name);
}

bool libxl__xen_nic_has_its_name(struct libxl__host_xen *hx, libxl__gc *gc,
                                 uint32_t domid, const char *back)
{
    const char *own = libxl__xs_read(&hx->xs, gc, "%s/vifname", back);
    const char *plain = libxl__sprintf(gc, "/sys/class/net/vif%" PRIu32 ".%s",
                                       domid, strrchr(back, '/') + 1);

    return !own || (plain && access(plain, F_OK));
}

/* The names that netback and QEMU give. A vifname is the script's business: it
 * looks for it in xenstore, and renames them. */
static size_t put_names(const struct libxl__xen_script *s, const char **env)
{
    const char *devid = strrchr(s->back, '/') + 1;
    const char *type = libxl__xs_read(&s->hx->xs, s->gc, "%s/type", s->back);
    size_t n = 0;

    env[n++] = "netdev=";
    env[n++] = libxl__sprintf(s->gc, "vif=vif%" PRIu32 ".%s", s->domid, devid);
    if (type && !strcmp(type, "vif_ioemu"))
        env[n++] = libxl__sprintf(s->gc, "INTERFACE=vif%" PRIu32 ".%s-emu",
                                  s->domid, devid);
    return n;
}

/* Ours, and what the script looks for. */
static const char **make_env(const struct libxl__xen_script *s)
{
    const char **env = libxl__zalloc(s->gc, sizeof(*env) * (ENV_MAX + OURS));
    const char *path = s->back;
    size_t n = 0, first;

    if (!env)
        return NULL;
    if (!strncmp(path, BACKENDS, strlen(BACKENDS)))
        path += strlen(BACKENDS);
    for (char **e = environ; *e && n < ENV_MAX; e++)
        env[n++] = *e;
    first = n;
    env[n++] = libxl__sprintf(s->gc, "XENBUS_PATH=%s", path);
    env[n++] = libxl__sprintf(s->gc, "XENBUS_TYPE=%s", s->type);
    env[n++] = "XENBUS_BASE_PATH=backend";
    if (!strcmp(s->type, "vif"))
        n += put_names(s, env + n);
    for (size_t i = first; i < n; i++)
        if (!env[i])
            return NULL;
    return env;
}

static void ended(libxl__egc *egc, libxl__ev_child *ch, pid_t pid, int status)
{
    struct libxl__xen_script *s = script_of(ch);

    libxl__ev_time_deregister(s->hx->host.ctx, &s->deadline);
    s->done(egc, s, !s->stopped && WIFEXITED(status) && !WEXITSTATUS(status));
}

/* What it has started goes with it: that is what it waits for. */
static void stop(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    struct libxl__xen_script *s = script_of_deadline(ev);

    if (rc == ERROR_TIMEDOUT)
        LOGD(s->hx->host.ctx, s->domid, ERROR,
             "%s %s: %s %s: it has not ended within %u s, and is killed",
             s->path, s->verb, s->type, strrchr(s->back, '/') + 1,
             limit_ms(s) / 1000);
    s->stopped = true;
    libxl__ev_child_kill_session(&s->child, SIGKILL);
}

static int spawn(struct libxl__xen_script *s, const char *const *env)
{
    const char *argv[] = {s->path, s->verb, s->arg, NULL};

    libxl__ev_child_init(&s->child);
    return libxl__ev_child_spawn(
        s->hx->host.ctx, &s->child, ended,
        &(struct libxl__spawn_params){
            .argv = argv,
            .envp = env,
            .fds = (const int[]){-1, -1, STDERR_FILENO},
            .nr_fds = 3,
            .new_session = true,
        });
}

int libxl__xen_script_run(struct libxl__xen_script *s)
{
    const char *name = libxl__xs_read(&s->hx->xs, s->gc, "%s/script", s->back);
    const char **env = make_env(s);
    libxl_ctx *ctx = s->hx->host.ctx;
    int rc;

    s->stopped = false;
    s->path = name ? libxl__xen_script_path(s->gc, name) : NULL;
    if (!s->path || !env)
        return ERROR_FAIL;
    libxl__ev_time_init(&s->deadline);
    rc = libxl__ev_time_register_rel(ctx, s->ao, &s->deadline, stop,
                                     limit_ms(s));
    if (rc)
        return rc;
    rc = spawn(s, env);
    if (rc)
        libxl__ev_time_deregister(ctx, &s->deadline);
    return rc;
}
