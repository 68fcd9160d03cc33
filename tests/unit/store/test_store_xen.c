/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_store_xen.c - records of a Xen host's domains, of either toolstack. */
#include "store/store_rig.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/domain_record.h"
#include "store/fake_xs.h"
#include "store/run_record.h"
#include "store/store_xen.h"

#define UUID "82c33fea-5996-4607-aa0c-5bd0a59f9fa8"
#define OTHER "c2836332-238a-41ba-aab6-f1d2113daf4f"

static struct libxl__xs xs;
static uint32_t there[8]; /* the hypervisor's domains */
static int nr_there;

static int domids(void *user, libxl__gc *gc, uint32_t **out, int *nr)
{
    *out = there;
    *nr = nr_there;
    return 0;
}

static int open_rig(void **state)
{
    static char dir[128];
    struct store_rig *r;

    store_rig_open(state);
    r = *state;
    r->st->ops->close(r->st);
    fake_xs_empty();
    nr_there = 0;
    assert_int_equal(libxl__xs_open(&xs, r->ctx, &fake_xs_calls), 0);
    assert_int_equal(mkdir(store_rig_path(r, "lib"), 0700), 0);
    snprintf(dir, sizeof(dir), "%s", store_rig_path(r, "lib"));
    r->st = libxl__store_xen_open(
        r->ctx, &(struct libxl__store_xen_params){
                    .xs = &xs, .userdata_dir = dir, .domids = domids});
    assert_non_null(r->st);
    return 0;
}

static void put_userdata(struct store_rig *r, uint32_t domid, const char *uuid,
                         const char *json)
{
    char name[160];
    FILE *f;

    snprintf(name, sizeof(name), "lib/userdata-d.%u.%s.libxl-json", domid,
             uuid);
    f = fopen(store_rig_path(r, name), "w");
    assert_non_null(f);
    assert_int_equal(fwrite(json, strlen(json) + 1, 1, f), 1);
    fclose(f);
}

/* As upstream's xl leaves it. */
static void make_theirs(struct store_rig *r, uint32_t domid, const char *uuid,
                        const char *name)
{
    char path[64], vm[64];

    snprintf(path, sizeof(path), "/local/domain/%u/name", domid);
    fake_xs_put(path, name);
    snprintf(path, sizeof(path), "/local/domain/%u/vm", domid);
    snprintf(vm, sizeof(vm), "/vm/%s", uuid);
    fake_xs_put(path, vm);
    put_userdata(r, domid, uuid,
                 "{\"c_info\":{\"type\":\"pvh\",\"name\":\"old\"},"
                 "\"b_info\":{\"max_memkb\":98304}}");
    there[nr_there++] = domid;
}

static void read_domain(struct store_rig *r, uint32_t domid,
                        libxl_domain_config *config,
                        struct libxl__domain_record *rec, libxl__gc *gc)
{
    libxl__gc_init(gc, r->ctx);
    assert_int_equal(libxl__domain_record_read(r->st, gc, domid, rec), 0);
    assert_int_equal(
        libxl_domain_config_from_json(r->ctx, config, rec->config_json), 0);
}

static uint64_t target_of(struct store_rig *r, uint32_t domid)
{
    struct libxl__domain_record rec;
    libxl_domain_config config;
    libxl__gc gc;
    uint64_t target;

    read_domain(r, domid, &config, &rec, &gc);
    target = config.b_info.target_memkb;
    libxl_domain_config_dispose(&config);
    libxl__gc_dispose(&gc);
    return target;
}

static void name_and_target_are_those_of_now(void **state)
{
    struct store_rig *r = *state;
    struct libxl__domain_record rec;
    libxl_domain_config config;
    libxl__gc gc;

    make_theirs(r, 4, UUID, "new");
    fake_xs_put("/local/domain/4/memory/target", "65536");
    read_domain(r, 4, &config, &rec, &gc);
    assert_string_equal(rec.name, "new");
    assert_string_equal(config.c_info.name, "new");
    assert_int_equal(config.c_info.type, LIBXL_DOMAIN_TYPE_PVH);
    assert_int_equal(config.b_info.max_memkb, 98304);
    libxl_domain_config_dispose(&config);
    libxl__gc_dispose(&gc);
    assert_int_equal(target_of(r, 4), 65536);
}

/* Each save and restore would take as much from it again. */
static void memory_of_a_screen_is_part_of_the_target(void **state)
{
    struct store_rig *r = *state;

    make_theirs(r, 4, UUID, "new");
    fake_xs_put("/local/domain/4/memory/target", "65536");
    fake_xs_put("/local/domain/4/memory/videoram", "8192");
    assert_int_equal(target_of(r, 4), 65536 + 8192);
}

