/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xl_config.h - xl.cfg's settings to a domain's configuration. Pure.
 *
 * Every key of xl.cfg(5) has a row in xl_keys: taken, warned about, or refused
 * by name. A key that has none is warned about too.
 */
#ifndef XL_CONFIG_H
#define XL_CONFIG_H

#include <libxl.h>

#include "xl_cfg.h"

typedef void xl_config_warn(void *user, const char *text);

struct xl_config_build {
    const struct xl_cfg *cfg;
    libxl_domain_config *config;
    struct xl_cfg_error *err;
    xl_config_warn *warn;
    void *user;
    const struct xl_cfg_setting *at; /* the setting that is being taken */
};

enum xl_key_how {
    XL_KEY_STRING,  /* to the char * at offset */
    XL_KEY_STRINGS, /* a list or one string, to the char ** at offset */
    XL_KEY_BOOL,
    XL_KEY_INT,
    XL_KEY_KIB_OF_MIB, /* uint64_t KiB at offset, MiB in the file */
    XL_KEY_ACTION,
    XL_KEY_SPECIAL,   /* apply */
    XL_KEY_NO_EFFECT, /* warned about, with say */
    XL_KEY_OFF_ONLY,  /* refused, with say, unless it is off or empty */
};

struct xl_key {
    const char *name;
    enum xl_key_how how;
    size_t offset; /* in libxl_domain_config */
    int min, max;  /* XL_KEY_INT */
    bool (*apply)(struct xl_config_build *b, const struct xl_cfg_value *v);
    const char *say;
};

extern const struct xl_key xl_keys[]; /* ends with a NULL name */

/* config is initialised here, and disposed again if false is returned. */
bool xl_config_build(const struct xl_cfg *cfg, libxl_domain_config *config,
                     xl_config_warn *warn, void *user,
                     struct xl_cfg_error *err);

/* ---- for the special keys (xl_config_special.c) ---- */

/* false: err names the setting's place and the reason. */
bool xl_config_refuse(struct xl_config_build *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void xl_config_warning(struct xl_config_build *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
bool xl_config_text(struct xl_config_build *b, const struct xl_cfg_value *v,
                    char **at);
bool xl_config_int(struct xl_config_build *b, const struct xl_cfg_value *v,
                   int64_t min, int64_t max, int64_t *out);

bool xl_config_type(struct xl_config_build *b, const struct xl_cfg_value *v);
bool xl_config_builder(struct xl_config_build *b, const struct xl_cfg_value *v);
bool xl_config_uuid(struct xl_config_build *b, const struct xl_cfg_value *v);
bool xl_config_memory(struct xl_config_build *b, const struct xl_cfg_value *v);
bool xl_config_vcpus(struct xl_config_build *b, const struct xl_cfg_value *v);
bool xl_config_cmdline(struct xl_config_build *b, const struct xl_cfg_value *v);
bool xl_config_firmware(struct xl_config_build *b,
                        const struct xl_cfg_value *v);
bool xl_config_bios(struct xl_config_build *b, const struct xl_cfg_value *v);
bool xl_config_disks(struct xl_config_build *b, const struct xl_cfg_value *v);
bool xl_config_vifs(struct xl_config_build *b, const struct xl_cfg_value *v);
bool xl_config_vfio_users(struct xl_config_build *b,
                          const struct xl_cfg_value *v);
bool xl_config_vga(struct xl_config_build *b, const struct xl_cfg_value *v);
bool xl_config_stdvga(struct xl_config_build *b, const struct xl_cfg_value *v);
bool xl_config_nographic(struct xl_config_build *b,
                         const struct xl_cfg_value *v);
bool xl_config_vnclisten(struct xl_config_build *b,
                         const struct xl_cfg_value *v);
bool xl_config_rtc(struct xl_config_build *b, const struct xl_cfg_value *v);
bool xl_config_dm_version(struct xl_config_build *b,
                          const struct xl_cfg_value *v);
bool xl_config_dm_args(struct xl_config_build *b, const struct xl_cfg_value *v);
bool xl_config_on(struct xl_config_build *b, const struct xl_cfg_value *v);
bool xl_config_hdtype(struct xl_config_build *b, const struct xl_cfg_value *v);
bool xl_config_default_word(struct xl_config_build *b,
                            const struct xl_cfg_value *v);

#endif
