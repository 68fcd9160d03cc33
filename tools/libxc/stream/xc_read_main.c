/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xc-read - read a libxc stream from stdin into a fake domain, and say whether
 * it obeys the rules: exit 0, or 1 with the message on stderr.
 *
 *   xc-read [--type hvm|pv] [--pages N] [--qemu]
 *
 * For comparing our reader with others; it is not installed.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stream/xc_sr.h"

#define DEFAULT_PAGES (UINT64_C(1) << 20) /* 4 GiB */

static void say(void *data, enum xc_log_level level, int errnoval,
                const char *text)
{
    if (level >= XC_LOG_WARN)
        fprintf(stderr, "xc-read: %s\n", text);
}

static int usage(void)
{
    fputs("usage: xc-read [--type hvm|pv] [--pages N] [--qemu] < STREAM\n",
          stderr);
    return 2;
}

static bool parse_type(const char *text, enum xc_guest_type *out)
{
    if (strcmp(text, "hvm") == 0)
        *out = XC_GUEST_HVM;
    else if (strcmp(text, "pv") == 0)
        *out = XC_GUEST_PV;
    else
        return false;
    return true;
}

static bool parse_pages(const char *text, xc_pfn_t *out)
{
    char *end;

    *out = strtoull(text, &end, 0);
    return *text && !*end && *out && *out < (UINT64_C(1) << 34);
}

static bool parse(int argc, char **argv, struct xc_hv_fake_params *p)
{
    static const struct option options[] = {
        {"type", required_argument, NULL, 't'},
        {"pages", required_argument, NULL, 'p'},
        {"qemu", no_argument, NULL, 'q'},
        {0},
    };
    bool ok = true;
    int c;

    while (ok && (c = getopt_long(argc, argv, "t:p:q", options, NULL)) != -1) {
        if (c == 't')
            ok = parse_type(optarg, &p->type);
        else if (c == 'p')
            ok = parse_pages(optarg, &p->nr_pfns);
        else if (c == 'q')
            p->qemu_host = true;
        else
            ok = false;
    }
    return ok && optind == argc;
}

int main(int argc, char **argv)
{
    struct xc_hv_fake_params fake = {
        .nr_pfns = DEFAULT_PAGES,
        .type = XC_GUEST_HVM,
    };
    struct xc_sr_restore_params p = {
        .fd = STDIN_FILENO,
        .cb = {.log = say},
    };
    struct xc_sr_restore_result result;
    int rc;

    if (!parse(argc, argv, &fake))
        return usage();
    rc = xc_hv_fake_open(&fake, &p.hv);
    if (rc) {
        fprintf(stderr, "xc-read: no memory for the fake domain: %s\n",
                strerror(-rc));
        return 1;
    }
    rc = xc_sr_restore(&p, &result);
    xc_hv_close(p.hv);
    if (!rc)
        printf("ok: %llu bytes, %llu pages with data, %llu zero\n",
               (unsigned long long)result.stats.bytes,
               (unsigned long long)result.stats.data_pages,
               (unsigned long long)result.stats.zero_pages);
    return rc ? 1 : 0;
}
