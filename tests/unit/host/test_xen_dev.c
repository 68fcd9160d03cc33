/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_xen_dev.c - devices of Xen guests: numbers, nodes, QEMU's arguments. */
#include "store/store_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/span.h"
#include "config/vdev.h"
#include "engine/ctx.h"
#include "host/xen_dev.h"
#include "host/xen_dm.h"
#include "host/xen_dm_start.h"
#include "store/fake_xs.h"
#include "stream/sr_xenstore.h"

struct rig {
    struct store_rig *store;
    libxl__host *host;
    libxl_domain_config config;
    libxl__gc gc;
};

static int open_hv(struct libxl__xen_handle **out)
{
    *out = NULL;
    return 0;
}

static void close_hv(struct libxl__xen_handle *h)
{
}

static const struct libxl__xen_calls calls = {
    .open = open_hv,
    .close = close_hv,
};

static struct rig rig;

static int open_rig(void **state)
{
    void *store;

    store_rig_open(&store);
    rig.store = store;
    fake_xs_empty();
    rig.host = libxl__host_xen_open_with(rig.store->ctx, &calls, &fake_xs_calls,
                                         rig.store->dir);
    assert_non_null(rig.host);
    libxl__gc_init(&rig.gc, rig.store->ctx);
    libxl_domain_config_init(&rig.config);
    rig.config.c_info.name = strdup("web");
    rig.config.c_info.type = LIBXL_DOMAIN_TYPE_HVM;
    rig.config.b_info.max_memkb = 131072;
    *state = &rig;
    return 0;
}

static int close_rig(void **state)
{
    void *store = rig.store;

    libxl_domain_config_dispose(&rig.config);
    libxl__gc_dispose(&rig.gc);
    rig.host->ops->close(rig.host);
    return store_rig_close(&store);
}

/* A file of the rig's: there is one. */
static libxl_device_disk *add_disk(const char *vdev, libxl_disk_format format)
{
    libxl_device_disk *d = libxl_domain_config_add_disk(&rig.config);
    const char *path = store_rig_path(rig.store, "image,1");
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fclose(f);
    d->vdev = strdup(vdev);
    d->pdev_path = strdup(path);
    d->format = format;
    d->readwrite = true;
    return d;
}

static libxl_device_nic *add_nic(libxl_nic_type type)
{
    libxl_device_nic *n = libxl_domain_config_add_nic(&rig.config);

    n->bridge = strdup("xenbr0");
    n->nictype = type;
    assert_true(libxl_mac_from_text("00:16:3e:00:00:01", n->mac));
    return n;
}

static const char *node(const char *path)
{
    const char *text = fake_xs_get(path);

    return text ? text : "(none)";
}

/* ---- numbers ---- */

static void disks_have_xens_numbers(void **state)
{
    static const struct {
        const char *name;
        unsigned number;
    } good[] = {
        {"xvda", 51712},
        {"xvdb", 51728},
        {"xvda1", 51713},
        {"xvdp", 51952},
        {"xvdq", (1u << 28) + (16 << 8)},
        {"sda", 2048},
        {"sdb2", 2066},
        {"hda", 768},
        {"hdb", 832},
        {"hdc", 5632},
        {"hdd", 5696},
    };
    static const char *const bad[] = {"",      "xvd",     "vda",   "hde",
                                      "sdq",   "xvdA",    "xvda0", "xvda1x",
                                      "hda64", "xvda1000"};
    struct libxl__vdev v;

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(libxl__vdev_parse(good[i].name, &v));
        assert_int_equal(v.number, good[i].number);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(libxl__vdev_parse(bad[i], &v));
}

/* ---- what is carried ---- */

static void files_and_formats_are_qemus_to_serve(void **state)
{
    libxl_device_disk *d = add_disk("xvda", LIBXL_DISK_FORMAT_RAW);

    libxl__xen_disk_decide(d);
    assert_int_equal(d->backend, LIBXL_DISK_BACKEND_QDISK);
    d->backend = LIBXL_DISK_BACKEND_PHY;
    libxl__xen_disk_decide(d);
    assert_int_equal(d->backend, LIBXL_DISK_BACKEND_QDISK);
}

