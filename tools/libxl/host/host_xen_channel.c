/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * host_xen_channel.c - PLUGIN: an event channel of a guest's, bound here.
 *
 * A channel has a handle of its own: whatever is pending on its fd is its.
 */
#include <errno.h>
#include <stdlib.h>

#include "host/host_xen_priv.h"

#include <xenevtchn.h>

struct libxl__xen_channel {
    xenevtchn_handle *handle;
    evtchn_port_t port;
};

void libxl__xen_call_channel_close(struct libxl__xen_channel *c)
{
    if (!c)
        return;
    if (c->handle)
        xenevtchn_close(c->handle); /* unbinds what it had bound */
    free(c);
}

int libxl__xen_call_channel_open(uint32_t domid, uint32_t port,
                                 struct libxl__xen_channel **out, int *fd)
{
    struct libxl__xen_channel *c = calloc(1, sizeof(*c));
    xenevtchn_port_or_error_t local = -1;
    int r;

    *out = NULL;
    if (!c)
        return -ENOMEM;
    errno = 0;
    c->handle = xenevtchn_open(NULL, 0);
    if (c->handle)
        local = xenevtchn_bind_interdomain(c->handle, domid, port);
    if (local < 0) {
        r = libxl__xen_errno();
        libxl__xen_call_channel_close(c);
        return r;
    }
    c->port = (evtchn_port_t)local;
    *fd = xenevtchn_fd(c->handle);
    *out = c;
    return 0;
}

int libxl__xen_call_channel_notify(struct libxl__xen_channel *c)
{
    errno = 0;
    return libxl__xen_result(xenevtchn_notify(c->handle, c->port));
}

int libxl__xen_call_channel_take(struct libxl__xen_channel *c)
{
    xenevtchn_port_or_error_t port;

    errno = 0;
    port = xenevtchn_pending(c->handle);
    if (port < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : libxl__xen_errno();
    return libxl__xen_result(xenevtchn_unmask(c->handle, (evtchn_port_t)port));
}
