/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/host_rig.h"

#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"

enum { DEADLINE_S = 120 };

static void message(libxl_logger *lg, libxl_loglevel level, uint32_t domid,
                    const char *text)
{
    struct host_rig *r = (struct host_rig *)lg;
    size_t used = strlen(r->log);

    snprintf(r->log + used, sizeof(r->log) - used, "%s\n", text);
    if (level >= LIBXL_LOG_ERROR)
        r->errors++;
    if (getenv("XL_TEST_VERBOSE"))
        fprintf(stderr, "# [%d] dom %d: %s\n", level, (int)domid, text);
}

/* build/tests/unit/host/test_x: the programs are in build/libexec. */
static void find_libexec(void)
{
    char path[4096], *tests;
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

    assert_true(n > 0);
    path[n] = '\0';
    tests = strstr(path, "/tests/");
    assert_non_null(tests);
    strcpy(tests, "/libexec");
    setenv("XL_LIBEXEC_DIR", path, 1);
}

int host_rig_open(void **state)
{
    struct host_rig *r = calloc(1, sizeof(*r));

    r->logger.message = message;
    strcpy(r->dir, "/tmp/xl-test-host-XXXXXX");
    assert_non_null(mkdtemp(r->dir));
    find_libexec();
    setenv("XL_STATE_DIR", r->dir, 1);
    assert_int_equal(libxl_ctx_alloc(&r->ctx, LIBXL_VERSION, 0, &r->logger), 0);
    r->h = libxl__host_qemu_open(r->ctx);
    assert_non_null(r->h);
    r->st = r->h->ops->store(r->h);
    *state = r;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int flag,
                      struct FTW *ftw)
{
    return remove(path);
}

