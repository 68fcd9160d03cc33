/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "stream/stream_rig.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/container.h"

static struct rig *rig_of_sh(libxl__save_helper *sh)
{
    return CONTAINER_OF(sh, struct rig, sh);
}

/* build/tests/.../test_x: the helper is in build/libexec. */
static void find_helper(void)
{
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
    char *tests;

    assert_true(n > 0);
    path[n] = '\0';
    tests = strstr(path, "/tests/");
    assert_non_null(tests);
    memcpy(tests, "/libexec", sizeof("/libexec"));
    setenv("XL_LIBEXEC_DIR", path, 1);
}

void rig_init(struct rig *r, struct fixture *f, int fd)
{
    memset(r, 0, sizeof(*r));
    r->f = f;
    r->fd = fd;
    r->hvm = true;
    r->memory_bytes = 1 << 20;
    for (int i = 0; i < 4; i++)
        r->emulator_fd[i] = -1;
    find_helper();
}

void rig_dispose(struct rig *r)
{
    for (int i = 0; i < 4; i++)
        if (r->emulator_fd[i] >= 0)
            close(r->emulator_fd[i]);
}

int rig_memfd(const void *bytes, size_t n)
{
    int fd = memfd_create("rig", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, n), n);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

uint8_t *rig_slurp(int fd, size_t *n)
{
    struct stat sb;
    uint8_t *bytes;

    assert_int_equal(fstat(fd, &sb), 0);
    *n = (size_t)sb.st_size;
    bytes = malloc(*n + 1);
    assert_non_null(bytes);
    assert_int_equal(pread(fd, bytes, *n, 0), *n);
    return bytes;
}

/* ---- libxc's part ---- */

static void sh_suspend(libxl__egc *egc, libxl__save_helper *sh)
{
    struct rig *r = rig_of_sh(sh);

    r->suspends++;
    if (r->on_suspend)
        r->on_suspend(egc, r);
    else
        libxl__save_helper_reply(egc, sh, r->suspend_reply);
}

static void sh_logdirty(libxl__egc *egc, libxl__save_helper *sh, bool enable)
{
    rig_of_sh(sh)->logdirties++;
    libxl__save_helper_reply(egc, sh, 0);
}

static void sh_written(libxl__egc *egc, libxl__save_helper *sh)
{
    struct rig *r = rig_of_sh(sh);

    assert_int_equal(r->callbacks, 0);
    r->results = sh->results;
    r->written++;
}

static void sh_done(libxl__egc *egc, libxl__save_helper *sh, int rc)
{
    struct rig *r = rig_of_sh(sh);

    r->results = sh->results;
    if (sh->restore)
        libxl__stream_read_libxc_done(egc, &r->sr, rc);
    else
        libxl__stream_write_libxc_done(egc, &r->sw, rc);
}

/* Returns the rc of starting. */
static int start_helper(libxl__egc *egc, struct rig *r, bool restore)
{
    int rc;

    r->guest = (struct libxl__helper_guest){
        .hv = r->hv ? r->hv : "fake",
        .domid = RIG_DOMID,
        .memory_bytes = r->memory_bytes,
        .memory_fd = -1,
        .pagemap_fd = -1,
        .uffd = -1,
        .clear_refs_fd = -1,
        .dev_log_fd = -1,
    };
    libxl__save_helper_init(&r->sh);
    r->sh.ao = r->ao;
    r->sh.domid = RIG_DOMID;
    r->sh.restore = restore;
    r->sh.stream_fd = r->fd;
    r->sh.guest = &r->guest;
    r->sh.flags = r->flags;
    r->sh.what = "Testing";
    r->sh.suspend = sh_suspend;
    r->sh.switch_dm_logdirty = sh_logdirty;
    r->sh.written = r->wants_written ? sh_written : NULL;
    r->sh.callback = sh_done;
    rc = libxl__save_helper_start(egc, &r->sh);
    if (!rc && r->on_started)
        r->on_started(egc, r);
    return rc;
}

