/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dom_rig.h - a ctx on the fake host with a state directory of its own.
 *
 * Owns: a directory below $TMPDIR that goes with the rig; state/ in it is the
 * state directory, the rest is the test's.
 */
#ifndef DOM_RIG_H
#define DOM_RIG_H

#include "host/host_fake.h"
#include "libxl.h"

struct dom_rig {
    libxl_logger logger; /* first */
    libxl_ctx *ctx;
    char dir[64];
    char log[8192]; /* what was logged, for questions */
    bool quiet;
};

/* Environment and directory; no ctx yet. 0, or -1. */
int dom_rig_init(struct dom_rig *rig);
void dom_rig_dispose(struct dom_rig *rig);
void dom_rig_open(struct dom_rig *rig);
void dom_rig_close(struct dom_rig *rig);

/* A path in the rig's directory: one of four buffers in turn. */
const char *dom_rig_path(struct dom_rig *rig, const char *name);
unsigned dom_rig_files(struct dom_rig *rig); /* files there, hidden ones too */
bool dom_rig_logged(struct dom_rig *rig, const char *text);

/* A guest of 8 MiB; asserted. */
uint32_t dom_rig_create(struct dom_rig *rig, const char *name);
void dom_rig_config(libxl_domain_config *config, const char *name);
int dom_rig_restore(struct dom_rig *rig, const char *path, uint32_t *domid);

/* "running", "paused", "shutdown", "gone". */
const char *dom_rig_state(struct dom_rig *rig, uint32_t domid);
int dom_rig_count(struct dom_rig *rig); /* domains */
bool dom_rig_record(struct dom_rig *rig, uint32_t domid, const char *record);

#endif
