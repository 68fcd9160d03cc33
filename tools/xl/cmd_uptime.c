/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_uptime.c - xl uptime [-s] [DOMAIN ...] */
#include <inttypes.h>
#include <time.h>

#include "xl.h"
#include "xl_table.h"

static void print_line(const libxl_dominfo *info, bool brief, time_t now)
{
    const char *name = info->name ? info->name : "(unnamed)";
    char up[64] = "unknown", clock[16];
    struct tm tm;

    if (info->started_at > 0)
        xl_uptime_text(
            up, sizeof(up),
            now > info->started_at ? (uint64_t)(now - info->started_at) : 0);
    if (!brief) {
        printf("%-33s %4" PRIu32 " %s\n", name, info->domid, up);
        return;
    }
    localtime_r(&now, &tm);
    strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
    printf(" %s up %s, %s (%" PRIu32 ")\n", clock, up, name, info->domid);
}

static int print_all(struct xl *xl, bool brief, time_t now)
{
    int n;
    libxl_dominfo *info = libxl_list_domain(xl->ctx, &n);

    if (!info)
        return XL_FAILED;
    for (int i = 0; i < n; i++)
        print_line(&info[i], brief, now);
    libxl_dominfo_list_free(info, n);
    return XL_OK;
}

static int print_one(struct xl *xl, const char *text, bool brief, time_t now)
{
    libxl_dominfo info;
    uint32_t domid;

    if (!xl_find_domain(xl, text, &domid) ||
        libxl_domain_info(xl->ctx, &info, domid))
        return XL_FAILED;
    print_line(&info, brief, now);
    libxl_dominfo_dispose(&info);
    return XL_OK;
}

int xl_cmd_uptime(struct xl *xl, int argc, char **argv)
{
    static const struct option longs[] = {{"short", no_argument, NULL, 's'},
                                          {0}};
    time_t now = time(NULL);
    bool brief = false;
    int exit_code, c;

    while ((c = xl_getopt(xl, argc, argv, "s", longs, &exit_code)) !=
           XL_OPT_END) {
        if (c == XL_OPT_EXIT)
            return exit_code;
        brief = true;
    }
    if (!brief)
        printf("%-33s %4s %s\n", "Name", "ID", "Uptime");
    if (optind == argc)
        return print_all(xl, brief, now);
    exit_code = XL_OK;
    for (; optind < argc; optind++) {
        if (print_one(xl, argv[optind], brief, now))
            exit_code = XL_FAILED;
    }
    return exit_code;
}
