/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_migrate.c - xl migrate [OPTIONS] DOMAIN HOST */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xl.h"

struct migrate_args {
    libxl_migrate_how how;
    libxl_precopy_how precopy;
    const char *transport; /* -s; NULL: ssh */
    const char *host, *config_path;
    bool no_restart, paused, debug, json;
    uint32_t domid;
};

/* ---- what is run to reach the other side ---- */

/* The receiver speaks as this side does. */
static void put_verbosity(const struct xl *xl, FILE *to)
{
    if (isatty(STDERR_FILENO))
        fputs(" -t", to);
    if (xl->timestamps)
        fputs(" -T", to);
    if (xl->verbose > 0) {
        fputs(" -", to);
        for (int i = 0; i < xl->verbose; i++)
            fputc('v', to);
    }
}

static bool is_paused(struct xl *xl, uint32_t domid)
{
    libxl_dominfo info = {0};
    bool paused = !libxl_domain_info(xl->ctx, &info, domid) && info.paused;

    libxl_dominfo_dispose(&info);
    return paused;
}

/* malloc'ed; NULL: no memory. With -s "" the host argument is the command. */
static char *make_rune(struct xl *xl, const struct migrate_args *args)
{
    char *rune = NULL;
    size_t size;
    FILE *to;

    if (args->transport && !args->transport[0])
        return strdup(args->host);
    to = open_memstream(&rune, &size);
    if (!to)
        return NULL;
    fprintf(to, "exec %s %s xl", args->transport ? args->transport : "ssh",
            args->host);
    put_verbosity(xl, to);
    fputs(" migrate-receive", to);
    if (args->no_restart)
        fputs(" -e", to);
    if (args->debug)
        fputs(" -d", to);
    if (args->paused || is_paused(xl, args->domid))
        fputs(" -p", to);
    if (!fclose(to))
        return rune;
    free(rune);
    return NULL;
}

/* ---- what is said of it ---- */

static void summary(struct xl *xl, const struct migrate_args *args,
                    const libxl_migrate_stats *s)
{
    char bytes[32];

    xl_bytes_text(bytes, sizeof(bytes), s->bytes);
    xl_say(xl,
           "%s migrated to %s: %s in %.1f s, %llu passes, %llu pages with "
           "data, %llu zero; stopped for %llu ms",
           xl->progress.name, args->host, bytes, (double)s->total_ms / 1000,
           (unsigned long long)s->passes, (unsigned long long)s->data_pages,
           (unsigned long long)s->zero_pages,
           (unsigned long long)s->downtime_ms);
}

static void result_json(struct xl *xl, const struct migrate_args *args,
                        const libxl_migrate_stats *s, int rc)
{
    FILE *to = xl->progress.to;

    fprintf(to,
            "{\"event\":\"done\",\"what\":\"migrate\",\"domid\":%u,\"ok\":%s,"
            "\"host\":",
            args->domid, rc ? "false" : "true");
    xl_json_string(to, args->host);
    if (!rc)
        fprintf(to,
                ",\"bytes\":%llu,\"data_pages\":%llu,\"zero_pages\":%llu,"
                "\"passes\":%llu,\"total_ms\":%llu,\"downtime_ms\":%llu",
                (unsigned long long)s->bytes, (unsigned long long)s->data_pages,
                (unsigned long long)s->zero_pages,
                (unsigned long long)s->passes, (unsigned long long)s->total_ms,
                (unsigned long long)s->downtime_ms);
    fputs("}\n", to);
    fflush(to);
}

/* ---- doing it ---- */

static int run(struct xl *xl, struct migrate_args *args)
{
    libxl_migrate_stats stats = {0};
    int rc;

    if (args->json)
        xl_progress_json(&xl->progress, stdout);
    xl_interruptible_begin(xl);
    rc = libxl_domain_migrate(xl->ctx, args->domid, &args->how, &stats, NULL);
    xl_interruptible_end(xl);
    xl_progress_break(&xl->progress);
    if (rc == ERROR_ABORTED)
        xl_error(xl, "interrupted: %s was not migrated and goes on here",
                 xl->progress.name);
    if (args->json)
        result_json(xl, args, &stats, rc);
    else if (!rc)
        summary(xl, args, &stats);
    return rc ? XL_FAILED : XL_OK;
}

static int migrate(struct xl *xl, struct migrate_args *args)
{
    char *rune = make_rune(xl, args);
    char *name = xl_domain_name(xl, args->domid);
    int exit_code = XL_FAILED;

    if (!rune || !name) {
        xl_error(xl, "no memory");
    } else {
        xl->progress.name = name;
        args->how.rune = rune;
        args->how.precopy = &args->precopy;
        exit_code = run(xl, args);
        xl->progress.name = NULL;
    }
    free(rune);
    free(name);
    return exit_code;
}

