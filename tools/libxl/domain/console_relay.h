/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * console_relay.h - a guest's console for many: QEMU's socket on one side, the
 * log and the clients of console.sock on the other.
 *
 * Every client sees all output, from the log's tail on. The one that has been
 * there longest is the writer; what others type is dropped.
 *
 * Owns:      its sockets and clients. dirfd stays the caller's.
 * Thread:    loop thread only.
 * Bounds:    CONSOLE_CLIENTS clients; one that does not read is put out when
 *            CONSOLE_CLIENT_BYTES wait for it; the writer is not read while
 *            QEMU does not take its bytes.
 * Lifetime:  close is idempotent; afterwards no callback runs.
 */
#ifndef LIBXL_CONSOLE_RELAY_H
#define LIBXL_CONSOLE_RELAY_H

#include "domain/console_log.h"
#include "engine/engine.h"
#include "io/acceptor.h"

#define CONSOLE_CLIENTS 16
#define CONSOLE_CLIENT_BYTES (128u << 10)
#define CONSOLE_INPUT_BYTES 4096u

struct libxl__console_client {
    struct libxl__console_relay *relay;
    int fd; /* -1: free */
    uint64_t since;
    libxl__ev_fd ev;
    char *out; /* CONSOLE_CLIENT_BYTES; from 'done' to 'filled' */
    size_t done, filled;
};

struct libxl__console_relay {
    /* caller fills */
    libxl_ctx *ctx;
    uint32_t domid;
    int dirfd;
    /* private */
    struct libxl__console_log log;
    int listen_fd, guest_fd; /* -1: none */
    libxl__acceptor acceptor;
    libxl__ev_fd guest_ev;
    uint64_t arrivals;
    char input[CONSOLE_INPUT_BYTES]; /* from the writer, for QEMU */
    size_t input_done, input_filled;
    struct libxl__console_client clients[CONSOLE_CLIENTS];
};

void libxl__console_relay_init(struct libxl__console_relay *cr);
/* The clients' side. */
int libxl__console_relay_listen(struct libxl__console_relay *cr);
/* QEMU's side; may be done again for a new QEMU. */
int libxl__console_relay_attach(struct libxl__console_relay *cr);
void libxl__console_relay_close(struct libxl__console_relay *cr);

#endif