static void what_cannot_be_carried_is_refused(void **state)
{
    libxl_device_disk *d = add_disk("hda", LIBXL_DISK_FORMAT_QCOW2);

    assert_null(libxl__xen_disk_fault(d, true));
    d->readwrite = false;
    assert_non_null(strstr(libxl__xen_disk_fault(d, true), "read-only"));
    assert_null(libxl__xen_disk_fault(d, false));
    d->backend = LIBXL_DISK_BACKEND_PHY;
    assert_non_null(strstr(libxl__xen_disk_fault(d, false), "raw alone"));
    d->backend = LIBXL_DISK_BACKEND_TAP;
    assert_non_null(strstr(libxl__xen_disk_fault(d, false), "phy nor qdisk"));
    d->backend = LIBXL_DISK_BACKEND_UNKNOWN;
    unlink(d->pdev_path);
    assert_non_null(strstr(libxl__xen_disk_fault(d, false), "not there"));
}

static void only_an_hvm_guest_has_an_empty_drive(void **state)
{
    libxl_device_disk *d = add_disk("hdc", LIBXL_DISK_FORMAT_EMPTY);

    d->is_cdrom = true;
    d->readwrite = false;
    assert_null(libxl__xen_disk_fault(d, true));
    assert_non_null(strstr(libxl__xen_disk_fault(d, false), "empty"));
}

static void a_new_interface_takes_the_first_free_number(void **state)
{
    add_nic(LIBXL_NIC_TYPE_VIF)->devid = 1;
    add_nic(LIBXL_NIC_TYPE_UNKNOWN);
    add_nic(LIBXL_NIC_TYPE_UNKNOWN);
    assert_int_equal(libxl__xen_dev_decide(rig.store->ctx, &rig.config), 0);
    assert_int_equal(rig.config.nics[0].devid, 1);
    assert_int_equal(rig.config.nics[1].devid, 0);
    assert_int_equal(rig.config.nics[2].devid, 2);
    assert_int_equal(rig.config.nics[1].nictype, LIBXL_NIC_TYPE_VIF_IOEMU);
}

/* ---- nodes ---- */

static void lay_out(void)
{
    assert_int_equal(libxl__xen_dev_decide(rig.store->ctx, &rig.config), 0);
    assert_int_equal(libxl__xen_dev_lay_out(libxl__host_xen_of(rig.host),
                                            &rig.gc, 4, &rig.config),
                     0);
}

static void a_disk_that_qemu_serves_has_upstreams_nodes(void **state)
{
    char want[128];

    snprintf(want, sizeof(want), "qcow2:%s",
             store_rig_path(rig.store, "image,1"));
    add_disk("xvdb", LIBXL_DISK_FORMAT_QCOW2);
    lay_out();
    assert_string_equal(node("/local/domain/4/device/vbd/51728/backend"),
                        "/local/domain/0/backend/qdisk/4/51728");
    assert_string_equal(node("/local/domain/0/backend/qdisk/4/51728/params"),
                        want);
    assert_string_equal(node("/local/domain/0/backend/qdisk/4/51728/type"),
                        "qdisk");
    assert_string_equal(node("/libxl/4/device/vbd/51728/backend"),
                        "/local/domain/0/backend/qdisk/4/51728");
    assert_string_equal(node("/libxl/4/device/vbd/51728/script"), "(none)");
}

static void an_emulated_interface_says_so(void **state)
{
    add_nic(LIBXL_NIC_TYPE_UNKNOWN);
    lay_out();
    assert_string_equal(node("/local/domain/0/backend/vif/4/0/type"),
                        "vif_ioemu");
    assert_string_equal(node("/local/domain/0/backend/vif/4/0/bridge"),
                        "xenbr0");
}

static void a_device_is_told_of_as_its_ends_say(void **state)
{
    libxl_device_disk *d = add_disk("xvda", LIBXL_DISK_FORMAT_RAW);
    struct libxl__dev dev = {.disk = d};
    struct libxl__dev_info info;

    lay_out();
    fake_xs_put("/local/domain/4/device/vbd/51712/state", "4");
    fake_xs_put("/local/domain/4/device/vbd/51712/ring-ref", "8");
    assert_int_equal(libxl__xen_dev_info(rig.host, &rig.gc, 4, &dev, &info), 0);
    assert_int_equal(info.devid, 51712);
    assert_int_equal(info.state, 4);
    assert_int_equal(info.rref[0], 8);
    assert_int_equal(info.evtch, -1);
    assert_int_equal(libxl__xen_dev_info(rig.host, &rig.gc, 5, &dev, &info),
                     ERROR_NOTFOUND);
}

