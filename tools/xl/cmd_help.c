/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_help.c - xl help [COMMAND] */
#include "xl.h"

int xl_cmd_help(struct xl *xl, int argc, char **argv)
{
    static const struct option longs[] = {{"long", no_argument, NULL, 'l'},
                                          {0}};
    const struct xl_command *cmd;
    const char *why;
    int exit_code, c;

    while ((c = xl_getopt(xl, argc, argv, "", longs, &exit_code)) !=
           XL_OPT_END) {
        if (c == XL_OPT_EXIT)
            return exit_code;
    }
    if (!xl_count_args(xl, argc, 0, 1))
        return XL_USAGE;
    if (optind == argc) {
        printf("Usage: xl [-vfNtT] COMMAND [ARGUMENTS]\n\n");
        for (cmd = xl_commands; cmd->name; cmd++)
            printf(" %-12s %s\n", cmd->name, cmd->summary);
        printf("\n'xl help COMMAND' explains one.\n");
        return XL_OK;
    }
    cmd = xl_command_find(argv[optind]);
    if (cmd) {
        xl_usage(cmd, stdout);
        return XL_OK;
    }
    why = xl_command_not_offered(argv[optind]);
    if (why)
        xl_error(xl, "'xl %s' is not offered: %s", argv[optind], why);
    else
        xl_error(xl, "unknown command '%s'", argv[optind]);
    return XL_FAILED;
}
