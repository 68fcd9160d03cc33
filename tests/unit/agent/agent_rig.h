/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agent_rig.h - a host end on one side of a socket pair, and on the other
 * either a guest end, or the test itself, writing bytes by hand.
 */
#ifndef AGENT_RIG_H
#define AGENT_RIG_H

#include "agent/agent_peer.h"
#include "engine/engine_fixture.h"

struct arig_end {
    libxl__agent_peer peer;
    int ups, gone, notes;
    char note[64];
    /* jobs: "echo" is answered at once, "hold" is kept until arig_release,
     * "fail" fails */
    libxl__agent_job *held[64];
    int held_nr, served, stopped;
};

struct arig {
    struct fixture *f;
    int sv[2]; /* 0: host, 1: guest or the test */
    struct arig_end host, guest;
};

struct arig_call {
    libxl__agent_call call;
    int done, code;
    char text[128];
    size_t data_bytes;
    uint8_t first, last;
};

void arig_open(struct arig *rig, struct fixture *f, bool with_guest);
void arig_end_open(struct fixture *f, struct arig_end *end, int fd);
void arig_close(struct arig *rig);
/* Outside of the loop, too. */
void arig_close_end(struct arig *rig, struct arig_end *end);
int arig_call(struct arig_end *from, struct arig_call *call, const char *method,
              const char *params, uint32_t deadline_ms);
void arig_stop(struct arig *rig, struct arig_call *call);
void arig_release(struct arig *rig, struct arig_end *end, int which);
void arig_until_up(struct arig *rig);

/* ---- by hand ---- */
void arig_write(struct arig *rig, const void *bytes, size_t n);
void arig_say(struct arig *rig, const char *json);
/* Turns the loop until the host has written text; returns what it has written
 * since the last call. */
const char *arig_read_until(struct arig *rig, const char *text);
void arig_answer_want(struct arig *rig);
/* What an honest guest does at the beginning. */
void arig_handshake(struct arig *rig);

#endif