/* Upstream's xl detaches a device, and leaves it in its userdata. */
static void a_device_that_xenstore_does_not_have_is_left_out(void **state)
{
    struct store_rig *r = *state;
    struct libxl__domain_record rec;
    libxl_domain_config config;
    libxl__gc gc;

    make_theirs(r, 4, UUID, "web");
    put_userdata(r, 4, UUID,
                 "{\"c_info\":{\"type\":\"pvh\",\"name\":\"web\"},"
                 "\"b_info\":{\"max_memkb\":98304},\"disks\":["
                 "{\"vdev\":\"xvda\",\"pdev_path\":\"/a\"},"
                 "{\"vdev\":\"xvdb\",\"pdev_path\":\"/b\"}],"
                 "\"nics\":[{\"devid\":0},{\"devid\":1}]}");
    fake_xs_put("/libxl/4/device", "");
    fake_xs_put("/libxl/4/device/vbd/51728/backend", "/x");
    fake_xs_put("/libxl/4/device/vif/0/backend", "/x");
    read_domain(r, 4, &config, &rec, &gc);
    assert_int_equal(config.num_disks, 1);
    assert_string_equal(config.disks[0].vdev, "xvdb");
    assert_int_equal(config.num_nics, 1);
    assert_int_equal(config.nics[0].devid, 0);
    libxl_domain_config_dispose(&config);
    libxl__gc_dispose(&gc);
}

static void a_domain_without_userdata_has_a_name_and_a_type(void **state)
{
    struct store_rig *r = *state;
    struct libxl__domain_record rec;
    libxl_domain_config config;
    libxl__gc gc;

    fake_xs_put("/local/domain/0/name", "Domain-0");
    read_domain(r, 0, &config, &rec, &gc);
    assert_string_equal(config.c_info.name, "Domain-0");
    assert_int_equal(config.c_info.type, LIBXL_DOMAIN_TYPE_PV);
    assert_string_equal(r->log, "");
    libxl_domain_config_dispose(&config);
    libxl__gc_dispose(&gc);
}

static void a_lock_of_domain_0_is_refused(void **state)
{
    struct store_rig *r = *state;
    libxl__domain_lock *lock;

    fake_xs_put("/local/domain/0/name", "Domain-0");
    assert_int_not_equal(
        libxl__domain_lock_take(r->st, 0, "destroy", true, &lock), 0);
    assert_non_null(strstr(r->log, "this host itself"));
}

static void a_lock_gives_a_domain_of_others_a_directory(void **state)
{
    struct store_rig *r = *state;
    struct libxl__domain_record own;
    libxl__domain_lock *lock;
    libxl__gc gc;

    make_theirs(r, 4, UUID, "web");
    assert_int_equal(libxl__domain_lock_take(r->st, 4, "save", false, &lock),
                     0);
    libxl__gc_init(&gc, r->ctx);
    assert_int_equal(libxl__domain_record_read(r->st->files, &gc, 4, &own), 0);
    assert_int_equal(own.created_at, 0);
    libxl__gc_dispose(&gc);
    libxl__domain_lock_release(lock);
}

static void a_number_used_again_loses_what_the_old_domain_left(void **state)
{
    struct store_rig *r = *state;
    libxl__domain_lock *lock;
    char *text;

    make_theirs(r, 4, UUID, "web");
    assert_int_equal(libxl__domain_lock_take(r->st, 4, "save", false, &lock),
                     0);
    libxl__domain_lock_release(lock);
    assert_int_equal(r->st->ops->write(r->st, 4, "journal", "{}"), 0);
    fake_xs_empty();
    nr_there = 0;
    make_theirs(r, 4, OTHER, "db");
    assert_int_equal(libxl__domain_lock_take(r->st, 4, "save", false, &lock),
                     0);
    assert_int_equal(r->st->ops->read(r->st, 4, "journal", &text),
                     ERROR_NOTFOUND);
    libxl__domain_lock_release(lock);
}

static void a_domain_that_others_destroyed_is_not_listed(void **state)
{
    struct store_rig *r = *state;
    libxl__domain_lock *lock;
    uint32_t *list;
    libxl__gc gc;
    int nr;

    make_theirs(r, 4, UUID, "web");
    assert_int_equal(libxl__domain_lock_take(r->st, 4, "save", false, &lock),
                     0);
    libxl__domain_lock_release(lock);
    nr_there = 0;
    fake_xs_empty();
    libxl__gc_init(&gc, r->ctx);
    assert_int_equal(r->st->ops->list(r->st, &gc, &list, &nr), 0);
    assert_int_equal(nr, 0);
    libxl__gc_dispose(&gc);
}

static void one_that_is_to_start_again_is_listed(void **state)
{
    const struct libxl__run_record run = {
        .state = LIBXL__RUN_SHUTDOWN,
        .reason = LIBXL_SHUTDOWN_REASON_REBOOT,
    };
    struct store_rig *r = *state;
    uint32_t *list;
    libxl__gc gc;
    int nr;

    make_theirs(r, 4, UUID, "web");
    assert_int_equal(r->st->ops->prepare(r->st, 4), 0);
    assert_int_equal(libxl__run_record_write(r->st, 4, &run), 0);
    nr_there = 0;
    libxl__gc_init(&gc, r->ctx);
    assert_int_equal(r->st->ops->list(r->st, &gc, &list, &nr), 0);
    assert_int_equal(nr, 1);
    assert_int_equal(list[0], 4);
    libxl__gc_dispose(&gc);
}

