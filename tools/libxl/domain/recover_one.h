/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * recover_one.h - bring one domain back to a state that it can be left in, by
 * its journal (docs/specs/journal.md). The caller holds the domain's lock, so
 * the operation that wrote the journal is over, however it ended.
 *
 * Thread:    loop thread only.
 * Abort:     of the question to a receiver alone (RECOVER_REACH): every host
 *            call that it makes is one that is never aborted.
 * Errors:    rc. ERROR_NOT_READY: a question is left, and was logged.
 * Lifetime:  the struct stays the caller's until the callback, which runs
 *            exactly once, perhaps from inside start.
 */
#ifndef LIBXL_RECOVER_ONE_H
#define LIBXL_RECOVER_ONE_H

#include "domain/migrate_ask.h"
#include "host/host.h"
#include "migrate/journal.h"

/* What the command that found the journal is to the question it may leave. */
enum libxl__recover_policy {
    RECOVER_ASK,    /* log the question, ERROR_NOT_READY */
    RECOVER_REACH,  /* xl recover: ask the receiver of a migration first */
    RECOVER_RUN,    /* xl unpause: the user has answered "run it here" */
    RECOVER_FORGET, /* xl destroy: remove what the operation left on disks */
};

typedef struct libxl__recover_one libxl__recover_one;
struct libxl__recover_one {
    /* caller fills */
    libxl__ao *ao;
    libxl__host *host;
    uint32_t domid;
    enum libxl__recover_policy policy;
    /* No journal: a guest whose record says "running" is made to run, for the
     * process that wrote so may have been killed before it was so. */
    bool check_run;
    void *user;
    void (*callback)(libxl__egc *egc, libxl__recover_one *ro, int rc);
    /* results, valid in callback */
    bool had_journal;
    bool awaited; /* its suspension, which a save before has given up */
    bool gone; /* the domain no longer exists */
    /* private */
    struct libxl__journal journal;
    libxl__host_call call;
    struct libxl__migrate_ask question;
};

/* It shut down, crashed, or its process is gone: it cannot be resumed. */
bool libxl__guest_has_ended(libxl__host *h, libxl__gc *gc, uint32_t domid);
/* It runs, or is paused: neither ended nor suspended. */
bool libxl__guest_is_up(libxl__host *h, libxl__gc *gc, uint32_t domid);

/* Nothing can be done about this journal until the guest has suspended. */
bool libxl__journal_awaits(libxl__host *h, libxl__gc *gc, uint32_t domid,
                           const struct libxl__journal *j);
/* The same, of ro's, with a word for who asks for its recovery. True also when
 * another toolstack has asked the guest for something since: the journal, which
 * says nothing any more, is erased. */
bool libxl__guest_is_awaited(libxl__recover_one *ro);

void libxl__recover_one_start(libxl__egc *egc, libxl__recover_one *ro);

#endif
