/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * demo_rig.h - a demo device between a vfio-user client and its control
 * socket, all in one loop.
 */
#ifndef DEMO_RIG_H
#define DEMO_RIG_H

#include "ring/demo_pci.h"
#include "ring/devctl.h"
#include "ring/vfu_client.h"

struct demo_rig {
    struct vfu_client *c;
    struct libxl__demo demo;
    struct devctl control;
    bool active;
    int control_listen;
    char line[256]; /* the last answer */
};

struct demo_rig *demo_rig_new(uint64_t ballast, bool v1);
void demo_rig_free(struct demo_rig *r);

/* A connection to the control socket. */
int demo_rig_dial(struct demo_rig *r);
/* Reads one line into r->line. */
void demo_rig_line(struct demo_rig *r, int fd);
/* A request on a connection of its own, and its answer. */
const char *demo_rig_ask(struct demo_rig *r, const char *request);
/* The same on a connection that stays. */
const char *demo_rig_ask_on(struct demo_rig *r, int fd, const char *request);
/* Exactly so many bytes; false: the connection ended. */
bool demo_rig_read(struct demo_rig *r, int fd, void *to, size_t bytes);
void demo_rig_write(struct demo_rig *r, int fd, const void *from, size_t bytes);
/* All frames of a "save" that has begun, to 'to' (max bytes); the error of the
 * end frame. */
uint32_t demo_rig_drain(struct demo_rig *r, int fd, uint8_t *to, size_t max,
                        uint64_t *bytes);
/* The way in: "load", frames of at most 'step', the end; the answer. */
const char *demo_rig_load(struct demo_rig *r, const uint8_t *from,
                          uint64_t bytes, uint32_t step);

#endif
