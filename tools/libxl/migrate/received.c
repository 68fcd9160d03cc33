/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* received.c - which guests were taken over, by which migration (mover). */
#include "migrate/received.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "migrate/handshake.h"
#include "store/store_dir.h"

static int fail(libxl__store *st, const char *uuid, const char *what)
{
    LOGE(st->ctx, ERROR, errno, "cannot %s that guest %s was taken over", what,
         uuid);
    return ERROR_FAIL;
}

/* The directory received/, made when it is not there. */
static int open_marks(libxl__store *st)
{
    int state = libxl__lasting_dir_open(libxl__store_files_path(st));
    int marks = -1, saved;

    if (state < 0)
        return -1;
    if (!mkdirat(state, "received", 0700) && fsync(state))
        goto out;
    marks = openat(state, "received",
                   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
out:
    saved = errno;
    close(state);
    errno = saved;
    return marks;
}

#define OLDER "older\n"
#define LINE (LIBXL__HS_ID_CHARS + 2)
#define CAME '+'
#define COMES '-'

/* A file of ours is nothing but lines; one that is damaged counts as lost. */
struct marks {
    bool older;
    size_t nr;
    char lines[LIBXL__RECEIVED_MAX + 1][LINE]; /* without a NUL: with a LF */
};

static int read_marks(libxl__store *st, int dirfd, const char *uuid,
                      struct marks *m)
{
    const char *at;
    char *text;
    int rc = libxl__file_read(st->ctx, INVALID_DOMID, dirfd, uuid, &text);

    memset(m, 0, sizeof(*m));
    if (rc)
        return rc == ERROR_NOTFOUND ? 0 : rc;
    m->older = !strncmp(text, OLDER, strlen(OLDER));
    for (at = text + (m->older ? strlen(OLDER) : 0);
         m->nr < LIBXL__RECEIVED_MAX && strlen(at) >= LINE &&
         at[LINE - 1] == '\n';
         at += LINE)
        memcpy(m->lines[m->nr++], at, LINE);
    if (*at)
        m->older = true;
    free(text);
    return 0;
}

static int write_marks(libxl__store *st, int dirfd, const char *uuid,
                       struct marks *m)
{
    char text[sizeof(OLDER) + sizeof(m->lines)];
    size_t skip = m->nr > LIBXL__RECEIVED_MAX ? m->nr - LIBXL__RECEIVED_MAX : 0;
    size_t n = 0;

    if (!m->nr && !m->older)
        return libxl__file_erase(st->ctx, INVALID_DOMID, dirfd, uuid);
    if (m->older || skip) {
        memcpy(text, OLDER, strlen(OLDER));
        n = strlen(OLDER);
    }
    memcpy(text + n, m->lines[skip], (m->nr - skip) * LINE);
    text[n + (m->nr - skip) * LINE] = '\0';
    return libxl__file_replace(st->ctx, INVALID_DOMID, dirfd, uuid, text, true);
}

static size_t find(const struct marks *m, const char *id)
{
    size_t i = 0;

    while (i < m->nr && memcmp(m->lines[i] + 1, id, LIBXL__HS_ID_CHARS))
        i++;
    return i;
}

/* Opened and read; *dirfd is the caller's when it is 0. */
static int open_and_read(libxl__store *st, const char *uuid, const char *what,
                         int *dirfd, struct marks *m)
{
    int rc;

    *dirfd = open_marks(st);
    if (*dirfd < 0)
        return fail(st, uuid, what);
    rc = read_marks(st, *dirfd, uuid, m);
    if (rc)
        close(*dirfd);
    return rc;
}

/* sign: CAME replaces COMES and the other way; begin changes nothing. */
static int note(libxl__store *st, const char *uuid, const char *id,
                const char *what, char sign, bool replace)
{
    struct marks m;
    size_t at;
    int dirfd, rc = open_and_read(st, uuid, what, &dirfd, &m);

    if (rc)
        return rc;
    at = find(&m, id);
    if (at == m.nr) {
        memcpy(m.lines[at] + 1, id, LIBXL__HS_ID_CHARS);
        m.lines[at][LINE - 1] = '\n';
        m.nr++;
        replace = true;
    }
    if (replace && m.lines[at][0] != sign) {
        m.lines[at][0] = sign;
        rc = write_marks(st, dirfd, uuid, &m);
    }
    close(dirfd);
    return rc;
}

int libxl__received_begin(libxl__store *st, const char *uuid, const char *id)
{
    return note(st, uuid, id, "record", COMES, false);
}

int libxl__received_set(libxl__store *st, const char *uuid, const char *id)
{
    return note(st, uuid, id, "record", CAME, true);
}

int libxl__received_clear(libxl__store *st, const char *uuid, const char *id)
{
    return note(st, uuid, id, "forget", COMES, true);
}

int libxl__received_look(libxl__store *st, const char *uuid, const char *id,
                         enum libxl__received *out)
{
    struct marks m;
    size_t at;
    int dirfd, rc = open_and_read(st, uuid, "find out", &dirfd, &m);

    if (rc)
        return rc;
    close(dirfd);
    at = find(&m, id);
    if (at < m.nr)
        *out = m.lines[at][0] == CAME ? LIBXL__RECEIVED_YES
                                      : LIBXL__RECEIVED_NO;
    else
        *out = m.older ? LIBXL__RECEIVED_UNKNOWN : LIBXL__RECEIVED_NO;
    return 0;
}
