/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * keeper.h - the background process of one domain (docs/specs/keeper.md): its
 * console, its QEMU's events, and what is to be done when an operation dies or
 * the guest ends. Private to the keeper's files.
 *
 * Everything that happens ends in libxl__keeper_settle, which looks at what is
 * on record now and does what that asks for: a wake-up that is missed, or
 * comes twice, changes nothing.
 *
 * Owns:      all of what is below.
 * Thread:    loop thread only.
 * Lifetime:  from libxl__keeper_start to the completion of its ao, which is
 *            the end of the domain here.
 */
#ifndef LIBXL_KEEPER_H
#define LIBXL_KEEPER_H

#include "agent/agent_hub.h"
#include "base/proc_id.h"
#include "dev/dev.h"
#include "dm/qmp.h"
#include "domain/console_relay.h"
#include "domain/recover_one.h"
#include "host/host.h"
#include "io/acceptor.h"

#define KEEPER_LEASES 32

typedef struct libxl__keeper libxl__keeper;

struct libxl__keeper_lease {
    libxl__keeper *kp;
    int fd; /* -1: free */
    libxl__ev_fd ev;
};

/* A disk's process of its own. */
struct libxl__keeper_dev {
    libxl__keeper *kp;
    libxl__dev_watch watch;
    bool down;
    uint64_t started_ms;
    unsigned delay_ms; /* from its death to its next start */
};

/* One round of keeper_settle.c, with the domain's lock. */
struct libxl__keeper_round {
    libxl__ao *ao; /* nested: lives as long as the round. NULL: none runs */
    libxl__domain_lock *lock;
    struct libxl__recover_one recover;
    libxl__host_call call;
    libxl_domain_config config;
    bool config_loaded;
    libxl_shutdown_reason reason; /* why it ended: of a restart */
    int rc;                       /* why it could not be started again */
};

struct libxl__keeper {
    libxl__ao *ao;
    libxl_ctx *ctx;
    libxl__host *host;
    libxl__store *store;
    uint32_t domid;
    int dirfd;   /* O_PATH */
    int lock_fd; /* of the election */
    struct libxl__console_relay console;
    libxl__agent_hub agent;
    /* keeper_lease.c */
    int listen_fd;
    libxl__acceptor acceptor;
    struct libxl__keeper_lease leases[KEEPER_LEASES];
    unsigned nr_leases;
    /* keeper_qemu.c */
    struct libxl__proc_id qemu;
    bool qemu_known, qemu_gone;
    bool stopped; /* as QEMU told last */
    int qemu_pidfd;
    libxl__ev_fd qemu_death;
    libxl__qmp events;
    libxl__ev_time reconnect;
    /* when the guest began to run, if seen here; 0: long ago */
    uint64_t started_ms;
    /* keeper_dev.c */
    struct libxl__keeper_dev devs[LIBXL__DEV_MAX];
    unsigned nr_devs;
    bool devs_due; /* some are down, and to be started now */
    libxl__ev_time devs_delay;
    /* keeper_settle.c */
    struct libxl__keeper_round round;
    bool again; /* something happened while a round ran */
    bool left;  /* the end of this guest has been dealt with */
    unsigned tries;
    libxl__ev_time retry;
    libxl__ev_fd owner_death;
    int owner_pidfd;
    /* keeper.c: of a host that does not tell */
    libxl__ev_time poll;
    uint64_t pulse;
    unsigned looks; /* since all was looked at */
};

/* keeper.c; params: none */
libxl__ao_start_fn libxl__keeper_start;
/* The domain is gone: the keeper ends. */
void libxl__keeper_quit(libxl__egc *egc, libxl__keeper *kp);
/* QEMU's console and events: at the start, and for a new QEMU. */
int libxl__keeper_attach(libxl__egc *egc, libxl__keeper *kp);

/* keeper_lease.c */
int libxl__keeper_lease_listen(libxl__keeper *kp);
void libxl__keeper_lease_close(libxl__keeper *kp);

/* keeper_qemu.c */
void libxl__keeper_qemu_init(libxl__keeper *kp);
int libxl__keeper_qemu_attach(libxl__egc *egc, libxl__keeper *kp);
void libxl__keeper_qemu_close(libxl__keeper *kp);

/* keeper_dev.c */
void libxl__keeper_dev_init(libxl__keeper *kp);
void libxl__keeper_dev_attach(libxl__keeper *kp);
/* With the domain's lock, its guest not at its end. */
void libxl__keeper_dev_restart(libxl__keeper *kp);
/* The guest runs again. */
void libxl__keeper_dev_resumed(libxl__keeper *kp);
void libxl__keeper_dev_close(libxl__keeper *kp);

/* keeper_look.c: no change, and nothing to wait for */
bool libxl__keeper_is_gone(libxl__keeper *kp);
/* One that can be followed now. */
bool libxl__keeper_has_journal(libxl__keeper *kp);
/* It has ended by itself. */
bool libxl__keeper_sees_end(libxl__keeper *kp, libxl_shutdown_reason *reason);
/* It is up, on a host where no event says so. */
bool libxl__keeper_sees_life(libxl__keeper *kp);
/* The record says "running", and QEMU said otherwise: an operation was killed
 * in between, or its RESUME is still on its way (then nothing happens). */
bool libxl__keeper_should_run(libxl__keeper *kp);

/* keeper_settle.c */
void libxl__keeper_settle_init(libxl__keeper *kp);
void libxl__keeper_settle(libxl__egc *egc, libxl__keeper *kp);
void libxl__keeper_settle_close(libxl__keeper *kp);

#endif
