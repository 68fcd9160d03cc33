/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xl_suggest.h - the word that was probably meant. */
#ifndef XL_SUGGEST_H
#define XL_SUGGEST_H

struct xl_suggest {
    const char *typed;
    const char *best; /* NULL: nothing is near enough */
    unsigned distance;
};

void xl_suggest_begin(struct xl_suggest *s, const char *typed);
void xl_suggest_consider(struct xl_suggest *s, const char *word);

#endif
