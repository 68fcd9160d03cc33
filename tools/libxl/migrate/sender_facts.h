/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sender_facts.h - what a sender tells of itself behind the configuration, and
 * the receiver's comparison: are the guest's disks the same ones there?
 *
 *   {"xl-migrate": 1, "id": "...", "boot_id": "...", "assume_same_disks": true,
 *    "disks": [{"vdev": "xvda", "kind": "file" | "block", "dev": 1, "ino": 2,
 *               "bytes": 3, "ident": "..."}]}
 *
 * Owns:      nothing: strings come from the gc that was given.
 * Thread:    loop thread only; looks at the disks (disk_facts.h).
 * Errors:    rc. Unknown keys and unknown kinds are ignored; a sender that
 *            tells nothing (Xen's xl) is not compared.
 */
#ifndef LIBXL_SENDER_FACTS_H
#define LIBXL_SENDER_FACTS_H

#include "base/gc.h"

/* id: of the migration. assume_same: the user answers for what cannot be known
 * of the disks. NULL: no memory. */
char *libxl__sender_facts_encode(libxl__gc *gc,
                                 const libxl_domain_config *config,
                                 const char *id, bool assume_same);
/* The migration's id; NULL: the sender did not say, or something else. */
const char *libxl__sender_facts_id(libxl__gc *gc, const char *text);
/* ERROR_INVAL: *reason says which disk is not the sender's, and why. text is
 * the sender's, NUL-terminated; a text that is none of ours is an error too. */
int libxl__sender_facts_check(libxl__gc *gc, const char *text,
                              const libxl_domain_config *config,
                              const char **reason);

#endif
