/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xl_config_special.c - keys of xl.cfg that are more than a value. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xl_config.h"
#include "xl_spec.h"

static const char *word_of(const struct xl_cfg_value *v)
{
    return v->kind == XL_CFG_LIST ? "" : v->text;
}

static bool set_word(struct xl_config_build *b, char **at, const char *word)
{
    free(*at);
    *at = strdup(word);
    return *at ? true : xl_config_refuse(b, "no memory");
}

/* ---- what kind of guest ---- */

bool xl_config_type(struct xl_config_build *b, const struct xl_cfg_value *v)
{
    libxl_domain_type type;

    if (!libxl_domain_type_from_string(word_of(v), &type) ||
        type == LIBXL_DOMAIN_TYPE_INVALID)
        return xl_config_refuse(b, "wants \"hvm\", \"pv\" or \"pvh\"");
    b->config->c_info.type = type;
    return true;
}

bool xl_config_builder(struct xl_config_build *b, const struct xl_cfg_value *v)
{
    bool hvm = !strcmp(word_of(v), "hvm");

    if (xl_cfg_find(b->cfg, "type")) {
        xl_config_warning(b, "has no effect beside type");
        return true;
    }
    if (!hvm && strcmp(word_of(v), "generic"))
        return xl_config_refuse(b, "is old; use type=\"hvm\" or \"pv\"");
    xl_config_warning(b, "is old; use type=\"%s\"", hvm ? "hvm" : "pv");
    b->config->c_info.type = hvm ? LIBXL_DOMAIN_TYPE_HVM : LIBXL_DOMAIN_TYPE_PV;
    return true;
}

bool xl_config_uuid(struct xl_config_build *b, const struct xl_cfg_value *v)
{
    if (!libxl_uuid_from_text(word_of(v), &b->config->c_info.uuid))
        return xl_config_refuse(b, "'%.60s' is not a UUID", word_of(v));
    return true;
}

/* ---- keys that belong together: taken at whichever comes, with the same
 * result ---- */

static bool number_of(struct xl_config_build *b, const char *key, int64_t max,
                      int64_t *out)
{
    const struct xl_cfg_setting *s = xl_cfg_find(b->cfg, key);

    return s ? xl_config_int(b, &s->value, 1, max, out) : true;
}

bool xl_config_memory(struct xl_config_build *b, const struct xl_cfg_value *v)
{
    int64_t memory = 0, maxmem = 0;

    if (!number_of(b, "memory", 1 << 24, &memory) ||
        !number_of(b, "maxmem", 1 << 24, &maxmem))
        return false;
    if (memory && maxmem && maxmem < memory)
        return xl_config_refuse(b, "maxmem (%lld) is less than memory (%lld)",
                                (long long)maxmem, (long long)memory);
    b->config->b_info.max_memkb = (uint64_t)(maxmem ? maxmem : memory) * 1024;
    b->config->b_info.target_memkb =
        (uint64_t)(memory ? memory : maxmem) * 1024;
    return true;
}

bool xl_config_vcpus(struct xl_config_build *b, const struct xl_cfg_value *v)
{
    int64_t vcpus = 0, max = 0;

    if (!number_of(b, "vcpus", 1024, &vcpus) ||
        !number_of(b, "maxvcpus", 1024, &max))
        return false;
    if (vcpus && max && max < vcpus)
        return xl_config_refuse(b, "maxvcpus (%lld) is less than vcpus (%lld)",
                                (long long)max, (long long)vcpus);
    b->config->b_info.max_vcpus = (int)(max ? max : vcpus);
    b->config->b_info.avail_vcpus = (int)(vcpus ? vcpus : max);
    return true;
}

bool xl_config_cmdline(struct xl_config_build *b, const struct xl_cfg_value *v)
{
    const struct xl_cfg_setting *cmdline = xl_cfg_find(b->cfg, "cmdline");
    const struct xl_cfg_setting *root = xl_cfg_find(b->cfg, "root");
    const struct xl_cfg_setting *extra = xl_cfg_find(b->cfg, "extra");
    char **at = &b->config->b_info.cmdline;

    if (v->kind == XL_CFG_LIST)
        return xl_config_refuse(b, "wants a string, has a list");
    if (cmdline) {
        if (b->at != cmdline)
            xl_config_warning(b, "has no effect beside cmdline");
        return xl_config_text(b, &cmdline->value, at);
    }
    free(*at);
    *at = NULL;
    if (asprintf(at, "%s%s%s%s", root ? "root=" : "",
                 root ? word_of(&root->value) : "", root && extra ? " " : "",
                 extra ? word_of(&extra->value) : "") < 0) {
        *at = NULL;
        return xl_config_refuse(b, "no memory");
    }
    return true;
}

