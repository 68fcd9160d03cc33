/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xl_cfg.h - xl.cfg's syntax: text to a list of settings. Pure: knows no key.
 *
 * statement:  KEY = VALUE  or  KEY += VALUE, ended by a newline or ';'
 * VALUE:      'text', "text", a number, or [ VALUE, VALUE, ... ]
 * A '#' begins a comment, a backslash at the end of a line continues it, and
 * newlines inside a list do not count.
 *
 * Owns:      an xl_cfg owns all texts and values; xl_cfg_free ends it.
 * Errors:    false, and in xl_cfg_error "SOURCE:LINE: what is wrong".
 * Limits:    1 MiB of text, lists nested 16 deep, 65536 values.
 */
#ifndef XL_CFG_H
#define XL_CFG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XL_CFG_TEXT_MAX (1u << 20)
#define XL_CFG_DEPTH_MAX 16
#define XL_CFG_VALUES_MAX 65536

struct xl_cfg_error {
    char text[320];
};

enum xl_cfg_kind { XL_CFG_STRING, XL_CFG_NUMBER, XL_CFG_LIST };

struct xl_cfg_value {
    enum xl_cfg_kind kind;
    char *text; /* of a string, or of a number as it was written */
    struct xl_cfg_value *item;
    size_t items;
};

struct xl_cfg_setting {
    char *key;
    char *source; /* the file, or "command line" */
    unsigned line;
    unsigned earlier_line; /* in the same source; 0: the first */
    struct xl_cfg_value value;
};

struct xl_cfg {
    struct xl_cfg_setting *setting;
    size_t settings;
    size_t values;
};

void xl_cfg_init(struct xl_cfg *cfg);
void xl_cfg_free(struct xl_cfg *cfg);
/* Adds the settings of text; a key that is there already is replaced (or, by
 * +=, extended). bare_words: name=web01 needs no quotes, as on a command line,
 * where the shell takes them away. */
bool xl_cfg_parse(struct xl_cfg *cfg, const char *source, const char *text,
                  size_t bytes, bool bare_words, struct xl_cfg_error *err);
const struct xl_cfg_setting *xl_cfg_find(const struct xl_cfg *cfg,
                                         const char *key);
/* A number, also one written as a string: decimal, 0x..., or octal with a 0 in
 * front, with a sign. */
bool xl_cfg_number(const struct xl_cfg_value *v, int64_t *out);

void xl_cfg_value_free(struct xl_cfg_value *v);
void xl_cfg_error_set(struct xl_cfg_error *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
