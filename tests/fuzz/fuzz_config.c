/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A domain's configuration in JSON: what is read can be written, and read
 * again as the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *generate(const libxl_domain_config *c)
{
    struct libxl__config_error err;
    char *text;

    return libxl__config_generate(c, &text, &err) ? NULL : text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct libxl__config_error err;
    libxl_domain_config first, second, copy;
    char *a, *b;

    if (libxl__config_parse((const char *)data, size, &first, &err))
        return 0;
    a = generate(&first);
    if (a) {
        if (libxl__config_parse(a, strlen(a), &second, &err) ||
            libxl_domain_config_copy(NULL, &copy, &second))
            abort();
        b = generate(&copy);
        if (!b || strcmp(a, b))
            abort();
        free(b);
        libxl_domain_config_dispose(&second);
        libxl_domain_config_dispose(&copy);
    }
    free(a);
    libxl_domain_config_dispose(&first);
    return 0;
}
