/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_names.c - xl domid NAME, xl domname DOMID */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "xl.h"

int xl_cmd_domid(struct xl *xl, int argc, char **argv)
{
    uint32_t domid;
    int exit_code;

    if (!xl_args_only(xl, argc, argv, 1, 1, &exit_code))
        return exit_code;
    if (libxl_name_to_domid(xl->ctx, argv[optind], &domid)) {
        xl_error(xl, "there is no domain with the name '%s'", argv[optind]);
        return XL_FAILED;
    }
    printf("%" PRIu32 "\n", domid);
    return XL_OK;
}

int xl_cmd_domname(struct xl *xl, int argc, char **argv)
{
    unsigned long domid;
    char *end, *name;
    int exit_code;

    if (!xl_args_only(xl, argc, argv, 1, 1, &exit_code))
        return exit_code;
    errno = 0;
    domid = strtoul(argv[optind], &end, 10);
    if (errno || end == argv[optind] || *end || domid >= INVALID_DOMID) {
        xl_error(xl, "'%s' is not a domain id", argv[optind]);
        return XL_FAILED;
    }
    name = libxl_domid_to_name(xl->ctx, (uint32_t)domid);
    if (!name) {
        xl_error(xl, "there is no domain with the id %lu", domid);
        return XL_FAILED;
    }
    printf("%s\n", name);
    free(name);
    return XL_OK;
}
