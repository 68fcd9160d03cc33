/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* recover_guest.c - what recovery asks of the guest itself. */
#include "base/log.h"
#include "domain/recover_one.h"

bool libxl__guest_has_ended(libxl__host *h, libxl__gc *gc, uint32_t domid)
{
    libxl_dominfo info = {0};
    bool ended;
    int rc = h->ops->dominfo(h, gc, domid, &info);

    ended = !rc && (info.dying ||
                    (info.shutdown &&
                     info.shutdown_reason != LIBXL_SHUTDOWN_REASON_SUSPEND));
    libxl_dominfo_dispose(&info);
    return ended || rc == ERROR_DOMAIN_NOTFOUND;
}

bool libxl__guest_is_up(libxl__host *h, libxl__gc *gc, uint32_t domid)
{
    libxl_dominfo info = {0};
    bool up =
        !h->ops->dominfo(h, gc, domid, &info) && !info.dying && !info.shutdown;

    libxl_dominfo_dispose(&info);
    return up;
}

static bool is_ours(libxl__host *h, libxl__gc *gc, uint32_t domid)
{
    return !h->ops->suspend_is_ours || h->ops->suspend_is_ours(h, gc, domid);
}

bool libxl__journal_awaits(libxl__host *h, libxl__gc *gc, uint32_t domid,
                           const struct libxl__journal *j)
{
    return libxl__journal_action(j->verb, j->step) == JACT_AWAIT &&
           libxl__guest_is_up(h, gc, domid);
}

/* Another toolstack may be saving it now: it is that one's to resume. */
static bool is_void(libxl__recover_one *ro)
{
    libxl__gc *gc = libxl__ao_gc(ro->ao);

    if (is_ours(ro->host, gc, ro->domid))
        return false;
    LOGD(ro->host->ctx, ro->domid, NOTICE,
         "a %s was given up; the guest has been asked for something else since",
         libxl__journal_verb_name(ro->journal.verb));
    /* where that fails it is found void again */
    (void)libxl__journal_erase(ro->host->ops->store(ro->host), ro->domid);
    return true;
}

bool libxl__guest_is_awaited(libxl__recover_one *ro)
{
    const struct libxl__journal *j = &ro->journal;

    if (ro->policy == RECOVER_FORGET ||
        libxl__journal_action(j->verb, j->step) != JACT_AWAIT)
        return false;
    if (ro->policy != RECOVER_RUN && is_void(ro))
        return true;
    ro->awaited = libxl__guest_is_up(ro->host, libxl__ao_gc(ro->ao), ro->domid);
    if (ro->awaited && ro->policy == RECOVER_REACH)
        LOGD(ro->host->ctx, ro->domid, NOTICE,
             "the guest was told to suspend, by a %s that was given up, and "
             "has not done so yet: it runs",
             libxl__journal_verb_name(j->verb));
    return ro->awaited;
}
