/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xl_domain.c - domains and memory sizes as people name them. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xl.h"

bool xl_find_domain(struct xl *xl, const char *text, uint32_t *domid)
{
    int rc = libxl_domain_qualifier_to_domid(xl->ctx, text, domid);
    libxl_dominfo info;

    if (!rc)
        rc = libxl_domain_info(xl->ctx, &info, *domid);
    if (!rc)
        libxl_dominfo_dispose(&info);
    else if (rc == ERROR_DOMAIN_NOTFOUND || rc == ERROR_INVAL)
        xl_error(xl, "there is no domain '%s' ('xl list' shows all)", text);
    return !rc;
}

char *xl_domain_name(struct xl *xl, uint32_t domid)
{
    char *name = libxl_domid_to_name(xl->ctx, domid);

    return name ? name : strdup("(unnamed)");
}

bool xl_parse_memory(const char *text, int64_t *kb)
{
    static const char units[] = "bkmgt"; /* each 1024 of the one before */
    const char *unit;
    char *end;
    long long n;

    errno = 0;
    n = strtoll(text, &end, 0);
    if (errno || end == text || n < 0 || n > INT64_MAX >> 30)
        return false;
    unit = strchr(units, *end ? tolower((unsigned char)*end) : 'm');
    if (!unit || (*end && end[1]))
        return false;
    *kb = unit == units ? n / 1024 : n << (10 * (unit - units - 1));
    return true;
}

int xl_on_domain(struct xl *xl, int argc, char **argv,
                 int (*op)(libxl_ctx *ctx, uint32_t domid,
                           const libxl_asyncop_how *how))
{
    uint32_t domid;
    int exit_code, rc;

    if (!xl_args_only(xl, argc, argv, 1, 1, &exit_code))
        return exit_code;
    if (!xl_find_domain(xl, argv[optind], &domid))
        return XL_FAILED;
    xl_interruptible_begin(xl);
    rc = op(xl->ctx, domid, NULL);
    xl_interruptible_end(xl);
    return rc ? XL_FAILED : XL_OK;
}
