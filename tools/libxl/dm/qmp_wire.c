/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* qmp_wire.c - see qmp_wire.h. */
#include "dm/qmp_wire.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

/* ---- messages ---- */

static const char *decode_error(yajl_val error, struct libxl__qmp_message *out)
{
    out->kind = LIBXL__QMP_ERROR;
    out->name = libxl__json_string(error, "class");
    out->desc = libxl__json_string(error, "desc");
    if (!out->name || !out->desc)
        return "an error without class or description";
    return NULL;
}

static const char *decode_event(yajl_val root, struct libxl__qmp_message *out)
{
    out->kind = LIBXL__QMP_EVENT;
    out->name = libxl__json_string(root, "event");
    out->data = libxl__json_get(root, "data");
    if (!out->name)
        return "an event without a name";
    if (out->data && !YAJL_IS_OBJECT(out->data))
        return "an event whose data are no object";
    return NULL;
}

static const char *decode_kind(yajl_val root, struct libxl__qmp_message *out)
{
    yajl_val value;

    out->has_id = libxl__json_u64(root, "id", &out->id);
    if (libxl__json_get(root, "QMP")) {
        out->kind = LIBXL__QMP_GREETING;
        return NULL;
    }
    if (libxl__json_get(root, "event"))
        return decode_event(root, out);
    value = libxl__json_get(root, "error");
    if (value)
        return decode_error(value, out);
    out->kind = LIBXL__QMP_RETURN;
    out->data = libxl__json_get(root, "return");
    return out->data ? NULL : "neither greeting, event, answer nor error";
}

const char *libxl__qmp_decode(const char *line, size_t bytes,
                              struct libxl__qmp_message *out)
{
    const char *why;
    char *copy;

    memset(out, 0, sizeof(*out));
    if (memchr(line, '\0', bytes))
        return "a NUL byte";
    if (!libxl__json_depth_ok(line, bytes, LIBXL__QMP_MAX_DEPTH))
        return "JSON nested too deeply";
    copy = strndup(line, bytes);
    if (!copy)
        return "no memory";
    out->root = yajl_tree_parse(copy, NULL, 0);
    free(copy);
    if (!YAJL_IS_OBJECT(out->root))
        why = "not a JSON object";
    else
        why = decode_kind(out->root, out);
    if (why)
        libxl__qmp_message_dispose(out);
    return why;
}

void libxl__qmp_message_dispose(struct libxl__qmp_message *m)
{
    if (m->root)
        yajl_tree_free(m->root);
    memset(m, 0, sizeof(*m));
}

char *libxl__qmp_encode(libxl__gc *gc, uint64_t id, const char *command,
                        const char *args_json)
{
    return libxl__sprintf(gc, "{\"execute\":\"%s\",\"id\":%" PRIu64 "%s%s}\n",
                          command, id, args_json ? ",\"arguments\":" : "",
                          args_json ? args_json : "");
}

int libxl__qmp_error_rc(const char *error_class)
{
    if (!strcmp(error_class, "CommandNotFound"))
        return ERROR_QMP_COMMAND_NOT_FOUND;
    if (!strcmp(error_class, "DeviceNotActive"))
        return ERROR_QMP_DEVICE_NOT_ACTIVE;
    if (!strcmp(error_class, "DeviceNotFound"))
        return ERROR_QMP_DEVICE_NOT_FOUND;
    if (!strcmp(error_class, "GenericError"))
        return ERROR_QMP_GENERIC_ERROR;
    return ERROR_UNKNOWN_QMP_ERROR;
}

/* ---- lines ---- */

void libxl__qmp_lines_dispose(struct libxl__qmp_lines *l)
{
    free(l->buf);
    memset(l, 0, sizeof(*l));
}

static void drop_taken(struct libxl__qmp_lines *l)
{
    if (!l->taken)
        return;
    memmove(l->buf, l->buf + l->taken, l->have - l->taken);
    l->have -= l->taken;
    l->scanned -= l->taken;
    l->taken = 0;
}

char *libxl__qmp_lines_room(struct libxl__qmp_lines *l, size_t *bytes)
{
    size_t room;
    char *more;

    drop_taken(l);
    if (l->have == l->room) {
        if (l->room >= LIBXL__QMP_MAX_LINE)
            return NULL;
        room = l->room ? l->room * 2 : 4096;
        more = realloc(l->buf, room);
        if (!more)
            return NULL;
        l->buf = more;
        l->room = room;
    }
    *bytes = l->room - l->have;
    return l->buf + l->have;
}

void libxl__qmp_lines_got(struct libxl__qmp_lines *l, size_t bytes)
{
    l->have += bytes;
}

bool libxl__qmp_lines_next(struct libxl__qmp_lines *l, const char **line,
                           size_t *bytes)
{
    char *start, *end;

    if (l->scanned == l->have)
        return false;
    start = l->buf + l->taken;
    end = memchr(l->buf + l->scanned, '\n', l->have - l->scanned);
    if (!end) {
        l->scanned = l->have;
        return false;
    }
    *line = start;
    *bytes = (size_t)(end - start);
    if (*bytes && end[-1] == '\r')
        --*bytes;
    l->taken = l->scanned = (size_t)(end + 1 - l->buf);
    return true;
}
