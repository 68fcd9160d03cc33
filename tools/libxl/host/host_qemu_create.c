/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * host_qemu_create.c - a guest as a new QEMU process. Chain, in order of time:
 *
 *   create (RAM, sockets, spawn, identity on record)
 *     -> qmp_done (it answers: it is there) -> finish
 *     -> child_died -> finish                      the one that comes first
 *   an error or abort: kill -> child_died -> finish
 *
 * From the return of create on, helper_guest can reach the (empty) memory: a
 * restore fills it while QEMU is still starting.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/container.h"
#include "base/json.h"
#include "base/log.h"
#include "host/host_qemu.h"
#include "host/qemu_spawn.h"

enum { QEMU_START_MS = 60000 };

struct qemu_create {
    struct libxl__host_qemu *hq;
    libxl__host_call *call;
    libxl__gc gc;
    struct libxl__qemu_kit kit;
    libxl__ev_child child;
    libxl__qmp_script script;
    struct libxl__qmp_step steps[4];
    int dirfd;
    int rc; /* non-zero: QEMU has been killed, and its death ends the call */
};

static void qmp_done(libxl__egc *egc, libxl__qmp_script *s, int rc,
                     yajl_val last);
static void child_died(libxl__egc *egc, libxl__ev_child *ch, pid_t pid,
                       int status);

static struct qemu_create *create_of_script(libxl__qmp_script *s)
{
    return CONTAINER_OF(s, struct qemu_create, script);
}

static struct qemu_create *create_of_child(libxl__ev_child *ch)
{
    return CONTAINER_OF(ch, struct qemu_create, child);
}

static void drop(struct qemu_create *c)
{
    libxl__qmp_script_stop(&c->script);
    libxl__qemu_kit_dispose(&c->kit);
    if (c->dirfd >= 0)
        close(c->dirfd);
    libxl__gc_dispose(&c->gc);
    free(c);
}

static void finish(libxl__egc *egc, struct qemu_create *c, int rc)
{
    libxl__host_call *call = c->call;

    drop(c);
    call->state = NULL;
    call->callback(egc, call, rc);
}

/* ---- start ---- */

static int spawn(struct qemu_create *c, char **argv)
{
    struct libxl__spawn_params p = {
        .argv = (const char *const *)argv,
        .fds = c->kit.fds,
        .nr_fds = c->kit.nr_fds,
        .cwd = "/",
        .new_session = true,
    };

    p.envp = libxl__qemu_env(c->hq, &c->gc, c->call->domid);
    if (!p.envp)
        return ERROR_NOMEM;
    return libxl__ev_child_spawn(c->hq->host.ctx, &c->child, child_died, &p);
}

static int record_identity(struct qemu_create *c,
                           const libxl_domain_config *config)
{
    struct libxl__qemu_ident ident = {
        .memory_bytes = libxl__qemu_memory_bytes(config),
    };
    const struct libxl__run_record run = { .state = LIBXL__RUN_PAUSED };
    int rc;

    /* A QEMU that is dead already: child_died tells why. */
    rc = libxl__proc_id_of(c->child.pid, &ident.proc);
    if (rc)
        return rc == ERROR_NOTFOUND ? 0 : rc;
    rc = libxl__qemu_ident_write(c->hq, c->call->domid, &ident);
    return rc ? rc
              : libxl__run_record_write(c->hq->store, c->call->domid, &run);
}

/* What is asked of the new QEMU; the first answer says that it lives. */
static int make_steps(struct qemu_create *c, const libxl_domain_config *config,
                      bool incoming)
{
    const libxl_domain_build_info *b = &config->b_info;
    const char *passwd = b->vnc.enable ? b->vnc.passwd : NULL;
    size_t n = 0;

    c->steps[n++].command = "query-status";
    if (incoming) {
        c->steps[n].command = "migrate-set-capabilities";
        c->steps[n++].args_json = LIBXL__QEMU_CAPABILITIES;
    }
    if (passwd && passwd[0]) {
        char *quoted = libxl__json_quote(&c->gc, passwd);

        c->steps[n].command = "set_password";
        c->steps[n].args_json = libxl__sprintf(
            &c->gc, "{\"protocol\":\"vnc\",\"password\":%s}",
            quoted ? quoted : "\"\"");
        if (!quoted || !c->steps[n++].args_json)
            return ERROR_NOMEM;
    }
    if (!incoming && b->target_memkb && b->target_memkb < b->max_memkb) {
        c->steps[n].command = "balloon";
        c->steps[n].args_json = libxl__sprintf(
            &c->gc, "{\"value\":%" PRIu64 "}", b->target_memkb << 10);
        if (!c->steps[n++].args_json)
            return ERROR_NOMEM;
    }
    c->script.steps = c->steps;
    c->script.nr_steps = n;
    return 0;
}

