/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * agent_client.h - a command's way to a guest's agent: keeper, socket, hello.
 *
 * Owns:      the connection.
 * Thread:    loop thread only.
 * Abort:     by the ao, at every moment until close: ended gets ERROR_ABORTED.
 * Lifetime:  ready comes at most once. ended comes once if the connection is
 *            lost or the ao aborted, before or after ready; the client is
 *            closed then, its calls have ended. Neither runs after close.
 */
#ifndef LIBXL_AGENT_CLIENT_H
#define LIBXL_AGENT_CLIENT_H

#include "agent/agent_peer.h"
#include "domain/keep.h"

typedef struct libxl__agent_client libxl__agent_client;
struct libxl__agent_client {
    /* caller fills */
    libxl__ao *ao;
    uint32_t domid;
    uint32_t wait_ms; /* for the guest's agent; 0: do not */
    bool quiet;       /* no message when there is no keeper or agent */
    void (*ready)(libxl__egc *egc, libxl__agent_client *ac);
    void (*ended)(libxl__egc *egc, libxl__agent_client *ac, int rc);
    /* valid from ready on */
    libxl__agent_peer peer;
    /* private */
    libxl__keep keep;
    int fd;
    bool open;
    libxl__ao_abortable abrt;
    libxl__ev_time deadline;
    libxl__ev_time again;
    libxl__agent_call probe;
    uint64_t give_up_ms;
};

int libxl__agent_client_start(libxl__egc *egc, libxl__agent_client *ac);
void libxl__agent_client_close(libxl__egc *egc, libxl__agent_client *ac);

/* The libxl error for an answer's code; logs it, unless it is 0. */
int libxl__agent_client_rc(libxl__agent_client *ac,
                           const struct libxl__agent_answer *answer);

#endif
