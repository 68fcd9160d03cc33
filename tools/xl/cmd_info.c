/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_info.c - xl info */
#include "xl.h"

int xl_cmd_info(struct xl *xl, int argc, char **argv)
{
    static const struct option longs[] = {{"numa", no_argument, NULL, 'n'},
                                          {0}};
    libxl_host_fact *facts;
    int exit_code, c, n;

    while ((c = xl_getopt(xl, argc, argv, "n", longs, &exit_code)) !=
           XL_OPT_END) {
        if (c == XL_OPT_EXIT)
            return exit_code;
        xl_error(xl, "-n is not offered: see 'lscpu' or 'numactl -H'");
        return XL_FAILED;
    }
    if (!xl_count_args(xl, argc, 0, 0))
        return XL_USAGE;
    if (libxl_get_host_facts(xl->ctx, &facts, &n))
        return XL_FAILED;
    for (int i = 0; i < n; i++)
        printf("%-23s: %s\n", facts[i].key, facts[i].value);
    libxl_host_facts_free(facts, n);
    return XL_OK;
}
