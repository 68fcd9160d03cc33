/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * stop_rest.h - how long a guest stands for besides its memory when it is sent
 * over a link: suspension, device state, handshake. Measured in each migration,
 * and taken into the estimate of the next one over the same link.
 *
 * The file stop-rest in the state directory has a line for each link, the one
 * that was used last behind the others: a number made of its command, then the
 * last few measurements, in ms. The shortest counts: one slow moment must not
 * have later migrations given up.
 *
 * Thread:    loop thread only.
 * Errors:    none: what cannot be read is not known, what cannot be written is
 *            measured again.
 */
#ifndef LIBXL_STOP_REST_H
#define LIBXL_STOP_REST_H

#include "store/store.h"

#define LIBXL__STOP_REST_LINKS 32u
#define LIBXL__STOP_REST_KEPT 4u

/* 0: not known */
uint32_t libxl__stop_rest_look(libxl__store *st, const char *command);
void libxl__stop_rest_note(libxl__store *st, libxl__gc *gc, const char *command,
                           uint32_t ms);

/* ---- codec: text is the file's, or "" ---- */
uint32_t libxl__stop_rest_of(const char *text, const char *command);
/* The file with one measurement more; NULL: no memory. */
char *libxl__stop_rest_with(libxl__gc *gc, const char *text,
                            const char *command, uint32_t ms);

#endif
