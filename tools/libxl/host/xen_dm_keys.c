/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * xen_dm_keys.c - what a device model of old keeps in xenstore beside its
 * state: where it has moved its memory to. It goes with the guest as
 * EMULATOR_XENSTORE_DATA. QEMU since 2.10 has it in its own state.
 */
#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "host/xen_dm.h"

#define DIR "/local/domain/0/device-model/%" PRIu32

struct keys {
    struct libxl__host_xen *hx;
    libxl__gc *gc;
    uint32_t domid;
    char *at; /* NULL: they are measured */
    size_t bytes, room;
};

static void take(struct keys *k, const char *text)
{
    size_t n = strlen(text) + 1;

    if (k->at && n <= k->room - k->bytes)
        memcpy(k->at + k->bytes, text, n);
    k->bytes += k->at && n > k->room - k->bytes ? 0 : n;
}

static int take_entry(struct keys *k, const char *entry)
{
    static const char *const leaves[] = {"start_addr", "size", "name"};
    const char *key, *value;

    for (size_t i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++) {
        key = libxl__sprintf(k->gc, "physmap/%s/%s", entry, leaves[i]);
        if (!key)
            return ERROR_NOMEM;
        value = libxl__xs_read(&k->hx->xs, k->gc, DIR "/%s", k->domid, key);
        if (!value) {
            LOGD(k->hx->host.ctx, k->domid, ERROR,
                 "the device model's key %s cannot be read", key);
            return ERROR_FAIL;
        }
        take(k, key);
        take(k, value);
    }
    return 0;
}

/* Twice: the device model stands still, so they do not change between. */
static int take_all(struct keys *k, char **entries)
{
    int rc = 0;

    k->bytes = 0;
    for (; !rc && *entries; entries++)
        rc = take_entry(k, *entries);
    return rc;
}

int libxl__xen_dm_keys(libxl__host *h, libxl__gc *gc, uint32_t domid,
                       const void **data, size_t *bytes)
{
    struct keys k = {libxl__host_xen_of(h), gc, domid, NULL, 0, 0};
    char **entries = libxl__xs_children(&k.hx->xs, gc, DIR "/physmap", domid);
    int rc;

    *data = NULL;
    *bytes = 0;
    if (!entries || !*entries)
        return 0;
    rc = take_all(&k, entries);
    if (rc)
        return rc;
    k.room = k.bytes;
    k.at = libxl__zalloc(gc, k.room);
    if (!k.at)
        return ERROR_NOMEM;
    rc = take_all(&k, entries);
    if (!rc && k.bytes != k.room) {
        LOGD(h->ctx, domid, ERROR,
             "the device model's keys change while they "
             "are read");
        rc = ERROR_FAIL;
    }
    *data = k.at;
    *bytes = k.bytes;
    return rc;
}

int libxl__xen_dm_put_key(libxl__host *h, libxl__gc *gc, uint32_t domid,
                          const char *key, const char *value)
{
    struct libxl__xs_writer w = {
        .xs = &libxl__host_xen_of(h)->xs,
        .gc = gc,
        .guest = domid,
        .base = libxl__sprintf(gc, DIR, domid),
    };

    if (!w.base)
        return ERROR_NOMEM;
    libxl__xs_put(&w, LIBXL__XS_PRIVATE, key, "%s", value);
    return w.rc;
}
