/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xl_device.c - see xl_device.h. */
#include "xl_device.h"

#include <stdlib.h>
#include <string.h>

/* The arguments as one specification, comma between them; malloc'ed. */
static char *make_spec(struct xl *xl, char **argv, int n)
{
    char *spec = strdup(n ? argv[0] : ""), *longer;

    for (int i = 1; spec && i < n; i++) {
        if (asprintf(&longer, "%s,%s", spec, argv[i]) < 0)
            longer = NULL;
        free(spec);
        spec = longer;
    }
    if (!spec)
        xl_error(xl, "no memory");
    return spec;
}

int xl_device_attach(struct xl *xl, int argc, char **argv, int least,
                     int (*attach)(struct xl *xl, uint32_t domid,
                                   const char *spec))
{
    uint32_t domid;
    int exit_code;
    char *spec;

    if (!xl_args_only(xl, argc, argv, least, argc, &exit_code))
        return exit_code;
    if (!xl_find_domain(xl, argv[optind], &domid))
        return XL_FAILED;
    spec = make_spec(xl, argv + optind + 1, argc - optind - 1);
    if (!spec)
        return XL_FAILED;
    xl_interruptible_begin(xl);
    exit_code = attach(xl, domid, spec);
    xl_interruptible_end(xl);
    free(spec);
    return exit_code;
}

static bool take_force(struct xl *xl, int argc, char **argv, bool *force,
                       int *exit_code)
{
    static const struct option longs[] = {
        {"force", no_argument, NULL, 'f'},
        {0},
    };
    int opt;

    *force = false;
    while ((opt = xl_getopt(xl, argc, argv, "f", longs, exit_code)) !=
           XL_OPT_END) {
        if (opt == XL_OPT_EXIT)
            return false;
        *force = true;
    }
    *exit_code = XL_USAGE;
    return xl_count_args(xl, argc, 2, 2);
}

int xl_device_detach(struct xl *xl, int argc, char **argv,
                     int (*detach)(struct xl *xl, uint32_t domid,
                                   const char *which, bool force))
{
    uint32_t domid;
    int exit_code;
    bool force;

    if (!take_force(xl, argc, argv, &force, &exit_code))
        return exit_code;
    if (!xl_find_domain(xl, argv[optind], &domid))
        return XL_FAILED;
    xl_interruptible_begin(xl);
    exit_code = detach(xl, domid, argv[optind + 1], force);
    xl_interruptible_end(xl);
    return exit_code;
}

/* ---- JSON ---- */

static void check(struct xl_device_list *l, yajl_gen_status status)
{
    l->ok = l->ok && status == yajl_gen_status_ok;
}

static void put_text(struct xl_device_list *l, const char *text)
{
    check(l,
          yajl_gen_string(l->gen, (const unsigned char *)text, strlen(text)));
}

void xl_device_json_text(struct xl_device_list *l, const char *key,
                         const char *text)
{
    if (!text)
        return;
    put_text(l, key);
    put_text(l, text);
}

void xl_device_json_int(struct xl_device_list *l, const char *key, int value)
{
    put_text(l, key);
    check(l, yajl_gen_integer(l->gen, value));
}

void xl_device_json_open(struct xl_device_list *l)
{
    check(l, yajl_gen_map_open(l->gen));
}

void xl_device_json_close(struct xl_device_list *l)
{
    check(l, yajl_gen_map_close(l->gen));
}

/* ---- lists ---- */

static bool print_json(struct xl *xl, struct xl_device_list *l)
{
    const unsigned char *text;
    size_t bytes;

    check(l, yajl_gen_array_close(l->gen));
    if (l->ok)
        check(l, yajl_gen_get_buf(l->gen, &text, &bytes));
    if (l->ok)
        fwrite(text, 1, bytes, stdout);
    else
        xl_error(xl, "the list cannot be written as JSON");
    return l->ok;
}

static bool begin(struct xl_device_list *l, bool json, const char *header)
{
    l->ok = true;
    if (!json)
        return puts(header) >= 0;
    l->gen = yajl_gen_alloc(NULL);
    if (!l->gen)
        return false;
    yajl_gen_config(l->gen, yajl_gen_beautify, 1);
    check(l, yajl_gen_array_open(l->gen));
    return l->ok;
}

int xl_device_lists(struct xl *xl, int argc, char **argv, const char *header,
                    bool (*show)(struct xl *xl, uint32_t domid,
                                 struct xl_device_list *list))
{
    static const struct option longs[] = {
        {"json", no_argument, NULL, 'J'},
        {0},
    };
    struct xl_device_list l = {0};
    int opt, exit_code = XL_OK;
    bool json = false;
    uint32_t domid;

    while ((opt = xl_getopt(xl, argc, argv, "", longs, &exit_code)) !=
           XL_OPT_END) {
        if (opt == XL_OPT_EXIT)
            return exit_code;
        json = true;
    }
    if (!xl_count_args(xl, argc, 1, argc))
        return XL_USAGE;
    if (!begin(&l, json, header))
        return XL_FAILED;
    for (; optind < argc; optind++)
        if (!xl_find_domain(xl, argv[optind], &domid) || !show(xl, domid, &l))
            exit_code = XL_FAILED;
    if (json && !print_json(xl, &l))
        exit_code = XL_FAILED;
    if (l.gen)
        yajl_gen_free(l.gen);
    return xl_stdout_ok(xl) ? exit_code : XL_FAILED;
}
