/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* arglist.c - see arglist.h. */
#include "dm/arglist.h"

#include <string.h>

void libxl__arglist_init(struct libxl__arglist *al, libxl__gc *gc)
{
    memset(al, 0, sizeof(*al));
    al->gc = gc;
}

/* Vectors are small: an outgrown one stays with the gc. */
static bool make_room(struct libxl__arglist *al)
{
    size_t room = al->room ? al->room * 2 : 64;
    char **argv;

    if (al->nr + 1 < al->room)
        return true;
    argv = libxl__zalloc(al->gc, room * sizeof(*argv));
    if (!argv)
        return false;
    if (al->nr)
        memcpy(argv, al->argv, al->nr * sizeof(*argv));
    al->argv = argv;
    al->room = room;
    return true;
}

void libxl__arglist_add(struct libxl__arglist *al, const char *arg)
{
    char *copy;

    if (al->rc)
        return;
    copy = arg ? libxl__strdup(al->gc, arg) : NULL;
    if (!copy || !make_room(al)) {
        al->rc = ERROR_NOMEM;
        return;
    }
    al->argv[al->nr++] = copy;
}

void libxl__arglist_opt(struct libxl__arglist *al, const char *option,
                        const char *value)
{
    libxl__arglist_add(al, option);
    libxl__arglist_add(al, value);
}

void libxl__arglist_optf(struct libxl__arglist *al, const char *option,
                         const char *fmt, ...)
{
    va_list ap;

    libxl__arglist_add(al, option);
    va_start(ap, fmt);
    libxl__arglist_add(al, libxl__vsprintf(al->gc, fmt, ap));
    va_end(ap);
}

void libxl__arglist_json(struct libxl__arglist *al, const char *option,
                         struct libxl__json_writer *w)
{
    char *text = libxl__json_finish(w, al->gc);

    /* On one line: QEMU's messages quote it. Strings hold no raw newline. */
    for (char *p = text; p && (p = strchr(p, '\n'));)
        *p = ' ';
    libxl__arglist_opt(al, option, text);
    libxl__json_writer_dispose(w);
}

char *libxl__qemu_escape(libxl__gc *gc, const char *text)
{
    char *out, *p;
    const char *s;

    out = p = libxl__zalloc(gc, 2 * strlen(text) + 1);
    if (!out)
        return NULL;
    for (s = text; *s; s++) {
        if (*s == ',')
            *p++ = ',';
        *p++ = *s;
    }
    return out;
}
