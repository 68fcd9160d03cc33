/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qmp_script.h - connect, a few commands one after the other, disconnect.
 *
 * A script may be held before one of its steps, connected, until it is told to
 * go on: what can be said early costs nothing later.
 *
 * Owns:      its QMP connection. dirfd and the steps stay the caller's, and
 *            must live until the callback.
 * Thread:    loop thread only.
 * Errors:    the first step that fails ends the script with its rc (logged).
 * Lifetime:  idle again, and disconnected, when the callback runs; the callback
 *            may free the struct. Never from inside start.
 */
#ifndef LIBXL_QMP_SCRIPT_H
#define LIBXL_QMP_SCRIPT_H

#include "dm/qmp.h"

typedef struct libxl__qmp_script libxl__qmp_script;

struct libxl__qmp_step {
    const char *command; /* NULL: passed over */
    const char *args_json; /* NULL: none */
    bool pass_fd;          /* the script's pass_fd goes with it */
    /* NULL, or: looks at the answer; non-zero (logged) ends the script */
    int (*check)(libxl__qmp_script *s, yajl_val answer);
};

/* last: the last step's result, NULL on error; gone after the callback. */
typedef void libxl__qmp_script_callback(libxl__egc *egc, libxl__qmp_script *s,
                                        int rc, yajl_val last);

struct libxl__qmp_script {
    /* caller fills */
    libxl_ctx *ctx;
    libxl__ao *ao; /* NULL: not abortable */
    uint32_t domid;
    int dirfd;          /* holds the socket */
    const char *socket; /* its name; NULL: "qmp-cmd" */
    const struct libxl__qmp_step *steps;
    size_t nr_steps;
    size_t hold_at; /* 0, or: before this step it waits for go */
    int pass_fd;
    uint32_t timeout_ms; /* of the connect, and of each step */
    bool quiet_loss, quiet_errors;
    /* NULL, or: the script ends when, after the last step, this says so.
     * false: not this event; true: over, *rc_out says how. */
    bool (*until)(libxl__qmp_script *s, const char *event, yajl_val data,
                  int *rc_out);
    uint32_t until_timeout_ms;
    libxl__qmp_script_callback *callback;
    void *user;
    /* private */
    libxl__qmp qmp;
    libxl__ev_time until_deadline;
    size_t at;
    bool holding;
    bool over_early; /* the event came before the last answer */
    int over_rc;
};

void libxl__qmp_script_init(libxl__qmp_script *s);
int libxl__qmp_script_start(libxl__egc *egc, libxl__qmp_script *s);
/* On from hold_at, now or when it comes there. Non-zero: no callback comes. */
int libxl__qmp_script_go(libxl__egc *egc, libxl__qmp_script *s);
void libxl__qmp_script_stop(libxl__qmp_script *s); /* no callback; idempotent */

#endif
