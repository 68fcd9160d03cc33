/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * journal_codec.c - a journal as JSON text and back. A record that breaks a
 * rule is refused whole: recovery must not act on half of it.
 */
#include "migrate/journal.h"

#include <string.h>

#include "base/json.h"

#define JOURNAL_FORMAT 1

static const char *const then_names[] = {
    [LIBXL_SAVE_THEN_DESTROY] = "destroy",
    [LIBXL_SAVE_THEN_RESUME] = "resume",
    [LIBXL_SAVE_THEN_PAUSE] = "pause",
};
#define NR_THEN (sizeof(then_names) / sizeof(then_names[0]))

static void encode(struct libxl__json_writer *w, const struct libxl__journal *j,
                   const char *owner)
{
    libxl__json_open(w, NULL);
    libxl__json_put_u64(w, "format", JOURNAL_FORMAT);
    libxl__json_put_string(w, "verb", libxl__journal_verb_name(j->verb));
    libxl__json_put_string(w, "step", libxl__journal_step_name(j->step));
    libxl__json_put_raw(w, "owner", owner);
    libxl__json_put_bool(w, "was_running", j->was_running);
    libxl__json_put_string(w, "then", then_names[j->then]);
    if (j->verb == JOURNAL_RESTART)
        libxl__json_put_i64(w, "reason", j->reason);
    libxl__json_put_string(w, "path", j->path);
    libxl__json_put_string(w, "temp_path", j->temp_path);
    libxl__json_put_u64(w, "file_dev", j->file_dev);
    libxl__json_put_u64(w, "file_ino", j->file_ino);
    libxl__json_put_string(w, "peer", j->peer);
    libxl__json_put_string(w, "peer_uuid", j->peer_uuid);
    libxl__json_put_string(w, "name", j->name);
    libxl__json_put_string(w, "migration", j->migration);
    libxl__json_close(w);
}

char *libxl__journal_encode(libxl__gc *gc, const struct libxl__journal *j)
{
    char *owner = libxl__proc_id_to_json(gc, &j->owner);
    struct libxl__json_writer w;
    char *text;

    if (!owner)
        return NULL;
    libxl__json_writer_init(&w);
    encode(&w, j, owner);
    text = libxl__json_finish(&w, gc);
    libxl__json_writer_dispose(&w);
    return text;
}

static bool decode_verb(yajl_val root, enum libxl__journal_verb *out)
{
    const char *text = libxl__json_string(root, "verb");
    unsigned i;

    for (i = 0; text && i < JOURNAL_NR_VERBS; i++) {
        *out = i;
        if (!strcmp(text, libxl__journal_verb_name(*out)))
            return true;
    }
    return false;
}

static bool decode_step(yajl_val root, enum libxl__journal_step *out)
{
    const char *text = libxl__json_string(root, "step");
    unsigned i;

    for (i = 0; text && i < JSTEP_NR; i++) {
        *out = i;
        if (!strcmp(text, libxl__journal_step_name(*out)))
            return true;
    }
    return false;
}

static bool decode_then(yajl_val root, libxl_save_then *out)
{
    const char *text = libxl__json_string(root, "then");
    unsigned i;

    for (i = 0; text && i < NR_THEN; i++) {
        *out = i;
        if (!strcmp(text, then_names[i]))
            return true;
    }
    return false;
}

/* Absent is right: *out is NULL. False: another kind, or no memory. */
static bool decode_text(libxl__gc *gc, yajl_val root, const char *key,
                        char **out)
{
    yajl_val v = libxl__json_get(root, key);

    if (!v)
        return true;
    if (!YAJL_IS_STRING(v))
        return false;
    *out = libxl__strdup(gc, YAJL_GET_STRING(v));
    return *out != NULL;
}

static bool decode_reason(yajl_val root, struct libxl__journal *out)
{
    int64_t reason;

    if (out->verb != JOURNAL_RESTART)
        return true;
    if (!libxl__json_i64(root, "reason", &reason) || reason < 0 ||
        reason > LIBXL_SHUTDOWN_REASON_SOFT_RESET)
        return false;
    out->reason = (libxl_shutdown_reason)reason;
    return true;
}

static const char *decode_fields(libxl__gc *gc, yajl_val root,
                                 struct libxl__journal *out)
{
    uint64_t format;

    if (!libxl__json_u64(root, "format", &format) || format != JOURNAL_FORMAT)
        return "its format is not one that this version knows";
    if (!decode_verb(root, &out->verb) || !decode_step(root, &out->step))
        return "its verb or step is unknown";
    if (libxl__journal_action(out->verb, out->step) == JACT_IMPOSSIBLE)
        return "its verb has no such step";
    if (libxl__proc_id_from_json(libxl__json_get(root, "owner"), &out->owner))
        return "its owner is missing or wrong";
    if (!libxl__json_bool(root, "was_running", &out->was_running) ||
        !decode_then(root, &out->then) || !decode_reason(root, out))
        return "what was to follow is missing or wrong";
    if (!libxl__json_u64(root, "file_dev", &out->file_dev) ||
        !libxl__json_u64(root, "file_ino", &out->file_ino) ||
        !decode_text(gc, root, "path", &out->path) ||
        !decode_text(gc, root, "temp_path", &out->temp_path))
        return "its file is missing or wrong";
    if (!out->path != !out->temp_path)
        return "it names only one of path and temp_path";
    if (!decode_text(gc, root, "peer", &out->peer) ||
        !decode_text(gc, root, "peer_uuid", &out->peer_uuid) ||
        !decode_text(gc, root, "name", &out->name) ||
        !decode_text(gc, root, "migration", &out->migration))
        return "its peer or name is wrong";
    return NULL;
}

int libxl__journal_decode(libxl__gc *gc, const char *text,
                          struct libxl__journal *out, const char **why)
{
    char reason[64];
    yajl_val root = yajl_tree_parse(text, reason, sizeof(reason));

    memset(out, 0, sizeof(*out));
    *why = YAJL_IS_OBJECT(root) ? decode_fields(gc, root, out)
                                : "it is not a JSON object";
    yajl_tree_free(root);
    return *why ? ERROR_INVAL : 0;
}
