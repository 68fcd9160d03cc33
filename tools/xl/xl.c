/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xl.c - global options, the command, and its exit code. */
#include <stdio.h>
#include <string.h>

#include "xl.h"
#include "xl_suggest.h"

static void short_usage(FILE *to)
{
    fprintf(to, "Usage: xl [-vfNtT] COMMAND [ARGUMENTS]\n"
                "'xl help' lists the commands, 'xl help COMMAND' explains "
                "one.\n");
}

/* -1: go on; else an exit code */
static int global_options(struct xl *xl, int argc, char **argv,
                          bool *always_bar)
{
    int c;

    opterr = 0;
    while ((c = getopt(argc, argv, "+hvfNtT")) != -1) {
        switch (c) {
        case 'h':
            short_usage(stdout);
            return XL_OK;
        case 'v':
            xl->verbose++;
            break;
        case 'f':
            xl->force = true;
            break;
        case 'N':
            xl->dry_run = true;
            break;
        case 't':
            *always_bar = true;
            break;
        case 'T':
            xl->timestamps = true;
            break;
        default:
            xl_error(xl, "unknown option %s", argv[optind - 1]);
            short_usage(stderr);
            return XL_USAGE;
        }
    }
    return -1;
}

static int unknown_command(struct xl *xl, const char *name)
{
    const char *why = xl_command_not_offered(name);
    struct xl_suggest near;

    if (why) {
        xl_error(xl, "'xl %s' is not offered: %s", name, why);
        return XL_FAILED;
    }
    xl_suggest_begin(&near, name);
    for (const struct xl_command *cmd = xl_commands; cmd->name; cmd++)
        xl_suggest_consider(&near, cmd->name);
    if (near.best)
        xl_error(xl, "unknown command '%s': did you mean '%s'?", name,
                 near.best);
    else
        xl_error(xl, "unknown command '%s' ('xl help' lists them)", name);
    return XL_USAGE;
}

static int run(struct xl *xl, int argc, char **argv)
{
    const struct xl_command *cmd = xl->command;
    int exit_code;

    if (!cmd->no_ctx &&
        libxl_ctx_alloc(&xl->ctx, LIBXL_VERSION, 0, &xl->logger)) {
        xl_error(xl, "the toolstack could not be started");
        return XL_FAILED;
    }
    optind = 0; /* getopt starts anew, on the command's own options */
    exit_code = cmd->run(xl, argc, argv);
    xl_progress_break(&xl->progress);
    if (xl->ctx)
        libxl_ctx_free(xl->ctx);
    xl->ctx = NULL;
    if (!xl_stdout_ok(xl) && exit_code == XL_OK)
        exit_code = XL_FAILED;
    return exit_code;
}

/* -N: nothing is done. create has a dry run of its own. */
static int dry_run(struct xl *xl, int argc, char **argv)
{
    if (!strcmp(xl->command->name, "create"))
        return -1;
    printf("would run: xl");
    for (int i = 0; i < argc; i++)
        printf(" %s", argv[i]);
    printf("\n");
    return xl_stdout_ok(xl) ? XL_OK : XL_FAILED;
}

int main(int argc, char **argv)
{
    struct xl xl = {.ctx = NULL};
    bool always_bar = false;
    int exit_code;

    xl_log_init(&xl);
    xl_progress_init(&xl.progress, false);
    exit_code = global_options(&xl, argc, argv, &always_bar);
    if (exit_code >= 0)
        return exit_code;
    xl_progress_init(&xl.progress, always_bar);
    argc -= optind;
    argv += optind;
    if (argc == 0) {
        short_usage(stderr);
        return XL_USAGE;
    }
    xl.command = xl_command_find(argv[0]);
    if (!xl.command)
        return unknown_command(&xl, argv[0]);
    if (xl.dry_run) {
        exit_code = dry_run(&xl, argc, argv);
        if (exit_code >= 0)
            return exit_code;
    }
    return run(&xl, argc, argv);
}
