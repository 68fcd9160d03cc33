/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* sr_xenstore.c - EMULATOR_XENSTORE_DATA's payload (codec). */
#include "stream/sr_xenstore.h"

#include <string.h>

#define HEX "0123456789abcdef"
#define HEX_DIGITS_MAX 16

/* The keys land below the new domain's device-model directory: anything but
 * the one known family could set its state or command. */
static bool key_is_allowed(const char *key)
{
    static const char *const leaves[] = {"/start_addr", "/size", "/name"};
    size_t digits;

    if (strncmp(key, "physmap/", 8))
        return false;
    key += 8;
    digits = strspn(key, HEX);
    if (!digits || digits > HEX_DIGITS_MAX)
        return false;
    for (size_t i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++)
        if (!strcmp(key + digits, leaves[i]))
            return true;
    return false;
}

const char *libxl__sr_xenstore_next(struct libxl__rspan *s, const char **key,
                                    const char **value)
{
    *key = *value = NULL;
    if (!s->left)
        return NULL;
    *key = libxl__rspan_cstr(s);
    *value = libxl__rspan_cstr(s);
    if (s->bad)
        return "key or value without its NUL [libxl.xenstore.nul]";
    if (!key_is_allowed(*key))
        return "key is not physmap/HEX/(start_addr|size|name) "
               "[libxl.xenstore.key]";
    return NULL;
}
