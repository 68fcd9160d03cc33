/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_shutdown.c - xl shutdown [-a] [-w] [-F] DOMAIN, xl reboot [-F] DOMAIN */
#include <stdlib.h>

#include "xl.h"

/* One domain that is waited for. */
struct waiting {
    libxl_evgen_domain_death *death; /* NULL: not waited for */
    bool over;
};

/* ---- asking ---- */

static int ask(struct xl *xl, uint32_t domid, bool fallback, bool reboot)
{
    int rc;

    if (xl_agent_power(xl, domid, reboot))
        return 0;
    rc = reboot ? libxl_domain_reboot(xl->ctx, domid, NULL)
                : libxl_domain_shutdown(xl->ctx, domid, NULL);
    if (rc != ERROR_NOPARAVIRT)
        return rc;
    if (fallback)
        return libxl_send_trigger(
            xl->ctx, domid, reboot ? LIBXL_TRIGGER_RESET : LIBXL_TRIGGER_POWER,
            0, NULL);
    xl_error(xl,
             "domain %u has no one who listens: use -F for the %s button, "
             "or 'xl destroy'",
             domid, reboot ? "reset" : "power");
    return rc;
}

/* ---- waiting ---- */

static bool is_over(struct xl *xl, const libxl_event *event, bool for_death)
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

static bool still_waiting(const struct waiting *w, int n)
{
    for (int i = 0; i < n; i++) {
        if (w[i].death && !w[i].over)
            return true;
    }
    return false;
}

/* An event names its domain's place by for_user. */
static int wait_all(struct xl *xl, struct waiting *w, int n, bool for_death)
{
    while (still_waiting(w, n)) {
        libxl_event *event;
        struct waiting *one;
        int rc =
            libxl_event_wait(xl->ctx, &event, LIBXL_EVENTMASK_ALL, NULL, NULL);

        if (rc)
            return rc;
        one = event->for_user < (libxl_ev_user)n ? &w[event->for_user] : NULL;
        if (one && !one->over)
            one->over = is_over(xl, event, for_death);
        libxl_event_free(xl->ctx, event);
    }
    return 0;
}

/* ---- all of it ---- */

/* The watch first: an answer may come at once. */
static int shutdown_one(struct xl *xl, uint32_t domid, struct waiting *w,
                        libxl_ev_user place, bool waits, bool fallback)
{
    int rc = 0;

    if (waits)
        rc = libxl_evenable_domain_death(xl->ctx, domid, place, &w->death);
    if (rc)
        return rc;
    xl_say(xl, "shutting down domain %u", domid);
    rc = ask(xl, domid, fallback, false);
    if (rc)
        w->over = true;
    return rc;
}

static int shutdown_these(struct xl *xl, const libxl_dominfo *info, int n,
                          int waits, bool fallback)
{
    struct waiting *w = calloc((size_t)n + 1, sizeof(*w));
    bool failed = false;

    if (!w) {
        xl_error(xl, "no memory");
        return XL_FAILED;
    }
    for (int i = 0; i < n; i++) {
        if (shutdown_one(xl, info[i].domid, &w[i], (libxl_ev_user)i, waits > 0,
                         fallback))
            failed = true;
    }
    if (wait_all(xl, w, n, waits > 1))
        failed = true;
    for (int i = 0; i < n; i++) {
        if (w[i].death)
            libxl_evdisable_domain_death(xl->ctx, w[i].death);
    }
    free(w);
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
    static const struct option longs[] = {
        {"all", no_argument, NULL, 'a'}, {"wait", no_argument, NULL, 'w'}, {0}};
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
