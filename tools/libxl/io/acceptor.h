/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * acceptor.h - connections to a listening socket, one after the other.
 *
 * While there are no descriptors or no memory for another one (which is said
 * once), the socket is left alone for a second at a time: it would stay
 * readable, and the loop would do nothing else. Who connects waits meanwhile.
 *
 * Owns:      nothing: the socket is the caller's, an accepted one goes to the
 *            callback (non-blocking, close-on-exec).
 * Thread:    loop thread only.
 * Errors:    rc of start, logged.
 * Lifetime:  after stop returns no callback runs and the struct may be freed at
 *            once, also from inside its own callback. Stop before closing.
 */
#ifndef LIBXL_ACCEPTOR_H
#define LIBXL_ACCEPTOR_H

#include "engine/engine.h"

typedef struct libxl__acceptor libxl__acceptor;
typedef void libxl__acceptor_callback(libxl__egc *egc, libxl__acceptor *ac,
                                      int fd);

struct libxl__acceptor {
    /* private */
    libxl_ctx *ctx;
    const char *what;
    libxl__acceptor_callback *accepted;
    libxl__ev_fd readable;
    libxl__ev_time pause;
    bool said;
};

void libxl__acceptor_init(libxl__acceptor *ac);
/* what: the socket, for a message ("keeper.sock"); stays valid until stop. */
int libxl__acceptor_start(libxl_ctx *ctx, libxl__acceptor *ac,
                          libxl__acceptor_callback *accepted, int listen_fd,
                          const char *what);
void libxl__acceptor_stop(libxl__acceptor *ac); /* idempotent */

#endif
