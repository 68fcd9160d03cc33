/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * migrate_receive.h - what the two halves of the receiving side share: up to
 * the complete guest (migrate_receive.c), and from "ready" on
 * (migrate_takeover.c). PRIVATE to these two.
 *
 * Lifetime:  the struct lives on the ao's gc.
 */
#ifndef LIBXL_MIGRATE_RECEIVE_H
#define LIBXL_MIGRATE_RECEIVE_H

#include "domain/dom_restore.h"
#include "domain/migrate_outcome.h"
#include "domain/new_domain.h"
#include "io/bufreader.h"
#include "io/bufwriter.h"
#include "migrate/handshake.h"
#include "migrate/savefile.h"

struct libxl__migrate_receive {
    libxl__ao *ao;
    libxl_ctx *ctx;
    libxl__gc *gc;
    libxl_migrate_receive_how how;
    uint32_t *domid_out;
    uint8_t raw[LIBXL__SAVEFILE_HEADER_BYTES];
    struct libxl__savefile_header header;
    char *optional;  /* malloc'ed */
    bool listens;    /* the sender hears answers */
    bool configured; /* config is to be disposed */
    libxl_domain_config config;
    const char *name, *uuid;
    const char *migration; /* NULL: the sender did not name it */
    libxl__new_domain nd;
    libxl__dom_restore guest;
    libxl__keep keep;
    bool keeping; /* the keeper is not up yet */
    bool came;    /* the guest is complete, or its coming has failed: came_rc */
    int came_rc;
    struct libxl__migrate_outcome outcome;
    libxl__bufreader br;
    libxl__bufwriter bw;
    char go[LIBXL__HS_WORD_MAX];
    char report[2 * LIBXL__HS_WORD_MAX];
    libxl__host_call call;
    int rc;
};

int libxl__migrate_receive_write(struct libxl__migrate_receive *re,
                                 const void *bytes, size_t n,
                                 libxl__bufwriter_callback *done);
int libxl__migrate_receive_read(struct libxl__migrate_receive *re, void *buf,
                                size_t n, libxl__bufreader_callback *done);
/* Removes the domain and ends; nothing is said to an upstream sender. */
void libxl__migrate_receive_fail(libxl__egc *egc,
                                 struct libxl__migrate_receive *re, int rc);
void libxl__migrate_receive_complete(libxl__egc *egc,
                                     struct libxl__migrate_receive *re, int rc);

/* The guest is complete, and has a keeper. */
void libxl__migrate_takeover(libxl__egc *egc,
                             struct libxl__migrate_receive *re, int rc);

#endif
