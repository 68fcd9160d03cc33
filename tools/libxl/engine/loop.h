/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * loop.h - inside of ctx and egc. PRIVATE to engine/.
 *
 * Owns:      the uv loop. Queues live in the ctx, not in the egc, so that an
 *            egc that begins inside an application callback keeps the order.
 * Thread:    loop thread only, but for libxl_ctx_interrupt.
 */
#ifndef LIBXL_LOOP_H
#define LIBXL_LOOP_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>
#include <uv.h>

#include "engine/ao.h"
#include "engine/ctx.h"

/* Something to tell the application when the turn ends. */
typedef struct libxl__notice libxl__notice;
struct libxl__notice {
    void (*deliver)(libxl_ctx *ctx, libxl__notice *notice);
    STAILQ_ENTRY(libxl__notice) entry;
};

struct libxl__event_node {
    libxl_event event; /* first: libxl_event_free frees the node */
    STAILQ_ENTRY(libxl__event_node) entry;
    libxl__notice notice;        /* as a progress report */
    libxl_asyncprogress_how how; /* as a progress report */
};

struct libxl__fd_slot;
struct libxl__child_slot;
struct libxl__worker;

struct libxl__ctx {
    libxl_logger *lg;
    pthread_t thread;
    libxl__gc gc;
    uv_loop_t uv;
    uv_async_t interrupt;
    atomic_uint interrupts; /* calls of libxl_ctx_interrupt so far */
    unsigned egcs;          /* alive: > 0 inside of the library */
    bool turn_wanted;       /* something happened since the loop last slept */
    struct libxl__ctx_slot host;
    struct libxl__worker *worker; /* made at first use; worker.c */
    libxl__ev_immediate *immediates, **immediates_end;
    STAILQ_HEAD(, libxl__notice) notices;
    STAILQ_HEAD(, libxl__event_node) events;
    LIST_HEAD(, libxl__ao) aos; /* running */
    LIST_HEAD(, libxl__fd_slot) fd_slots;
    LIST_HEAD(, libxl__child_slot) children;
};

struct libxl__egc {
    libxl_ctx *ctx;
    libxl__gc gc;
};

void libxl__egc_begin(libxl_ctx *ctx, libxl__egc *egc);
void libxl__egc_end(libxl__egc *egc); /* calls the application */
void libxl__notice_queue(libxl_ctx *ctx, libxl__notice *notice);

/* Sleeps for one event, at most. false: nothing is left that could wake it. */
bool libxl__loop_turn(libxl_ctx *ctx, uv_run_mode mode);

/* The synchronous ao, if one runs, is asked to stop; ao.c. */
void libxl__ao_abort_sync(libxl__egc *egc, unsigned interrupts);

/* libxl error for a UV_* error. */
int libxl__uv_rc(int uv_error);

#endif