/* ---- QEMU's arguments ---- */

static const char *all_args(void)
{
    char **argv, *text = libxl__strdup(&rig.gc, "");

    assert_int_equal(libxl__xen_dev_decide(rig.store->ctx, &rig.config), 0);
    argv = libxl__xen_dm_args(&rig.gc, "qemu", 4, &rig.config, -1);
    assert_non_null(argv);
    for (; *argv; argv++)
        text = libxl__sprintf(&rig.gc, "%s %s", text, *argv);
    return text;
}

static void
an_hvm_guests_devices_are_emulated_where_upstream_has_them(void **state)
{
    libxl_device_disk *d;
    const char *args;
    char want[256];

    add_disk("hda", LIBXL_DISK_FORMAT_QCOW2);
    add_disk("xvde", LIBXL_DISK_FORMAT_RAW);
    d = add_disk("hdc", LIBXL_DISK_FORMAT_EMPTY);
    d->is_cdrom = true;
    d->readwrite = false;
    add_nic(LIBXL_NIC_TYPE_UNKNOWN);
    add_nic(LIBXL_NIC_TYPE_VIF);
    args = all_args();
    /* the comma in its name is doubled */
    snprintf(want, sizeof(want),
             "-drive file=%s,,1,if=ide,index=0,media=disk,format=qcow2,"
             "cache=writeback",
             store_rig_path(rig.store, "image"));
    assert_non_null(strstr(args, want));
    assert_null(strstr(args, "index=4"));
    assert_non_null(strstr(args, "-drive if=none,readonly=on,id=ide-5632 "
                                 "-device ide-cd,id=ide-5632,drive=ide-5632,"
                                 "bus=ide.1,unit=0"));
    assert_non_null(strstr(args, "-device rtl8139,id=nic0,netdev=net0,"
                                 "mac=00:16:3e:00:00:01 -netdev type=tap,"
                                 "id=net0,ifname=vif4.0-emu,br=xenbr0,"
                                 "script=no,downscript=no -machine xenfv"));
    assert_null(strstr(args, "net1"));
    assert_null(strstr(args, "-net none"));
}

static void what_serves_a_pv_guests_disks_emulates_nothing(void **state)
{
    const char *args;

    rig.config.c_info.type = LIBXL_DOMAIN_TYPE_PV;
    assert_false(libxl__xen_dev_want_qemu(&rig.config));
    add_disk("xvda", LIBXL_DISK_FORMAT_RAW);
    args = all_args();
    assert_true(libxl__xen_dev_want_qemu(&rig.config));
    assert_non_null(strstr(args, " -xen-attach "));
    assert_non_null(strstr(args, " -machine xenpv "));
    assert_null(strstr(args, "-drive"));
}

/* ---- added and removed ---- */

struct request {
    struct libxl__dev dev;
    bool add;
    libxl__host_call call;
};

static void ended(libxl__egc *egc, libxl__host_call *call, int rc)
{
    libxl__ao_complete(egc, call->ao, rc);
}

static int start(libxl__egc *egc, libxl__ao *ao, const void *params)
{
    struct request *rq = *(struct request *const *)params;

    rq->call = (libxl__host_call){.ao = ao, .domid = 4, .callback = ended};
    return rq->add ? libxl__xen_dev_add(egc, rig.host, &rq->call, &rig.config,
                                        &rq->dev)
                   : libxl__xen_dev_remove(egc, rig.host, &rq->call, &rq->dev,
                                           false);
}

static int run(struct request *rq)
{
    return libxl__ao_run(rig.store->ctx, 4, NULL, start, &rq);
}