/* ---- firmware ---- */

bool xl_config_bios(struct xl_config_build *b, const struct xl_cfg_value *v)
{
    const char *word = word_of(v);

    if (!strcmp(word, "rombios"))
        return xl_config_refuse(b, "refused: rombios needs "
                                   "qemu-xen-traditional; use seabios");
    if (strcmp(word, "seabios") && strcmp(word, "ovmf"))
        return xl_config_refuse(b, "wants \"seabios\" or \"ovmf\"");
    return set_word(b, &b->config->b_info.bios, word);
}

bool xl_config_firmware(struct xl_config_build *b, const struct xl_cfg_value *v)
{
    libxl_domain_build_info *bi = &b->config->b_info;
    const char *word = word_of(v);

    if (!strcmp(word, "bios") || !strcmp(word, "seabios"))
        return set_word(b, &bi->bios, "seabios");
    if (!strcmp(word, "uefi") || !strcmp(word, "ovmf"))
        return set_word(b, &bi->bios, "ovmf");
    if (!strcmp(word, "rombios") || !strncmp(word, "pvgrub", 6))
        return xl_config_refuse(b, "refused: %s is not offered", word);
    if (word[0] != '/')
        return xl_config_refuse(b, "wants bios, uefi, seabios, ovmf or an "
                                   "absolute path");
    return set_word(b, &bi->bios_path_override, word);
}

/* ---- devices ---- */

bool xl_config_disks(struct xl_config_build *b, const struct xl_cfg_value *v)
{
    struct xl_cfg_error why;

    if (v->kind != XL_CFG_LIST)
        return xl_config_refuse(b, "wants a list of strings");
    for (size_t i = 0; i < v->items; i++) {
        libxl_device_disk *disk;

        if (v->item[i].kind != XL_CFG_STRING)
            return xl_config_refuse(b, "entry %zu is not a string", i + 1);
        disk = libxl_domain_config_add_disk(b->config);
        if (!disk)
            return xl_config_refuse(b, "no memory, or too many disks");
        if (!xl_disk_parse(v->item[i].text, disk, &why))
            return xl_config_refuse(b, "%s", why.text);
    }
    return true;
}

bool xl_config_vifs(struct xl_config_build *b, const struct xl_cfg_value *v)
{
    struct xl_cfg_error why;

    if (v->kind != XL_CFG_LIST)
        return xl_config_refuse(b, "wants a list of strings");
    for (size_t i = 0; i < v->items; i++) {
        libxl_device_nic *nic;

        if (v->item[i].kind != XL_CFG_STRING)
            return xl_config_refuse(b, "entry %zu is not a string", i + 1);
        nic = libxl_domain_config_add_nic(b->config);
        if (!nic)
            return xl_config_refuse(b, "no memory, or too many vifs");
        nic->devid = (int)i;
        if (!xl_vif_parse(v->item[i].text, nic, &why))
            return xl_config_refuse(b, "%s", why.text);
    }
    return true;
}

bool xl_config_vfio_users(struct xl_config_build *b,
                          const struct xl_cfg_value *v)
{
    struct xl_cfg_error why;

    if (v->kind != XL_CFG_LIST)
        return xl_config_refuse(b, "wants a list of strings");
    for (size_t i = 0; i < v->items; i++) {
        libxl_device_vfio_user *dev;

        if (v->item[i].kind != XL_CFG_STRING)
            return xl_config_refuse(b, "entry %zu is not a string", i + 1);
        dev = libxl_domain_config_add_vfio_user(b->config);
        if (!dev)
            return xl_config_refuse(b, "no memory, or too many devices");
        if (!xl_vfio_user_parse(v->item[i].text, dev, &why))
            return xl_config_refuse(b, "%s", why.text);
    }
    return true;
}

/* ---- graphics ---- */

bool xl_config_vga(struct xl_config_build *b, const struct xl_cfg_value *v)
{
    const char *word = word_of(v);

    if (!strcmp(word, "qxl"))
        return xl_config_refuse(b, "refused: qxl is for SPICE, which is not "
                                   "offered; use stdvga");
    if (!strcmp(word, "stdvga"))
        word = "std";
    else if (strcmp(word, "none") && strcmp(word, "cirrus"))
        return xl_config_refuse(b, "wants none, stdvga or cirrus");
    return set_word(b, &b->config->b_info.vga_kind, word);
}