int host_rig_close(void **state)
{
    struct host_rig *r = *state;
    uint32_t *domids;
    libxl__gc gc;
    int nr, i;

    libxl__gc_init(&gc, r->ctx);
    if (!r->st->ops->list(r->st, &gc, &domids, &nr))
        for (i = 0; i < nr; i++)
            host_rig_destroy(r, domids[i]);
    libxl__gc_dispose(&gc);
    r->h->ops->close(r->h);
    libxl_ctx_free(r->ctx);
    nftw(r->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(r);
    return 0;
}

/* ---- running a call ---- */

struct run {
    struct host_rig *r;
    libxl__host_call call;
    host_rig_start *start;
    void *user;
};

static void call_done(libxl__egc *egc, libxl__host_call *call, int rc)
{
    libxl__ao_complete(egc, call->ao, rc);
}

static int run_start(libxl__egc *egc, libxl__ao *ao, const void *params)
{
    struct run *run = *(struct run *const *)params;

    run->call.ao = ao;
    run->call.callback = call_done;
    return run->start(egc, run->r->h, &run->call, run->user);
}

int host_rig_run(struct host_rig *r, uint32_t domid, host_rig_start *start,
                 void *user)
{
    struct run run = { .r = r, .start = start, .user = user }, *p = &run;

    run.call.domid = domid;
    return libxl__ao_run(r->ctx, domid, NULL, run_start, &p);
}

/* ---- domains ---- */

void host_rig_config(struct host_rig *r, libxl_domain_config *c)
{
    libxl_domain_config_init(c);
    c->c_info.type = LIBXL_DOMAIN_TYPE_HVM;
    c->c_info.name = strdup("guest");
    libxl_uuid_generate(&c->c_info.uuid);
    c->b_info.max_memkb = 32 << 10;
    c->b_info.max_vcpus = 1;
    c->qemu_host.accel = strdup("tcg");
    assert_int_equal(r->h->ops->check_config(r->h, c, false), 0);
}

uint32_t host_rig_record(struct host_rig *r, const libxl_domain_config *c)
{
    struct libxl__domain_record rec = {
        .name = c->c_info.name,
        .uuid = c->c_info.uuid,
        .never_started = true,
        .created_at = time(NULL),
    };
    libxl__domain_lock *lock;
    libxl__gc gc;

    assert_int_equal(r->st->ops->create(r->st, INVALID_DOMID, &rec.domid), 0);
    assert_int_equal(
        libxl__domain_lock_take(r->st, rec.domid, "test", false, &lock), 0);
    libxl__domain_lock_release(lock);
    rec.config_json = libxl_domain_config_to_json(r->ctx, c);
    assert_non_null(rec.config_json);
    libxl__gc_init(&gc, r->ctx);
    assert_int_equal(libxl__domain_record_write(r->st, &gc, &rec), 0);
    libxl__gc_dispose(&gc);
    free(rec.config_json);
    return rec.domid;
}

struct create_args {
    const libxl_domain_config *c;
    bool incoming;
};

static int start_create(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                        void *user)
{
    struct create_args *a = user;

    return h->ops->create(egc, h, call, a->c, a->incoming);
}

int host_rig_create(struct host_rig *r, uint32_t domid,
                    const libxl_domain_config *c, bool incoming)
{
    struct create_args a = { c, incoming };

    return host_rig_run(r, domid, start_create, &a);
}

uint32_t host_rig_guest(struct host_rig *r, bool incoming)
{
    libxl_domain_config c;
    uint32_t domid;

    host_rig_config(r, &c);
    domid = host_rig_record(r, &c);
    assert_int_equal(host_rig_create(r, domid, &c, incoming), 0);
    libxl_domain_config_dispose(&c);
    return domid;
}

static int start_plain(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                       void *user)
{
    return (*(host_rig_plain **)user)(egc, h, call);
}

int host_rig_call(struct host_rig *r, uint32_t domid, host_rig_plain *op)
{
    return host_rig_run(r, domid, start_plain, &op);
}

int host_rig_destroy(struct host_rig *r, uint32_t domid)
{
    return host_rig_call(r, domid, r->h->ops->destroy);
}

struct dm_args {
    int fd;
    bool load;
};

static int start_dm(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                    void *user)
{
    struct dm_args *a = user;

    return a->load ? h->ops->dm_load(egc, h, call, a->fd)
                   : h->ops->dm_save(egc, h, call, a->fd);
}

int host_rig_dm(struct host_rig *r, uint32_t domid, int fd, bool load)
{
    struct dm_args a = { fd, load };

    return host_rig_run(r, domid, start_dm, &a);
}

/* ---- looking ---- */

static char status_seen[64];

static int keep_status(struct libxl__qemu_op *op, int rc, yajl_val last)
{
    const char *s = rc ? NULL : libxl__json_string(last, "status");

    snprintf(status_seen, sizeof(status_seen), "%s", s ? s : "error");
    return rc;
}

static int start_status(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                        void *user)
{
    struct libxl__qemu_op *op;
    int rc = libxl__qemu_op_new(h, call, &op);

    if (rc)
        return rc;
    op->done = keep_status;
    libxl__qemu_op_step(op, user, NULL);
    return libxl__qemu_op_start(egc, op);
}

static const char *ask_status(struct host_rig *r, uint32_t domid, char *query)
{
    strcpy(status_seen, "unknown");
    host_rig_run(r, domid, start_status, query);
    return status_seen;
}

const char *host_rig_status(struct host_rig *r, uint32_t domid)
{
    return ask_status(r, domid, (char *)"query-status");
}

void host_rig_wait_status(struct host_rig *r, uint32_t domid, char *query,
                          const char *wanted)
{
    const struct timespec moment = { .tv_nsec = 5000000 };
    time_t end = time(NULL) + DEADLINE_S;

    while (strcmp(ask_status(r, domid, query), wanted) && time(NULL) < end)
        nanosleep(&moment, NULL);
    assert_string_equal(status_seen, wanted);
}

static int start_end(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                     void *user)
{
    struct libxl__qemu_op *op;
    int rc = libxl__qemu_op_new(h, call, &op);

    if (rc)
        return rc;
    libxl__qemu_op_step(op, "system_reset", NULL);
    return libxl__qemu_op_start(egc, op);
}

void host_rig_end_guest(struct host_rig *r, uint32_t domid)
{
    assert_int_equal(host_rig_run(r, domid, start_end, NULL), 0);
    host_rig_wait_status(r, domid, (char *)"query-status", "shutdown");
}

pid_t host_rig_pid(struct host_rig *r, uint32_t domid)
{
    struct libxl__qemu_ident id;

    assert_int_equal(
        libxl__qemu_ident_read(libxl__host_qemu_of(r->h), domid, &id), 0);
    return id.proc.pid;
}
