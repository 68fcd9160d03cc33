/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qmp_peer.h - a QEMU that says what a test wants it to say, and a client's
 * script run against it.
 */
#ifndef QMP_PEER_H
#define QMP_PEER_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dm/qmp_script.h"

#define PEER_GREETING "{\"QMP\":{\"version\":{},\"capabilities\":[]}}\r\n"

/* One thing the peer does. %ID in send becomes the last command's id. */
struct peer_step {
    enum {
        PEER_END, /* closes the connection when the list is done */
        PEER_SEND,
        PEER_DRIBBLE, /* as send, a byte at a time */
        PEER_FLOOD,   /* 'a' for ever, until the client has gone */
        PEER_READ,    /* one line */
        PEER_ABORT,   /* libxl_ctx_interrupt */
        PEER_STAY,    /* until the client closes */
    } what;
    const char *send;
};

struct qmp_peer {
    libxl_logger logger; /* first */
    libxl_ctx *ctx;
    char dir[64];
    int dirfd, listener;
    pthread_t thread;
    const struct peer_step *steps;
    int passed_fd; /* that came with a command; -1 */
    char log[2048];
    unsigned messages;
    /* of the script */
    char result[256]; /* the last answer's field "x" */
    unsigned events;
    uint32_t timeout_ms;
};

int qmp_peer_open(void **state);
int qmp_peer_close(void **state);
/* Runs the client's commands against the peer's steps; what the script says. */
int qmp_peer_run(struct qmp_peer *p, const struct peer_step *steps,
                 const struct libxl__qmp_step *commands, size_t nr,
                 int pass_fd);

#endif
