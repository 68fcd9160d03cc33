/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_qemu_tap.c - taps on a bridge, in a network namespace of the test. */
#include "host/host_rig.h"

#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/qemu_spawn.h"

static bool have_bridge;

static int open_rig(void **state)
{
    int sock;

    if (!unshare(CLONE_NEWNET)) {
        sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        have_bridge = !ioctl(sock, SIOCBRADDBR, "xlbr0");
        close(sock);
    }
    return host_rig_open(state);
}

static void a_tap_joins_the_bridge_and_goes_with_its_fd(void **state)
{
    libxl_device_nic nic = { .bridge = (char *)"xlbr0" };
    struct ifreq ifr = { .ifr_name = "vif3.1" };
    struct host_rig *r = *state;
    int fd, sock;

    if (!have_bridge || access("/dev/net/tun", R_OK | W_OK))
        skip();
    assert_int_equal(libxl__qemu_tap_open(r->ctx, 3, &nic, 1, &fd), 0);
    sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(ioctl(sock, SIOCGIFFLAGS, &ifr), 0);
    assert_true(ifr.ifr_flags & IFF_UP);
    assert_int_equal(ioctl(sock, SIOCGIFHWADDR, &ifr), 0);
    assert_int_equal((unsigned char)ifr.ifr_hwaddr.sa_data[0], 0xfe);
    close(fd);
    assert_int_equal(if_nametoindex("vif3.1"), 0);
    close(sock);
}

static void a_bridge_that_is_not_there_is_named(void **state)
{
    libxl_device_nic nic = { .bridge = (char *)"nobridge" };
    struct host_rig *r = *state;
    int fd;

    if (!have_bridge || access("/dev/net/tun", R_OK | W_OK))
        skip();
    assert_int_equal(libxl__qemu_tap_open(r->ctx, 3, &nic, 0, &fd), ERROR_FAIL);
    assert_non_null(strstr(r->log, "nobridge"));
    close(fd);
}

static void without_the_right_it_says_what_to_do(void **state)
{
    libxl_device_nic nic = { .bridge = (char *)"xlbr0" };
    struct host_rig *r = *state;
    uid_t uid = geteuid();
    int fd;

    if (!uid && seteuid(65534))
        skip();
    assert_int_equal(libxl__qemu_tap_open(r->ctx, 3, &nic, 0, &fd), ERROR_FAIL);
    assert_int_equal(seteuid(uid), 0);
    assert_non_null(strstr(r->log, "user-mode"));
    if (fd >= 0)
        close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_tap_joins_the_bridge_and_goes_with_its_fd, open_rig,
            host_rig_close),
        cmocka_unit_test_setup_teardown(a_bridge_that_is_not_there_is_named,
                                        open_rig, host_rig_close),
        cmocka_unit_test_setup_teardown(without_the_right_it_says_what_to_do,
                                        open_rig, host_rig_close),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
