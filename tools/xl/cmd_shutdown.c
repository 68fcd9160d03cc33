/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_shutdown.c - xl shutdown [-a] [-w] [-F] DOMAIN, xl reboot [-F] DOMAIN */
#include <stdlib.h>

#include "xl.h"
#include "xl_pending.h"

struct waiting {
    libxl_evgen_domain_death **death;
    int n;    /* made */
    int left; /* still there */
};

/* ---- asking ---- */

static int ask(struct xl *xl, uint32_t domid, bool fallback, bool reboot)
{
    int rc = reboot ? libxl_domain_reboot(xl->ctx, domid, NULL)
                    : libxl_domain_shutdown(xl->ctx, domid, NULL);

    if (rc != ERROR_NOPARAVIRT)
        return rc;
    if (fallback)
        return libxl_send_trigger(xl->ctx, domid,
                                  reboot ? LIBXL_TRIGGER_RESET
                                         : LIBXL_TRIGGER_POWER,
                                  0, NULL);
    xl_error(xl, "domain %u has no one who listens: use -F for the %s button, "
                 "or 'xl destroy'", domid, reboot ? "reset" : "power");
    return rc;
}

/* ---- waiting ---- */

static int wait_for(struct xl *xl, struct waiting *w, uint32_t domid)
{
    int rc = libxl_evenable_domain_death(xl->ctx, domid, 0, &w->death[w->n]);

    if (!rc)
        w->n++;
    return rc;
}

static bool heard(struct xl *xl, const libxl_event *event, bool for_death)
{
    if (event->type == LIBXL_EVENT_TYPE_DOMAIN_DEATH) {
        xl_say(xl, "domain %u is gone", event->domid);
        return true;
    }
    if (event->type == LIBXL_EVENT_TYPE_DOMAIN_SHUTDOWN) {
        xl_say(xl, "domain %u has shut down, reason %u", event->domid,
               event->u.domain_shutdown.shutdown_reason);
        return !for_death;
    }
    return false;
}

static int wait_all(struct xl *xl, struct waiting *w, bool for_death)
{
    int rc = 0;

    w->left = w->n;
    while (!rc && w->left > 0) {
        libxl_event *event;

        rc = libxl_event_wait(xl->ctx, &event, LIBXL_EVENTMASK_ALL, NULL, NULL);
        if (rc)
            break;
        if (heard(xl, event, for_death))
            w->left--;
        libxl_event_free(xl->ctx, event);
    }
    return rc;
}

/* ---- all of it ---- */

static int shutdown_these(struct xl *xl, const libxl_dominfo *info, int n,
                          int waits, bool fallback)
{
    struct waiting w = {.n = 0};
    int failed = 0;

    w.death = calloc((size_t)n + 1, sizeof(*w.death));
    if (!w.death) {
        xl_error(xl, "no memory");
        return XL_FAILED;
    }
    for (int i = 0; i < n; i++) {
        if (waits && wait_for(xl, &w, info[i].domid)) {
            failed++;
            continue;
        }
        xl_say(xl, "shutting down domain %u", info[i].domid);
        if (!ask(xl, info[i].domid, fallback, false))
            continue;
        failed++;
        if (waits)
            libxl_evdisable_domain_death(xl->ctx, w.death[--w.n]);
    }
    if (waits && wait_all(xl, &w, waits > 1))
        failed++;
    for (int i = 0; i < w.n; i++)
        libxl_evdisable_domain_death(xl->ctx, w.death[i]);
    free(w.death);
    return failed ? XL_FAILED : XL_OK;
}

static int shutdown_all(struct xl *xl, int waits, bool fallback)
{
    int n, exit_code;
    libxl_dominfo *info = libxl_list_domain(xl->ctx, &n);

    if (!info)
        return XL_FAILED;
    exit_code = shutdown_these(xl, info, n, waits, fallback);
    libxl_dominfo_list_free(info, n);
    return exit_code;
}

int xl_cmd_shutdown(struct xl *xl, int argc, char **argv)
{
    static const struct option longs[] = {{"all", no_argument, NULL, 'a'},
                                          {"wait", no_argument, NULL, 'w'},
                                          {0}};
    libxl_dominfo one = {.domid = INVALID_DOMID};
    bool all = false, fallback = false;
    int waits = 0, exit_code, c;

    while ((c = xl_getopt(xl, argc, argv, "awF", longs, &exit_code)) !=
           XL_OPT_END) {
        switch (c) {
        case XL_OPT_EXIT:
            return exit_code;
        case 'a':
            all = true;
            break;
        case 'w':
            waits++;
            break;
        case 'F':
            fallback = true;
            break;
        }
    }
    if (!xl_count_args(xl, argc, all ? 0 : 1, all ? 0 : 1))
        return XL_USAGE;
    if (waits && !libxl_evenable_domain_death) {
        xl_error(xl, "-w needs the keeper");
        return XL_FAILED;
    }
    if (all)
        return shutdown_all(xl, waits, fallback);
    if (!xl_find_domain(xl, argv[optind], &one.domid))
        return XL_FAILED;
    return shutdown_these(xl, &one, 1, waits, fallback);
}

int xl_cmd_reboot(struct xl *xl, int argc, char **argv)
{
    bool fallback = false;
    uint32_t domid;
    int exit_code, c;

    while ((c = xl_getopt(xl, argc, argv, "F", NULL, &exit_code)) !=
           XL_OPT_END) {
        if (c == XL_OPT_EXIT)
            return exit_code;
        fallback = true;
    }
    if (!xl_count_args(xl, argc, 1, 1))
        return XL_USAGE;
    if (!xl_find_domain(xl, argv[optind], &domid))
        return XL_FAILED;
    xl_say(xl, "rebooting domain %u", domid);
    return ask(xl, domid, fallback, true) ? XL_FAILED : XL_OK;
}