static void a_device_that_is_closed_goes_with_all_its_nodes(void **state)
{
    libxl_device_disk *d = add_disk("xvda", LIBXL_DISK_FORMAT_RAW);
    struct request rq = {.dev.disk = d};

    lay_out();
    fake_xs_put("/local/domain/0/backend/qdisk/4/51712/state", "6");
    assert_int_equal(run(&rq), 0);
    assert_null(fake_xs_get("/local/domain/4/device/vbd/51712"));
    assert_null(fake_xs_get("/local/domain/0/backend/qdisk/4/51712"));
    assert_null(fake_xs_get("/libxl/4/device/vbd/51712/backend"));
    assert_int_equal(run(&rq), ERROR_NOTFOUND);
}

static void a_device_is_not_added_twice(void **state)
{
    libxl_device_disk *d = add_disk("xvda", LIBXL_DISK_FORMAT_RAW);
    struct request rq = {.dev.disk = d, .add = true};

    lay_out();
    assert_int_equal(run(&rq), ERROR_DEVICE_EXISTS);
    assert_non_null(strstr(rig.store->log, "disk xvda: there is one already"));
    assert_non_null(fake_xs_get("/libxl/4/device/vbd/51712/backend"));
}

/* ---- the device model's keys ---- */

#define PHYSMAP "/local/domain/0/device-model/4/physmap"

static void a_device_models_keys_go_from_one_domain_to_the_other(void **state)
{
    struct libxl__rspan s;
    const char *key, *value;
    const void *data;
    size_t bytes;

    fake_xs_put(PHYSMAP, "");
    fake_xs_put(PHYSMAP "/f0000000", "");
    fake_xs_put(PHYSMAP "/f0000000/start_addr", "f0000000");
    fake_xs_put(PHYSMAP "/f0000000/size", "800000");
    fake_xs_put(PHYSMAP "/f0000000/name", "vga.vram");
    assert_int_equal(libxl__xen_dm_keys(rig.host, &rig.gc, 4, &data, &bytes),
                     0);
    s = libxl__rspan_over(data, bytes);
    for (;;) {
        assert_null(libxl__sr_xenstore_next(&s, &key, &value));
        if (!key)
            break;
        assert_int_equal(
            libxl__xen_dm_put_key(rig.host, &rig.gc, 5, key, value), 0);
    }
    assert_string_equal(
        node("/local/domain/0/device-model/5/physmap/f0000000/start_addr"),
        "f0000000");
    assert_string_equal(
        node("/local/domain/0/device-model/5/physmap/f0000000/name"),
        "vga.vram");
}

static void a_device_model_without_keys_gives_no_record(void **state)
{
    const void *data;
    size_t bytes;

    assert_int_equal(libxl__xen_dm_keys(rig.host, &rig.gc, 4, &data, &bytes),
                     0);
    assert_null(data);
    assert_int_equal(bytes, 0);
}

static void half_an_entry_of_a_device_model_fails_the_save(void **state)
{
    const void *data;
    size_t bytes;

    fake_xs_put(PHYSMAP, "");
    fake_xs_put(PHYSMAP "/f0000000", "");
    fake_xs_put(PHYSMAP "/f0000000/size", "800000");
    assert_int_not_equal(
        libxl__xen_dm_keys(rig.host, &rig.gc, 4, &data, &bytes), 0);
    assert_non_null(strstr(rig.store->log, "physmap/f0000000/start_addr"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_rig, close_rig)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(disks_have_xens_numbers),
        TEST(files_and_formats_are_qemus_to_serve),
        TEST(what_cannot_be_carried_is_refused),
        TEST(only_an_hvm_guest_has_an_empty_drive),
        TEST(a_new_interface_takes_the_first_free_number),
        TEST(a_disk_that_qemu_serves_has_upstreams_nodes),
        TEST(an_emulated_interface_says_so),
        TEST(a_device_is_told_of_as_its_ends_say),
        TEST(an_hvm_guests_devices_are_emulated_where_upstream_has_them),
        TEST(what_serves_a_pv_guests_disks_emulates_nothing),
        TEST(a_device_that_is_closed_goes_with_all_its_nodes),
        TEST(a_device_is_not_added_twice),
        TEST(a_device_models_keys_go_from_one_domain_to_the_other),
        TEST(a_device_model_without_keys_gives_no_record),
        TEST(half_an_entry_of_a_device_model_fails_the_save),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
