/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_xen_plug.c - the host's hotplug scripts: which, when, and with what. */
#include "host/xen_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/xen_dev.h"

#define VIF "/local/domain/0/backend/vif/1/0"

struct rig {
    struct xen_rig *xen; /* first: xen_rig_close takes it */
    libxl_domain_config config;
    libxl__gc gc;
    char script[96], ran[96];
};

static struct rig rig;

/* A script that says what it is given, then does as the test wants. */
static void write_script(const char *then)
{
    FILE *f = fopen(rig.script, "w");

    assert_non_null(f);
    fprintf(f,
            "#!/bin/sh\n"
            "echo \"$* vif=$vif tap=$INTERFACE\" >>%s\n%s\n",
            rig.ran, then);
    fclose(f);
    assert_int_equal(chmod(rig.script, 0700), 0);
}

static const char *ran(void)
{
    static char text[1024];
    FILE *f = fopen(rig.ran, "r");
    size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

    text[n] = '\0';
    if (f)
        fclose(f);
    return text;
}

static int open_rig(void **state)
{
    void *xen;

    xen_rig_open(&xen);
    rig.xen = xen;
    libxl__gc_init(&rig.gc, rig.xen->ctx);
    libxl_domain_config_init(&rig.config);
    rig.config.c_info.name = strdup("web");
    rig.config.c_info.type = LIBXL_DOMAIN_TYPE_HVM;
    snprintf(rig.script, sizeof(rig.script), "%s/script", rig.xen->dir);
    snprintf(rig.ran, sizeof(rig.ran), "%s/ran", rig.xen->dir);
    write_script("");
    return 0;
}

static int close_rig(void **state)
{
    void *xen = rig.xen;

    libxl_domain_config_dispose(&rig.config);
    libxl__gc_dispose(&rig.gc);
    return xen_rig_close(&xen);
}

static libxl_device_nic *add_nic(libxl_nic_type type, const char *script)
{
    libxl_device_nic *n = libxl_domain_config_add_nic(&rig.config);

    n->bridge = strdup("xenbr0");
    n->nictype = type;
    n->script = strdup(script);
    assert_true(libxl_mac_from_text("00:16:3e:00:00:01", n->mac));
    return n;
}

/* Its nodes, and a netback that has taken the first interface. */
static void lay_out(void)
{
    assert_int_equal(libxl__xen_dev_decide(rig.xen->ctx, &rig.config), 0);
    assert_int_equal(libxl__xen_dev_lay_out(libxl__host_xen_of(rig.xen->h),
                                            &rig.gc, 1, &rig.config),
                     0);
    fake_xs_put(VIF "/state", "2");
}

static int start_plug(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                      const void *user)
{
    libxl__xen_plug *p = libxl__xen_plug_new(h, call, user);

    return p ? libxl__xen_plug_start(egc, p) : ERROR_NOMEM;
}

static int plug(void)
{
    return xen_rig_run(rig.xen, start_plug, &rig.config);
}

/* ---- plugged in ---- */

static void a_script_gets_the_names_that_the_drivers_give(void **state)
{
    add_nic(LIBXL_NIC_TYPE_VIF_IOEMU, rig.script)->ifname = strdup("web0");
    lay_out();
    assert_string_equal(fake_xs_get(VIF "/vifname"), "web0");
    assert_int_equal(plug(), 0);
    assert_string_equal(ran(), "online type_if=vif vif=vif1.0 tap=vif1.0-emu\n"
                               "add type_if=tap vif=vif1.0 tap=vif1.0-emu\n");
}

static void an_emulated_interface_is_made_with_its_drivers_name(void **state)
{
    libxl_device_nic *n = add_nic(LIBXL_NIC_TYPE_VIF_IOEMU, rig.script);

    n->ifname = strdup("web0");
    n->devid = 2;
    assert_string_equal(libxl__xen_nic_tap(&rig.gc, 7, n), "vif7.2-emu");
}

