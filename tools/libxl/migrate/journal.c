/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * journal.c - the journal to the store and back.
 */
#include "migrate/journal.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

int libxl__journal_init(struct libxl__journal *j, enum libxl__journal_verb verb,
                        enum libxl__journal_step step)
{
    memset(j, 0, sizeof(*j));
    j->verb = verb;
    j->step = step;
    return libxl__proc_id_self(&j->owner);
}

int libxl__journal_write(libxl__store *st, libxl__gc *gc, uint32_t domid,
                         const struct libxl__journal *j)
{
    char *text = libxl__journal_encode(gc, j);

    if (!text)
        return ERROR_NOMEM;
    return st->ops->write(st, domid, "journal", text);
}

int libxl__journal_read(libxl__store *st, libxl__gc *gc, uint32_t domid,
                        struct libxl__journal *out)
{
    const char *why;
    char *text;
    int rc = st->ops->read(st, domid, "journal", &text);

    if (rc)
        return rc;
    rc = libxl__journal_decode(gc, text, out, &why);
    free(text);
    if (rc)
        LOGD(st->ctx, domid, ERROR,
             "the journal is damaged: %s; the guest is left as it is: "
             "`xl unpause` or `xl destroy` decides",
             why);
    return rc;
}

int libxl__journal_erase(libxl__store *st, uint32_t domid)
{
    int rc = st->ops->erase(st, domid, "journal");

    return rc == ERROR_NOTFOUND ? 0 : rc;
}
