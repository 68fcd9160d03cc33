// SPDX-License-Identifier: GPL-2.0-or-later
/* What a QEMU that is not trusted any more can write to its QMP socket. */
#include <string.h>

#include "dm/qmp_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take_lines(struct libxl__qmp_lines *lines)
{
    struct libxl__qmp_message msg;
    const char *line;
    size_t bytes;

    while (libxl__qmp_lines_next(lines, &line, &bytes)) {
        if (!libxl__qmp_decode(line, bytes, &msg))
            libxl__qmp_message_dispose(&msg);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct libxl__qmp_lines lines = {0};

    while (size) {
        size_t room, n;
        char *to = libxl__qmp_lines_room(&lines, &room);

        if (!to)
            break;
        n = room < size ? room : size;
        n = n < 13 ? n : 13; /* in small pieces, as a socket may give them */
        memcpy(to, data, n);
        libxl__qmp_lines_got(&lines, n);
        data += n;
        size -= n;
        take_lines(&lines);
    }
    libxl__qmp_lines_dispose(&lines);
    return 0;
}
