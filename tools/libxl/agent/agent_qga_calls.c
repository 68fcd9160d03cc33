/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * agent_qga_calls.c - each of our calls as one command of qemu-ga, or several:
 * begin -> (step)* -> finish
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent_base64.h"
#include "agent/agent_qga_private.h"
#include "agent/agent_wire.h"
#include "base/container.h"

enum {
    COMMAND_MS = 10000,
    SHUTDOWN_MS = 3000,
    POLL_MS = 100,
    READ_BYTES = 49152,
};

static libxl__qga_task *task_of_poll(libxl__ev_time *ev)
{
    return CONTAINER_OF(ev, libxl__qga_task, poll);
}

static void command_within(libxl__egc *egc, libxl__qga_task *t, uint32_t ms,
                           const char *name, const char *args,
                           libxl__qga_callback *callback)
{
    int rc = libxl__qga_command(t->q, name, args, ms, callback);

    if (rc)
        libxl__qga_fail(
            egc, t, rc == ERROR_NOT_READY ? AGENT_E_RESET : AGENT_E_INTERNAL,
            NULL);
}

static void command(libxl__egc *egc, libxl__qga_task *t, const char *name,
                    const char *args, libxl__qga_callback *callback)
{
    command_within(egc, t, COMMAND_MS, name, args, callback);
}

/* ---- simple ones ---- */

static void done(libxl__egc *egc, libxl__agent_qga *q, int code,
                 const char *text, yajl_val result)
{
    if (code)
        libxl__qga_fail(egc, q->task, code, text);
    else
        libxl__qga_finish(egc, q->task, "{}");
}

static void ping(libxl__egc *egc, libxl__qga_task *t)
{
    command(egc, t, "guest-ping", NULL, done);
}

static void settime(libxl__egc *egc, libxl__qga_task *t)
{
    uint64_t ns;

    if (!libxl__json_u64(t->job->params, "time_ns", &ns))
        libxl__qga_fail(egc, t, AGENT_E_PARAMS, "time_ns");
    else
        command(egc, t, "guest-set-time",
                libxl__sprintf(&t->gc, "{\"time\":%" PRIu64 "}", ns), done);
}

static void counted(libxl__egc *egc, libxl__agent_qga *q, int code,
                    const char *text, yajl_val result)
{
    libxl__qga_task *t = q->task;

    if (code)
        libxl__qga_fail(egc, t, code, text);
    else
        libxl__qga_finish(
            egc, t,
            libxl__sprintf(
                &t->gc, "{\"%s\":%lld}",
                strstr(t->call->method, "thaw") ? "thawed" : "frozen",
                YAJL_IS_INTEGER(result) ? YAJL_GET_INTEGER(result) : 0));
}

static void fsfreeze(libxl__egc *egc, libxl__qga_task *t)
{
    command(egc, t, "guest-fsfreeze-freeze", NULL, counted);
}

static void fsthaw(libxl__egc *egc, libxl__qga_task *t)
{
    command(egc, t, "guest-fsfreeze-thaw", NULL, counted);
}

/* ---- shutdown: only a failure is answered ---- */

static void shut_down(libxl__egc *egc, libxl__agent_qga *q, int code,
                      const char *text, yajl_val result)
{
    if (code && code != AGENT_E_TIMEDOUT)
        libxl__qga_fail(egc, q->task, code, text);
    else
        libxl__qga_finish(egc, q->task, "{}");
}

static void shutdown_guest(libxl__egc *egc, libxl__qga_task *t)
{
    const char *mode = libxl__json_string(t->job->params, "mode");

    if (!mode || (strcmp(mode, "powerdown") && strcmp(mode, "halt") &&
                  strcmp(mode, "reboot"))) {
        libxl__qga_fail(egc, t, AGENT_E_PARAMS,
                        "mode: powerdown, halt or reboot");
        return;
    }
    command_within(egc, t, SHUTDOWN_MS, "guest-shutdown",
                   libxl__sprintf(&t->gc, "{\"mode\":\"%s\"}", mode),
                   shut_down);
}

/* ---- capabilities ---- */

static char *method_list(libxl__gc *gc);

static void know_info(libxl__egc *egc, libxl__agent_qga *q, int code,
                      const char *text, yajl_val result)
{
    libxl__qga_task *t = q->task;
    struct libxl__json_writer w;
    const char *version;

    if (code) {
        libxl__qga_fail(egc, t, code, text);
        return;
    }
    version = libxl__json_string(result, "version");
    libxl__json_writer_init(&w);
    libxl__json_open(&w, NULL);
    libxl__json_put_string(
        &w, "agent",
        libxl__sprintf(&t->gc, "qemu-ga %.40s", version ? version : ""));
    libxl__json_put_raw(&w, "methods", method_list(&t->gc));
    libxl__json_close(&w);
    version = libxl__json_finish(&w, &t->gc);
    libxl__json_writer_dispose(&w);
    libxl__qga_finish(egc, t, version);
}

static void capabilities(libxl__egc *egc, libxl__qga_task *t)
{
    command(egc, t, "guest-info", NULL, know_info);
}