static int start_script(libxl__egc *egc, struct qemu_create *c)
{
    int rc = c->hq->store->ops->open_dir(c->hq->store, c->call->domid,
                                         &c->dirfd);

    if (rc)
        return rc;
    c->script.ctx = c->hq->host.ctx;
    c->script.ao = c->call->ao;
    c->script.domid = c->call->domid;
    c->script.dirfd = c->dirfd;
    c->script.timeout_ms = QEMU_START_MS;
    c->script.quiet_loss = true;
    c->script.callback = qmp_done;
    return libxl__qmp_script_start(egc, &c->script);
}

/* QEMU runs and must not stay: the call ends when it is dead. */
static void kill_and_wait(struct qemu_create *c, int rc)
{
    c->rc = rc;
    libxl__qmp_script_stop(&c->script);
    libxl__ev_child_kill(&c->child, SIGKILL);
}

int libxl__qemu_create(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                       const libxl_domain_config *config, bool incoming)
{
    struct qemu_create *c = calloc(1, sizeof(*c));
    char **argv;
    int rc;

    if (!c)
        return ERROR_NOMEM;
    c->hq = libxl__host_qemu_of(h);
    c->call = call;
    c->dirfd = -1;
    libxl__gc_init(&c->gc, h->ctx);
    libxl__qemu_kit_init(&c->kit);
    libxl__ev_child_init(&c->child);
    libxl__qmp_script_init(&c->script);
    rc = make_steps(c, config, incoming);
    if (rc)
        goto err;
    rc = libxl__qemu_kit_make(c->hq, &c->gc, call->domid, config, incoming,
                              &c->kit);
    if (rc)
        goto err;
    argv = libxl__qemu_args(&c->gc, config, call->domid, &c->kit.rt, &rc);
    if (!argv)
        goto err;
    rc = spawn(c, argv);
    if (rc)
        goto err;
    call->state = c;
    rc = record_identity(c, config);
    if (!rc)
        rc = start_script(egc, c);
    /* QEMU has our fds: a failure from here on waits for its death. */
    if (rc)
        kill_and_wait(c, rc);
    return 0;
err:
    drop(c);
    return rc;
}

/* ---- the one that comes first ---- */

static void qmp_done(libxl__egc *egc, libxl__qmp_script *s, int rc,
                     yajl_val last)
{
    struct qemu_create *c = create_of_script(s);

    if (rc) {
        kill_and_wait(c, rc);
        return;
    }
    /* It lives on without us; its death is the keeper's business. */
    libxl__ev_child_forget(&c->child);
    finish(egc, c, 0);
}

/* QEMU's own words; else the signal that ended it, unless that was ours. */
static const char *death_reason(struct qemu_create *c, int status)
{
    const char *text =
        libxl__qemu_log_reason(&c->gc, c->kit.fds[LIBXL__QEMU_LOG_FD]);

    if (WIFSIGNALED(status) && !(c->rc && WTERMSIG(status) == SIGKILL))
        text = libxl__sprintf(&c->gc, "signal %d ended it: %s",
                              WTERMSIG(status), text);
    return text ? text : "no memory";
}

static void child_died(libxl__egc *egc, libxl__ev_child *ch, pid_t pid,
                       int status)
{
    struct qemu_create *c = create_of_child(ch);
    int rc = c->rc ? c->rc : ERROR_FAIL;
    bool ours = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && c->rc;

    /* The lost connection was not logged: this is why it was lost. */
    if (!ours || rc == ERROR_NOT_READY)
        LOGD(c->hq->host.ctx, c->call->domid, ERROR,
             "QEMU did not start: %s", death_reason(c, status));
    finish(egc, c, rc == ERROR_NOT_READY ? ERROR_FAIL : rc);
}
