/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * recover_question.h - the questions that a journal can leave: to the user, in
 * words; to the receiver of a migration, as bytes.
 *
 * Owns:      nothing.
 */
#ifndef LIBXL_RECOVER_QUESTION_H
#define LIBXL_RECOVER_QUESTION_H

#include "migrate/handshake.h"
#include "migrate/journal.h"

void libxl__question_log(libxl_ctx *ctx, uint32_t domid,
                         const struct libxl__journal *j);
/* false: the journal does not say about what. */
bool libxl__question_make(const struct libxl__journal *j,
                          struct libxl__hs_query *query);

#endif
