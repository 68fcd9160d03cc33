/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * helper_spawn.h - start a save helper: its socket, its fds, its SETUP.
 *
 * Owns:      nothing after it returned; *control_fd is the caller's.
 * Errors:    rc; logged. Then nothing was started and nothing is open.
 */
#ifndef LIBXL_HELPER_SPAWN_H
#define LIBXL_HELPER_SPAWN_H

#include "helper/helper_wire.h"
#include "helper/save_helper.h"

int libxl__helper_spawn(libxl__save_helper *sh, libxl__ev_child *child,
                        libxl__ev_child_callback *died, int *control_fd);
/* One message to the helper; it is small and the helper waits for it, so it
 * never blocks. 0 or negative errno. */
int libxl__helper_tell(int control_fd, const struct libxl__hw_msg *msg);

#endif
