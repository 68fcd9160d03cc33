/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xl.cfg: text, settings, configuration. The first byte chooses between a file
 * and a command line. */
#include <stdint.h>

#include "xl_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void warn(void *user, const char *text)
{
    (void)user;
    (void)text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct xl_cfg_error err;
    libxl_domain_config config;
    struct xl_cfg cfg;

    if (size == 0)
        return 0;
    xl_cfg_init(&cfg);
    if (xl_cfg_parse(&cfg, "f", (const char *)data + 1, size - 1, data[0] & 1,
                     &err) &&
        xl_config_build(&cfg, &config, warn, NULL, &err))
        libxl_domain_config_dispose(&config);
    xl_cfg_free(&cfg);
    return 0;
}