static void a_script_without_a_directory_is_one_of_xens(void **state)
{
    add_nic(LIBXL_NIC_TYPE_VIF, "no-such-script");
    lay_out();
    assert_string_equal(fake_xs_get(VIF "/script"),
                        "/etc/xen/scripts/no-such-script");
    fake_xs_put(VIF "/script", "nor-this"); /* as an older one left it */
    assert_int_equal(plug(), ERROR_FAIL);
    assert_non_null(
        strstr(rig.xen->log, "cannot run /etc/xen/scripts/nor-this"));
}

/* ---- a script that hangs ---- */

/* With a child, which holds on to what the script has. */
#define HANGS "sleep 1000 & echo $! >$0.pid; wait"

/* 0: it has not come so far, or the process has ended. */
static int pid_of_child(void)
{
    char path[128], state[2] = "";
    int pid = 0;
    FILE *f;

    snprintf(path, sizeof(path), "%s.pid", rig.script);
    f = fopen(path, "r");
    if (!f)
        return 0;
    if (fscanf(f, "%d", &pid) != 1)
        pid = 0;
    fclose(f);
    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    f = fopen(path, "r");
    if (!f)
        return 0;
    if (fscanf(f, "%*d %*s %1s", state) != 1 || *state == 'Z')
        pid = 0; /* where the tests run, nobody may reap it */
    fclose(f);
    return pid;
}

static bool is_left(void)
{
    for (int i = 0; i < 1000 && pid_of_child(); i++)
        usleep(10000);
    return pid_of_child();
}

static void an_abort_ends_a_script_that_hangs(void **state)
{
    write_script(HANGS);
    add_nic(LIBXL_NIC_TYPE_VIF, rig.script);
    lay_out();
    assert_int_equal(xen_rig_run_aborted(rig.xen, start_plug, &rig.config, 300),
                     ERROR_ABORTED);
    assert_false(is_left());
}

static void an_abort_ends_the_wait_for_a_driver(void **state)
{
    add_nic(LIBXL_NIC_TYPE_VIF, rig.script);
    lay_out();
    fake_xs_put(VIF "/state", "1");
    assert_int_equal(xen_rig_run_aborted(rig.xen, start_plug, &rig.config, 20),
                     ERROR_ABORTED);
    assert_string_equal(ran(), "");
}

static struct libxl__xen_script script;

static void script_done(libxl__egc *egc, struct libxl__xen_script *s, bool ok)
{
    libxl__host_call *call = s->user;

    call->callback(egc, call, ok ? 0 : ERROR_FAIL);
}

static int start_script(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                        const void *user)
{
    script = (struct libxl__xen_script){
        .hx = libxl__host_xen_of(h),
        .gc = libxl__ao_gc(call->ao),
        .domid = 1,
        .back = VIF,
        .type = "vif",
        .verb = "online",
        .limit_ms = *(const unsigned *)user,
        .user = call,
        .done = script_done,
    };
    return libxl__xen_script_run(&script);
}

static void a_script_has_a_deadline(void **state)
{
    unsigned ms = 300;
    char want[256];

    write_script(HANGS);
    add_nic(LIBXL_NIC_TYPE_VIF, rig.script);
    lay_out();
    assert_int_equal(xen_rig_run(rig.xen, start_script, &ms), ERROR_FAIL);
    assert_false(is_left());
    snprintf(want, sizeof(want), "%s online: vif 0: it has not ended within",
             rig.script);
    assert_non_null(strstr(rig.xen->log, want));
}

static int start_plug_and_undo(libxl__egc *egc, libxl__host *h,
                               libxl__host_call *call, const void *user)
{
    libxl__xen_plug *p = libxl__xen_plug_new(h, call, user);

    libxl__xen_plug_undoes(p);
    return libxl__xen_plug_start(egc, p);
}

static void half_a_script_is_undone_where_the_guest_stays(void **state)
{
    write_script("[ $1 = offline ]");
    add_nic(LIBXL_NIC_TYPE_VIF, rig.script);
    lay_out();
    assert_int_equal(xen_rig_run(rig.xen, start_plug_and_undo, &rig.config),
                     ERROR_FAIL);
    assert_string_equal(ran(), "online type_if=vif vif=vif1.0 tap=\n"
                               "offline type_if=vif vif=vif1.0 tap=\n");
}

