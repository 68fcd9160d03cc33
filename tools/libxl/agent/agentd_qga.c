/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agentd_qga.c - qemu-ga's dialect (-q): a JSON object a line, answered in
 * order, for hosts whose tools know nothing else.
 *
 * ready -> line -> command -> answer; what cannot be written yet stops the
 * reading.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent_utf8.h"
#include "agent/agentd_core.h"
#include "base/container.h"

enum { LINE_MAX_BYTES = 64 * 1024, OUT_HIGH = 512 * 1024, DEPTH_MAX = 16 };

#define VERSION "7.2.0"

struct agentd_qga {
    agentd *d;
    libxl__ev_fd ev;
    char in[LINE_MAX_BYTES];
    size_t have;
    bool too_long; /* until the end of this line */
    char *out;
    size_t out_have, out_put;
};

static struct agentd_qga *qga_of_ev(libxl__ev_fd *ev)
{
    return CONTAINER_OF(ev, struct agentd_qga, ev);
}

/* ---- answers ---- */

static void put(struct agentd_qga *q, const char *text, size_t bytes)
{
    char *more;

    more = realloc(q->out, q->out_have + bytes);
    if (!more)
        return;
    memcpy(more + q->out_have, text, bytes);
    q->out = more;
    q->out_have += bytes;
}

static void write_out(struct agentd_qga *q)
{
    ssize_t n = 1;

    while (q->out_put < q->out_have && n > 0) {
        n = write(q->d->fd, q->out + q->out_put, q->out_have - q->out_put);
        if (n > 0)
            q->out_put += (size_t)n;
    }
    if (!q->out_put)
        return;
    memmove(q->out, q->out + q->out_put, q->out_have - q->out_put);
    q->out_have -= q->out_put;
    q->out_put = 0;
}

/* value: JSON text. The request's id, if it has one, goes back. */
static void answer(struct agentd_qga *q, yajl_val request, const char *key,
                   const char *value)
{
    yajl_val id = libxl__json_get(request, "id");
    libxl__gc gc;
    char *text, *id_text;

    libxl__gc_init(&gc, q->d->ctx);
    id_text = id ? libxl__json_text(&gc, id) : NULL;
    text = libxl__sprintf(&gc, "{\"%s\": %s%s%s}\n", key, value,
                          id_text ? ", \"id\": " : "", id_text ? id_text : "");
    if (text)
        put(q, text, strlen(text));
    libxl__gc_dispose(&gc);
}

static void refuse(struct agentd_qga *q, yajl_val request, const char *class,
                   const char *desc)
{
    libxl__gc gc;
    char *text;

    libxl__gc_init(&gc, q->d->ctx);
    text = libxl__sprintf(&gc, "{\"class\": \"%s\", \"desc\": \"%s\"}", class,
                          desc);
    if (text)
        answer(q, request, "error", text);
    libxl__gc_dispose(&gc);
}

/* ---- commands ---- */

static bool sync_id(struct agentd_qga *q, yajl_val request, char *out,
                    size_t room)
{
    yajl_val args = libxl__json_get(request, "arguments");
    int64_t id;

    if (!libxl__json_i64(args, "id", &id)) {
        refuse(q, request, "GenericError", "Parameter 'id' is missing");
        return false;
    }
    snprintf(out, room, "%" PRId64, id);
    return true;
}

static void sync_plain(struct agentd_qga *q, yajl_val request, libxl__gc *gc)
{
    char id[24];

    if (sync_id(q, request, id, sizeof(id)))
        answer(q, request, "return", id);
}

static void sync_delimited(struct agentd_qga *q, yajl_val request,
                           libxl__gc *gc)
{
    char id[24];

    if (!sync_id(q, request, id, sizeof(id)))
        return;
    put(q, "\xff", 1);
    answer(q, request, "return", id);
}

static void ping(struct agentd_qga *q, yajl_val request, libxl__gc *gc)
{
    answer(q, request, "return", "{}");
}

static void give(struct agentd_qga *q, yajl_val request, const char *text)
{
    if (text)
        answer(q, request, "return", text);
    else
        refuse(q, request, "GenericError", "no memory");
}

static void osinfo(struct agentd_qga *q, yajl_val request, libxl__gc *gc)
{
    give(q, request, libxl__agentd_qga_osinfo(gc));
}

static void interfaces(struct agentd_qga *q, yajl_val request, libxl__gc *gc)
{
    give(q, request, libxl__agentd_qga_interfaces(gc));
}

static void host_name(struct agentd_qga *q, yajl_val request, libxl__gc *gc)
{
    give(q, request, libxl__agentd_qga_hostname(gc));
}

/* As qemu-ga: success is not answered. */
static void shut_down(struct agentd_qga *q, yajl_val request, libxl__gc *gc)
{
    yajl_val args = libxl__json_get(request, "arguments");
    const char *mode = args ? libxl__json_string(args, "mode") : NULL;

    if (libxl__agentd_list_has(&q->d->conf.disable, "guest.shutdown"))
        refuse(q, request, "CommandNotFound",
               "Command guest-shutdown has been disabled");
    else if (!libxl__agentd_power(q->d, mode ? mode : "powerdown"))
        refuse(q, request, "GenericError", "mode: powerdown, halt or reboot");
}

