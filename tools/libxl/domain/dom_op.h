/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * dom_op.h - what every operation on an existing domain begins and ends with.
 *
 * begin -> lock [the keeper has it for a moment: wait] -> [a journal without an
 * owner: recover]
 *       -> [no keeper: start one] -> lease -> ready
 *
 * Owns:      the domain's lock, from ready (rc 0) to libxl__dom_op_end.
 * Thread:    loop thread only.
 * Errors:    rc, already logged. ERROR_DOMAIN_NOTFOUND: no such domain (also:
 *            it was half built, and recovery has removed it).
 * Lifetime:  the struct lives on the ao's gc.
 */
#ifndef LIBXL_DOM_OP_H
#define LIBXL_DOM_OP_H

#include "domain/keep.h"
#include "domain/recover_one.h"
#include "host/host.h"

typedef struct libxl__dom_op libxl__dom_op;

struct libxl__dom_op {
    /* caller fills */
    libxl__ao *ao;
    uint32_t domid;
    const char *verb;
    enum libxl__recover_policy policy;
    void *user;
    /* Exactly once, perhaps from inside begin. rc non-zero: nothing is held. */
    void (*ready)(libxl__egc *egc, libxl__dom_op *op, int rc);
    /* valid from ready on */
    libxl_ctx *ctx;
    libxl__gc *gc;
    libxl__host *host;
    libxl__store *store;
    libxl__domain_lock *lock;
    libxl__host_call call; /* free for the operation's use */
    /* private */
    struct libxl__recover_one recover;
    libxl__keep keep;
    int lease;
    libxl__ev_time retry;
    uint64_t patience_ms; /* until then the keeper is waited for */
};

void libxl__dom_op_begin(libxl__egc *egc, libxl__dom_op *op);
void libxl__dom_op_end(libxl__dom_op *op); /* idempotent */
/* Ends the operation and completes its ao. */
void libxl__dom_op_complete(libxl__egc *egc, libxl__dom_op *op, int rc);

/* op->call, ready to be handed to a host op. */
libxl__host_call *libxl__dom_op_call(libxl__dom_op *op,
                                     libxl__host_callback *callback,
                                     void *user);

/* The domain's configuration from its record. *out is initialised, and the
 * caller disposes it, also after an error. */
int libxl__dom_config_load(libxl__store *store, libxl__gc *gc, uint32_t domid,
                           libxl_domain_config *out);

#endif
