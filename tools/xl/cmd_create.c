/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_create.c - xl create [OPTIONS] [CONFIG] [KEY=VALUE ...] */
#include <stdlib.h>
#include <string.h>

#include "xl.h"

struct create_args {
    const char *path;
    char **more; /* KEY=VALUE, NULL-terminated */
    bool quiet, dry_run, show;
    struct xl_start start;
};

static bool print_config(struct xl *xl, const libxl_domain_config *config,
                         FILE *to)
{
    char *json = libxl_domain_config_to_json(xl->ctx, config);

    if (!json)
        return false;
    fputs(json, to);
    free(json);
    return true;
}

static int create(struct xl *xl, const struct create_args *args,
                  libxl_domain_config *config)
{
    uint32_t domid = INVALID_DOMID;
    int rc;

    if (args->dry_run)
        return print_config(xl, config, stdout) ? XL_OK : XL_FAILED;
    if (args->show && !print_config(xl, config, stderr))
        return XL_FAILED;
    xl->progress.name = config->c_info.name;
    xl_interruptible_begin(xl);
    rc = libxl_domain_create_new(xl->ctx, config, &domid, NULL, NULL);
    xl_interruptible_end(xl);
    if (rc == ERROR_ABORTED)
        xl_error(xl, "interrupted: %s was not created", config->c_info.name);
    if (rc)
        return XL_FAILED;
    return xl_start_domain(xl, domid, &args->start);
}

/* 'xl create -f FILE' and 'xl create FILE' are the same; the rest are
 * settings. */
static bool positional(struct xl *xl, struct create_args *args, int argc,
                       char **argv)
{
    int n = 0;

    args->more = calloc((size_t)(argc - optind) + 1, sizeof(char *));
    if (!args->more) {
        xl_error(xl, "no memory");
        return false;
    }
    for (int i = optind; i < argc; i++) {
        if (strchr(argv[i], '=')) {
            args->more[n++] = argv[i];
        } else if (!args->path) {
            args->path = argv[i];
        } else {
            xl_error(xl, "two configuration files: %s and %s", args->path,
                     argv[i]);
            return false;
        }
    }
    if (!args->path && !n) {
        xl_error(xl, "'xl create' wants a configuration file, or settings "
                     "(name=... memory=...)");
        return false;
    }
    return true;
}

/* -1: go on */
static int options(struct xl *xl, struct create_args *args, int argc,
                   char **argv)
{
    static const struct option longs[] = {
        {"quiet", no_argument, NULL, 'q'},
        {"dryrun", no_argument, NULL, 'n'},
        {"defconfig", required_argument, NULL, 'f'},
        {"vncviewer", no_argument, NULL, 'V'},
        {"vncviewer-autopass", no_argument, NULL, 'A'},
        {"ignore-global-affinity-masks", no_argument, NULL, 'i'},
        {0}};
    int exit_code, c;

    while ((c = xl_getopt(xl, argc, argv, "qf:npcFedVA", longs, &exit_code)) !=
           XL_OPT_END) {
        switch (c) {
        case XL_OPT_EXIT:
            return exit_code;
        case 'q':
            args->quiet = true;
            break;
        case 'f':
            args->path = optarg;
            break;
        case 'n':
            args->dry_run = true;
            break;
        case 'p':
            args->start.paused = true;
            break;
        case 'c':
            args->start.console = true;
            break;
        case 'F':
            args->start.foreground = true;
            break;
        case 'e':
            args->start.no_restart = true;
            break;
        case 'd':
            args->show = true;
            break;
        case 'V':
        case 'A':
            xl_error(xl, "xl starts no VNC viewer: run one yourself, see "
                         "vncdisplay in xl.cfg(5)");
            return XL_FAILED;
        default:
            xl_warn(xl, "--ignore-global-affinity-masks has no effect: there "
                        "are none here");
            break;
        }
    }
    return -1;
}

int xl_cmd_create(struct xl *xl, int argc, char **argv)
{
    struct create_args args = {.dry_run = xl->dry_run};
    libxl_domain_config config;
    int exit_code = options(xl, &args, argc, argv);

    if (exit_code >= 0)
        return exit_code;
    exit_code = XL_FAILED;
    if (!positional(xl, &args, argc, argv)) {
        exit_code = XL_USAGE;
        goto out;
    }
    if (args.path && !args.quiet)
        fprintf(stderr, "Parsing config from %s\n", args.path);
    if (!xl_read_config(xl, args.path, args.more, &config))
        goto out;
    exit_code = create(xl, &args, &config);
    libxl_domain_config_dispose(&config);

out:
    free(args.more);
    return exit_code;
}
