/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libxl_event.h - asynchronous operations and events.
 *
 * An operation takes a const libxl_asyncop_how *ao_how:
 *   NULL               synchronous: runs the event loop until the operation is
 *                      done and returns its rc. Other operations' events are
 *                      handled meanwhile.
 *   callback set       returns 0 = started, then callback(ctx, rc,
 *                      u.for_callback) exactly once, from the event loop or
 *                      during the initiating call.
 *   callback NULL      returns 0 = started, then one
 *                      LIBXL_EVENT_TYPE_OPERATION_COMPLETE with u.for_event.
 * A non-zero return means not started: no completion follows. *ao_how is
 * copied; every other argument must stay valid until completion.
 *
 * Upstream's osevent hooks and SIGCHLD modes are not offered: the loop is
 * turned by libxl_event_wait, libxl_event_check, or by polling libxl_ctx_fd.
 */
#ifndef LIBXL_EVENT_H
#define LIBXL_EVENT_H

#ifndef LIBXL_H
#error "include libxl.h"
#endif

typedef uint64_t libxl_ev_user;

typedef struct libxl_asyncop_how {
    void (*callback)(libxl_ctx *ctx, int rc, void *for_callback);
    union {
        libxl_ev_user for_event;
        void *for_callback;
    } u;
} libxl_asyncop_how;

typedef enum {
    LIBXL_EVENT_TYPE_DOMAIN_SHUTDOWN = 1,
    LIBXL_EVENT_TYPE_DOMAIN_DEATH = 2,
    LIBXL_EVENT_TYPE_DISK_EJECT = 3,
    LIBXL_EVENT_TYPE_OPERATION_COMPLETE = 4,
    LIBXL_EVENT_TYPE_DOMAIN_CREATE_CONSOLE_AVAILABLE = 5,
} libxl_event_type;

typedef struct libxl_event {
    libxl_event_type type;
    uint32_t domid;
    libxl_ev_user for_user;
    union {
        struct {
            uint8_t shutdown_reason;
        } domain_shutdown;
        struct {
            int rc;
        } operation_complete;
    } u;
} libxl_event;

typedef struct libxl_asyncprogress_how {
    void (*callback)(libxl_ctx *ctx, libxl_event *event, void *for_callback);
    union {
        libxl_ev_user for_event;
        void *for_callback;
    } u;
} libxl_asyncprogress_how;

#define LIBXL_EVENTMASK_ALL (~(uint64_t)0)
typedef int libxl_event_predicate(const libxl_event *event, void *user);

/* Turns the loop without blocking, then takes the first queued event whose
 * type is in typemask and which predicate (if any) accepts.
 * ERROR_NOT_READY: there is none. Events not taken stay queued. */
int libxl_event_check(libxl_ctx *ctx, libxl_event **event_r, uint64_t typemask,
                      libxl_event_predicate *predicate, void *predicate_user);
/* The same, but waits for one. */
int libxl_event_wait(libxl_ctx *ctx, libxl_event **event_r, uint64_t typemask,
                     libxl_event_predicate *predicate, void *predicate_user);
void libxl_event_free(libxl_ctx *ctx, libxl_event *event);

/* An epoll-able fd that is readable when the loop has work, and the longest
 * time to wait for it (-1: no limit). For applications with a loop of their
 * own: poll it, then call libxl_event_check. */
int libxl_ctx_fd(libxl_ctx *ctx);
int libxl_ctx_timeout_ms(libxl_ctx *ctx);

/* Ask the running operation that was started with an equal how to stop. 0:
 * asked (it may still succeed); ERROR_NOTFOUND: none; ERROR_ABORTED: was asked
 * before. how NULL: the synchronous operation; may be called from a progress
 * callback or through libxl_ctx_interrupt. */
int libxl_ao_abort(libxl_ctx *ctx, const libxl_asyncop_how *how);
/* Async-signal-safe: libxl_ao_abort(ctx, NULL) at the loop's next turn. The one
 * call that may come from a signal handler or another thread. */
void libxl_ctx_interrupt(libxl_ctx *ctx);

/* DOMAIN_SHUTDOWN (each time it has ended) and DOMAIN_DEATH (once: it is gone)
 * of one domain. ERROR_DOMAIN_NOTFOUND, without a message: there is none. */
typedef struct libxl__evgen_domain_death libxl_evgen_domain_death;
int libxl_evenable_domain_death(libxl_ctx *ctx, uint32_t domid,
                                libxl_ev_user user,
                                libxl_evgen_domain_death **evgen_out);
void libxl_evdisable_domain_death(libxl_ctx *ctx,
                                  libxl_evgen_domain_death *evgen);

#endif
