/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_save.c - xl save [-c] [-p] [-D] [--live] [--native] [--json] DOMAIN FILE
 * [CONFIG] */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xl.h"

struct save_args {
    libxl_save_how how;
    bool json;
    uint32_t domid;
    const char *config_path;
};

/* What a failure means to who called: the library has said why. */
static void explain(struct xl *xl, const struct save_args *args, int rc)
{
    bool direct = !strcmp(args->how.path, "-");

    if (rc == ERROR_ABORTED)
        xl_error(xl, "interrupted: %s was not saved and goes on as before%s%s",
                 xl->progress.name, direct ? "" : "; no file was made of ",
                 direct ? "" : args->how.path);
}

/* A pipe's reader, or a device, may have lost what it accepted. */
static bool is_checked(const libxl_save_how *how)
{
    struct stat st;
    int r = strcmp(how->path, "-") ? stat(how->path, &st) : fstat(how->fd, &st);

    return !r && S_ISREG(st.st_mode);
}

static void say_unchecked(struct xl *xl, const struct save_args *args)
{
    if (args->how.then == LIBXL_SAVE_THEN_DESTROY)
        xl_say(xl,
               "%s is saved and gone; what became of its state at the other "
               "end of %s was not checked",
               xl->progress.name,
               strcmp(args->how.path, "-") ? args->how.path
                                           : "standard output");
}

static void result_json(struct xl *xl, const struct save_args *args, int rc)
{
    if (!args->json)
        return;
    fprintf(xl->progress.to,
            "{\"event\":\"done\",\"what\":\"save\",\"domid\":%u,\"ok\":%s,"
            "\"file\":",
            args->domid, rc ? "false" : "true");
    xl_json_string(xl->progress.to, args->how.path);
    fputs("}\n", xl->progress.to);
    fflush(xl->progress.to);
}

static int save(struct xl *xl, struct save_args *args)
{
    char *name = xl_domain_name(xl, args->domid);
    int rc;

    if (!name) {
        xl_error(xl, "no memory");
        return XL_FAILED;
    }
    xl->progress.name = name;
    if (args->json)
        xl_progress_json(&xl->progress,
                         args->how.fd == STDOUT_FILENO ? stderr : stdout);
    xl_interruptible_begin(xl);
    rc = libxl_domain_save_file(xl->ctx, args->domid, &args->how, NULL);
    xl_interruptible_end(xl);
    xl_progress_break(&xl->progress);
    if (rc)
        explain(xl, args, rc);
    else if (!is_checked(&args->how))
        say_unchecked(xl, args);
    result_json(xl, args, rc);
    xl->progress.name = NULL;
    free(name);
    return rc ? XL_FAILED : XL_OK;
}

static int save_with_config(struct xl *xl, struct save_args *args)
{
    libxl_domain_config config;
    int exit_code;

    if (!args->config_path)
        return save(xl, args);
    if (!xl_read_config_of(xl, args->config_path, args->domid, &config))
        return XL_FAILED;
    args->how.config = &config;
    exit_code = save(xl, args);
    args->how.config = NULL;
    libxl_domain_config_dispose(&config);
    return exit_code;
}

/* -1: go on */
static int options(struct xl *xl, struct save_args *args, int argc, char **argv)
{
    static const struct option longs[] = {{"live", no_argument, NULL, 'l'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"native", no_argument, NULL, 'n'},
                                          {0}};
    bool resume = false, pause = false;
    int exit_code, c;

    while ((c = xl_getopt(xl, argc, argv, "cpD", longs, &exit_code)) !=
           XL_OPT_END) {
        switch (c) {
        case XL_OPT_EXIT:
            return exit_code;
        case 'c':
            resume = true;
            break;
        case 'p':
            pause = true;
            break;
        case 'D':
            args->how.preserve_domid = true;
            break;
        case 'l':
            args->how.flags |= LIBXL_SUSPEND_LIVE;
            break;
        case 'j':
            args->json = true;
            break;
        case 'n':
            args->how.native = true;
            break;
        }
    }
    if (resume && pause) {
        xl_error(xl, "-c (run on) and -p (stay paused) exclude each other");
        return XL_USAGE;
    }
    args->how.then = resume  ? LIBXL_SAVE_THEN_RESUME
                     : pause ? LIBXL_SAVE_THEN_PAUSE
                             : LIBXL_SAVE_THEN_DESTROY;
    return -1;
}

int xl_cmd_save(struct xl *xl, int argc, char **argv)
{
    struct save_args args = {.how = {.fd = -1}};
    int exit_code = options(xl, &args, argc, argv);

    if (exit_code >= 0)
        return exit_code;
    if (!xl_count_args(xl, argc, 2, 3))
        return XL_USAGE;
    args.how.path = argv[optind + 1];
    args.config_path = optind + 2 < argc ? argv[optind + 2] : NULL;
    if (!strcmp(args.how.path, "-")) {
        args.how.fd = STDOUT_FILENO;
        if (isatty(STDOUT_FILENO)) {
            xl_error(xl, "a domain is not saved to a terminal: name a file, or "
                         "send the output to one");
            return XL_FAILED;
        }
    }
    if (!xl_find_domain(xl, argv[optind], &args.domid))
        return XL_FAILED;
    return save_with_config(xl, &args);
}
