/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_restore.c - xl restore [-p] [-c] [-F] [-e] [-d] [--json] [CONFIG] FILE */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xl.h"

/* xl's header: mandatory flags (docs/specs/xl-header.md) */
#define FLAG_JSON 1u
#define FLAG_STREAM_V2 2u

struct restore_args {
    const char *path;
    const char *config_path;
    bool show, json;
    struct xl_start start;
};

static int open_file(struct xl *xl, const char *path)
{
    int fd;

    if (!strcmp(path, "-")) {
        if (!isatty(STDIN_FILENO))
            return STDIN_FILENO;
        xl_error(xl, "a domain is not restored from a terminal: name a file");
        return -1;
    }
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        xl_error(xl, "%s cannot be opened: %s", path, strerror(errno));
    return fd;
}

/* The one in the file: before xl 4.5 it was the text of xl.cfg. */
static bool stored_config(struct xl *xl, const struct restore_args *args,
                          uint32_t flags, const char *stored,
                          libxl_domain_config *config)
{
    if (!(flags & FLAG_JSON))
        return xl_config_from_text(xl, args->path, stored, config);
    return !libxl_domain_config_from_json(xl->ctx, config, stored);
}

static bool get_config(struct xl *xl, const struct restore_args *args,
                       uint32_t flags, const char *stored,
                       libxl_domain_config *config)
{
    libxl_domain_config own;
    bool ok;

    if (!stored && args->config_path)
        return xl_read_config(xl, args->config_path, NULL, config);
    if (!stored) {
        xl_error(xl, "%s holds no configuration: use 'xl restore CONFIG %s'",
                 args->path, args->path);
        return false;
    }
    if (!args->config_path)
        return stored_config(xl, args, flags, stored, config);
    if (!stored_config(xl, args, flags, stored, &own))
        return false;
    ok = xl_read_config_like(xl, args->config_path, &own, config);
    libxl_domain_config_dispose(&own);
    return ok;
}

static bool show_config(struct xl *xl, const libxl_domain_config *config)
{
    char *json = libxl_domain_config_to_json(xl->ctx, config);

    if (!json)
        return false;
    fputs(json, stderr);
    free(json);
    return true;
}

static void result_json(struct xl *xl, const struct restore_args *args,
                        uint32_t domid, int exit_code)
{
    if (!args->json)
        return;
    fprintf(xl->progress.to, "{\"event\":\"done\",\"what\":\"restore\",");
    if (domid != INVALID_DOMID)
        fprintf(xl->progress.to, "\"domid\":%u,", domid);
    fprintf(xl->progress.to,
            "\"ok\":%s,\"file\":", exit_code ? "false" : "true");
    xl_json_string(xl->progress.to, args->path);
    fputs("}\n", xl->progress.to);
    fflush(xl->progress.to);
}

static int restore(struct xl *xl, const struct restore_args *args, int fd,
                   uint32_t flags, libxl_domain_config *config)
{
    uint32_t domid = INVALID_DOMID;
    int rc, exit_code = XL_FAILED;

    xl->progress.name = config->c_info.name;
    if (args->json)
        xl_progress_json(&xl->progress, stdout);
    xl_interruptible_begin(xl);
    rc =
        libxl_domain_create_restore(xl->ctx, config, &domid, fd,
                                    flags & FLAG_STREAM_V2 ? 2 : 1, NULL, NULL);
    xl_interruptible_end(xl);
    xl_progress_break(&xl->progress);
    xl->progress.name = NULL;
    if (rc == ERROR_ABORTED)
        xl_error(xl, "interrupted: nothing was restored; %s is as it was",
                 args->path);
    if (!rc)
        exit_code = xl_start_domain(xl, domid, &args->start);
    result_json(xl, args, domid, exit_code);
    return exit_code;
}

static int restore_fd(struct xl *xl, const struct restore_args *args, int fd)
{
    libxl_domain_config config;
    uint32_t mandatory, optional;
    char *stored = NULL;
    bool ok;
    int exit_code;

    if (libxl_savefile_read_header(xl->ctx, fd, args->path, &mandatory,
                                   &optional, &stored))
        return XL_FAILED;
    ok = get_config(xl, args, mandatory, stored, &config);
    free(stored);
    if (!ok)
        return XL_FAILED;
    exit_code = args->show && !show_config(xl, &config)
                    ? XL_FAILED
                    : restore(xl, args, fd, mandatory, &config);
    libxl_domain_config_dispose(&config);
    return exit_code;
}

/* -1: go on */
static int options(struct xl *xl, struct restore_args *args, int argc,
                   char **argv)
{
    static const struct option longs[] = {
        {"json", no_argument, NULL, 'j'},
        {"vncviewer", no_argument, NULL, 'V'},
        {"vncviewer-autopass", no_argument, NULL, 'A'},
        {0}};
    int exit_code, c;

    while ((c = xl_getopt(xl, argc, argv, "pcFedVA", longs, &exit_code)) !=
           XL_OPT_END) {
        switch (c) {
        case XL_OPT_EXIT:
            return exit_code;
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
        case 'j':
            args->json = true;
            break;
        default:
            xl_error(xl, "xl starts no VNC viewer: run one yourself");
            return XL_FAILED;
        }
    }
    return -1;
}

int xl_cmd_restore(struct xl *xl, int argc, char **argv)
{
    struct restore_args args = {.path = NULL};
    int exit_code = options(xl, &args, argc, argv);
    int fd;

    if (exit_code >= 0)
        return exit_code;
    if (!xl_count_args(xl, argc, 1, 2))
        return XL_USAGE;
    args.path = argv[argc - 1];
    args.config_path = argc - optind == 2 ? argv[optind] : NULL;
    fd = open_file(xl, args.path);
    if (fd < 0)
        return XL_FAILED;
    exit_code = restore_fd(xl, &args, fd);
    if (fd != STDIN_FILENO)
        close(fd);
    return exit_code;
}
