// SPDX-License-Identifier: GPL-2.0-or-later
/* A journal as recovery may find it. */
#include <string.h>

#include "migrate/journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct libxl__journal j;
    libxl__gc gc;
    const char *why;
    char *text;

    libxl__gc_init(&gc, NULL);
    text = libxl__strndup(&gc, (const char *)data, size);
    if (text && !libxl__journal_decode(&gc, text, &j, &why))
        (void)libxl__journal_encode(&gc, &j);
    libxl__gc_dispose(&gc);
    return 0;
}
