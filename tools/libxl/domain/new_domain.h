/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * new_domain.h - the frame of create and restore: a domid, its records and its
 * lock, and their removal when the making fails.
 *
 * begin -> (the caller builds the guest) -> done, or undo -> undone
 *
 * Owns:      the new domain's lock, from begin to done or undone.
 * Thread:    loop thread only.
 * Errors:    rc, already logged. After begin failed nothing is left.
 */
#ifndef LIBXL_NEW_DOMAIN_H
#define LIBXL_NEW_DOMAIN_H

#include "domain/keep.h"
#include "host/host.h"
#include "migrate/journal.h"

typedef struct libxl__new_domain libxl__new_domain;
struct libxl__new_domain {
    /* caller fills */
    libxl__ao *ao;
    libxl_domain_config *config; /* completed: uuid, what the host decides */
    enum libxl__journal_verb verb;
    const char *final_name; /* JOURNAL_RECEIVE: the name it is to get */
    void *user;
    /* valid after begin */
    libxl__host *host;
    libxl__store *store;
    uint32_t domid; /* INVALID_DOMID: none */
    libxl__domain_lock *lock;
    struct libxl__journal journal;
    bool undo_failed; /* valid in undone: something of it is still there */
    /* private */
    libxl__host_call call;
    libxl__keep keep;
    uint32_t *domid_out;
    libxl_asyncprogress_how console_how;
    int rc;
    void (*undone)(libxl__egc *egc, libxl__new_domain *nd, int rc);
};

int libxl__new_domain_begin(libxl__new_domain *nd);
/* The guest is whole, and paused. Non-zero: undo it. */
int libxl__new_domain_done(libxl__new_domain *nd);
/* After done: starts the keeper, hands the domid out, reports "console
 * available", completes. */
void libxl__new_domain_complete(libxl__egc *egc, libxl__new_domain *nd,
                                uint32_t *domid_out,
                                const libxl_asyncprogress_how *console_how);
/* Removes all of it, whatever the abort state, and hands rc on. */
void libxl__new_domain_undo(libxl__egc *egc, libxl__new_domain *nd, int rc,
                            void (*undone)(libxl__egc *egc,
                                           libxl__new_domain *nd, int rc));

#endif
