/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* run_record.c - codec of the record "run". */
#include "store/run_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/log.h"

static const char *const state_names[] = {
    [LIBXL__RUN_PAUSED] = "paused",
    [LIBXL__RUN_RUNNING] = "running",
    [LIBXL__RUN_SUSPENDED] = "suspended",
    [LIBXL__RUN_SHUTDOWN] = "shutdown",
};

static const char *const reason_names[] = {
    [LIBXL_SHUTDOWN_REASON_POWEROFF] = "poweroff",
    [LIBXL_SHUTDOWN_REASON_REBOOT] = "reboot",
    [LIBXL_SHUTDOWN_REASON_SUSPEND] = "suspend",
    [LIBXL_SHUTDOWN_REASON_CRASH] = "crash",
    [LIBXL_SHUTDOWN_REASON_WATCHDOG] = "watchdog",
    [LIBXL_SHUTDOWN_REASON_SOFT_RESET] = "soft-reset",
};

static int find_name(const char *const *names, size_t nr, const char *name)
{
    size_t i;

    for (i = 0; name && i < nr; i++)
        if (!strcmp(names[i], name))
            return (int)i;
    return -1;
}

static bool decode(yajl_val root, struct libxl__run_record *out)
{
    const char *was = libxl__json_string(root, "was");
    int state = find_name(state_names,
                          sizeof(state_names) / sizeof(*state_names),
                          libxl__json_string(root, "state"));
    int reason = find_name(reason_names,
                           sizeof(reason_names) / sizeof(*reason_names),
                           libxl__json_string(root, "reason"));

    if (state < 0)
        return false;
    out->state = (enum libxl__run_state)state;
    out->was_running = was && !strcmp(was, "running");
    if (!libxl__json_bool(root, "state_taken", &out->state_taken))
        out->state_taken = false;
    out->reason = reason < 0 ? LIBXL_SHUTDOWN_REASON_UNKNOWN
                             : (libxl_shutdown_reason)reason;
    return true;
}

int libxl__run_record_read(libxl__store *st, uint32_t domid,
                           struct libxl__run_record *out)
{
    yajl_val root;
    char *text;
    bool ok;
    int rc;

    memset(out, 0, sizeof(*out));
    out->reason = LIBXL_SHUTDOWN_REASON_UNKNOWN;
    rc = st->ops->read(st, domid, "run", &text);
    if (rc)
        return rc;
    root = libxl__json_parse(st->ctx, domid, "the record \"run\"", text);
    free(text);
    if (!root)
        return ERROR_FAIL;
    ok = decode(root, out);
    yajl_tree_free(root);
    if (!ok)
        LOGD(st->ctx, domid, ERROR, "the record \"run\" names no known state");
    return ok ? 0 : ERROR_FAIL;
}

int libxl__run_record_write(libxl__store *st, uint32_t domid,
                            const struct libxl__run_record *rec)
{
    struct libxl__json_writer w;
    libxl__gc gc;
    char *text;
    int rc = ERROR_NOMEM;

    libxl__gc_init(&gc, st->ctx);
    libxl__json_writer_init(&w);
    libxl__json_open(&w, NULL);
    libxl__json_put_string(&w, "state", state_names[rec->state]);
    if (rec->state == LIBXL__RUN_SUSPENDED)
        libxl__json_put_string(&w, "was",
                               rec->was_running ? "running" : "paused");
    if (rec->state == LIBXL__RUN_SHUTDOWN &&
        rec->reason != LIBXL_SHUTDOWN_REASON_UNKNOWN)
        libxl__json_put_string(&w, "reason", reason_names[rec->reason]);
    if (rec->state_taken)
        libxl__json_put_bool(&w, "state_taken", true);
    libxl__json_close(&w);
    text = libxl__json_finish(&w, &gc);
    libxl__json_writer_dispose(&w);
    if (text)
        rc = st->ops->write(st, domid, "run", text);
    libxl__gc_dispose(&gc);
    return rc;
}

int libxl__reboot_wish_set(libxl__store *st, uint32_t domid)
{
    char text[64];

    snprintf(text, sizeof(text), "{\"wish\": \"reboot\", \"at\": %lld}\n",
             (long long)time(NULL));
    return st->ops->write(st, domid, "wish", text);
}

bool libxl__reboot_wish_take(libxl__store *st, uint32_t domid)
{
    time_t now = time(NULL);
    yajl_val root;
    int64_t at;
    char *text;
    bool ok;

    if (st->ops->read(st, domid, "wish", &text))
        return false;
    root = libxl__json_parse(st->ctx, domid, "the record \"wish\"", text);
    free(text);
    ok = libxl__json_i64(root, "at", &at) && at <= now &&
         now - at <= LIBXL__WISH_S;
    if (root)
        yajl_tree_free(root);
    st->ops->erase(st, domid, "wish");
    return ok;
}