/* ---- info: osinfo -> host name -> interfaces ---- */

static char *copy_of(libxl__gc *gc, yajl_val object, const char *key)
{
    const char *s = object ? libxl__json_string(object, key) : NULL;

    return s ? libxl__strndup(gc, s, 200) : NULL;
}

static void put_interface(struct libxl__json_writer *w, yajl_val interface)
{
    const char *name = libxl__json_string(interface, "name");
    yajl_val list = libxl__json_get(interface, "ip-addresses");
    size_t i;

    if (!name || !strcmp(name, "lo") || !YAJL_IS_ARRAY(list))
        return;
    for (i = 0; i < list->u.array.len && i < 64; i++) {
        libxl__json_open(w, NULL);
        libxl__json_put_string(w, "interface", name);
        libxl__json_put_string(
            w, "address",
            libxl__json_string(list->u.array.values[i], "ip-address"));
        libxl__json_close(w);
    }
}

static void know_interfaces(libxl__egc *egc, libxl__agent_qga *q, int code,
                            const char *text, yajl_val result)
{
    libxl__qga_task *t = q->task;
    struct libxl__json_writer w;
    char *info;
    size_t i;

    libxl__json_writer_init(&w);
    libxl__json_open(&w, NULL);
    libxl__json_put_string(&w, "hostname", t->hostname);
    libxl__json_put_string(&w, "os", t->os);
    libxl__json_put_string(&w, "kernel", t->kernel);
    libxl__json_open_list(&w, "addresses");
    for (i = 0; !code && YAJL_IS_ARRAY(result) && i < result->u.array.len; i++)
        if (YAJL_IS_OBJECT(result->u.array.values[i]))
            put_interface(&w, result->u.array.values[i]);
    libxl__json_close_list(&w);
    libxl__json_close(&w);
    info = libxl__json_finish(&w, &t->gc);
    libxl__json_writer_dispose(&w);
    libxl__qga_finish(egc, t, info);
}

static void know_hostname(libxl__egc *egc, libxl__agent_qga *q, int code,
                          const char *text, yajl_val result)
{
    libxl__qga_task *t = q->task;

    if (code == AGENT_E_TIMEDOUT) {
        libxl__qga_fail(egc, t, code, text);
        return;
    }
    if (!code && YAJL_IS_OBJECT(result))
        t->hostname = copy_of(&t->gc, result, "host-name");
    command(egc, t, "guest-network-get-interfaces", NULL, know_interfaces);
}

static void know_os(libxl__egc *egc, libxl__agent_qga *q, int code,
                    const char *text, yajl_val result)
{
    libxl__qga_task *t = q->task;

    if (code == AGENT_E_TIMEDOUT) {
        libxl__qga_fail(egc, t, code, text);
        return;
    }
    if (!code && YAJL_IS_OBJECT(result)) {
        t->os = copy_of(&t->gc, result, "pretty-name");
        t->kernel = copy_of(&t->gc, result, "kernel-release");
    }
    command(egc, t, "guest-get-host-name", NULL, know_hostname);
}

static void info(libxl__egc *egc, libxl__qga_task *t)
{
    command(egc, t, "guest-get-osinfo", NULL, know_os);
}

/* ---- data: appended up to what a message holds ---- */

static bool append(libxl__qga_task *t, const char *base64)
{
    ssize_t n;

    if (!t->data)
        t->data = malloc(LIBXL__AGENT_DATA_MAX);
    if (!t->data || !base64)
        return t->data;
    n = libxl__base64_decode(base64, t->data + t->have,
                             LIBXL__AGENT_DATA_MAX - t->have);
    if (n < 0)
        return false;
    t->have += (size_t)n;
    return true;
}

static void finish_data(libxl__egc *egc, libxl__qga_task *t)
{
    libxl__qga_finish(egc, t,
                      libxl__sprintf(&t->gc,
                                     "{\"length\":%zu,\"truncated\":%s}",
                                     t->have, t->truncated ? "true" : "false"));
}

/* ---- viewfile: open -> read* -> close ---- */

static void closed(libxl__egc *egc, libxl__agent_qga *q, int code,
                   const char *text, yajl_val result)
{
    finish_data(egc, q->task);
}

static void was_read(libxl__egc *egc, libxl__agent_qga *q, int code,
                     const char *text, yajl_val result);

static void read_on(libxl__egc *egc, libxl__qga_task *t, bool ended)
{
    size_t room = LIBXL__AGENT_DATA_MAX - t->have;
    char args[80];

    if (ended || !room) {
        t->truncated = !ended;
        snprintf(args, sizeof(args), "{\"handle\":%" PRIu64 "}", t->handle);
        command(egc, t, "guest-file-close", args, closed);
        return;
    }
    snprintf(args, sizeof(args), "{\"handle\":%" PRIu64 ",\"count\":%zu}",
             t->handle, room < READ_BYTES ? room : (size_t)READ_BYTES);
    command(egc, t, "guest-file-read", args, was_read);
}

