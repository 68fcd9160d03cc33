/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* recover_question.c - what a journal leaves to the user, or to the peer. */
#include "domain/recover_question.h"

#include <string.h>

#include "base/log.h"
#include "store/domain_record.h"

void libxl__question_log(libxl_ctx *ctx, uint32_t domid,
                         const struct libxl__journal *j)
{
    if (j->verb == JOURNAL_SAVE)
        LOGD(ctx, domid, ERROR,
             "the guest was saved to %s, but that file is no longer there: "
             "`xl destroy` if it is to be restored, `xl unpause` if not",
             j->path);
    else if (j->verb == JOURNAL_RECEIVE)
        LOGD(ctx, domid, ERROR,
             "a migration to here was cut before the guest was given away: "
             "it has not run here, and should be running at the sender. `xl "
             "destroy` it here if so, `xl unpause` it only if it never will");
    else
        LOGD(ctx, domid, ERROR,
             "a migration (by: %s) was cut after its point of no return: find "
             "out whether the guest runs there; `xl destroy` here if it does, "
             "`xl unpause` here only if it does not and never will",
             j->peer ? j->peer : "unknown");
}

bool libxl__question_make(const struct libxl__journal *j,
                          struct libxl__hs_query *query)
{
    libxl_uuid uuid;

    if (!j->peer_uuid || !j->migration ||
        !libxl__uuid_parse(j->peer_uuid, &uuid))
        return false;
    memcpy(query->uuid, &uuid, sizeof(query->uuid));
    return libxl__hs_id_parse(j->migration, query->id);
}
