/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * transport.h - the sender's end of a migration's link: a command run by
 * `sh -c`, its stdin (the stream goes in) and its stdout (the back channel).
 *
 * start -> await* -> close
 *
 * Owns:      the command and the back channel; out_fd, which is lent to who
 *            writes the stream. stderr is inherited: people see it.
 * Thread:    loop thread only.
 * Abort:     await ends with ERROR_ABORTED when it was asked to be abortable;
 *            close is never cut short.
 * Errors:    rc, logged: what was awaited, what came instead.
 * Lifetime:  the struct stays until close's callback.
 */
#ifndef LIBXL_TRANSPORT_H
#define LIBXL_TRANSPORT_H

#include "engine/engine.h"
#include "migrate/answer.h"
#include "migrate/handshake.h"

typedef struct libxl__transport libxl__transport;
typedef void libxl__transport_callback(libxl__egc *egc, libxl__transport *tr,
                                       int rc);

struct libxl__transport {
    /* caller fills */
    libxl__ao *ao;
    uint32_t domid;   /* for messages */
    const char *rune; /* for `sh -c` */
    void *user;
    /* A receiver's line of JSON; may come while nothing is awaited. NULL: they
     * are taken for garbage. */
    void (*answered)(libxl__egc *egc, libxl__transport *tr,
                     const struct libxl__answer *answer);
    /* for the caller's use, after start */
    int out_fd; /* -1: closed */
    /* private */
    int back_fd;
    libxl__ev_child child;
    libxl__ev_fd readable;
    libxl__ao_abortable abrt;
    libxl__ev_immediate look_soon;
    libxl__ev_time close_timer;
    uint8_t buf[LIBXL__ANSWER_MAX];
    size_t have;
    bool eof, awaiting, closing, killed, looking;
    enum libxl__hs_word word;
    uint8_t *status; /* where the byte behind the word goes; NULL: none */
    libxl__transport_callback *callback;
};

void libxl__transport_init(libxl__transport *tr);
int libxl__transport_start(libxl__transport *tr);
/* Wait for a word (and, where status is given, the byte behind it). callback
 * runs once, never from inside. rc: 0; ERROR_FAIL: something else came;
 * ERROR_NOTFOUND: the link ended first; ERROR_ABORTED. */
int libxl__transport_await(libxl__egc *egc, libxl__transport *tr,
                           enum libxl__hs_word word, uint8_t *status,
                           bool abortable, libxl__transport_callback *callback);
/* Closes the link and waits for the command: wait_ms, then SIGTERM, 2 s,
 * SIGKILL. callback: rc is 0. Also fit for one that never started. */
void libxl__transport_close(libxl__egc *egc, libxl__transport *tr,
                            uint64_t wait_ms,
                            libxl__transport_callback *callback);

#endif
