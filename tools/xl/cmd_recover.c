/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_recover.c - xl recover [DOMAIN] */
#include "xl.h"

int xl_cmd_recover(struct xl *xl, int argc, char **argv)
{
    uint32_t domid = INVALID_DOMID;
    int exit_code, rc;

    if (!xl_args_only(xl, argc, argv, 0, 1, &exit_code))
        return exit_code;
    if (optind < argc && !xl_find_domain(xl, argv[optind], &domid))
        return XL_FAILED;
    if (xl->verbose < 1)
        xl->verbose = 1; /* what it does is its answer */
    xl_interruptible_begin(xl);
    rc = libxl_domain_recover(xl->ctx, domid, NULL);
    xl_interruptible_end(xl);
    return rc ? XL_FAILED : XL_OK;
}
