/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xl_vif.c - one vif of xl.cfg, as xl-network-configuration(5) has it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xl_spec.h"

struct vif_text {
    libxl_device_nic *nic;
    struct xl_cfg_error *err;
    const char *spec;
};

static bool refuse(struct vif_text *t, const char *what, const char *value)
{
    xl_cfg_error_set(t->err, "vif '%.100s': %s '%.80s'", t->spec, what, value);
    return false;
}

static bool set_text(struct vif_text *t, char **at, const char *value)
{
    free(*at);
    *at = strdup(value);
    return *at ? true : refuse(t, "no memory for", value);
}

static bool set_int(struct vif_text *t, const char *key, const char *value,
                    int *out)
{
    char *end;
    long n;

    errno = 0;
    n = strtol(value, &end, 10);
    if (errno || end == value || *end || n < 0 || n > 65535)
        return refuse(t, "not a number within 0 to 65535:", key);
    *out = (int)n;
    return true;
}

/* Bytes a second: RATE with GB, MB, KB, B (bytes) or Gb, Mb, Kb, b (bits), and
 * /s behind it. */
static bool parse_rate(const char *text, double *bytes_per_s)
{
    static const char scales[] = "KMG";
    const char *scale;
    char *end;
    double n = strtod(text, &end);

    if (end == text || n <= 0)
        return false;
    scale = *end ? strchr(scales, *end) : NULL;
    if (scale) {
        for (; scale >= scales; scale--)
            n *= 1000;
        end++;
    }
    if (*end == 'b')
        n /= 8;
    else if (*end != 'B')
        return false;
    *bytes_per_s = n;
    return !strcmp(end + 1, "/s");
}

static bool parse_interval(const char *text, uint32_t *usecs)
{
    char *end;
    double n = strtod(text, &end);

    if (end == text || n <= 0)
        return false;
    if (!strcmp(end, "s"))
        n *= 1e6;
    else if (!strcmp(end, "ms"))
        n *= 1e3;
    else if (*end && strcmp(end, "us"))
        return false;
    if (n < 1 || n > 4e9)
        return false;
    *usecs = (uint32_t)n;
    return true;
}

static bool set_rate(struct vif_text *t, char *value)
{
    char *at = strchr(value, '@');
    uint32_t usecs = 50000;
    double bytes_per_s, credit;

    if (at) {
        *at = '\0';
        if (!parse_interval(at + 1, &usecs))
            return refuse(t, "not an interval (such as 20ms):", at + 1);
    }
    if (!parse_rate(value, &bytes_per_s))
        return refuse(t, "not a rate (such as 10Mb/s or 1MB/s@20ms):", value);
    credit = bytes_per_s * usecs / 1e6;
    if (credit < 1 || credit > 1e18)
        return refuse(t, "out of range: rate", value);
    t->nic->rate_bytes_per_interval = (uint64_t)credit;
    t->nic->rate_interval_usecs = usecs;
    return true;
}

static bool set_type(struct vif_text *t, const char *value)
{
    if (!strcmp(value, "ioemu"))
        t->nic->nictype = LIBXL_NIC_TYPE_VIF_IOEMU;
    else if (!strcmp(value, "vif"))
        t->nic->nictype = LIBXL_NIC_TYPE_VIF;
    else
        return refuse(t, "unknown type (ioemu or vif):", value);
    return true;
}

static bool set_key(struct vif_text *t, const char *key, char *value)
{
    libxl_device_nic *nic = t->nic;

    if (!strcmp(key, "mac"))
        return libxl_mac_from_text(value, nic->mac)
                   ? true
                   : refuse(t, "not a MAC address:", value);
    if (!strcmp(key, "bridge"))
        return set_text(t, &nic->bridge, value);
    if (!strcmp(key, "model"))
        return set_text(t, &nic->model, value);
    if (!strcmp(key, "vifname"))
        return set_text(t, &nic->ifname, value);
    if (!strcmp(key, "script"))
        return set_text(t, &nic->script, value);
    if (!strcmp(key, "ip"))
        return set_text(t, &nic->ip, value);
    if (!strcmp(key, "type"))
        return set_type(t, value);
    if (!strcmp(key, "rate"))
        return set_rate(t, value);
    if (!strcmp(key, "devid"))
        return set_int(t, key, value, &nic->devid);
    if (!strcmp(key, "mtu"))
        return set_int(t, key, value, &nic->mtu);
    if (!strcmp(key, "backend"))
        return !strcmp(value, "0") || !strcmp(value, "Domain-0")
                   ? true
                   : refuse(t, "driver domains are not offered: backend",
                            value);
    if (!strcmp(key, "gatewaydev") || !strcmp(key, "netdev"))
        return refuse(t, "routed networks are not offered:", key);
    return refuse(t, "unknown parameter", key);
}

static bool one_parameter(struct vif_text *t, char *word)
{
    char *equals = strchr(word, '=');

    if (!word[0] || !strcmp(word, "trusted"))
        return true;
    if (!equals)
        return refuse(
            t, !strcmp(word, "untrusted") ? "not offered:" : "unknown word",
            word);
    *equals = '\0';
    return set_key(t, word, equals + 1);
}

bool xl_vif_parse(const char *spec, libxl_device_nic *nic,
                  struct xl_cfg_error *err)
{
    struct vif_text t = {nic, err, spec};
    char *copy = strdup(spec), *at = copy, *word;
    bool ok = copy != NULL;

    if (!copy)
        return refuse(&t, "no memory for", spec);
    while (ok && (word = strsep(&at, ",")) != NULL) {
        word += strspn(word, " \t\n");
        for (size_t n = strlen(word); n && strchr(" \t\n", word[n - 1]); n--)
            word[n - 1] = '\0';
        ok = one_parameter(&t, word);
    }
    free(copy);
    return ok;
}
