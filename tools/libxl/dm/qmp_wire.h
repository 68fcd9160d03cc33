/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qmp_wire.h - codec of QMP: lines of JSON, checked, and nothing else.
 *
 * Owns:      a decoded message owns its tree until dispose.
 * Thread:    any. Pure: no fd, no globals.
 * Errors:    what is wrong with a line, as a constant string; nothing logged.
 * Rule:      QEMU is not trusted: a guest may have taken it over. Lines are
 *            bounded, depth is bounded, kinds of fields are checked.
 */
#ifndef LIBXL_QMP_WIRE_H
#define LIBXL_QMP_WIRE_H

#include <stdbool.h>
#include <yajl/yajl_tree.h>

#include "base/gc.h"

#define LIBXL__QMP_MAX_LINE (4u << 20)
#define LIBXL__QMP_MAX_DEPTH 32

enum libxl__qmp_kind {
    LIBXL__QMP_GREETING,
    LIBXL__QMP_RETURN,
    LIBXL__QMP_ERROR,
    LIBXL__QMP_EVENT,
};

struct libxl__qmp_message {
    enum libxl__qmp_kind kind;
    bool has_id;
    uint64_t id;      /* of RETURN and ERROR */
    const char *name; /* EVENT: its name; ERROR: its class */
    const char *desc; /* of ERROR */
    yajl_val data;    /* RETURN's value, EVENT's data (may be NULL) */
    yajl_val root;    /* private */
};

/* NULL: decoded. Else why not; then there is nothing to dispose of. */
const char *libxl__qmp_decode(const char *line, size_t bytes,
                              struct libxl__qmp_message *out);
void libxl__qmp_message_dispose(struct libxl__qmp_message *m);

/* One line, with its newline. args_json: an object's text, or NULL. */
char *libxl__qmp_encode(libxl__gc *gc, uint64_t id, const char *command,
                        const char *args_json);

/* The libxl error for QMP's error class. */
int libxl__qmp_error_rc(const char *error_class);

/* Bytes into lines. 'buf' is malloc'ed, freed by dispose. */
struct libxl__qmp_lines {
    char *buf;
    size_t have, room;
    size_t taken;   /* bytes of lines handed out */
    size_t scanned; /* no newline before this */
};
void libxl__qmp_lines_dispose(struct libxl__qmp_lines *l);
/* Room for at least one more byte: where, and how much. NULL: the line is
 * longer than LIBXL__QMP_MAX_LINE, or no memory. */
char *libxl__qmp_lines_room(struct libxl__qmp_lines *l, size_t *bytes);
void libxl__qmp_lines_got(struct libxl__qmp_lines *l, size_t bytes);
/* The next whole line, without newline; valid until the next call. */
bool libxl__qmp_lines_next(struct libxl__qmp_lines *l, const char **line,
                           size_t *bytes);

#endif
