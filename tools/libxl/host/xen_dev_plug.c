/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xen_dev_plug.c - chain, for each interface:
 *   plug_next -> wait (netback has made its end: state 2) -> script -> scripted
 *             -> plug_next ... answer
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/container.h"
#include "base/log.h"
#include "host/xen_dev.h"

#define BACKEND_MS 10000u
#define LOOK_MS 10u
#define INIT_WAIT "2"
#define ENV_MAX 128

struct plug {
    struct libxl__host_xen *hx;
    libxl__host_call *call;
    int nr, at; /* interfaces, and the one that is plugged */
    uint64_t give_up_ms;
    libxl__ev_time tick;
    libxl__ev_child script;
};

static void look(libxl__egc *egc, libxl__ev_time *ev, int rc);
static void scripted(libxl__egc *egc, libxl__ev_child *ch, pid_t pid,
                     int status);

static struct plug *plug_of_tick(libxl__ev_time *ev)
{
    return CONTAINER_OF(ev, struct plug, tick);
}

static struct plug *plug_of_script(libxl__ev_child *ch)
{
    return CONTAINER_OF(ch, struct plug, script);
}

static void finish(libxl__egc *egc, struct plug *p, int rc)
{
    p->call->callback(egc, p->call, rc);
}

static int wait_for_backend(struct plug *p)
{
    return libxl__ev_time_register_rel(p->hx->host.ctx, NULL, &p->tick, look,
                                       LOOK_MS);
}

int libxl__xen_dev_plug(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                        const libxl_domain_config *config)
{
    struct plug *p = libxl__zalloc(libxl__ao_gc(call->ao), sizeof(*p));

    if (!p)
        return ERROR_NOMEM;
    if (!config->num_nics)
        return libxl__xen_answer(egc, h, call, 0);
    p->hx = libxl__host_xen_of(h);
    p->call = call;
    p->nr = config->num_nics;
    p->give_up_ms = libxl__now_ms(h->ctx) + BACKEND_MS;
    libxl__ev_time_init(&p->tick);
    libxl__ev_child_init(&p->script);
    return wait_for_backend(p);
}

/* Ours, and what the script looks for. */
static const char **make_env(struct plug *p, libxl__gc *gc, const char *back)
{
    const char **env = libxl__zalloc(gc, sizeof(*env) * (ENV_MAX + 8));
    size_t n = 0;

    if (!env)
        return NULL;
    for (char **e = environ; *e && n < ENV_MAX; e++)
        env[n++] = *e;
    env[n++] = libxl__sprintf(gc, "XENBUS_PATH=%s", back);
    env[n++] = "XENBUS_TYPE=vif";
    env[n++] = "XENBUS_BASE_PATH=backend";
    env[n++] = "netdev=";
    env[n++] = libxl__sprintf(gc, "vif=vif%" PRIu32 ".%d", p->call->domid,
                              p->at);
    return env[n - 1] && env[n - 5] ? env : NULL;
}

static int run_script(struct plug *p, libxl__gc *gc, const char *back)
{
    const char *script = libxl__xs_read(&p->hx->xs, gc, "%s/script", back);
    const char **env = make_env(p, gc, back);
    const char *argv[] = {script, "online", "type_if=vif", NULL};

    if (!script || !env)
        return ERROR_FAIL;
    return libxl__ev_child_spawn(
        p->hx->host.ctx, &p->script, scripted,
        &(struct libxl__spawn_params){
            .argv = argv,
            .envp = env,
            .fds = (const int[]){-1, -1, STDERR_FILENO},
            .nr_fds = 3,
        });
}

static void look(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    struct plug *p = plug_of_tick(ev);
    libxl__gc *gc = libxl__ao_gc(p->call->ao);
    libxl_ctx *ctx = p->hx->host.ctx;
    char *back = libxl__sprintf(
        gc, "/local/domain/0/backend/vif/%" PRIu32 "/%d", p->call->domid, p->at);
    char *state = back ? libxl__xs_read(&p->hx->xs, gc, "%s/state", back) : NULL;

    if (state && !strcmp(state, INIT_WAIT)) {
        rc = run_script(p, gc, back);
    } else if (libxl__now_ms(ctx) < p->give_up_ms) {
        rc = wait_for_backend(p);
    } else {
        LOGD(ctx, p->call->domid, ERROR,
             "network interface %d: the host's driver (xen-netback) does not "
             "take it", p->at);
        rc = ERROR_FAIL;
    }
    if (rc)
        finish(egc, p, rc);
}

static void scripted(libxl__egc *egc, libxl__ev_child *ch, pid_t pid,
                     int status)
{
    struct plug *p = plug_of_script(ch);
    libxl_ctx *ctx = p->hx->host.ctx;
    int rc = 0;

    if (!WIFEXITED(status) || WEXITSTATUS(status)) {
        LOGD(ctx, p->call->domid, ERROR,
             "network interface %d: its hotplug script failed (does the bridge "
             "exist?)", p->at);
        finish(egc, p, ERROR_FAIL);
        return;
    }
    p->give_up_ms = libxl__now_ms(ctx) + BACKEND_MS;
    if (++p->at < p->nr)
        rc = wait_for_backend(p);
    if (rc || p->at == p->nr)
        finish(egc, p, rc);
}
