/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qmp.h - a QMP client on the engine: one connection, one command at a time.
 *
 * Owns:      its socket. QEMU's answers are hostile input: bounded, checked.
 * Thread:    loop thread only.
 * Errors:    rc; QEMU's "error" object gives ERROR_QMP_* with its text logged.
 * Lifetime:  after libxl__qmp_close no callback runs; it may be called, and
 *            the struct freed, from any of its callbacks. A callback never
 *            runs from inside connect or command. After an error
 *            libxl__qmp_usable says whether another command can be sent: yes
 *            after QEMU's own "error" and after an abort, no after a timeout
 *            or a lost connection (ERROR_NOT_READY).
 */
#ifndef LIBXL_QMP_H
#define LIBXL_QMP_H

#include <yajl/yajl_tree.h>

#include "engine/engine.h"

typedef struct libxl__qmp libxl__qmp;

struct libxl__qmp {
    /* caller fills before connect */
    libxl_ctx *ctx;
    libxl__ao *ao; /* NULL: not abortable (the keeper) */
    uint32_t domid;
    void *user;
    /* event may be NULL; data may be NULL */
    void (*event)(libxl__egc *egc, libxl__qmp *qmp, const char *name,
                  yajl_val data);
    /* The owner explains a lost connection itself: it is not logged. */
    bool quiet_loss;
    bool quiet_errors; /* nor QEMU's refusal */
    /* connection lost while no command was running; may be NULL */
    void (*lost)(libxl__egc *egc, libxl__qmp *qmp, int rc);
    /* private */
    struct libxl__qmp_state *state;
};

void libxl__qmp_init(libxl__qmp *qmp);
/* sockname: name of the socket in directory dirfd (sun_path is 108 bytes).
 * done: greeting read and capabilities negotiated. */
typedef void libxl__qmp_callback(libxl__egc *egc, libxl__qmp *qmp, int rc,
                                 yajl_val result);
int libxl__qmp_connect(libxl__egc *egc, libxl__qmp *qmp, int dirfd,
                       const char *sockname, uint32_t timeout_ms,
                       libxl__qmp_callback *done);
/* args_json: text of the arguments object, or NULL. pass_fd: sent with the
 * command (SCM_RIGHTS), -1: none; stays the caller's. */
int libxl__qmp_command(libxl__egc *egc, libxl__qmp *qmp, const char *command,
                       const char *args_json, int pass_fd, uint32_t timeout_ms,
                       libxl__qmp_callback *done);
bool libxl__qmp_usable(const libxl__qmp *qmp);
void libxl__qmp_close(libxl__qmp *qmp); /* idempotent */

#endif
