/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_vcpu.c - xl vcpu-list [DOMAIN ...] */
#include <stdlib.h>

#include "xl.h"
#include "xl_table.h"

static bool print_vcpus(struct xl *xl, uint32_t domid)
{
    int n;
    libxl_vcpuinfo *vcpus = libxl_list_vcpu(xl->ctx, domid, &n);
    char *name;
    bool ok;

    if (!vcpus)
        return false;
    name = xl_domain_name(xl, domid);
    ok = name != NULL;
    for (int i = 0; name && i < n; i++)
        xl_vcpu_line(stdout, name, domid, &vcpus[i]);
    free(vcpus);
    free(name);
    return ok;
}

static int print_all(struct xl *xl)
{
    int n;
    libxl_dominfo *info = libxl_list_domain(xl->ctx, &n);
    bool ok = true;

    if (!info)
        return XL_FAILED;
    for (int i = 0; i < n; i++)
        ok = print_vcpus(xl, info[i].domid) && ok;
    libxl_dominfo_list_free(info, n);
    return ok ? XL_OK : XL_FAILED;
}

int xl_cmd_vcpu_list(struct xl *xl, int argc, char **argv)
{
    uint32_t domid;
    int exit_code;

    if (!xl_args_only(xl, argc, argv, 0, argc, &exit_code))
        return exit_code;
    xl_vcpu_header(stdout);
    if (optind == argc)
        return print_all(xl);
    exit_code = XL_OK;
    for (; optind < argc; optind++) {
        if (!xl_find_domain(xl, argv[optind], &domid) ||
            !print_vcpus(xl, domid))
            exit_code = XL_FAILED;
    }
    return exit_code;
}
