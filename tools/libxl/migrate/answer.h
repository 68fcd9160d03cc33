/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * answer.h - one line of JSON on the back channel, from a receiver of ours to a
 * sender that has said that it listens (docs/specs/migration.md). Codec.
 *
 *   {"xl-migrate": 1, "accepted": true, "zero_pages": true}
 *   {"xl-migrate": 1, "accepted": false, "reason": "no memory: ..."}
 *   {"xl-migrate": 1, "outcome": "ran" | "never-ran" | "busy"}
 *
 * Owns:      nothing: strings come from the gc that was given.
 * Errors:    false: not such a line. Unknown keys are ignored.
 */
#ifndef LIBXL_ANSWER_H
#define LIBXL_ANSWER_H

#include "base/gc.h"

#define LIBXL__ANSWER_MAX 2048u       /* with its newline */
#define LIBXL__ANSWER_REASON_MAX 960u /* quoting may double it */

enum libxl__outcome {
    LIBXL__OUTCOME_NONE, /* the line is not about one */
    LIBXL__OUTCOME_RAN,
    LIBXL__OUTCOME_NEVER_RAN, /* and never will: recorded as given up */
    LIBXL__OUTCOME_BUSY,      /* someone is at it: ask again */
};

struct libxl__answer {
    bool accepted;
    bool zero_pages;    /* accepted: may come as XALLOC from a Xen guest, too */
    const char *reason; /* of a refusal; NULL: none */
    enum libxl__outcome outcome;
};

/* With its newline; NULL: no memory. */
char *libxl__answer_encode(libxl__gc *gc, const struct libxl__answer *a);
/* line: NUL-terminated, without its newline. */
bool libxl__answer_decode(libxl__gc *gc, const char *line,
                          struct libxl__answer *out);

#endif
