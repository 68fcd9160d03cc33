/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/store_rig.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void message(libxl_logger *lg, libxl_loglevel level, uint32_t domid,
                    const char *text)
{
    struct store_rig *r = (struct store_rig *)lg;

    snprintf(r->log, sizeof(r->log), "%s", text);
}

int store_rig_open(void **state)
{
    struct store_rig *r = calloc(1, sizeof(*r));

    r->logger.message = message;
    strcpy(r->dir, "/tmp/xl-test-store-XXXXXX");
    assert_non_null(mkdtemp(r->dir));
    setenv("XL_STATE_DIR", store_rig_path(r, "a/b"), 1);
    assert_int_equal(libxl_ctx_alloc(&r->ctx, LIBXL_VERSION, 0, &r->logger), 0);
    r->st = libxl__store_files_open(r->ctx);
    assert_non_null(r->st);
    *state = r;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int flag,
                      struct FTW *ftw)
{
    return remove(path);
}

int store_rig_close(void **state)
{
    struct store_rig *r = *state;

    if (r->st)
        r->st->ops->close(r->st);
    libxl_ctx_free(r->ctx);
    nftw(r->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(r);
    return 0;
}

const char *store_rig_path(struct store_rig *r, const char *path)
{
    static char buf[256];

    snprintf(buf, sizeof(buf), "%s/%s", r->dir, path);
    return buf;
}

uint32_t store_rig_domain(struct store_rig *r)
{
    libxl__domain_lock *lock;
    uint32_t domid;

    assert_int_equal(r->st->ops->create(r->st, INVALID_DOMID, &domid), 0);
    assert_int_equal(
        libxl__domain_lock_take(r->st, domid, "test", false, &lock), 0);
    assert_int_equal(r->st->ops->write(r->st, domid, "domain", "{}"), 0);
    libxl__domain_lock_release(lock);
    return domid;
}
