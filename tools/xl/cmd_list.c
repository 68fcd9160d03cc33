/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_list.c - xl list [-l] [-v] [DOMAIN ...], xl vm-list */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "xl.h"
#include "xl_table.h"

/* ---- -l: a JSON array, indented by 4 ---- */

/* Text that is JSON over several lines, its first line placed by the caller. */
static void print_indented(const char *json, const char *indent)
{
    while (*json) {
        size_t n = strcspn(json, "\n");

        printf("%.*s", (int)n, json);
        json += n;
        if (*json == '\n')
            json++;
        if (*json)
            printf("\n%s", json[0] == '\n' ? "" : indent);
    }
}

static bool print_long(struct xl *xl, uint32_t domid, bool first)
{
    libxl_domain_config config;
    char *json, *log;
    int rc = libxl_retrieve_domain_configuration(xl->ctx, domid, &config, NULL);

    if (rc)
        return rc == ERROR_DOMAIN_NOTFOUND; /* it has just gone */
    json = libxl_domain_config_to_json(xl->ctx, &config);
    libxl_domain_config_dispose(&config);
    if (!json)
        return false;
    printf("%s    {\n        \"domid\": %" PRIu32 ",\n        \"config\": ",
           first ? "" : ",\n", domid);
    print_indented(json, "        ");
    free(json);
    log = libxl_console_log_path(xl->ctx, domid);
    if (log) {
        printf(",\n        \"console_log\": ");
        xl_json_string(stdout, log);
    }
    free(log);
    printf("\n    }");
    return true;
}

static int list_long(struct xl *xl, const libxl_dominfo *info, int n)
{
    bool ok = true;

    printf("[\n");
    for (int i = 0; i < n; i++)
        ok = print_long(xl, info[i].domid, i == 0) && ok;
    printf("\n]\n");
    return ok ? XL_OK : XL_FAILED;
}

/* ---- the table ---- */

static int list_table(struct xl *xl, const struct xl_list_columns *cols,
                      const libxl_dominfo *info, int n)
{
    xl_list_header(stdout, cols);
    for (int i = 0; i < n; i++)
        xl_list_line(stdout, cols, info[i].name ? info[i].name : "(unnamed)",
                     &info[i]);
    return XL_OK;
}

struct list_args {
    bool details;
    struct xl_list_columns cols;
};

static int show(struct xl *xl, const struct list_args *args,
                const libxl_dominfo *info, int n)
{
    return args->details ? list_long(xl, info, n)
                         : list_table(xl, &args->cols, info, n);
}

static int list_all(struct xl *xl, const struct list_args *args)
{
    int n, exit_code;
    libxl_dominfo *info = libxl_list_domain(xl->ctx, &n);

    if (!info)
        return XL_FAILED;
    exit_code = show(xl, args, info, n);
    libxl_dominfo_list_free(info, n);
    return exit_code;
}

static int list_some(struct xl *xl, const struct list_args *args, char **names,
                     int n)
{
    libxl_dominfo *info = calloc((size_t)n, sizeof(*info));
    int got = 0, exit_code = XL_OK;

    if (!info) {
        xl_error(xl, "no memory");
        return XL_FAILED;
    }
    for (int i = 0; i < n; i++) {
        uint32_t domid;

        if (xl_find_domain(xl, names[i], &domid) &&
            !libxl_domain_info(xl->ctx, &info[got], domid))
            got++;
        else
            exit_code = XL_FAILED;
    }
    if (got && show(xl, args, info, got))
        exit_code = XL_FAILED;
    for (int i = 0; i < got; i++)
        libxl_dominfo_dispose(&info[i]);
    free(info);
    return exit_code;
}

int xl_cmd_list(struct xl *xl, int argc, char **argv)
{
    static const struct option longs[] = {{"long", no_argument, NULL, 'l'},
                                          {"verbose", no_argument, NULL, 'v'},
                                          {"context", no_argument, NULL, 'Z'},
                                          {"cpupool", no_argument, NULL, 'c'},
                                          {"numa", no_argument, NULL, 'n'},
                                          {0}};
    struct list_args args = {.details = false};
    int exit_code, c;

    while ((c = xl_getopt(xl, argc, argv, "lvZcn", longs, &exit_code)) !=
           XL_OPT_END) {
        switch (c) {
        case XL_OPT_EXIT:
            return exit_code;
        case 'l':
            args.details = true;
            break;
        case 'v':
            args.cols.verbose = true;
            break;
        case 'Z':
            args.cols.label = true;
            break;
        default:
            xl_error(xl, "-%c is not offered: there are no %s here", c,
                     c == 'c' ? "cpupools" : "NUMA affinities");
            return XL_FAILED;
        }
    }
    if (optind == argc)
        return list_all(xl, &args);
    return list_some(xl, &args, argv + optind, argc - optind);
}

int xl_cmd_vm_list(struct xl *xl, int argc, char **argv)
{
    char uuid[LIBXL_UUID_TEXT];
    libxl_dominfo *info;
    int n, exit_code;

    if (!xl_args_only(xl, argc, argv, 0, 0, &exit_code))
        return exit_code;
    info = libxl_list_domain(xl->ctx, &n);
    if (!info)
        return XL_FAILED;
    printf("UUID                                  ID    name\n");
    for (int i = 0; i < n; i++) {
        libxl_uuid_to_text(&info[i].uuid, uuid);
        printf("%s  %" PRIu32 "    %-30s\n", uuid, info[i].domid,
               info[i].name ? info[i].name : "(unnamed)");
    }
    libxl_dominfo_list_free(info, n);
    return XL_OK;
}
