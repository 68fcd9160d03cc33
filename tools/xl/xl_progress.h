/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xl_progress.h - a long operation's progress: a bar on a terminal, a line now
 * and then elsewhere, an object a line for machines.
 *
 * Units:     nanoseconds of the monotonic clock; pages of 4096 bytes.
 */
#ifndef XL_PROGRESS_H
#define XL_PROGRESS_H

#include <stdio.h>

#include <libxl.h>

enum xl_progress_style { XL_PROGRESS_LINES, XL_PROGRESS_BAR, XL_PROGRESS_JSON };

struct xl_progress {
    enum xl_progress_style style;
    FILE *to;
    const char *name;  /* of the domain; NULL: not known */
    uint64_t shown_ns; /* when last; 0: never */
    bool bar_open;     /* the cursor stands behind a bar */
};

void xl_progress_init(struct xl_progress *pr, bool always_bar);
/* --json. to: stdout, or stderr where stdout carries the data. */
void xl_progress_json(struct xl_progress *pr, FILE *to);
void xl_progress_show(struct xl_progress *pr, uint32_t domid,
                      const libxl_progress *p, uint64_t now_ns);
/* Before another message is written: the bar's line is cleared. */
void xl_progress_break(struct xl_progress *pr);

/* One line without its end; width 0: no bar. Pure. */
void xl_progress_text(char *out, size_t size, const char *name,
                      const libxl_progress *p, unsigned width);
/* "1.5 GiB" */
void xl_bytes_text(char *out, size_t size, uint64_t bytes);
/* A JSON string with its quotes. */
void xl_json_string(FILE *to, const char *text);

#endif
