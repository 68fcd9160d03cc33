/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xl_cfg_lex.h - xl.cfg's tokens.
 *
 * Owns:      a token's text is malloc'ed and goes to whoever takes it out of
 *            the token; the next xl_cfg_lex frees what was left there.
 */
#ifndef XL_CFG_LEX_H
#define XL_CFG_LEX_H

#include "xl_cfg.h"

enum xl_cfg_token {
    TOKEN_END,     /* of the text */
    TOKEN_NEWLINE, /* or ';' */
    TOKEN_IDENT,
    TOKEN_STRING,
    TOKEN_NUMBER,
    TOKEN_ASSIGN,
    TOKEN_APPEND, /* += */
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_COMMA,
};

struct xl_cfg_lexer {
    const char *source;
    const char *at, *end;
    unsigned line;
    bool bare_words;
    bool value_next; /* a bare word here is a value, not a key */
    struct xl_cfg_error *err;

    enum xl_cfg_token token;
    unsigned token_line;
    char *text; /* of IDENT, STRING, NUMBER */
};

/* false: err is set. */
bool xl_cfg_lex(struct xl_cfg_lexer *lx);
/* How a token is called in a message. */
const char *xl_cfg_token_name(const struct xl_cfg_lexer *lx);

#endif