static void a_taken_number_is_not_chosen(void **state)
{
    struct store_rig *r = *state;
    uint32_t domid;

    there[nr_there++] = 1;
    there[nr_there++] = 2;
    assert_int_equal(r->st->ops->create(r->st, INVALID_DOMID, &domid), 0);
    assert_int_equal(domid, 3);
    assert_int_equal(r->st->ops->create(r->st, 2, &domid), ERROR_INVAL);
}

/* Another toolstack was quicker with the number of our new domain. */
static void removal_leaves_what_is_anothers(void **state)
{
    struct store_rig *r = *state;
    struct libxl__domain_record rec = {.name = (char *)"mine",
                                       .config_json = (char *)"{}"};
    libxl__gc gc;

    assert_int_equal(r->st->ops->create(r->st, INVALID_DOMID, &rec.domid), 0);
    assert_true(libxl__uuid_parse(UUID, &rec.uuid));
    libxl__gc_init(&gc, r->ctx);
    assert_int_equal(libxl__domain_record_write(r->st, &gc, &rec), 0);
    libxl__gc_dispose(&gc);
    make_theirs(r, rec.domid, OTHER, "theirs");
    assert_int_equal(r->st->ops->remove(r->st, rec.domid), 0);
    assert_string_equal(fake_xs_get("/local/domain/1/name"), "theirs");
}

static void removal_keeps_the_vm_of_a_copy(void **state)
{
    struct store_rig *r = *state;

    make_theirs(r, 4, UUID, "web--migratedaway");
    make_theirs(r, 5, UUID, "web");
    fake_xs_put("/vm/" UUID "/name", "web");
    assert_int_equal(r->st->ops->remove(r->st, 4), 0);
    assert_null(fake_xs_get("/local/domain/4/name"));
    assert_non_null(fake_xs_get("/vm/" UUID "/name"));
    assert_int_equal(r->st->ops->remove(r->st, 5), 0);
    assert_null(fake_xs_get("/vm/" UUID "/name"));
}

static void a_written_record_is_upstreams_userdata(void **state)
{
    struct store_rig *r = *state;
    struct libxl__domain_record rec;
    libxl_domain_config config;
    char bytes[8192];
    libxl__gc gc;
    ssize_t n;
    int fd;

    make_theirs(r, 4, UUID, "web");
    read_domain(r, 4, &config, &rec, &gc);
    rec.name = (char *)"db";
    assert_int_equal(r->st->ops->prepare(r->st, 4), 0);
    assert_int_equal(libxl__domain_record_write(r->st, &gc, &rec), 0);
    assert_string_equal(fake_xs_get("/local/domain/4/name"), "db");
    assert_string_equal(fake_xs_get("/vm/" UUID "/name"), "db");
    fd = open(store_rig_path(r, "lib/userdata-d.4." UUID ".libxl-json"),
              O_RDONLY);
    n = read(fd, bytes, sizeof(bytes));
    close(fd);
    assert_true(n > 1 && !bytes[n - 1] && strlen(bytes) == (size_t)n - 1);
    libxl_domain_config_dispose(&config);
    libxl__gc_dispose(&gc);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, open_rig, store_rig_close)

/* Searches look at every domain there is. */
static void an_identity_needs_no_configuration(void **state)
{
    struct store_rig *r = *state;
    struct libxl__domain_record rec;
    libxl_uuid uuid;
    libxl__gc gc;

    fake_xs_put("/local/domain/5/name", "theirs");
    fake_xs_put("/local/domain/5/vm", "/vm/" UUID);
    put_userdata(r, 5, UUID, "this is no JSON");
    assert_true(libxl__uuid_parse(UUID, &uuid));
    libxl__gc_init(&gc, r->ctx);
    assert_int_equal(r->st->ops->identity(r->st, &gc, 5, &rec), 0);
    assert_int_equal(rec.domid, 5);
    assert_string_equal(rec.name, "theirs");
    assert_memory_equal(&rec.uuid, &uuid, sizeof(uuid));
    assert_int_equal(r->st->ops->identity(r->st, &gc, 6, &rec), ERROR_NOTFOUND);
    libxl__gc_dispose(&gc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(name_and_target_are_those_of_now),
        TEST(memory_of_a_screen_is_part_of_the_target),
        TEST(an_identity_needs_no_configuration),
        TEST(a_device_that_xenstore_does_not_have_is_left_out),
        TEST(a_domain_without_userdata_has_a_name_and_a_type),
        TEST(a_lock_of_domain_0_is_refused),
        TEST(a_lock_gives_a_domain_of_others_a_directory),
        TEST(a_number_used_again_loses_what_the_old_domain_left),
        TEST(a_domain_that_others_destroyed_is_not_listed),
        TEST(one_that_is_to_start_again_is_listed),
        TEST(a_taken_number_is_not_chosen),
        TEST(removal_leaves_what_is_anothers),
        TEST(removal_keeps_the_vm_of_a_copy),
        TEST(a_written_record_is_upstreams_userdata),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
