/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * demo-fault - the demo device with a fault in its migration; a test's program,
 * not installed.
 *
 *   --hook die:STATE, refuse:STATE, late:STATE    when it is to go there
 *   --hook more, --hook less                      than it promised
 *   --hook none                                   it cannot be migrated
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "ring/demo_run.h"

#define LATE_MS 40000

static const struct devmig_ops *real;
static struct devmig_ops faulty;
static const char *kind = "", *state = "";
static bool extra_given;

static bool hits(enum devmig_state to, const char *what)
{
    return !strcmp(kind, what) && !strcmp(state, libxl__devmig_name(to));
}

static int transition(void *dev, enum devmig_state from, enum devmig_state to)
{
    if (hits(to, "die"))
        _exit(1);
    if (hits(to, "refuse"))
        return -EIO;
    if (hits(to, "late"))
        poll(NULL, 0, LATE_MS);
    return real->transition(dev, from, to);
}

static ssize_t prepare_data(void *dev)
{
    struct libxl__demo *d = dev;
    ssize_t r = real->prepare_data(dev);

    if (!r && !strcmp(kind, "more") && !extra_given &&
        d->pci.mig.state == DEVMIG_STOP_COPY) {
        extra_given = true;
        return DEMO_ITEM_HEAD;
    }
    if (r > 0 && !strcmp(kind, "less") && d->saver.regs_done)
        return 0;
    return r;
}

static bool option(const char *text)
{
    char *buf = strdup(text), *colon; /* for as long as the process lives */

    if (!buf)
        return false;
    kind = buf;
    colon = strchr(buf, ':');
    if (colon) {
        *colon = '\0';
        state = colon + 1;
    }
    return true;
}

static void made(struct libxl__demo *d)
{
    real = d->pci.mig.ops;
    faulty = *real;
    faulty.transition = transition;
    faulty.prepare_data = prepare_data;
    d->pci.mig.ops = strcmp(kind, "none") ? &faulty : NULL;
}

int main(int argc, char **argv)
{
    static const struct demo_hooks hooks = {option, made};

    return demo_run(argc, argv, &hooks);
}
