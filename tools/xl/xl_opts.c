/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xl_opts.c - options and arguments of a command, and its usage. */
#include <stdio.h>
#include <string.h>

#include "xl.h"
#include "xl_suggest.h"

void xl_usage(const struct xl_command *cmd, FILE *to)
{
    fprintf(to, "Usage: xl [-vfN] %s%s%s\n\n%s.\n", cmd->name,
            cmd->args[0] ? " " : "", cmd->args, cmd->summary);
    if (cmd->options)
        fprintf(to, "\nOptions:\n%s", cmd->options);
}

static void hint(struct xl *xl)
{
    fprintf(stderr, "Usage: xl %s%s%s   (more: xl help %s)\n",
            xl->command->name, xl->command->args[0] ? " " : "",
            xl->command->args, xl->command->name);
}

/* What getopt did not like: optopt is 0 for a long option. */
static void bad_option(struct xl *xl, char **argv, int c,
                       const struct option *longs)
{
    struct xl_suggest near;
    const char *typed = argv[optind - 1];

    if (c == ':') {
        xl_error(xl, "option %s wants a value", typed);
        return;
    }
    if (strncmp(typed, "--", 2)) {
        xl_error(xl, "unknown option -%c", optopt ? optopt : typed[1]);
        return;
    }
    xl_suggest_begin(&near, typed + 2);
    for (; longs->name; longs++)
        xl_suggest_consider(&near, longs->name);
    if (near.best)
        xl_error(xl, "unknown option %s: did you mean --%s?", typed, near.best);
    else
        xl_error(xl, "unknown option %s", typed);
}

int xl_getopt(struct xl *xl, int argc, char **argv, const char *shorts,
              const struct option *longs, int *exit_code)
{
    static const struct option none[] = {{0}};
    struct option all[24] = {{"help", no_argument, NULL, 'h'}};
    char with_help[64];
    int c;

    if (!longs)
        longs = none;
    for (size_t i = 0; i < 22 && longs[i].name; i++)
        all[i + 1] = longs[i];
    /* '+', options end at the first argument, has to be the first letter */
    snprintf(with_help, sizeof(with_help), "%s:h%s", *shorts == '+' ? "+" : "",
             shorts + (*shorts == '+'));
    opterr = 0;
    c = getopt_long(argc, argv, with_help, all, NULL);
    if (c == 'h') {
        xl_usage(xl->command, stdout);
        *exit_code = XL_OK;
        return XL_OPT_EXIT;
    }
    if (c == '?' || c == ':') {
        bad_option(xl, argv, c, all);
        hint(xl);
        *exit_code = XL_USAGE;
        return XL_OPT_EXIT;
    }
    return c;
}

bool xl_count_args(struct xl *xl, int argc, int min, int max)
{
    int n = argc - optind;

    if (n >= min && n <= max)
        return true;
    xl_error(xl, "'xl %s' has too %s arguments", xl->command->name,
             n < min ? "few" : "many");
    hint(xl);
    return false;
}

bool xl_args_only(struct xl *xl, int argc, char **argv, int min, int max,
                  int *exit_code)
{
    if (xl_getopt(xl, argc, argv, "", NULL, exit_code) == XL_OPT_EXIT)
        return false;
    *exit_code = XL_USAGE;
    return xl_count_args(xl, argc, min, max);
}