static int migrate_with_config(struct xl *xl, struct migrate_args *args)
{
    libxl_domain_config config;
    int exit_code;

    if (!args->config_path)
        return migrate(xl, args);
    if (!xl_read_config_of(xl, args->config_path, args->domid, &config))
        return XL_FAILED;
    args->how.config = &config;
    exit_code = migrate(xl, args);
    args->how.config = NULL;
    libxl_domain_config_dispose(&config);
    return exit_code;
}

/* ---- options ---- */

enum {
    OPT_DEBUG = 256,
    OPT_SAME_DISKS,
    OPT_LIVE,
    OPT_JSON,
    OPT_DOWNTIME,
    OPT_ITERS,
    OPT_REMAINING,
    OPT_BUSY,
    OPT_BANDWIDTH,
    OPT_TIMEOUT
};

static const struct option longs[] = {
    {"debug", no_argument, NULL, OPT_DEBUG},
    {"live", no_argument, NULL, OPT_LIVE},
    {"assume-same-disks", no_argument, NULL, OPT_SAME_DISKS},
    {"json", no_argument, NULL, OPT_JSON},
    {"max-downtime", required_argument, NULL, OPT_DOWNTIME},
    {"max-iters", required_argument, NULL, OPT_ITERS},
    {"min-remaining", required_argument, NULL, OPT_REMAINING},
    {"abort-if-busy", no_argument, NULL, OPT_BUSY},
    {"bandwidth", required_argument, NULL, OPT_BANDWIDTH},
    {"timeout", required_argument, NULL, OPT_TIMEOUT},
    {0}};

/* A whole number from 1 to max. */
static bool number(struct xl *xl, const char *what, uint64_t max, uint64_t *out)
{
    char *end;

    errno = 0;
    *out = strtoull(optarg, &end, 10);
    if (!errno && *end == '\0' && end != optarg && *optarg != '-' && *out &&
        *out <= max)
        return true;
    xl_error(xl, "%s: \"%s\" is not a number from 1 to %llu", what, optarg,
             (unsigned long long)max);
    return false;
}

/* The knobs. false: wrong, said so. */
static bool knob(struct xl *xl, libxl_precopy_how *how, int c)
{
    uint64_t n = 0;

    switch (c) {
    case OPT_DOWNTIME:
        if (!number(xl, "--max-downtime (ms)", UINT32_MAX, &n))
            return false;
        how->max_downtime_ms = (uint32_t)n;
        return true;
    case OPT_ITERS:
        if (!number(xl, "--max-iters", UINT32_MAX, &n))
            return false;
        how->max_iters = (uint32_t)n;
        return true;
    case OPT_REMAINING:
        if (!number(xl, "--min-remaining (pages)", UINT32_MAX, &n))
            return false;
        how->min_remaining_pages = (uint32_t)n;
        return true;
    case OPT_BANDWIDTH:
        if (!number(xl, "--bandwidth (MiB/s)", UINT32_MAX, &n))
            return false;
        how->bandwidth_bps = n << 20;
        return true;
    case OPT_TIMEOUT:
        if (!number(xl, "--timeout (s)", UINT32_MAX / 1000, &n))
            return false;
        how->timeout_ms = (uint32_t)n * 1000;
        return true;
    default: /* OPT_BUSY */
        how->abort_if_busy = true;
        return true;
    }
}

/* -1: go on */
static int options(struct xl *xl, struct migrate_args *args, int argc,
                   char **argv)
{
    int exit_code, c;

    while ((c = xl_getopt(xl, argc, argv, "C:s:eFpD", longs, &exit_code)) !=
           XL_OPT_END) {
        switch (c) {
        case XL_OPT_EXIT:
            return exit_code;
        case 'C':
            args->config_path = optarg;
            break;
        case 's':
            args->transport = optarg;
            break;
        case 'e':
        case 'F':
            args->no_restart = true;
            break;
        case 'p':
            args->paused = true;
            break;
        case 'D':
            args->how.preserve_domid = true;
            break;
        case OPT_DEBUG:
            args->debug = true;
            args->how.flags |= LIBXL_SUSPEND_DEBUG;
            break;
        case OPT_SAME_DISKS:
            args->how.assume_same_disks = true;
            break;
        case OPT_LIVE: /* it always is */
            break;
        case OPT_JSON:
            args->json = true;
            break;
        default:
            if (!knob(xl, &args->precopy, c))
                return XL_USAGE;
        }
    }
    return -1;
}

int xl_cmd_migrate(struct xl *xl, int argc, char **argv)
{
    struct migrate_args args = {.how = {.flags = LIBXL_SUSPEND_LIVE}};
    int exit_code = options(xl, &args, argc, argv);

    if (exit_code >= 0)
        return exit_code;
    if (!xl_count_args(xl, argc, 2, 2))
        return XL_USAGE;
    args.host = argv[optind + 1];
    if (!args.transport && args.host[0] == '-') {
        xl_error(xl, "\"%s\" is not the name of a host", args.host);
        return XL_USAGE;
    }
    if (!xl_find_domain(xl, argv[optind], &args.domid))
        return XL_FAILED;
    return migrate_with_config(xl, &args);
}
