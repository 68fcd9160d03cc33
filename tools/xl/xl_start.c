/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xl_start.c - what create and restore do with a domain that is there, paused:
 * keeper, console, unpause, wait. */
#include <unistd.h>

#include "xl.h"

int xl_wait_gone(struct xl *xl, uint32_t domid)
{
    libxl_evgen_domain_death *death;
    libxl_event *event;
    bool gone = false;
    int rc = libxl_evenable_domain_death(xl->ctx, domid, 0, &death);

    while (!rc && !gone) {
        rc = libxl_event_wait(xl->ctx, &event, LIBXL_EVENTMASK_ALL, NULL, NULL);
        if (rc)
            break;
        gone = event->type == LIBXL_EVENT_TYPE_DOMAIN_DEATH &&
               event->domid == domid;
        libxl_event_free(xl->ctx, event);
    }
    if (death)
        libxl_evdisable_domain_death(xl->ctx, death);
    return rc && rc != ERROR_DOMAIN_NOTFOUND ? XL_FAILED : XL_OK;
}

static int give_up(struct xl *xl, uint32_t domid, int console)
{
    if (console >= 0)
        close(console);
    if (libxl_domain_destroy(xl->ctx, domid, NULL))
        xl_error(xl,
                 "domain %u could not be destroyed after that: see 'xl "
                 "list', then 'xl destroy %u'",
                 domid, domid);
    return XL_FAILED;
}

int xl_start_domain(struct xl *xl, uint32_t domid, const struct xl_start *how)
{
    bool program = how->console && libxl_console_is_program(xl->ctx);
    int console = -1;

    if (libxl_domain_keep(xl->ctx, domid, !how->no_restart))
        return give_up(xl, domid, -1);
    if (how->console && !program) {
        console = xl_console_open(xl, domid);
        if (console < 0)
            return give_up(xl, domid, -1);
    }
    if (!how->paused && libxl_domain_unpause(xl->ctx, domid, NULL))
        return give_up(xl, domid, console);
    if (program) /* the guest's first words wait for it */
        return libxl_primary_console_exec(xl->ctx, domid) ? XL_FAILED : XL_OK;
    if (console >= 0)
        return xl_console_run(xl, console);
    return how->foreground ? xl_wait_gone(xl, domid) : XL_OK;
}
