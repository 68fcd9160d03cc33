// SPDX-License-Identifier: GPL-2.0-or-later
/* The xl header of a save file, and the configuration in it. */
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "migrate/savefile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was understood can be written, and is then understood again. */
static void check_config(const char *json, size_t bytes)
{
    struct libxl__config_error err;
    libxl_domain_config c, again;
    char *text = NULL;

    if (libxl__config_parse(json, bytes, &c, &err))
        return;
    if (!libxl__config_generate(&c, &text, &err)) {
        if (libxl__config_parse(text, strlen(text), &again, &err))
            abort();
        libxl_domain_config_dispose(&again);
    }
    free(text);
    libxl_domain_config_dispose(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct libxl__savefile_header header;
    const char *reason, *json;
    size_t bytes;

    if (size < LIBXL__SAVEFILE_HEADER_BYTES ||
        libxl__savefile_decode(data, &header, &reason))
        return 0;
    data += LIBXL__SAVEFILE_HEADER_BYTES;
    size -= LIBXL__SAVEFILE_HEADER_BYTES;
    if (header.optional_bytes < size)
        size = header.optional_bytes;
    if (!libxl__savefile_config(data, size,
                                header.mandatory & LIBXL__SAVEFILE_JSON, &json,
                                &bytes, &reason) &&
        json)
        check_config(json, bytes);
    return 0;
}
