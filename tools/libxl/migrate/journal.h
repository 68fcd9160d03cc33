/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * journal.h - the record "journal": which operation holds a domain, how far it
 * has come, and what whoever finds it without its owner has to do.
 *
 * docs/specs/journal.md is the contract. Each step is written, and on the disk,
 * before the act that it names begins. The pure part (table, text) is in
 * journal_table.c and journal_codec.c; journal.c moves it to the store.
 *
 * Owns:      nothing: strings come from the gc that was given.
 * Thread:    loop thread only.
 * Errors:    rc. ERROR_NOTFOUND: no journal, not logged.
 */
#ifndef LIBXL_JOURNAL_H
#define LIBXL_JOURNAL_H

#include "base/proc_id.h"
#include "store/store.h"

enum libxl__journal_verb {
    JOURNAL_CREATE,
    JOURNAL_RESTORE,
    JOURNAL_SAVE,
    JOURNAL_SEND,    /* migration, at the source */
    JOURNAL_RECEIVE, /* migration, at the target */
    JOURNAL_DESTROY,
    JOURNAL_RESTART, /* by the keeper, after the guest ended by itself */
    JOURNAL_NR_VERBS,
};

enum libxl__journal_step {
    JSTEP_BUILDING,   /* a guest that has never run is being made */
    JSTEP_WRITING,    /* memory and state go out; the guest may be suspended */
    JSTEP_COMMITTED,  /* save: the file is whole and on the disk; rename next */
    JSTEP_SAVED,      /* save: the file has its name; the guest's end is next */
    JSTEP_GO,         /* migration: from here exactly one side may run it */
    JSTEP_GIVEN_BACK, /* migration: it is the source's again */
    JSTEP_GIVEN_UP,   /* migration: the target never ran it and never will */
    JSTEP_READY,      /* migration: the target has all and waits for GO */
    JSTEP_DONE,       /* it runs at the target, or is to be destroyed */
    JSTEP_LATE,       /* given up; the guest may suspend all the same */
    JSTEP_NR,
};

/* What recovery does with a step whose owner is gone. */
enum libxl__journal_action {
    JACT_IMPOSSIBLE, /* this verb has no such step: the record is damaged */
    JACT_DESTROY,    /* a half-built domain: remove it */
    JACT_RESUME,     /* remove the temporary file; the guest goes on */
    JACT_AWAIT,      /* RESUME, once it has suspended */
    JACT_LOOK,       /* did the rename happen? then FINISH, else RESUME */
    JACT_FINISH,     /* do what was to follow ("then") */
    JACT_RUN,        /* this side owns the guest: let it run */
    JACT_END,        /* end it, and say why it ended: "reason" */
    JACT_ASK,        /* only the peer or the user knows */
};

enum libxl__journal_action libxl__journal_action(enum libxl__journal_verb verb,
                                                 enum libxl__journal_step step);
const char *libxl__journal_verb_name(enum libxl__journal_verb verb);
const char *libxl__journal_step_name(enum libxl__journal_step step);

struct libxl__journal {
    enum libxl__journal_verb verb;
    enum libxl__journal_step step;
    struct libxl__proc_id owner;
    bool was_running; /* the guest, before the operation touched it */
    libxl_save_then then;
    libxl_shutdown_reason reason; /* JOURNAL_RESTART: why the guest ended */
    /* Save to a regular file; NULL: written directly. */
    char *path, *temp_path;
    uint64_t file_dev, file_ino; /* of the temporary file */
    /* Migration: how the other side is reached, its domain there, the name
     * that the guest is to have, and which migration it is. NULL: none. */
    char *peer, *peer_uuid, *name, *migration;
};

/* The owner is this process; all else is zero. */
int libxl__journal_init(struct libxl__journal *j, enum libxl__journal_verb verb,
                        enum libxl__journal_step step);

/* Text, from gc; NULL: no memory. */
char *libxl__journal_encode(libxl__gc *gc, const struct libxl__journal *j);
/* ERROR_INVAL: damaged, and *why says how. */
int libxl__journal_decode(libxl__gc *gc, const char *text,
                          struct libxl__journal *out, const char **why);

/* On the disk when it returns 0. */
int libxl__journal_write(libxl__store *st, libxl__gc *gc, uint32_t domid,
                         const struct libxl__journal *j);
int libxl__journal_read(libxl__store *st, libxl__gc *gc, uint32_t domid,
                        struct libxl__journal *out);
int libxl__journal_erase(libxl__store *st, uint32_t domid); /* idempotent */

#endif
