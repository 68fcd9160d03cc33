/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gc.c - arenas: a list of malloc'ed blocks that die together. */
#include "base/gc.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct libxl__gc_block {
    struct libxl__gc_block *next;
    void *taken; /* from libxl__gc_take; else NULL, and data holds it */
    alignas(max_align_t) unsigned char data[];
};

void libxl__gc_init(libxl__gc *gc, libxl_ctx *ctx)
{
    gc->ctx = ctx;
    gc->blocks = NULL;
}

void libxl__gc_dispose(libxl__gc *gc)
{
    struct libxl__gc_block *block, *next;

    for (block = gc->blocks; block; block = next) {
        next = block->next;
        free(block->taken);
        free(block);
    }
    gc->blocks = NULL;
}

static struct libxl__gc_block *block_new(libxl__gc *gc, size_t bytes)
{
    struct libxl__gc_block *block;

    if (bytes > SIZE_MAX - sizeof(*block))
        return NULL;
    block = calloc(1, sizeof(*block) + bytes);
    if (!block)
        return NULL;
    block->next = gc->blocks;
    gc->blocks = block;
    return block;
}

void *libxl__zalloc(libxl__gc *gc, size_t bytes)
{
    struct libxl__gc_block *block = block_new(gc, bytes);

    return block ? block->data : NULL;
}

char *libxl__strndup(libxl__gc *gc, const char *s, size_t n)
{
    size_t len = strnlen(s, n);
    char *copy;

    if (len == SIZE_MAX)
        return NULL;
    copy = libxl__zalloc(gc, len + 1);
    if (copy)
        memcpy(copy, s, len);
    return copy;
}

char *libxl__strdup(libxl__gc *gc, const char *s)
{
    return libxl__strndup(gc, s, strlen(s));
}

char *libxl__vsprintf(libxl__gc *gc, const char *fmt, va_list ap)
{
    char *text = NULL;
    int r = vasprintf(&text, fmt, ap);

    if (r < 0)
        return NULL;
    return libxl__gc_take(gc, text);
}

char *libxl__sprintf(libxl__gc *gc, const char *fmt, ...)
{
    va_list ap;
    char *text;

    va_start(ap, fmt);
    text = libxl__vsprintf(gc, fmt, ap);
    va_end(ap);
    return text;
}

void *libxl__gc_take(libxl__gc *gc, void *p)
{
    struct libxl__gc_block *block;

    if (!p)
        return NULL;
    block = block_new(gc, 0);
    if (!block) {
        free(p);
        return NULL;
    }
    block->taken = p;
    return p;
}
