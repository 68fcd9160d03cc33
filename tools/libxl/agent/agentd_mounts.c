/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agentd_mounts.c - the file systems that lie on block devices, and the two
 * requests that hold one still and let it go.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "agent/agentd_core.h"

/* /proc/self/mounts writes blanks and backslashes in octal. */
static void unescape(char *s)
{
    char *to = s;

    for (; *s; s++, to++) {
        if (s[0] == '\\' && s[1] && s[2] && s[3]) {
            *to = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
            s += 3;
        } else {
            *to = *s;
        }
    }
    *to = '\0';
}

/* Mount points of block devices, in order of mounting. */
static int list(libxl__gc *gc, struct agentd_points *out)
{
    FILE *f = fopen("/proc/self/mounts", "re");
    char *line = NULL, *point, *save;
    size_t room = 0;
    int errnoval = f ? 0 : errno;

    out->n = 0;
    while (!errnoval && getline(&line, &room, f) > 0) {
        if (strncmp(line, "/dev/", 5))
            continue;
        strtok_r(line, " ", &save);
        point = strtok_r(NULL, " ", &save);
        if (!point)
            continue;
        unescape(point);
        point = libxl__strdup(gc, point);
        if (!point)
            errnoval = ENOMEM;
        else if (out->n == AGENTD_MOUNTS_MAX)
            errnoval = E2BIG;
        else
            out->at[out->n++] = point;
    }
    free(line);
    if (f)
        fclose(f);
    return errnoval;
}

/* Not a directory alone: a single file of a file system can be mounted, too. */
static int request(const char *point, unsigned long what)
{
    int fd = open(point, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    int errnoval;

    if (fd < 0)
        return errno;
    errnoval = ioctl(fd, what, 0) ? errno : 0;
    close(fd);
    return errnoval;
}

static int freeze(const char *point)
{
    return request(point, FIFREEZE);
}

static int thaw(const char *point)
{
    return request(point, FITHAW);
}

const struct agentd_mounts libxl__agentd_mounts = {list, freeze, thaw};
