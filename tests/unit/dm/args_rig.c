/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dm/args_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void message(libxl_logger *lg, libxl_loglevel level, uint32_t domid,
                    const char *text)
{
    struct args_rig *r = (struct args_rig *)lg;

    snprintf(r->log, sizeof(r->log), "%s", text);
}

int args_rig_open(void **state)
{
    struct args_rig *r = calloc(1, sizeof(*r));

    r->logger.message = message;
    assert_int_equal(libxl_ctx_alloc(&r->ctx, LIBXL_VERSION, 0, &r->logger), 0);
    libxl__gc_init(&r->gc, r->ctx);
    libxl_domain_config_init(&r->c);
    r->c.c_info.type = LIBXL_DOMAIN_TYPE_HVM;
    r->c.c_info.name = strdup("web");
    r->c.b_info.max_memkb = 128 << 10;
    r->c.b_info.max_vcpus = r->c.b_info.avail_vcpus = 2;
    r->rt.qemu_path = "/usr/bin/qemu";
    r->rt.memory_fd = 3;
    r->rt.agent_fd = 7;
    r->rt.qga_fd = 8;
    *state = r;
    return 0;
}

int args_rig_close(void **state)
{
    struct args_rig *r = *state;

    while (r->nr_trees)
        yajl_tree_free(r->trees[--r->nr_trees]);
    libxl_domain_config_dispose(&r->c);
    libxl__gc_dispose(&r->gc);
    libxl_ctx_free(r->ctx);
    free(r);
    return 0;
}

char **args_make(struct args_rig *r)
{
    char **argv;
    int rc;

    r->log[0] = '\0';
    argv = libxl__qemu_args(&r->gc, &r->c, 1, &r->rt, &rc);
    assert_int_equal(rc, argv ? 0 : ERROR_INVAL);
    assert_true(argv || r->log[0]);
    return argv;
}

const char *args_value(char **argv, const char *option, unsigned n)
{
    for (; *argv; argv++)
        if (!strcmp(*argv, option) && !n--)
            return argv[1];
    return NULL;
}

yajl_val args_json(struct args_rig *r, char **argv, const char *option,
                   unsigned n)
{
    const char *text = args_value(argv, option, n);
    yajl_val v;

    assert_non_null(text);
    v = yajl_tree_parse(text, NULL, 0);
    assert_non_null(v);
    assert_true(r->nr_trees < 8);
    r->trees[r->nr_trees++] = v;
    return v;
}

bool args_has(char **argv, const char *arg)
{
    for (; *argv; argv++)
        if (!strcmp(*argv, arg))
            return true;
    return false;
}

bool args_any(char **argv, const char *option, const char *text)
{
    const char *value;
    unsigned n;

    for (n = 0; (value = args_value(argv, option, n)); n++)
        if (strstr(value, text))
            return true;
    return false;
}

libxl_device_disk *args_disk(struct args_rig *r, const char *vdev,
                             const char *path)
{
    libxl_device_disk *d = libxl_domain_config_add_disk(&r->c);

    assert_non_null(d);
    free(d->vdev);
    free(d->pdev_path);
    d->vdev = strdup(vdev);
    d->pdev_path = path ? strdup(path) : NULL;
    d->format = LIBXL_DISK_FORMAT_RAW;
    d->readwrite = true;
    return d;
}