static void write_libxc(libxl__egc *egc, libxl__stream_write *sw)
{
    struct rig *r = sw->user;
    int rc = r->libxc_rc;

    r->libxc_runs++;
    if (r->use_helper) {
        rc = start_helper(egc, r, false);
        if (!rc)
            return;
    } else if (!rc) {
        assert_int_equal(write(r->fd, RIG_LIBXC, 8), 8);
    }
    libxl__stream_write_libxc_done(egc, sw, rc);
}

static void read_libxc(libxl__egc *egc, libxl__stream_read *sr)
{
    struct rig *r = sr->user;
    int rc = r->libxc_rc;
    char got[8];

    r->libxc_runs++;
    if (r->use_helper) {
        rc = start_helper(egc, r, true);
        if (!rc)
            return;
    } else if (!rc && (read(r->fd, got, 8) != 8 || memcmp(got, RIG_LIBXC, 8))) {
        rc = ERROR_FAIL;
    }
    libxl__stream_read_libxc_done(egc, sr, rc);
}

/* ---- writing ---- */

static void give_emulator(libxl__egc *egc, libxl__stream_write *sw)
{
    struct rig *r = sw->user;

    libxl__stream_write_emulator_done(egc, sw, r->emulator_rc, r->states,
                                      r->nr_states, r->xs_data, r->xs_bytes);
}

static void written(libxl__egc *egc, libxl__stream_write *sw, int rc)
{
    struct rig *r = sw->user;

    r->callbacks++;
    libxl__ao_complete(egc, r->ao, rc);
}

static int start_write(libxl__egc *egc, libxl__ao *ao, const void *params)
{
    struct rig *r = *(struct rig *const *)params;

    r->ao = ao;
    libxl__stream_write_init(&r->sw);
    r->sw.ao = ao;
    r->sw.domid = RIG_DOMID;
    r->sw.fd = r->fd;
    r->sw.user = r;
    r->sw.run_libxc = write_libxc;
    r->sw.get_emulator = r->hvm ? give_emulator : NULL;
    r->sw.callback = written;
    return libxl__stream_write_start(egc, &r->sw);
}

int rig_write(struct rig *r, const libxl_asyncop_how *how)
{
    return libxl__ao_run(r->f->ctx, RIG_DOMID, how, start_write, &r);
}

/* ---- reading ---- */

static int take_emulator(libxl__egc *egc, libxl__stream_read *sr, uint32_t id,
                         uint32_t index, uint64_t bytes)
{
    struct rig *r = sr->user;

    if (r->emulator_rc)
        return r->emulator_rc;
    assert_true(index < 4);
    if (index && r->emulator_fd[index] >= 0)
        return r->emulator_fd[index]; /* another piece */
    assert_int_equal(r->emulator_fd[index], -1);
    r->emulator_id[index] = id;
    r->emulator_fd[index] = memfd_create("emulator", MFD_CLOEXEC);
    return r->emulator_fd[index];
}

static int take_key(libxl__egc *egc, libxl__stream_read *sr, const char *key,
                    const char *value)
{
    struct rig *r = sr->user;
    size_t at = strlen(r->keys);

    snprintf(r->keys + at, sizeof(r->keys) - at, "%s=%s;", key, value);
    return 0;
}

static void have_read(libxl__egc *egc, libxl__stream_read *sr, int rc)
{
    struct rig *r = sr->user;

    r->callbacks++;
    libxl__ao_complete(egc, r->ao, rc);
}

static int start_read(libxl__egc *egc, libxl__ao *ao, const void *params)
{
    struct rig *r = *(struct rig *const *)params;

    r->ao = ao;
    libxl__stream_read_init(&r->sr);
    r->sr.ao = ao;
    r->sr.domid = RIG_DOMID;
    r->sr.fd = r->fd;
    r->sr.hvm = r->hvm;
    r->sr.need_emulator = r->need_emulator;
    r->sr.nr_devices = r->nr_devices;
    r->sr.user = r;
    r->sr.run_libxc = read_libxc;
    r->sr.open_emulator = take_emulator;
    r->sr.emulator_xenstore = take_key;
    r->sr.callback = have_read;
    return libxl__stream_read_start(egc, &r->sr);
}

int rig_read(struct rig *r, const libxl_asyncop_how *how)
{
    return libxl__ao_run(r->f->ctx, RIG_DOMID, how, start_read, &r);
}
