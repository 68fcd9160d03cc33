/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cmd_migrate_receive.c - xl migrate-receive [-F] [-e] [-d] [-p]: the other end
 * of xl migrate, run by it through ssh or what else there is.
 *
 * stdin and stdout belong to the handshake; whatever is for people goes to
 * stderr.
 */
#include <unistd.h>

#include "xl.h"

struct receive_args {
    libxl_migrate_receive_how how;
    bool foreground;
};

static int receive(struct xl *xl, struct receive_args *args)
{
    uint32_t domid = INVALID_DOMID;
    int rc;

    args->how.in_fd = STDIN_FILENO;
    args->how.out_fd = STDOUT_FILENO;
    xl_interruptible_begin(xl);
    rc = libxl_domain_migrate_receive(xl->ctx, &args->how, &domid, NULL);
    xl_interruptible_end(xl);
    xl_progress_break(&xl->progress);
    if (rc)
        return XL_FAILED;
    if (domid == INVALID_DOMID) /* a question, and it was answered */
        return XL_OK;
    return args->foreground ? xl_wait_gone(xl, domid) : XL_OK;
}

int xl_cmd_migrate_receive(struct xl *xl, int argc, char **argv)
{
    static const struct option longs[] = {
        {"colo", no_argument, NULL, 'r'},
        {"coloft-script", required_argument, NULL, 'r'},
        {"userspace-colo-proxy", no_argument, NULL, 'r'},
        {0}};
    struct receive_args args = {.how.restart = true};
    int exit_code, c;

    while ((c = xl_getopt(xl, argc, argv, "Fedrp", longs, &exit_code)) !=
           XL_OPT_END) {
        switch (c) {
        case XL_OPT_EXIT:
            return exit_code;
        case 'F':
            args.foreground = true;
            break;
        case 'e':
            args.how.restart = false;
            break;
        case 'd': /* says more: the library logs it with -v */
            break;
        case 'p':
            args.how.paused = true;
            break;
        default:
            xl_error(xl, "checkpointed streams (Remus, COLO) are not offered");
            return XL_FAILED;
        }
    }
    if (!xl_count_args(xl, argc, 0, 0))
        return XL_USAGE;
    if (isatty(STDIN_FILENO) || isatty(STDOUT_FILENO)) {
        xl_error(xl, "migrate-receive is run by 'xl migrate' on the other "
                     "host, not by people");
        return XL_FAILED;
    }
    return receive(xl, &args);
}