static void was_read(libxl__egc *egc, libxl__agent_qga *q, int code,
                     const char *text, yajl_val result)
{
    libxl__qga_task *t = q->task;
    bool eof = false;

    if (code) {
        libxl__qga_fail(egc, t, code, text);
        return;
    }
    if (!libxl__json_bool(result, "eof", &eof) ||
        !append(t, libxl__json_string(result, "buf-b64")))
        libxl__qga_fail(egc, t, AGENT_E_INTERNAL,
                        "qemu-ga's data are not understood");
    else
        read_on(egc, t, eof);
}

static void opened(libxl__egc *egc, libxl__agent_qga *q, int code,
                   const char *text, yajl_val result)
{
    libxl__qga_task *t = q->task;

    if (code) {
        libxl__qga_fail(egc, t, code, text);
    } else if (!YAJL_IS_INTEGER(result) || YAJL_GET_INTEGER(result) < 0) {
        libxl__qga_fail(egc, t, AGENT_E_INTERNAL, NULL);
    } else {
        t->handle = (uint64_t)YAJL_GET_INTEGER(result);
        read_on(egc, t, false);
    }
}

static void viewfile(libxl__egc *egc, libxl__qga_task *t)
{
    const char *path = libxl__json_string(t->job->params, "path");
    struct libxl__json_writer w;
    char *args;

    if (!path || *path != '/') {
        libxl__qga_fail(egc, t, AGENT_E_PARAMS, "path: absolute");
        return;
    }
    libxl__json_writer_init(&w);
    libxl__json_open(&w, NULL);
    libxl__json_put_string(&w, "path", path);
    libxl__json_put_string(&w, "mode", "r");
    libxl__json_close(&w);
    args = libxl__json_finish(&w, &t->gc);
    libxl__json_writer_dispose(&w);
    if (args)
        command(egc, t, "guest-file-open", args, opened);
    else
        libxl__qga_fail(egc, t, AGENT_E_INTERNAL, NULL);
}

/* ---- viewdmesg: exec -> (status, later again)* ---- */

static void ask_status(libxl__egc *egc, libxl__qga_task *t);

static void status_again(libxl__egc *egc, libxl__ev_time *ev, int rc)
{
    ask_status(egc, task_of_poll(ev));
}

static void know_status(libxl__egc *egc, libxl__agent_qga *q, int code,
                        const char *text, yajl_val result)
{
    libxl__qga_task *t = q->task;
    bool exited = false;

    if (code) {
        libxl__qga_fail(egc, t, code, text);
    } else if (!libxl__json_bool(result, "exited", &exited)) {
        libxl__qga_fail(egc, t, AGENT_E_INTERNAL, NULL);
    } else if (exited) {
        if (append(t, libxl__json_string(result, "out-data")))
            finish_data(egc, t);
        else
            libxl__qga_fail(egc, t, AGENT_E_TOO_BIG, NULL);
    } else if (libxl__ev_time_register_rel(q->ctx, NULL, &t->poll, status_again,
                                           POLL_MS)) {
        libxl__qga_fail(egc, t, AGENT_E_INTERNAL, NULL);
    }
}

static void ask_status(libxl__egc *egc, libxl__qga_task *t)
{
    char args[48];

    snprintf(args, sizeof(args), "{\"pid\":%" PRIu64 "}", t->handle);
    command(egc, t, "guest-exec-status", args, know_status);
}

static void executed(libxl__egc *egc, libxl__agent_qga *q, int code,
                     const char *text, yajl_val result)
{
    libxl__qga_task *t = q->task;

    if (code)
        libxl__qga_fail(egc, t, code, text);
    else if (!libxl__json_u64(result, "pid", &t->handle))
        libxl__qga_fail(egc, t, AGENT_E_INTERNAL, NULL);
    else
        ask_status(egc, t);
}

static void viewdmesg(libxl__egc *egc, libxl__qga_task *t)
{
    command(egc, t, "guest-exec",
            "{\"path\":\"dmesg\",\"capture-output\":true}", executed);
}

/* ---- the table ---- */

static const struct libxl__qga_call calls[] = {
    {"agent.ping", ping, false},
    {"agent.capabilities", capabilities, false},
    {"guest.info", info, false},
    {"guest.viewfile", viewfile, false},
    {"guest.viewdmesg", viewdmesg, false},
    {"guest.shutdown", shutdown_guest, true},
    {"guest.fsfreeze", fsfreeze, false},
    {"guest.fsthaw", fsthaw, false},
    {"guest.settime", settime, false},
};

enum { CALLS = sizeof(calls) / sizeof(calls[0]) };

const struct libxl__qga_call *libxl__qga_call_find(const char *method)
{
    size_t i;

    for (i = 0; i < CALLS; i++)
        if (!strcmp(calls[i].method, method))
            return &calls[i];
    return NULL;
}

static char *method_list(libxl__gc *gc)
{
    char *text = libxl__strdup(gc, "");
    size_t i;

    for (i = 0; i < CALLS && text; i++)
        text = libxl__sprintf(gc, "%s%s\"%s\"", text, i ? "," : "",
                              calls[i].method);
    return text ? libxl__sprintf(gc, "[%s]", text) : NULL;
}
