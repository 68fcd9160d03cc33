/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * agent_hub.h - the keeper's part: one guest, several xl commands. Each command
 * speaks the channel's own wire to the hub, which hands its calls on.
 *
 * Owns:      the fds that it is given.
 * Thread:    loop thread only.
 * Bounds:    HUB_CLIENTS commands; each, and the guest, within the bounds of
 *            agent_peer.h.
 * Lifetime:  close is idempotent; afterwards no callback runs.
 */
#ifndef LIBXL_AGENT_HUB_H
#define LIBXL_AGENT_HUB_H

#include "agent/agent_peer.h"
#include "agent/agent_qga.h"
#include "io/acceptor.h"

#define LIBXL__AGENT_HUB_CLIENTS 16

typedef struct libxl__agent_hub libxl__agent_hub;

struct libxl__agent_hub_client {
    libxl__agent_hub *hub;
    libxl__agent_peer peer;
    int fd; /* -1: free */
};

struct libxl__agent_hub {
    /* caller fills */
    libxl_ctx *ctx;
    uint32_t domid;
    /* private */
    libxl__agent_peer guest;
    libxl__agent_qga qga;
    int guest_fd, listen_fd; /* -1: none */
    libxl__acceptor acceptor;
    unsigned events; /* of the guest, said since it came up */
    struct libxl__agent_hub_client clients[LIBXL__AGENT_HUB_CLIENTS];
};

void libxl__agent_hub_init(libxl__agent_hub *hub);
/* The clients' side: a listening socket. Taken over, also on failure. */
int libxl__agent_hub_listen(libxl__agent_hub *hub, int fd);
/* The guest's side: a connected socket. Taken over, also on failure; may be
 * done again for a new QEMU. */
int libxl__agent_hub_attach(libxl__egc *egc, libxl__agent_hub *hub, int fd);
/* The same for a stock qemu-guest-agent's port: used while xl-agentd is not
 * up. */
int libxl__agent_hub_attach_qga(libxl__egc *egc, libxl__agent_hub *hub, int fd);
void libxl__agent_hub_close(libxl__egc *egc, libxl__agent_hub *hub);

#endif
