/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_life.c - xl destroy, pause, unpause, rename */
#include "xl.h"

int xl_cmd_destroy(struct xl *xl, int argc, char **argv)
{
    uint32_t domid;
    int exit_code, c;

    while ((c = xl_getopt(xl, argc, argv, "f", NULL, &exit_code)) !=
           XL_OPT_END) {
        if (c == XL_OPT_EXIT)
            return exit_code;
        /* -f allows domain 0, which no domain has here */
    }
    if (!xl_count_args(xl, argc, 1, 1))
        return XL_USAGE;
    if (!xl_find_domain(xl, argv[optind], &domid))
        return XL_FAILED;
    return libxl_domain_destroy(xl->ctx, domid, NULL) ? XL_FAILED : XL_OK;
}

int xl_cmd_pause(struct xl *xl, int argc, char **argv)
{
    return xl_on_domain(xl, argc, argv, libxl_domain_pause);
}

int xl_cmd_unpause(struct xl *xl, int argc, char **argv)
{
    return xl_on_domain(xl, argc, argv, libxl_domain_unpause);
}

int xl_cmd_rename(struct xl *xl, int argc, char **argv)
{
    uint32_t domid;
    int exit_code;

    if (!xl_args_only(xl, argc, argv, 2, 2, &exit_code))
        return exit_code;
    if (!xl_find_domain(xl, argv[optind], &domid))
        return XL_FAILED;
    return libxl_domain_rename(xl->ctx, domid, NULL, argv[optind + 1])
               ? XL_FAILED
               : XL_OK;
}