bool xl_config_stdvga(struct xl_config_build *b, const struct xl_cfg_value *v)
{
    int64_t on;

    if (!xl_config_int(b, v, INT64_MIN, INT64_MAX, &on))
        return false;
    if (xl_cfg_find(b->cfg, "vga")) {
        xl_config_warning(b, "has no effect beside vga");
        return true;
    }
    return set_word(b, &b->config->b_info.vga_kind, on ? "std" : "cirrus");
}

bool xl_config_nographic(struct xl_config_build *b,
                         const struct xl_cfg_value *v)
{
    int64_t on;

    if (!xl_config_int(b, v, INT64_MIN, INT64_MAX, &on))
        return false;
    b->config->b_info.nographic = on != 0;
    if (!on || xl_cfg_find(b->cfg, "vga"))
        return true;
    return set_word(b, &b->config->b_info.vga_kind, "none");
}

/* ADDRESS[:DISPLAY]; an IPv6 address has more colons than one. */
bool xl_config_vnclisten(struct xl_config_build *b,
                         const struct xl_cfg_value *v)
{
    libxl_vnc_info *vnc = &b->config->b_info.vnc;
    char *colon, *end;
    long display;

    if (!xl_config_text(b, v, &vnc->listen))
        return false;
    colon = strchr(vnc->listen, ':');
    if (!colon || (strchr(colon + 1, ':') && !strstr(vnc->listen, "]:")))
        return true;
    colon = strrchr(vnc->listen, ':');
    display = strtol(colon + 1, &end, 10);
    if (end == colon + 1 || *end || display < 0 || display > 65535 - 5900)
        return xl_config_refuse(b, "'%.40s' is not a display number",
                                colon + 1);
    *colon = '\0';
    vnc->display = (int)display;
    return true;
}

/* ---- the rest ---- */

bool xl_config_rtc(struct xl_config_build *b, const struct xl_cfg_value *v)
{
    return xl_config_int(b, v, INT32_MIN, INT32_MAX,
                         &b->config->b_info.rtc_timeoffset);
}

bool xl_config_dm_version(struct xl_config_build *b,
                          const struct xl_cfg_value *v)
{
    if (strcmp(word_of(v), "qemu-xen"))
        return xl_config_refuse(b, "refused: only qemu-xen is offered");
    return true;
}

/* Both lists, in the order of the manual page. */
bool xl_config_dm_args(struct xl_config_build *b, const struct xl_cfg_value *v)
{
    char ***at = &b->config->b_info.extra;
    size_t had = 0;
    char **list;

    if (v->kind != XL_CFG_LIST)
        return xl_config_refuse(b, "wants a list of strings");
    while (*at && (*at)[had])
        had++;
    list = realloc(*at, (had + v->items + 1) * sizeof(char *));
    if (!list)
        return xl_config_refuse(b, "no memory");
    *at = list;
    memset(list + had, 0, (v->items + 1) * sizeof(char *));
    for (size_t i = 0; i < v->items; i++) {
        if (!xl_config_text(b, &v->item[i], &list[had + i]))
            return false;
    }
    return true;
}

/* Always on here: off is refused. */
bool xl_config_on(struct xl_config_build *b, const struct xl_cfg_value *v)
{
    int64_t on;

    if (!xl_config_int(b, v, INT64_MIN, INT64_MAX, &on))
        return false;
    return on ? true : xl_config_refuse(b, "refused: it cannot be off here");
}

bool xl_config_hdtype(struct xl_config_build *b, const struct xl_cfg_value *v)
{
    if (strcmp(word_of(v), "ide"))
        return xl_config_refuse(b, "refused: only \"ide\" is offered");
    return true;
}

/* Words that say "as it is here anyway". */
bool xl_config_default_word(struct xl_config_build *b,
                            const struct xl_cfg_value *v)
{
    const char *word = word_of(v);

    if (v->kind == XL_CFG_LIST)
        return xl_config_refuse(b, "wants a string, has a list");
    if (!word[0] || !strcmp(word, "none") || !strcmp(word, "disabled") ||
        !strcmp(word, "default") || !strcmp(word, "0"))
        return true;
    return xl_config_refuse(b, "refused: '%.40s' is not offered", word);
}
