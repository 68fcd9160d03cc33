/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xl_suggest.c - the word that was probably meant: by edit distance. */
#include "xl_suggest.h"

#include <string.h>

#define WORD_MAX 40

/* Letters to insert, delete, replace or swap. */
static unsigned distance(const char *a, const char *b)
{
    unsigned row[3][WORD_MAX + 1];
    size_t na = strlen(a), nb = strlen(b);

    if (na > WORD_MAX || nb > WORD_MAX)
        return WORD_MAX;
    for (size_t j = 0; j <= nb; j++)
        row[0][j] = (unsigned)j;
    for (size_t i = 1; i <= na; i++) {
        unsigned *now = row[i % 3], *up = row[(i - 1) % 3];

        now[0] = (unsigned)i;
        for (size_t j = 1; j <= nb; j++) {
            unsigned d = up[j - 1] + (a[i - 1] != b[j - 1]);

            if (up[j] + 1 < d)
                d = up[j] + 1;
            if (now[j - 1] + 1 < d)
                d = now[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
                a[i - 2] == b[j - 1] && row[(i - 2) % 3][j - 2] + 1 < d)
                d = row[(i - 2) % 3][j - 2] + 1;
            now[j] = d;
        }
    }
    return row[na % 3][nb];
}

void xl_suggest_begin(struct xl_suggest *s, const char *typed)
{
    s->typed = typed;
    s->best = NULL;
    s->distance = strlen(typed) < 4 ? 2 : 3; /* this far is too far */
}

void xl_suggest_consider(struct xl_suggest *s, const char *word)
{
    unsigned d = distance(s->typed, word);

    if (d < s->distance) {
        s->distance = d;
        s->best = word;
    }
}
