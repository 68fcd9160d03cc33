/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * host_fake.h - what tests can ask of the fake host.
 *
 * A fake guest is its records: "domain", and "fake" with its run state, so that
 * several processes see the same guest. Its memory is made up by the save
 * helper's fake hv. XL_FAKE_FAIL=N and XL_FAKE_HANG=OP in the environment do
 * for other processes what the functions below do in this one; XL_FAKE_KEEPER
 * gives fake guests a keeper, too. XL_FAKE_POLL: as on Xen, nobody tells when a
 * guest ends, and one that was destroyed is not found. XL_FAKE_HALF: a keeper
 * cannot build guests, and leaves the half of one. XL_FAKE_STUCK=OP: a keeper's
 * first two calls of that op fail.
 *
 * Thread:    loop thread only.
 */
#ifndef LIBXL_HOST_FAKE_H
#define LIBXL_HOST_FAKE_H

#include "host/host.h"

/* The k-th call from now (1: the next) of any op that can fail does fail,
 * without having done anything. 0: none. */
void libxl__host_fake_fail_at(libxl__host *h, unsigned k);
/* The k-th and all that follow it, until fail_at is called again. */
void libxl__host_fake_fail_from(libxl__host *h, unsigned k);
/* How many such calls there were since fail_at. */
unsigned libxl__host_fake_calls(const libxl__host *h);
/* The op of this name never answers, unless it is aborted. NULL: none. */
void libxl__host_fake_hang(libxl__host *h, const char *op);
/* Guests that are told to suspend do not do so in time; later it is up to the
 * test. */
void libxl__host_fake_late(libxl__host *h, bool late);
/* Another toolstack has asked for their suspension since. */
void libxl__host_fake_asked(libxl__host *h, bool asked);
/* It has come to that call. */
bool libxl__host_fake_hanging(libxl__host *h);

#endif
