/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hv/xc_dirty.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void add_text(char *text, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void add_text(char *text, const char *fmt, ...)
{
    size_t used = strlen(text);
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text + used, XC_DIRTY_TEXT_MAX - used, fmt, ap);
    va_end(ap);
}

int xc_dirty_start(const struct xc_dirty_target *t, struct xc_dirty **out,
                   char why[XC_DIRTY_TEXT_MAX])
{
    static const struct xc_dirty_ops *const methods[] = {
        &xc_dirty_uffd,
        &xc_dirty_soft,
        &xc_dirty_compare,
    };
    char refusals[XC_DIRTY_TEXT_MAX] = "";
    int rc = -ENOTSUP;

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        rc = methods[i]->start(t, out);
        if (!rc) {
            snprintf(why, XC_DIRTY_TEXT_MAX, "%s%.200s", methods[i]->name,
                     refusals);
            return 0;
        }
        add_text(refusals, "; not %s: %s", methods[i]->name,
                 rc == -EBADF ? "this QEMU offers none" : strerror(-rc));
    }
    snprintf(why, XC_DIRTY_TEXT_MAX, "none%.200s", refusals);
    return rc;
}

int xc_dirty_next_run(int memory_fd, xc_pfn_t nr_pfns, xc_pfn_t from,
                      struct xc_pfn_run *out)
{
    off_t end = (off_t)xc_pages_to_bytes(nr_pfns);
    off_t data = lseek(memory_fd, (off_t)xc_pages_to_bytes(from), SEEK_DATA);
    off_t hole;

    if (data < 0)
        return errno == ENXIO ? -ENOENT : -errno;
    if (data >= end)
        return -ENOENT;
    hole = lseek(memory_fd, data, SEEK_HOLE);
    if (hole < 0)
        return -errno;
    if (hole > end)
        hole = end;
    out->first = (xc_pfn_t)data >> XC_PAGE_SHIFT;
    out->count = xc_bytes_to_pages_up((uint64_t)hole) - out->first;
    return 0;
}