static void info(struct agentd_qga *q, yajl_val request, libxl__gc *gc);

static const struct {
    const char *name;
    void (*run)(struct agentd_qga *q, yajl_val request, libxl__gc *gc);
} commands[] = {
    {"guest-sync", sync_plain},
    {"guest-sync-delimited", sync_delimited},
    {"guest-ping", ping},
    {"guest-info", info},
    {"guest-get-osinfo", osinfo},
    {"guest-get-host-name", host_name},
    {"guest-network-get-interfaces", interfaces},
    {"guest-shutdown", shut_down},
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static void info(struct agentd_qga *q, yajl_val request, libxl__gc *gc)
{
    char *list = libxl__strdup(gc, "");
    size_t i;

    for (i = 0; i < COMMANDS && list; i++)
        list = libxl__sprintf(gc,
                              "%s%s{\"enabled\": true, \"name\": \"%s\", "
                              "\"success-response\": %s}",
                              list, i ? ", " : "", commands[i].name,
                              commands[i].run == shut_down ? "false" : "true");
    give(q, request,
         list ? libxl__sprintf(gc,
                               "{\"version\": \"" VERSION
                               "\", \"supported_commands\": [%s]}",
                               list)
              : NULL);
}

static void run(struct agentd_qga *q, yajl_val request)
{
    const char *name = libxl__json_string(request, "execute");
    libxl__gc gc;
    size_t i;

    for (i = 0; name && i < COMMANDS; i++)
        if (!strcmp(commands[i].name, name))
            break;
    if (!name || i == COMMANDS) {
        refuse(q, request, "CommandNotFound", "The command has not been found");
        return;
    }
    if (strcmp(name, "guest-ping") && strncmp(name, "guest-sync", 10))
        agentd_log(q->d, "call %s", name);
    libxl__gc_init(&gc, q->d->ctx);
    commands[i].run(q, request, &gc);
    libxl__gc_dispose(&gc);
}

/* ---- lines ---- */

/* No line is taken while that much waits: nothing has to be dropped. */
static bool full(const struct agentd_qga *q)
{
    return q->out_have - q->out_put >= OUT_HIGH;
}

static bool line_waits(const struct agentd_qga *q)
{
    return memchr(q->in, '\n', q->have);
}

static void take_line(struct agentd_qga *q, char *line, size_t bytes)
{
    yajl_val request = NULL;
    char *mark;

    /* 0xFF: forget what was before */
    while ((mark = memchr(line, 0xff, bytes))) {
        bytes -= (size_t)(mark + 1 - line);
        line = mark + 1;
    }
    if (!bytes)
        return;
    if (!memchr(line, '\0', bytes) && libxl__agent_utf8_ok(line, bytes) &&
        libxl__json_depth_ok(line, bytes, DEPTH_MAX))
        request = yajl_tree_parse(line, NULL, 0);
    if (YAJL_IS_OBJECT(request))
        run(q, request);
    else
        refuse(q, NULL, "GenericError", "JSON parse error");
    yajl_tree_free(request);
}

static void take_lines(struct agentd_qga *q)
{
    size_t begin = 0;
    char *end;

    while (!full(q) && (end = memchr(q->in + begin, '\n', q->have - begin))) {
        *end = '\0';
        if (!q->too_long)
            take_line(q, q->in + begin, (size_t)(end - q->in) - begin);
        q->too_long = false;
        begin = (size_t)(end - q->in) + 1;
    }
    memmove(q->in, q->in + begin, q->have - begin);
    q->have -= begin;
    if (q->have == sizeof(q->in) && !line_waits(q)) {
        q->too_long = true;
        q->have = 0;
    }
}

static void watch(struct agentd_qga *q)
{
    short events = 0;

    if (!full(q))
        events |= POLLIN;
    if (q->out_have)
        events |= POLLOUT;
    libxl__ev_fd_modify(q->d->ctx, &q->ev, events);
}

static void ready(libxl__egc *egc, libxl__ev_fd *ev, int fd, short events,
                  short revents)
{
    struct agentd_qga *q = qga_of_ev(ev);
    agentd *d = q->d;
    ssize_t n = 1;

    if (revents & (POLLIN | POLLERR)) {
        n = read(fd, q->in + q->have, sizeof(q->in) - q->have);
        if (n > 0)
            q->have += (size_t)n;
    }
    do {
        take_lines(q);
        write_out(q);
    } while (!full(q) && line_waits(q));
    if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR))) {
        watch(q);
        return;
    }
    libxl__ev_fd_deregister(d->ctx, &q->ev);
    free(q->out);
    free(q);
    libxl__agentd_gone(d, n ? errno : 0);
}

int libxl__agentd_qga_start(agentd *d)
{
    struct agentd_qga *q = calloc(1, sizeof(*q));
    int rc;

    if (!q)
        return ERROR_NOMEM;
    q->d = d;
    libxl__ev_fd_init(&q->ev);
    rc = libxl__ev_fd_register(d->ctx, &q->ev, ready, d->fd, POLLIN);
    if (rc)
        free(q);
    return rc;
}
