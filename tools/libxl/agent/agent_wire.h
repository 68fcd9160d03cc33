/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * agent_wire.h - framing of the guest agent channel: bytes into messages, lost
 * and found again (docs/specs/agent-channel.md, 2 and 3).
 *
 * Owns:      a reader owns one buffer, which never grows beyond one message of
 *            its limits.
 * Thread:    any. Pure: no fd, no clock, no randomness, no globals.
 * Errors:    a peer that breaks a rule loses the reader (AGENT_ITEM_LOST, with
 *            the rule); from there on everything is thrown away until the
 *            peer has answered the token.
 * Lifetime:  what an item points to is valid until the next call on its reader.
 */
#ifndef LIBXL_AGENT_WIRE_H
#define LIBXL_AGENT_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIBXL__AGENT_HEADER_MAX 96
#define LIBXL__AGENT_JSON_MAX (64u * 1024)
#define LIBXL__AGENT_DATA_MAX (512u * 1024)
#define LIBXL__AGENT_LINE_BYTES 27

enum libxl__agent_item_kind {
    AGENT_ITEM_NONE, /* more bytes are needed */
    AGENT_ITEM_MESSAGE,
    AGENT_ITEM_WANT, /* the peer is lost: answer with its token */
    AGENT_ITEM_HERE, /* found: this was our token */
    AGENT_ITEM_LOST, /* why; the caller asks with a new token */
};

struct libxl__agent_item {
    enum libxl__agent_item_kind kind;
    const char *json; /* not terminated, not checked */
    size_t json_bytes;
    const uint8_t *data;
    size_t data_bytes;
    uint64_t token;  /* of WANT */
    const char *why; /* of LOST */
};

struct libxl__agent_reader {
    uint8_t *buf;
    size_t room, have, taken;
    size_t scanned; /* JSON bytes of a partial message without 0xFF */
    uint64_t token;
    bool lost;
};

/* A reader begins lost. */
void libxl__agent_reader_init(struct libxl__agent_reader *r, uint64_t token);
void libxl__agent_reader_dispose(struct libxl__agent_reader *r);
/* Where the next bytes go; at least one. NULL: no memory. */
void *libxl__agent_reader_room(struct libxl__agent_reader *r, size_t *bytes);
void libxl__agent_reader_got(struct libxl__agent_reader *r, size_t bytes);
void libxl__agent_reader_next(struct libxl__agent_reader *r,
                              struct libxl__agent_item *item);
/* Give up what is there (the peer stalled, or sent nonsense): everything is
 * thrown away until "here" with this token. */
void libxl__agent_reader_lose(struct libxl__agent_reader *r, uint64_t token);
/* Begun, but not whole: a message that must not take for ever. */
bool libxl__agent_reader_partial(const struct libxl__agent_reader *r);

/* Both write without a final NUL and return the length. */
size_t libxl__agent_put_header(char out[LIBXL__AGENT_HEADER_MAX],
                               size_t json_bytes, size_t data_bytes);
size_t libxl__agent_put_line(char out[LIBXL__AGENT_LINE_BYTES],
                             enum libxl__agent_item_kind want_or_here,
                             uint64_t token);

#endif
