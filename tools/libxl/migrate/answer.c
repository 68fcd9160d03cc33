/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* answer.c - a receiver's line of JSON on the back channel (codec). */
#include "migrate/answer.h"

#include <string.h>

#include "base/json.h"

#define VERSION_KEY "xl-migrate"
#define VERSION 1

static const char *const outcomes[] = {
    [LIBXL__OUTCOME_RAN] = "ran",
    [LIBXL__OUTCOME_NEVER_RAN] = "never-ran",
    [LIBXL__OUTCOME_BUSY] = "busy",
};
#define NR_OUTCOMES (sizeof(outcomes) / sizeof(outcomes[0]))

char *libxl__answer_encode(libxl__gc *gc, const struct libxl__answer *a)
{
    struct libxl__json_writer w;
    char *reason = NULL, *text, *c;

    if (a->reason) {
        reason = libxl__strndup(gc, a->reason, LIBXL__ANSWER_REASON_MAX);
        if (!reason)
            return NULL;
        for (c = reason; *c; c++) /* a line is one line, and is UTF-8 */
            if ((unsigned char)*c < ' ' || (unsigned char)*c > '~')
                *c = '?';
    }
    libxl__json_writer_init(&w);
    libxl__json_writer_one_line(&w);
    libxl__json_open(&w, NULL);
    libxl__json_put_u64(&w, VERSION_KEY, VERSION);
    if (a->outcome != LIBXL__OUTCOME_NONE)
        libxl__json_put_string(&w, "outcome", outcomes[a->outcome]);
    else
        libxl__json_put_bool(&w, "accepted", a->accepted);
    if (a->zero_pages)
        libxl__json_put_bool(&w, "zero_pages", true);
    libxl__json_put_string(&w, "reason", reason);
    libxl__json_close(&w);
    text = libxl__json_finish(&w, gc);
    libxl__json_writer_dispose(&w);
    return text ? libxl__sprintf(gc, "%s\n", text) : NULL;
}

static bool decode_outcome(const char *name, enum libxl__outcome *out)
{
    for (size_t i = 1; i < NR_OUTCOMES; i++) {
        if (strcmp(name, outcomes[i]))
            continue;
        *out = (enum libxl__outcome)i;
        return true;
    }
    return false;
}

static bool decode_tree(libxl__gc *gc, yajl_val tree, struct libxl__answer *out)
{
    const char *reason = libxl__json_string(tree, "reason");
    const char *outcome = libxl__json_string(tree, "outcome");
    uint64_t version;

    if (!libxl__json_u64(tree, VERSION_KEY, &version) || version != VERSION)
        return false;
    if (reason) {
        out->reason = libxl__strndup(gc, reason, LIBXL__ANSWER_REASON_MAX);
        if (!out->reason)
            return false;
    }
    (void)libxl__json_bool(tree, "zero_pages", &out->zero_pages);
    if (outcome)
        return decode_outcome(outcome, &out->outcome);
    return libxl__json_bool(tree, "accepted", &out->accepted);
}

bool libxl__answer_decode(libxl__gc *gc, const char *line,
                          struct libxl__answer *out)
{
    char error[128];
    yajl_val tree;
    bool ok;

    memset(out, 0, sizeof(*out));
    if (!libxl__json_depth_ok(line, strlen(line), 4))
        return false;
    tree = yajl_tree_parse(line, error, sizeof(error));
    if (!tree)
        return false;
    ok = YAJL_IS_OBJECT(tree) && decode_tree(gc, tree, out);
    yajl_tree_free(tree);
    return ok;
}
