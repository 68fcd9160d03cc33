/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fake_guest.c - codec of the record "fake".
 */
#include "host/fake_guest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "store/domain_record.h"

#define FAKE_DM_STATE "state of a fake device model\n"
/* On Xen a guest's PFNs reach up to 4 GiB, however little memory it has. */
#define XEN_PFNS_BYTES (4ull << 30)

static const char *const state_names[] = {
    [FAKE_NONE] = "none",
    [FAKE_PAUSED] = "paused",
    [FAKE_RUNNING] = "running",
    [FAKE_SHUTDOWN] = "shutdown",
};
#define NR_STATES (sizeof(state_names) / sizeof(state_names[0]))

static bool decode_state(yajl_val root, const char *key,
                         enum libxl__fake_state *out)
{
    const char *text = libxl__json_string(root, key);
    unsigned i;

    for (i = 0; text && i < NR_STATES; i++) {
        *out = i;
        if (!strcmp(text, state_names[i]))
            return true;
    }
    return false;
}

int libxl__fake_guest_read(libxl__store *st, uint32_t domid,
                           struct libxl__fake_guest *out)
{
    yajl_val root;
    char *text;
    int rc;

    memset(out, 0, sizeof(*out));
    rc = st->ops->read(st, domid, "fake", &text);
    if (rc)
        return rc == ERROR_NOTFOUND ? 0 : rc;
    root = libxl__json_parse(st->ctx, domid, "the record \"fake\"", text);
    free(text);
    if (!root)
        return ERROR_FAIL;
    if (!decode_state(root, "state", &out->state) ||
        !decode_state(root, "was", &out->was) ||
        !libxl__json_i64(root, "reason", &out->reason)) {
        LOGD(st->ctx, domid, ERROR, "the record \"fake\" is damaged");
        rc = ERROR_FAIL;
    }
    yajl_tree_free(root);
    return rc;
}

int libxl__fake_guest_write(libxl__store *st, uint32_t domid,
                            const struct libxl__fake_guest *g)
{
    struct libxl__json_writer w;
    libxl__gc gc;
    char *text;
    int rc = ERROR_NOMEM;

    libxl__gc_init(&gc, st->ctx);
    libxl__json_writer_init(&w);
    libxl__json_open(&w, NULL);
    libxl__json_put_string(&w, "state", state_names[g->state]);
    libxl__json_put_string(&w, "was", state_names[g->was]);
    libxl__json_put_i64(&w, "reason", g->reason);
    libxl__json_close(&w);
    text = libxl__json_finish(&w, &gc);
    libxl__json_writer_dispose(&w);
    if (text)
        rc = st->ops->write(st, domid, "fake", text);
    libxl__gc_dispose(&gc);
    return rc;
}

int libxl__fake_guest_set(libxl__store *st, uint32_t domid,
                          enum libxl__fake_state state,
                          enum libxl__fake_state was)
{
    struct libxl__fake_guest g;
    int rc = libxl__fake_guest_read(st, domid, &g);

    if (rc)
        return rc;
    g.state = state;
    g.was = was;
    return libxl__fake_guest_write(st, domid, &g);
}

int libxl__fake_guest_memory(libxl__store *st, uint32_t domid, bool xen,
                             uint64_t *bytes)
{
    struct libxl__domain_record rec;
    libxl_domain_config config;
    libxl__gc gc;
    int rc;

    libxl__gc_init(&gc, st->ctx);
    rc = libxl__domain_record_read(st, &gc, domid, &rec);
    if (!rc)
        rc = libxl_domain_config_from_json(st->ctx, &config, rec.config_json);
    if (!rc) {
        *bytes = config.b_info.max_memkb * 1024 + (xen ? XEN_PFNS_BYTES : 0);
        libxl_domain_config_dispose(&config);
    }
    libxl__gc_dispose(&gc);
    return rc;
}

int libxl__fake_guest_erase(libxl__store *st, uint32_t domid)
{
    int rc = st->ops->erase(st, domid, "fake");

    return rc == ERROR_NOTFOUND ? 0 : rc;
}

int libxl__fake_dm_write(libxl_ctx *ctx, uint32_t domid, int fd)
{
    static const char state[] = FAKE_DM_STATE;
    const ssize_t bytes = sizeof(state) - 1;

    if (pwrite(fd, state, (size_t)bytes, 0) == bytes)
        return 0;
    LOGED(ctx, domid, ERROR, errno, "cannot write the device model's state");
    return ERROR_FAIL;
}

int libxl__fake_dm_check(libxl_ctx *ctx, uint32_t domid, int fd)
{
    char state[sizeof(FAKE_DM_STATE)] = "";
    const ssize_t bytes = sizeof(state) - 1;

    if (pread(fd, state, sizeof(state), 0) == bytes &&
        !strcmp(state, FAKE_DM_STATE))
        return 0;
    LOGD(ctx, domid, ERROR, "the device model's state is not a fake one");
    return ERROR_FAIL;
}
