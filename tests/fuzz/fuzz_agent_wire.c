// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The agent channel, as either end reads the other: framing, then messages.
 * The first byte says in how large pieces the rest comes.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/agent_msg.h"
#include "agent/agent_wire.h"

#define TOKEN 0x1122334455667788u
#define ROOM_MAX (LIBXL__AGENT_JSON_MAX + LIBXL__AGENT_DATA_MAX + 65536)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_message(const struct libxl__agent_item *item)
{
    struct libxl__agent_msg m;

    if (!item->json_bytes || item->json_bytes > LIBXL__AGENT_JSON_MAX ||
        item->data_bytes > LIBXL__AGENT_DATA_MAX)
        abort();
    libxl__agent_msg_decode(item->json, item->json_bytes, &m);
    if (m.kind == AGENT_MSG_BROKEN && !m.code)
        abort();
    if (m.kind == AGENT_MSG_REQUEST && (!m.id || !m.method))
        abort();
    if (m.kind == AGENT_MSG_NOTE && (m.id || !m.method))
        abort();
    if (m.kind == AGENT_MSG_RESULT && (!m.id || !m.result))
        abort();
    libxl__agent_msg_dispose(&m);
}

/* Every item takes bytes, or changes the reader from found to lost. */
static void take_items(struct libxl__agent_reader *r)
{
    struct libxl__agent_item item;

    do {
        libxl__agent_reader_next(r, &item);
        if (item.kind == AGENT_ITEM_MESSAGE)
            check_message(&item);
        if (item.kind == AGENT_ITEM_LOST) {
            if (!item.why || !r->lost)
                abort();
            libxl__agent_reader_lose(r, TOKEN);
        }
    } while (item.kind != AGENT_ITEM_NONE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct libxl__agent_reader r;
    size_t piece, room, part;
    void *to;

    if (!size)
        return 0;
    piece = (size_t)*data + 1;
    libxl__agent_reader_init(&r, TOKEN);
    for (data++, size--; size; data += part, size -= part) {
        to = libxl__agent_reader_room(&r, &room);
        if (!to || !room || r.room > ROOM_MAX)
            abort();
        part = piece < size ? piece : size;
        part = part < room ? part : room;
        memcpy(to, data, part);
        libxl__agent_reader_got(&r, part);
        take_items(&r);
    }
    libxl__agent_reader_dispose(&r);
    return 0;
}