/* ---- taken away ---- */

static int start_clean(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                       const void *user)
{
    return libxl__xen_dev_clean(egc, h, call);
}

static int clean(void)
{
    return xen_rig_run(rig.xen, start_clean, NULL);
}

static void what_a_script_has_set_up_it_takes_away(void **state)
{
    add_nic(LIBXL_NIC_TYPE_VIF_IOEMU, rig.script);
    add_nic(LIBXL_NIC_TYPE_VIF, rig.script);
    lay_out();
    assert_int_equal(clean(), 0);
    assert_string_equal(ran(), "offline type_if=vif vif=vif1.0 tap=vif1.0-emu\n"
                               "remove type_if=tap vif=vif1.0 tap=vif1.0-emu\n"
                               "offline type_if=vif vif=vif1.1 tap=\n");
    assert_null(fake_xs_get(VIF "/state"));
}

static void a_script_that_fails_does_not_keep_the_rest(void **state)
{
    write_script("exit 1");
    add_nic(LIBXL_NIC_TYPE_VIF, rig.script);
    add_nic(LIBXL_NIC_TYPE_VIF, "no-such-script");
    lay_out();
    assert_int_equal(clean(), 0);
    assert_non_null(strstr(rig.xen->log, VIF ": its hotplug script failed"));
    assert_null(fake_xs_get(VIF "/state"));
}

static int start_remove(libxl__egc *egc, libxl__host *h, libxl__host_call *call,
                        const void *user)
{
    return libxl__xen_dev_remove(egc, h, call, user, false);
}

static void a_detached_interface_is_named_as_when_it_came(void **state)
{
    libxl_device_nic *n = add_nic(LIBXL_NIC_TYPE_VIF, rig.script);
    struct libxl__dev dev = {.nic = n};

    n->ifname = strdup("web0");
    lay_out();
    fake_xs_put(VIF "/state", "6");
    assert_int_equal(xen_rig_run(rig.xen, start_remove, &dev), 0);
    assert_string_equal(ran(), "offline type_if=vif vif=vif1.0 tap=\n");
}

#define BACKEND "/local/domain/0/backend"
#define QDISK BACKEND "/qdisk/1/51744/params"

/* Neither the hypervisor nor the toolstacks' part of xenstore know it. */
static void backends_go_when_nothing_else_is_left(void **state)
{
    static const char *const left[] = {
        BACKEND "/vkbd/1/0/state", BACKEND "/console/1/0/state",
        BACKEND "/vbd/1/51712/node", BACKEND "/vbd/1/51728/physical-device"};

    for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++)
        fake_xs_put(left[i], "/dev/loop9");
    fake_xs_put(BACKEND "/vbd/1/51712/script", rig.script);
    fake_xs_put(BACKEND "/vbd/1/51728/script", rig.script);
    fake_xs_put(BACKEND "/vbd/2/51712/node", "/dev/loop8");
    fake_xs_put(QDISK, "aio:/image");
    assert_int_equal(clean(), 0);
    assert_string_equal(ran(), "remove vif= tap=\n");
    for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++)
        assert_null(fake_xs_get(left[i]));
    assert_non_null(fake_xs_get(BACKEND "/vbd/2/51712/node"));
    assert_non_null(fake_xs_get(QDISK)); /* its QEMU may have it open */
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_rig, close_rig)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_script_gets_the_names_that_the_drivers_give),
        TEST(an_emulated_interface_is_made_with_its_drivers_name),
        TEST(a_script_without_a_directory_is_one_of_xens),
        TEST(an_abort_ends_a_script_that_hangs),
        TEST(an_abort_ends_the_wait_for_a_driver),
        TEST(a_script_has_a_deadline),
        TEST(half_a_script_is_undone_where_the_guest_stays),
        TEST(what_a_script_has_set_up_it_takes_away),
        TEST(a_script_that_fails_does_not_keep_the_rest),
        TEST(a_detached_interface_is_named_as_when_it_came),
        TEST(backends_go_when_nothing_else_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
