/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_trigger.c - xl trigger DOMAIN NAME [VCPU], xl sysrq DOMAIN LETTER */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xl.h"

static bool trigger_of(const char *name, libxl_trigger *out)
{
    static const struct {
        const char *name;
        libxl_trigger trigger;
    } names[] = {
        {"power", LIBXL_TRIGGER_POWER}, {"sleep", LIBXL_TRIGGER_SLEEP},
        {"nmi", LIBXL_TRIGGER_NMI},     {"init", LIBXL_TRIGGER_INIT},
        {"reset", LIBXL_TRIGGER_RESET}, {"s3resume", LIBXL_TRIGGER_S3RESUME},
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (!strcmp(names[i].name, name)) {
            *out = names[i].trigger;
            return true;
        }
    }
    return false;
}

int xl_cmd_trigger(struct xl *xl, int argc, char **argv)
{
    libxl_trigger trigger;
    unsigned long vcpu = 0;
    uint32_t domid;
    int exit_code;
    char *end;

    if (!xl_args_only(xl, argc, argv, 2, 3, &exit_code))
        return exit_code;
    if (!trigger_of(argv[optind + 1], &trigger)) {
        xl_error(xl,
                 "unknown trigger '%s' (power, sleep, nmi, init, reset or "
                 "s3resume)",
                 argv[optind + 1]);
        return XL_FAILED;
    }
    if (optind + 2 < argc) {
        errno = 0;
        vcpu = strtoul(argv[optind + 2], &end, 10);
        if (errno || end == argv[optind + 2] || *end || vcpu > 65535) {
            xl_error(xl, "'%s' is not a vcpu's number", argv[optind + 2]);
            return XL_FAILED;
        }
    }
    if (!xl_find_domain(xl, argv[optind], &domid))
        return XL_FAILED;
    return libxl_send_trigger(xl->ctx, domid, trigger, (uint32_t)vcpu, NULL)
               ? XL_FAILED
               : XL_OK;
}

int xl_cmd_sysrq(struct xl *xl, int argc, char **argv)
{
    const char *key;
    uint32_t domid;
    int exit_code;

    if (!xl_args_only(xl, argc, argv, 2, 2, &exit_code))
        return exit_code;
    key = argv[optind + 1];
    if (!key[0] || key[1]) {
        xl_error(xl, "'%s' is not one letter", key);
        return XL_FAILED;
    }
    if (!xl_find_domain(xl, argv[optind], &domid))
        return XL_FAILED;
    return libxl_send_sysrq(xl->ctx, domid, key[0]) ? XL_FAILED : XL_OK;
}
