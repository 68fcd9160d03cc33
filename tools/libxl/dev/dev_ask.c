/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * dev_ask.c - one request to each device process of a domain. Chain:
 *
 *   start -> answered -> answered ... -> callback
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/container.h"
#include "base/log.h"
#include "dev/dev.h"

static libxl__dev_ask *ask_of_line(libxl__dev_line *line)
{
    return CONTAINER_OF(line, libxl__dev_ask, line);
}

bool libxl__dev_any(int dirfd)
{
    return !faccessat(dirfd, "dev-0", F_OK, 0);
}

void libxl__dev_ask_init(libxl__dev_ask *ask)
{
    memset(ask, 0, sizeof(*ask));
    libxl__dev_line_init(&ask->line);
}

void libxl__dev_ask_stop(libxl__dev_ask *ask)
{
    libxl__dev_line_stop(&ask->line);
}

static void finish(libxl__egc *egc, libxl__dev_ask *ask, int rc)
{
    libxl__dev_ask_stop(ask);
    ask->callback(egc, ask, rc);
}

static int revive(libxl__dev_line *line)
{
    libxl__dev_ask *ask = ask_of_line(line);

    return ask->revive(ask, line->index);
}

/* ERROR_NOTFOUND: there are no more. */
static int ask_next(libxl__dev_ask *ask)
{
    int rc;

    do {
        rc = libxl__dev_line_start(&ask->line);
        if (rc == ERROR_NOT_READY && ask->without_dead) {
            ask->line.index++;
            continue;
        }
        return rc;
    } while (1);
}

static void answered(libxl__egc *egc, libxl__dev_line *line, int rc)
{
    libxl__dev_ask *ask = ask_of_line(line);

    if (rc == ERROR_NOT_READY && ask->without_dead)
        rc = 0;
    else if (!rc && ask->answer)
        rc = ask->answer(ask, line->index, line->text);
    else if (!rc && !libxl__dev_line_ok(line))
        rc = ERROR_FAIL;
    libxl__dev_line_stop(line);
    line->index++;
    if (!rc)
        rc = ask_next(ask);
    if (rc)
        finish(egc, ask, rc == ERROR_NOTFOUND ? 0 : rc);
}

int libxl__dev_ask_start(libxl__dev_ask *ask)
{
    int rc;

    ask->line.ctx = ask->ctx;
    ask->line.domid = ask->domid;
    ask->line.dirfd = ask->dirfd;
    ask->line.request = ask->request;
    ask->line.callback = answered;
    ask->line.revive = ask->revive ? revive : NULL;
    ask->line.index = 0;
    rc = ask_next(ask);
    if (rc)
        libxl__dev_ask_stop(ask);
    return rc;
}
