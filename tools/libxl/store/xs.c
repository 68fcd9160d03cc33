/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* xs.c - xenstore with strings of a gc. */
#include "store/xs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

int libxl__xs_open(struct libxl__xs *xs, libxl_ctx *ctx,
                   const struct libxl__xs_calls *calls)
{
    int r;

    *xs = (struct libxl__xs){.ctx = ctx, .calls = calls};
    r = calls->open(&xs->handle);
    if (!r)
        return 0;
    LOGE(ctx, ERROR, -r, "xenstore does not answer: is xenstored running?");
    return ERROR_FAIL;
}

void libxl__xs_close(struct libxl__xs *xs)
{
    if (xs->calls)
        xs->calls->close(xs->handle);
    xs->handle = NULL;
    xs->calls = NULL;
}

static char *format(libxl__gc *gc, const char *fmt, va_list ap)
{
    return libxl__vsprintf(gc, fmt, ap);
}

char *libxl__xs_read(struct libxl__xs *xs, libxl__gc *gc, const char *fmt, ...)
{
    char *path, *text;
    va_list ap;

    va_start(ap, fmt);
    path = format(gc, fmt, ap);
    va_end(ap);
    if (!path || xs->calls->read(xs->handle, xs->txn, path, &text))
        return NULL;
    return libxl__gc_take(gc, text);
}

uint64_t libxl__xs_memory_kb(struct libxl__xs *xs, libxl__gc *gc,
                             uint32_t domid, const char *key)
{
    char *text =
        libxl__xs_read(xs, gc, "/local/domain/%u/memory/%s", domid, key);

    return text ? strtoull(text, NULL, 10) : 0;
}

char **libxl__xs_children(struct libxl__xs *xs, libxl__gc *gc, const char *fmt,
                          ...)
{
    char *path, **names, **out;
    unsigned nr;
    va_list ap;

    va_start(ap, fmt);
    path = format(gc, fmt, ap);
    va_end(ap);
    if (!path || xs->calls->children(xs->handle, xs->txn, path, &names, &nr))
        return NULL;
    names = libxl__gc_take(gc, names);
    out = libxl__zalloc(gc, sizeof(*out) * ((size_t)nr + 1));
    if (out && names)
        memcpy(out, names, sizeof(*out) * nr);
    return names ? out : NULL;
}

static int failed(struct libxl__xs *xs, int r, const char *what,
                  const char *path)
{
    LOGE(xs->ctx, ERROR, -r, "xenstore: cannot %s %s", what, path);
    return r == -ENOMEM ? ERROR_NOMEM : ERROR_FAIL;
}

int libxl__xs_remove(struct libxl__xs *xs, const char *fmt, ...)
{
    int r, rc = ERROR_NOMEM;
    libxl__gc gc;
    char *path;
    va_list ap;

    libxl__gc_init(&gc, xs->ctx);
    va_start(ap, fmt);
    path = format(&gc, fmt, ap);
    va_end(ap);
    if (path) {
        r = xs->calls->remove(xs->handle, xs->txn, path);
        rc = r ? failed(xs, r, "remove", path) : 0;
    }
    libxl__gc_dispose(&gc);
    return rc;
}

static int put(struct libxl__xs_writer *w, const char *path, const char *text,
               enum libxl__xs_perms perms, bool has_them)
{
    struct libxl__xs *xs = w->xs;
    int r = xs->calls->write(xs->handle, xs->txn, path, text);

    if (!r && !has_them)
        r = xs->calls->set_perms(xs->handle, xs->txn, path, w->guest, perms);
    return r ? failed(xs, r, "write", path) : 0;
}

void libxl__xs_put(struct libxl__xs_writer *w, enum libxl__xs_perms perms,
                   const char *key, const char *fmt, ...)
{
    bool has_them = *key && w->made == w->base && w->made_perms == perms;
    char *path, *text;
    va_list ap;

    if (w->rc)
        return;
    path = *key ? libxl__sprintf(w->gc, "%s/%s", w->base, key)
                : libxl__strdup(w->gc, w->base);
    va_start(ap, fmt);
    text = libxl__vsprintf(w->gc, fmt, ap);
    va_end(ap);
    w->rc = path && text ? put(w, path, text, perms, has_them) : ERROR_NOMEM;
    if (!*key) {
        w->made = w->base;
        w->made_perms = perms;
    }
}

int libxl__xs_begin(struct libxl__xs *xs)
{
    int r = xs->calls->begin(xs->handle, &xs->txn);

    return r ? failed(xs, r, "begin", "a transaction") : 0;
}

int libxl__xs_commit(struct libxl__xs *xs)
{
    uint32_t txn = xs->txn;
    int r;

    xs->txn = 0;
    r = xs->calls->end(xs->handle, txn, true);
    if (r == -EAGAIN)
        return ERROR_NOT_READY;
    return r ? failed(xs, r, "commit", "a transaction") : 0;
}

void libxl__xs_rollback(struct libxl__xs *xs)
{
    if (xs->txn)
        xs->calls->end(xs->handle, xs->txn, false);
    xs->txn = 0;
}
