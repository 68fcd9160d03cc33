/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xl_vfio_user.c - one entry of vfio_user = [ ... ]:
 *
 *   name=NAME,program=/PATH[,args=WORDS]     args= takes the rest of the text
 */
#include <stdlib.h>
#include <string.h>

#include "xl_spec.h"

#define MAX_WORDS 64

struct vfio_user_text {
    libxl_device_vfio_user *dev;
    struct xl_cfg_error *err;
    const char *spec;
};

static bool refuse(struct vfio_user_text *t, const char *what,
                   const char *value)
{
    xl_cfg_error_set(t->err, "vfio_user '%.100s': %s '%.80s'", t->spec, what,
                     value);
    return false;
}

static bool set_text(struct vfio_user_text *t, char **at, const char *value)
{
    free(*at);
    *at = strdup(value);
    return *at ? true : refuse(t, "no memory for", value);
}

/* Words, with blanks between them; there is no quoting. */
static bool set_args(struct vfio_user_text *t, char *value)
{
    char **list = calloc(MAX_WORDS + 1, sizeof(*list)), *save, *word;
    size_t n = 0;

    if (!list)
        return refuse(t, "no memory for", value);
    t->dev->args = list;
    for (word = strtok_r(value, " \t", &save); word;
         word = strtok_r(NULL, " \t", &save)) {
        if (n == MAX_WORDS)
            return refuse(t, "too many words in", "args");
        list[n] = strdup(word);
        if (!list[n++])
            return refuse(t, "no memory for", word);
    }
    return true;
}

static bool set_part(struct vfio_user_text *t, char *part)
{
    char *value = strchr(part, '=');

    if (!value)
        return refuse(t, "not KEY=VALUE:", part);
    *value++ = '\0';
    if (!strcmp(part, "name"))
        return set_text(t, &t->dev->name, value);
    if (!strcmp(part, "program"))
        return set_text(t, &t->dev->program, value);
    return refuse(t, "unknown key", part);
}

bool xl_vfio_user_parse(const char *spec, libxl_device_vfio_user *dev,
                        struct xl_cfg_error *err)
{
    struct vfio_user_text t = {dev, err, spec};
    char *copy = strdup(spec), *at = copy, *part;
    bool ok = copy;

    if (!copy)
        return refuse(&t, "no memory for", spec);
    while (ok && at) {
        at += strspn(at, " \t");
        if (!strncmp(at, "args=", 5)) {
            ok = set_args(&t, at + 5);
            break;
        }
        part = strsep(&at, ",");
        ok = set_part(&t, part);
    }
    if (ok && (!dev->name || !dev->program))
        ok = refuse(&t, "missing key", dev->name ? "program" : "name");
    free(copy);
    return ok;
}
