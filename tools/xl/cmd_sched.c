/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_sched.c - xl sched-credit, xl sched-credit2 [-d DOMAIN [-w W] [-c C]] */
#include <errno.h>
#include <stdlib.h>

#include "xl.h"

struct sched_args {
    const char *domain;
    long weight, cap; /* -1: not given */
};

static bool parse_number(struct xl *xl, const char *text, long *out)
{
    char *end;

    errno = 0;
    *out = strtol(text, &end, 10);
    if (!errno && end != text && !*end && *out >= 0 && *out <= UINT16_MAX)
        return true;
    xl_error(xl, "'%s' is not a number from 0 to %u", text, UINT16_MAX);
    return false;
}

static bool print_one(struct xl *xl, uint32_t domid)
{
    libxl_sched_params p;
    char *name;

    if (libxl_domain_sched_params_get(xl->ctx, domid, &p))
        return false;
    name = xl_domain_name(xl, domid);
    if (!name)
        return false;
    printf("%-33s %4u %6u %4u\n", name, domid, p.weight, p.cap);
    free(name);
    return true;
}

static int print_all(struct xl *xl)
{
    int n;
    libxl_dominfo *info = libxl_list_domain(xl->ctx, &n);
    bool ok = true;

    if (!info)
        return XL_FAILED;
    for (int i = 0; i < n && ok; i++)
        ok = print_one(xl, info[i].domid);
    libxl_dominfo_list_free(info, n);
    return ok ? XL_OK : XL_FAILED;
}

static int change(struct xl *xl, uint32_t domid, const struct sched_args *args)
{
    libxl_sched_params p;

    if (libxl_domain_sched_params_get(xl->ctx, domid, &p))
        return XL_FAILED;
    if (args->weight >= 0)
        p.weight = (unsigned)args->weight;
    if (args->cap >= 0)
        p.cap = (unsigned)args->cap;
    return libxl_domain_sched_params_set(xl->ctx, domid, &p) ? XL_FAILED
                                                             : XL_OK;
}

/* -1: go on */
static int options(struct xl *xl, struct sched_args *args, int argc,
                   char **argv)
{
    static const struct option longs[] = {
        {"domain", required_argument, NULL, 'd'},
        {"weight", required_argument, NULL, 'w'},
        {"cap", required_argument, NULL, 'c'},
        {0}};
    int exit_code, c;

    while ((c = xl_getopt(xl, argc, argv, "d:w:c:", longs, &exit_code)) !=
           XL_OPT_END) {
        if (c == XL_OPT_EXIT)
            return exit_code;
        if (c == 'd')
            args->domain = optarg;
        else if (!parse_number(xl, optarg, c == 'w' ? &args->weight
                                                    : &args->cap))
            return XL_FAILED;
    }
    return xl_count_args(xl, argc, 0, 0) ? -1 : XL_USAGE;
}

int xl_cmd_sched_credit(struct xl *xl, int argc, char **argv)
{
    struct sched_args args = {.weight = -1, .cap = -1};
    int exit_code = options(xl, &args, argc, argv);
    bool changes = args.weight >= 0 || args.cap >= 0;
    uint32_t domid;

    if (exit_code >= 0)
        return exit_code;
    if (!args.domain && changes) {
        xl_error(xl, "whose? (-d DOMAIN)");
        return XL_USAGE;
    }
    if (args.domain && !xl_find_domain(xl, args.domain, &domid))
        return XL_FAILED;
    if (changes)
        return change(xl, domid, &args);
    printf("%-33s %4s %6s %4s\n", "Name", "ID", "Weight", "Cap");
    if (!args.domain)
        return print_all(xl);
    return print_one(xl, domid) ? XL_OK : XL_FAILED;
}
