/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* stop_rest.c - how long a guest stands for besides its memory. */
#include "migrate/stop_rest.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/store_dir.h"

#define FILE_NAME "stop-rest"
#define KEY_CHARS 16u
#define LINE_MAX_CHARS 80u

/* FNV-1a: two links with one number would share their measurements. */
static void key_of(const char *command, char key[KEY_CHARS + 1])
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (const char *c = command; *c; c++)
        h = (h ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
    snprintf(key, KEY_CHARS + 1, "%016" PRIx64, h);
}

/* The line of this key, up to its LF; NULL: none. */
static const char *find_line(const char *text, const char *key)
{
    while (text && *text) {
        if (!strncmp(text, key, KEY_CHARS) && text[KEY_CHARS] == ' ')
            return text;
        text = strchr(text, '\n');
        text += text ? 1 : 0;
    }
    return NULL;
}

/* The measurements of a line, the latest last: how many. */
static size_t read_line(const char *line, uint32_t ms[LIBXL__STOP_REST_KEPT])
{
    const char *at = line + KEY_CHARS;
    size_t n = 0;

    while (n < LIBXL__STOP_REST_KEPT && *at == ' ') {
        char *end;
        unsigned long v = strtoul(at, &end, 10);

        if (end == at || v > UINT32_MAX)
            break;
        ms[n++] = (uint32_t)v;
        at = end;
    }
    return n;
}

uint32_t libxl__stop_rest_of(const char *text, const char *command)
{
    uint32_t ms[LIBXL__STOP_REST_KEPT], least = UINT32_MAX;
    char key[KEY_CHARS + 1];
    const char *line;
    size_t n;

    key_of(command, key);
    line = find_line(text, key);
    n = line ? read_line(line, ms) : 0;
    for (size_t i = 0; i < n; i++)
        if (ms[i] < least)
            least = ms[i];
    return n ? least : 0;
}

static char *new_line(libxl__gc *gc, const char *old, const char *key,
                      uint32_t latest)
{
    uint32_t ms[LIBXL__STOP_REST_KEPT];
    size_t n = old ? read_line(old, ms) : 0;
    char *line = libxl__strdup(gc, key);

    for (size_t i = n == LIBXL__STOP_REST_KEPT; line && i < n; i++)
        line = libxl__sprintf(gc, "%s %" PRIu32, line, ms[i]);
    return line ? libxl__sprintf(gc, "%s %" PRIu32 "\n", line, latest) : NULL;
}

static size_t lines_in(const char *text)
{
    size_t n = 0;

    for (; (text = strchr(text, '\n')); text++)
        n++;
    return n;
}

char *libxl__stop_rest_with(libxl__gc *gc, const char *text,
                            const char *command, uint32_t ms)
{
    char key[KEY_CHARS + 1], *line;
    const char *old, *behind;
    int before;

    key_of(command, key);
    old = find_line(text, key);
    line = new_line(gc, old, key, ms);
    if (!line)
        return NULL;
    if (!old && lines_in(text) >= LIBXL__STOP_REST_LINKS)
        text = strchr(text, '\n') + 1;
    before = old ? (int)(old - text) : (int)strlen(text);
    behind = old ? strchr(old, '\n') : NULL;
    return libxl__sprintf(gc, "%.*s%s%s", before, text,
                          behind ? behind + 1 : "", line);
}

/* ---- the file ---- */

static char *read_file(libxl__store *st, int *dirfd)
{
    char *text = NULL;

    *dirfd =
        open(libxl__store_files_path(st), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*dirfd < 0 ||
        libxl__file_read(st->ctx, INVALID_DOMID, *dirfd, FILE_NAME, &text))
        return NULL;
    /* Not ours: begun anew. */
    if (strlen(text) > LIBXL__STOP_REST_LINKS * LINE_MAX_CHARS)
        *text = '\0';
    return text;
}

uint32_t libxl__stop_rest_look(libxl__store *st, const char *command)
{
    int dirfd;
    char *text = read_file(st, &dirfd);
    uint32_t ms = text ? libxl__stop_rest_of(text, command) : 0;

    free(text);
    if (dirfd >= 0)
        close(dirfd);
    return ms;
}

void libxl__stop_rest_note(libxl__store *st, libxl__gc *gc, const char *command,
                           uint32_t ms)
{
    int dirfd;
    char *text = read_file(st, &dirfd);
    char *with = libxl__stop_rest_with(gc, text ? text : "", command, ms);

    if (dirfd >= 0 && with)
        (void)libxl__file_replace(st->ctx, INVALID_DOMID, dirfd, FILE_NAME,
                                  with, false);
    free(text);
    if (dirfd >= 0)
        close(dirfd);
}
