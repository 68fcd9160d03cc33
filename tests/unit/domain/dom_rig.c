/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dom_rig.c - a ctx on the fake host with a state directory of its own.
 */
#include "domain/dom_rig.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void message(libxl_logger *lg, libxl_loglevel level, uint32_t domid,
                    const char *text)
{
    struct dom_rig *rig = (struct dom_rig *)lg;
    size_t used = strlen(rig->log);

    snprintf(rig->log + used, sizeof(rig->log) - used, "%s\n", text);
    if (getenv("XL_TEST_VERBOSE"))
        fprintf(stderr, "# [%d] dom %d: %s\n", level, (int)domid, text);
}

/* build/tests/unit/domain/test_x: the programs are in build/libexec. */
static void find_libexec(void)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
    char *tests;

    assert_true(n > 0);
    path[n] = '\0';
    tests = strstr(path, "/tests/");
    assert_non_null(tests);
    strcpy(tests, "/libexec");
    setenv("XL_LIBEXEC_DIR", path, 1);
}

int dom_rig_init(struct dom_rig *rig)
{
    memset(rig, 0, sizeof(*rig));
    rig->logger.message = message;
    strcpy(rig->dir, "/tmp/xl-test-domain-XXXXXX");
    if (!mkdtemp(rig->dir))
        return -1;
    find_libexec();
    setenv("XL_HYPERVISOR", "fake", 1);
    setenv("XL_STATE_DIR", dom_rig_path(rig, "state"), 1);
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int flag,
                      struct FTW *ftw)
{
    return remove(path);
}

void dom_rig_dispose(struct dom_rig *rig)
{
    if (rig->ctx)
        dom_rig_close(rig);
    nftw(rig->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void dom_rig_open(struct dom_rig *rig)
{
    rig->log[0] = '\0';
    assert_int_equal(libxl_ctx_alloc(&rig->ctx, LIBXL_VERSION, 0, &rig->logger),
                     0);
}

void dom_rig_close(struct dom_rig *rig)
{
    libxl_ctx_free(rig->ctx);
    rig->ctx = NULL;
}

const char *dom_rig_path(struct dom_rig *rig, const char *name)
{
    static char buffers[4][256];
    static unsigned turn;
    char *buffer = buffers[turn++ % 4];

    snprintf(buffer, sizeof(buffers[0]), "%s/%s", rig->dir, name);
    return buffer;
}

unsigned dom_rig_files(struct dom_rig *rig)
{
    DIR *d = opendir(rig->dir);
    struct dirent *de;
    unsigned n = 0;

    assert_non_null(d);
    while ((de = readdir(d)))
        n += strcmp(de->d_name, ".") && strcmp(de->d_name, "..") &&
             strcmp(de->d_name, "state");
    closedir(d);
    return n;
}

bool dom_rig_logged(struct dom_rig *rig, const char *text)
{
    return strstr(rig->log, text);
}

void dom_rig_config(libxl_domain_config *config, const char *name)
{
    libxl_domain_config_init(config);
    config->c_info.type = LIBXL_DOMAIN_TYPE_HVM;
    config->c_info.name = strdup(name);
    config->b_info.max_memkb = config->b_info.target_memkb = 8 * 1024;
    config->b_info.max_vcpus = 1;
}

uint32_t dom_rig_create(struct dom_rig *rig, const char *name)
{
    libxl_domain_config config;
    uint32_t domid;

    dom_rig_config(&config, name);
    assert_int_equal(
        libxl_domain_create_new(rig->ctx, &config, &domid, NULL, NULL), 0);
    libxl_domain_config_dispose(&config);
    return domid;
}

int dom_rig_restore(struct dom_rig *rig, const char *path, uint32_t *domid)
{
    libxl_domain_config config;
    uint32_t mandatory, optional;
    char *json = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int rc;

    *domid = INVALID_DOMID;
    assert_true(fd >= 0);
    rc = libxl_savefile_read_header(rig->ctx, fd, path, &mandatory, &optional,
                                    &json);
    if (!rc)
        rc = libxl_domain_config_from_json(rig->ctx, &config, json);
    free(json);
    if (!rc) {
        rc = libxl_domain_create_restore(rig->ctx, &config, domid, fd, 2, NULL,
                                         NULL);
        libxl_domain_config_dispose(&config);
    }
    close(fd);
    return rc;
}

const char *dom_rig_state(struct dom_rig *rig, uint32_t domid)
{
    libxl_dominfo info;
    int rc = libxl_domain_info(rig->ctx, &info, domid);
    bool running = info.running, paused = info.paused, shut = info.shutdown;

    libxl_dominfo_dispose(&info);
    if (rc)
        return "gone";
    return running  ? "running"
           : paused ? "paused"
           : shut   ? "shutdown"
                    : "dying";
}

int dom_rig_count(struct dom_rig *rig)
{
    int nr;
    libxl_dominfo *list = libxl_list_domain(rig->ctx, &nr);

    assert_non_null(list);
    libxl_dominfo_list_free(list, nr);
    return nr;
}

bool dom_rig_record(struct dom_rig *rig, uint32_t domid, const char *record)
{
    char name[64];

    snprintf(name, sizeof(name), "state/%u/%s", domid, record);
    return !access(dom_rig_path(rig, name), F_OK);
}
