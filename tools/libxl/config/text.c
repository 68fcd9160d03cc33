/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* text.c - UUIDs, MAC addresses and enums as text and back. */
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "config/fields.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* n bytes as pairs of hex digits; every byte whose bit is set in sep_before
 * follows the separator. The text must end there. */
static bool hex_bytes(const char *text, size_t n, char sep, uint32_t sep_before,
                      uint8_t *out)
{
    for (size_t i = 0; i < n; i++) {
        int hi, lo;

        if (sep_before & (1u << i)) {
            if (*text++ != sep)
                return false;
        }
        hi = hex_digit(text[0]);
        lo = hi < 0 ? -1 : hex_digit(text[1]);
        if (lo < 0)
            return false;
        out[i] = (uint8_t)(hi << 4 | lo);
        text += 2;
    }
    return *text == '\0';
}

#define UUID_DASHES (1u << 4 | 1u << 6 | 1u << 8 | 1u << 10)
#define MAC_COLONS 0x3eu

static const char digits[] = "0123456789abcdef";

/* The other way; out has room for two digits a byte, the separators, a NUL. */
static void bytes_hex(const uint8_t *bytes, size_t n, char sep,
                      uint32_t sep_before, char *out)
{
    for (size_t i = 0; i < n; i++) {
        if (sep_before & (1u << i))
            *out++ = sep;
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    *out = '\0';
}

void libxl_uuid_to_text(const libxl_uuid *uuid, char out[LIBXL_UUID_TEXT])
{
    bytes_hex(uuid->uuid, 16, '-', UUID_DASHES, out);
}

bool libxl_uuid_from_text(const char *text, libxl_uuid *out)
{
    libxl_uuid u;

    if (!hex_bytes(text, 16, '-', UUID_DASHES, u.uuid) &&
        !hex_bytes(text, 16, '-', 0, u.uuid))
        return false;
    *out = u;
    return true;
}

int libxl_uuid_generate(libxl_uuid *out)
{
    ssize_t r;

    do {
        r = getrandom(out->uuid, sizeof(out->uuid), 0);
    } while (r < 0 && errno == EINTR);
    if (r != (ssize_t)sizeof(out->uuid))
        return ERROR_FAIL;
    out->uuid[6] = (uint8_t)((out->uuid[6] & 0x0f) | 0x40);
    out->uuid[8] = (uint8_t)((out->uuid[8] & 0x3f) | 0x80);
    return 0;
}

bool libxl_uuid_is_nil(const libxl_uuid *uuid)
{
    static const libxl_uuid nil;

    return !memcmp(uuid, &nil, sizeof(nil));
}

void libxl_mac_to_text(const libxl_mac mac, char out[LIBXL_MAC_TEXT])
{
    bytes_hex(mac, 6, ':', MAC_COLONS, out);
}

bool libxl_mac_from_text(const char *text, libxl_mac out)
{
    uint8_t bytes[6];

    if (!hex_bytes(text, 6, ':', MAC_COLONS, bytes))
        return false;
    memcpy(out, bytes, sizeof(bytes));
    return true;
}

const char *libxl_domain_type_to_string(libxl_domain_type v)
{
    return libxl__name_of(libxl__names_domain_type, v);
}

const char *libxl_action_on_shutdown_to_string(libxl_action_on_shutdown v)
{
    return libxl__name_of(libxl__names_action, v);
}

const char *libxl_disk_format_to_string(libxl_disk_format v)
{
    return libxl__name_of(libxl__names_disk_format, (int)v);
}

const char *libxl_disk_backend_to_string(libxl_disk_backend v)
{
    return libxl__name_of(libxl__names_disk_backend, (int)v);
}

bool libxl_domain_type_from_string(const char *s, libxl_domain_type *out)
{
    int v;

    if (libxl__name_find(libxl__names_domain_type, s, &v))
        return false;
    *out = (libxl_domain_type)v;
    return true;
}

bool libxl_action_on_shutdown_from_string(const char *s,
                                          libxl_action_on_shutdown *out)
{
    int v;

    if (libxl__name_find(libxl__names_action, s, &v))
        return false;
    *out = (libxl_action_on_shutdown)v;
    return true;
}

bool libxl_disk_format_from_string(const char *s, libxl_disk_format *out)
{
    int v;

    if (libxl__name_find(libxl__names_disk_format, s, &v))
        return false;
    *out = (libxl_disk_format)v;
    return true;
}

bool libxl_disk_backend_from_string(const char *s, libxl_disk_backend *out)
{
    int v;

    if (libxl__name_find(libxl__names_disk_backend, s, &v))
        return false;
    *out = (libxl_disk_backend)v;
    return true;
}
