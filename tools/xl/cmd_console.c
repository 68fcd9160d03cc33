/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_console.c - xl console [-t serial] [-n 0] DOMAIN */
#include <stdlib.h>
#include <string.h>

#include "xl.h"

int xl_cmd_console(struct xl *xl, int argc, char **argv)
{
    uint32_t domid;
    int exit_code, c, fd;

    while ((c = xl_getopt(xl, argc, argv, "t:n:", NULL, &exit_code)) !=
           XL_OPT_END) {
        switch (c) {
        case XL_OPT_EXIT:
            return exit_code;
        case 't':
            if (!strcmp(optarg, "serial"))
                break;
            xl_error(xl,
                     "-t %s is not offered: a domain has a serial console "
                     "here",
                     optarg);
            return XL_FAILED;
        case 'n':
            if (!strcmp(optarg, "0"))
                break;
            xl_error(xl, "there is no console %s: a domain has number 0 alone",
                     optarg);
            return XL_FAILED;
        }
    }
    if (!xl_count_args(xl, argc, 1, 1))
        return XL_USAGE;
    if (!xl_find_domain(xl, argv[optind], &domid))
        return XL_FAILED;
    if (libxl_console_is_program(xl->ctx))
        return libxl_primary_console_exec(xl->ctx, domid) ? XL_FAILED : XL_OK;
    fd = xl_console_open(xl, domid);
    return fd < 0 ? XL_FAILED : xl_console_run(xl, fd);
}
