/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_mem.c - xl mem-set DOMAIN MEMORY */
#include "xl.h"

int xl_cmd_mem_set(struct xl *xl, int argc, char **argv)
{
    uint32_t domid;
    int64_t kb;
    int exit_code;

    if (!xl_args_only(xl, argc, argv, 2, 2, &exit_code))
        return exit_code;
    if (!xl_parse_memory(argv[optind + 1], &kb)) {
        xl_error(xl,
                 "'%s' is not an amount of memory (such as 512, 512m or "
                 "1g)",
                 argv[optind + 1]);
        return XL_FAILED;
    }
    if (!xl_find_domain(xl, argv[optind], &domid))
        return XL_FAILED;
    return libxl_set_memory_target(xl->ctx, domid, kb, false, true) ? XL_FAILED
                                                                    : XL_OK;
}
