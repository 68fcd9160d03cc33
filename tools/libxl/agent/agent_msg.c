/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* agent_msg.c - a checked text into one of five kinds, and back. */
#include "agent/agent_msg.h"

#include "agent/agent_utf8.h"
#include "agent/agent_wire.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    int code;
    const char *text;
} errors[] = {
#define X(name, number, words) {number, words},
    LIBXL__AGENT_ERRORS(X)
#undef X
};

const char *libxl__agent_error_text(int code)
{
    size_t i;

    for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
        if (errors[i].code == code)
            return errors[i].text;
    return "unknown error";
}

static void broken(struct libxl__agent_msg *out, int code, const char *why)
{
    out->kind = AGENT_MSG_BROKEN;
    out->code = code;
    out->text = why;
}

/* yajl gives strings with a final NUL: one in the middle would hide the rest
 * of a path or name from every check. */
static bool has_nul(const char *json, size_t bytes)
{
    return memchr(json, '\0', bytes) || memmem(json, bytes, "\\u0000", 6);
}

static yajl_val parse(const char *json, size_t bytes,
                      struct libxl__agent_msg *out)
{
    yajl_val root;
    char *copy;

    if (bytes > LIBXL__AGENT_JSON_MAX || has_nul(json, bytes)) {
        broken(out, AGENT_E_PARSE, "too long, or with a NUL");
        return NULL;
    }
    if (!libxl__agent_utf8_ok(json, bytes)) {
        broken(out, AGENT_E_PARSE, "not UTF-8");
        return NULL;
    }
    if (!libxl__json_depth_ok(json, bytes, LIBXL__AGENT_DEPTH_MAX)) {
        broken(out, AGENT_E_PARSE, "nested too deeply");
        return NULL;
    }
    copy = strndup(json, bytes);
    root = copy ? yajl_tree_parse(copy, NULL, 0) : NULL;
    free(copy);
    if (!root)
        broken(out, AGENT_E_PARSE, "not JSON");
    return root;
}

/* false: there is an id, but a wrong one. */
static bool take_id(yajl_val root, struct libxl__agent_msg *out)
{
    yajl_val id = libxl__json_get(root, "id");

    out->id = 0;
    if (!id || YAJL_IS_NULL(id))
        return true;
    if (!libxl__json_u64(root, "id", &out->id) || !out->id ||
        out->id > LIBXL__AGENT_ID_MAX) {
        out->id = 0;
        return false;
    }
    return true;
}

static void decode_call(yajl_val root, struct libxl__agent_msg *out)
{
    out->kind = out->id ? AGENT_MSG_REQUEST : AGENT_MSG_NOTE;
    out->method = libxl__json_string(root, "method");
    out->params = libxl__json_get(root, "params");
    if (!out->method || strlen(out->method) > LIBXL__AGENT_METHOD_MAX)
        broken(out, AGENT_E_REQUEST, "the method is not a short string");
    else if (out->params && !YAJL_IS_OBJECT(out->params))
        broken(out, AGENT_E_REQUEST, "the parameters are not an object");
}

static void decode_error(yajl_val error, struct libxl__agent_msg *out)
{
    int64_t code;

    out->kind = AGENT_MSG_ERROR;
    out->text = libxl__json_string(error, "message");
    if (!out->text || !libxl__json_i64(error, "code", &code) ||
        code < INT32_MIN || code > INT32_MAX)
        broken(out, AGENT_E_REQUEST, "an error without code or message");
    else
        out->code = (int)code;
}

static void decode_kind(yajl_val root, struct libxl__agent_msg *out)
{
    const char *version = libxl__json_string(root, "jsonrpc");
    yajl_val error = libxl__json_get(root, "error");

    if (!version || strcmp(version, "2.0")) {
        broken(out, AGENT_E_REQUEST, "not JSON-RPC 2.0");
        return;
    }
    if (!take_id(root, out)) {
        broken(out, AGENT_E_REQUEST, "the id is not an integer from 1");
        return;
    }
    out->result = libxl__json_get(root, "result");
    if (libxl__json_get(root, "method")) {
        decode_call(root, out);
    } else if (error && !out->result) {
        decode_error(error, out);
    } else if (out->result && !error && out->id) {
        out->kind = AGENT_MSG_RESULT;
    } else {
        broken(out, AGENT_E_REQUEST, "neither call, result nor error");
    }
}

void libxl__agent_msg_decode(const char *json, size_t bytes,
                             struct libxl__agent_msg *out)
{
    memset(out, 0, sizeof(*out));
    out->root = parse(json, bytes, out);
    if (!out->root)
        return;
    if (YAJL_IS_OBJECT(out->root))
        decode_kind(out->root, out);
    else
        broken(out, AGENT_E_REQUEST, "not a JSON object");
    /* The id of a broken answer is one of ours: sent back to the peer, it
     * would end some other call, of the peer's. */
    if (out->kind == AGENT_MSG_BROKEN && !libxl__json_get(out->root, "method"))
        out->id = 0;
}

void libxl__agent_msg_dispose(struct libxl__agent_msg *m)
{
    if (m->root)
        yajl_tree_free(m->root);
    memset(m, 0, sizeof(*m));
}

static void begin(struct libxl__json_writer *w, uint64_t id)
{
    libxl__json_writer_init(w);
    libxl__json_writer_one_line(w);
    libxl__json_open(w, NULL);
    libxl__json_put_string(w, "jsonrpc", "2.0");
    if (id)
        libxl__json_put_u64(w, "id", id);
}

static char *end(struct libxl__json_writer *w, libxl__gc *gc)
{
    char *text;

    libxl__json_close(w);
    text = libxl__json_finish(w, gc);
    libxl__json_writer_dispose(w);
    return text;
}

char *libxl__agent_msg_request(libxl__gc *gc, uint64_t id, const char *method,
                               const char *params)
{
    struct libxl__json_writer w;

    begin(&w, id);
    libxl__json_put_string(&w, "method", method);
    libxl__json_put_raw(&w, "params", params);
    return end(&w, gc);
}

char *libxl__agent_msg_result(libxl__gc *gc, uint64_t id, const char *result)
{
    struct libxl__json_writer w;

    begin(&w, id);
    libxl__json_put_raw(&w, "result", result);
    return end(&w, gc);
}

char *libxl__agent_msg_error(libxl__gc *gc, uint64_t id, int code,
                             const char *text)
{
    struct libxl__json_writer w;

    begin(&w, id);
    libxl__json_open(&w, "error");
    libxl__json_put_i64(&w, "code", code);
    libxl__json_put_string(&w, "message",
                           text ? text : libxl__agent_error_text(code));
    libxl__json_close(&w);
    return end(&w, gc);
}
