/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xl_readcfg.c - a configuration file and the command line's additions. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "xl.h"
#include "xl_cfg.h"
#include "xl_config.h"

/* Also from pipes (process substitution); bounded. NULL: said why. */
static char *read_all(struct xl *xl, FILE *f, const char *path, size_t *bytes)
{
    char *text = malloc(XL_CFG_TEXT_MAX + 2);

    if (!text) {
        xl_error(xl, "%s: no memory", path);
        return NULL;
    }
    *bytes = fread(text, 1, XL_CFG_TEXT_MAX + 1, f);
    if (ferror(f))
        xl_error(xl, "configuration %s cannot be read: %s", path,
                 strerror(errno));
    else if (*bytes > XL_CFG_TEXT_MAX)
        xl_error(xl, "configuration %s is larger than %u bytes", path,
                 XL_CFG_TEXT_MAX);
    else
        return text;
    free(text);
    return NULL;
}

static bool parse_file(struct xl *xl, struct xl_cfg *cfg, const char *path)
{
    bool from_stdin = !strcmp(path, "-");
    FILE *f = from_stdin ? stdin : fopen(path, "re");
    const char *source = from_stdin ? "(stdin)" : path;
    struct xl_cfg_error err;
    size_t bytes;
    char *text;
    bool ok;

    if (!f) {
        xl_error(xl, "configuration %s cannot be opened: %s", path,
                 strerror(errno));
        return false;
    }
    text = read_all(xl, f, source, &bytes);
    if (!from_stdin)
        fclose(f);
    if (!text)
        return false;
    ok = xl_cfg_parse(cfg, source, text, bytes, false, &err);
    free(text);
    if (!ok)
        xl_error(xl, "%s", err.text);
    return ok;
}

static void warn(void *user, const char *text)
{
    xl_warn(user, "%s", text);
}

static bool build(struct xl *xl, const struct xl_cfg *cfg,
                  libxl_domain_config *config)
{
    struct xl_cfg_error err;

    if (!xl_config_build(cfg, config, warn, xl, &err)) {
        xl_error(xl, "%s", err.text);
        return false;
    }
    if (libxl_domain_config_check(xl->ctx, config)) {
        libxl_domain_config_dispose(config);
        return false;
    }
    return true;
}

bool xl_config_from_text(struct xl *xl, const char *source, const char *text,
                         libxl_domain_config *config)
{
    struct xl_cfg_error err;
    struct xl_cfg cfg;
    bool ok;

    xl_cfg_init(&cfg);
    ok = xl_cfg_parse(&cfg, source, text, strlen(text), false, &err);
    if (!ok)
        xl_error(xl, "%s", err.text);
    ok = ok && build(xl, &cfg, config);
    xl_cfg_free(&cfg);
    return ok;
}

bool xl_read_config(struct xl *xl, const char *path, char *const *more,
                    libxl_domain_config *config)
{
    struct xl_cfg_error err;
    struct xl_cfg cfg;
    bool ok;

    xl_cfg_init(&cfg);
    ok = !path || parse_file(xl, &cfg, path);
    for (; ok && more && *more; more++) {
        ok = xl_cfg_parse(&cfg, "command line", *more, strlen(*more), true,
                          &err);
        if (!ok)
            xl_error(xl, "%s, in: %s", err.text, *more);
    }
    ok = ok && build(xl, &cfg, config);
    xl_cfg_free(&cfg);
    return ok;
}
