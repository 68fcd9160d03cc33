/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_save.c - save and restore of a guest of the fake host, through the real
 * helper.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "domain/dom_rig.h"

static struct dom_rig rig;

static int setup(void **state)
{
    if (dom_rig_init(&rig))
        return -1;
    dom_rig_open(&rig);
    return 0;
}

static int teardown(void **state)
{
    dom_rig_dispose(&rig);
    return 0;
}

static int save(uint32_t domid, const char *name, libxl_save_then then)
{
    libxl_save_how how = {
        .path = dom_rig_path(&rig, name), .fd = -1, .then = then};

    return libxl_domain_save_file(rig.ctx, domid, &how, NULL);
}

static uint32_t running_guest(void)
{
    uint32_t domid = dom_rig_create(&rig, "one");

    assert_int_equal(libxl_domain_unpause(rig.ctx, domid, NULL), 0);
    assert_string_equal(dom_rig_state(&rig, domid), "running");
    return domid;
}

static void a_saved_guest_is_gone_and_comes_back(void **state)
{
    uint32_t domid = running_guest(), back;

    assert_int_equal(save(domid, "image", LIBXL_SAVE_THEN_DESTROY), 0);
    assert_int_equal(dom_rig_count(&rig), 0);
    assert_int_equal(dom_rig_files(&rig), 1);
    assert_int_equal(dom_rig_restore(&rig, dom_rig_path(&rig, "image"), &back),
                     0);
    assert_string_equal(dom_rig_state(&rig, back), "paused");
    assert_false(dom_rig_record(&rig, back, "journal"));
    assert_int_equal(libxl_domain_unpause(rig.ctx, back, NULL), 0);
    assert_string_equal(dom_rig_state(&rig, back), "running");
}

/* The fake host's guests have all of their memory, whatever they are told. */
static void memory_that_is_not_given_back_yet_has_room_in_the_image(void **state)
{
    libxl_domain_config config;
    uint32_t domid, mandatory, optional;
    char *json;
    int fd;

    dom_rig_config(&config, "one");
    config.b_info.target_memkb = config.b_info.max_memkb / 2;
    assert_int_equal(
        libxl_domain_create_new(rig.ctx, &config, &domid, NULL, NULL), 0);
    libxl_domain_config_dispose(&config);
    assert_int_equal(save(domid, "image", LIBXL_SAVE_THEN_DESTROY), 0);
    fd = open(dom_rig_path(&rig, "image"), O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(libxl_savefile_read_header(rig.ctx, fd, "image",
                                                &mandatory, &optional, &json),
                     0);
    close(fd);
    assert_int_equal(libxl_domain_config_from_json(rig.ctx, &config, json), 0);
    free(json);
    assert_int_equal(config.b_info.target_memkb, config.b_info.max_memkb);
    libxl_domain_config_dispose(&config);
}

/* Flags at 36, in the writer's byte order. */
static uint32_t mandatory_flags(const char *name)
{
    uint32_t flags;
    int fd = open(dom_rig_path(&rig, name), O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &flags, sizeof(flags), 36), sizeof(flags));
    close(fd);
    return flags;
}

static off_t file_bytes(const char *name)
{
    struct stat st;

    assert_int_equal(stat(dom_rig_path(&rig, name), &st), 0);
    return st.st_size;
}

/* As on a Xen host: only a file that says so leaves out pages of zeros. */
static void a_native_file_of_a_xen_host_has_no_zero_pages(void **state)
{
    libxl_save_how how = {.fd = -1, .native = true};
    uint32_t domid, back;

    dom_rig_close(&rig);
    setenv("XL_HYPERVISOR", "fake-xen", 1);
    dom_rig_open(&rig);
    domid = running_guest();
    how.path = dom_rig_path(&rig, "native");
    how.then = LIBXL_SAVE_THEN_RESUME;
    assert_int_equal(libxl_domain_save_file(rig.ctx, domid, &how, NULL), 0);
    assert_int_equal(save(domid, "plain", LIBXL_SAVE_THEN_DESTROY), 0);
    assert_int_equal(mandatory_flags("native"), 0x80000003u);
    assert_int_equal(mandatory_flags("plain"), 3);
    assert_true(file_bytes("plain") - file_bytes("native") > 100 * 4096);
    assert_int_equal(dom_rig_restore(&rig, dom_rig_path(&rig, "native"), &back),
                     0);
    assert_string_equal(dom_rig_state(&rig, back), "paused");
}

static void a_checkpoint_leaves_the_guest_as_it_was(void **state)
{
    uint32_t domid = running_guest();

    assert_int_equal(save(domid, "image", LIBXL_SAVE_THEN_RESUME), 0);
    assert_string_equal(dom_rig_state(&rig, domid), "running");
    assert_int_equal(libxl_domain_pause(rig.ctx, domid, NULL), 0);
    assert_int_equal(save(domid, "image", LIBXL_SAVE_THEN_RESUME), 0);
    assert_string_equal(dom_rig_state(&rig, domid), "paused");
    assert_false(dom_rig_record(&rig, domid, "journal"));
}

static void a_save_can_leave_the_guest_paused(void **state)
{
    uint32_t domid = running_guest();

    assert_int_equal(save(domid, "image", LIBXL_SAVE_THEN_PAUSE), 0);
    assert_string_equal(dom_rig_state(&rig, domid), "paused");
    assert_int_equal(libxl_domain_unpause(rig.ctx, domid, NULL), 0);
    assert_string_equal(dom_rig_state(&rig, domid), "running");
}

static void the_file_is_for_its_owner_alone(void **state)
{
    struct stat st;

    assert_int_equal(save(running_guest(), "image", LIBXL_SAVE_THEN_DESTROY),
                     0);
    assert_int_equal(stat(dom_rig_path(&rig, "image"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_directory_is_refused(void **state)
{
    uint32_t domid = running_guest();

    mkdir(dom_rig_path(&rig, "dir"), 0700);
    assert_int_equal(save(domid, "dir", LIBXL_SAVE_THEN_DESTROY), ERROR_INVAL);
    assert_true(dom_rig_logged(&rig, "it is a directory"));
    assert_string_equal(dom_rig_state(&rig, domid), "running");
    assert_int_equal(dom_rig_files(&rig), 1);
}

static void a_symbolic_link_is_followed(void **state)
{
    struct stat st;
    uint32_t domid = running_guest();

    mkdir(dom_rig_path(&rig, "dir"), 0700);
    assert_int_equal(symlink("dir/there", dom_rig_path(&rig, "link")), 0);
    assert_int_equal(save(domid, "link", LIBXL_SAVE_THEN_DESTROY), 0);
    assert_int_equal(lstat(dom_rig_path(&rig, "link"), &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(lstat(dom_rig_path(&rig, "dir/there"), &st), 0);
    assert_true(S_ISREG(st.st_mode));
}

static void a_full_device_leaves_the_guest_running(void **state)
{
    libxl_save_how how = {.path = "/dev/full", .fd = -1};
    uint32_t domid = running_guest();

    assert_int_not_equal(libxl_domain_save_file(rig.ctx, domid, &how, NULL), 0);
    assert_string_equal(dom_rig_state(&rig, domid), "running");
    assert_false(dom_rig_record(&rig, domid, "journal"));
}

static void a_name_in_use_is_refused_and_nothing_is_left(void **state)
{
    uint32_t domid = running_guest(), back;

    assert_int_equal(save(domid, "image", LIBXL_SAVE_THEN_RESUME), 0);
    assert_int_equal(dom_rig_restore(&rig, dom_rig_path(&rig, "image"), &back),
                     ERROR_INVAL);
    assert_true(dom_rig_logged(&rig, "exists already"));
    assert_int_equal(back, INVALID_DOMID);
    assert_int_equal(dom_rig_count(&rig), 1);
}

static void trailing_bytes_are_refused(void **state)
{
    uint32_t back;
    FILE *f;

    assert_int_equal(save(running_guest(), "image", LIBXL_SAVE_THEN_DESTROY),
                     0);
    f = fopen(dom_rig_path(&rig, "image"), "a");
    fputs("x", f);
    fclose(f);
    assert_int_not_equal(
        dom_rig_restore(&rig, dom_rig_path(&rig, "image"), &back), 0);
    assert_true(dom_rig_logged(&rig, "1 bytes follow"));
    assert_int_equal(dom_rig_count(&rig), 0);
}

/* ---- a FIFO, and an abort ---- */

struct async {
    int rc;
    bool done;
};

static void async_done(libxl_ctx *ctx, int rc, void *for_callback)
{
    struct async *as = for_callback;

    as->rc = rc;
    as->done = true;
}

static void turn(void)
{
    libxl_event *event;

    libxl_event_check(rig.ctx, &event, 0, NULL, NULL);
    usleep(1000);
}

static void a_fifo_waits_for_its_reader_and_gets_all(void **state)
{
    libxl_save_how how = {.path = dom_rig_path(&rig, "fifo"), .fd = -1};
    struct async as = {0};
    const libxl_asyncop_how ao = {.callback = async_done,
                                  .u.for_callback = &as};
    uint32_t domid = running_guest();
    char buf[65536];
    uint64_t total = 0;
    ssize_t n;
    int fd, i;

    assert_int_equal(mkfifo(how.path, 0600), 0);
    assert_int_equal(libxl_domain_save_file(rig.ctx, domid, &how, &ao), 0);
    for (i = 0; i < 150; i++)
        turn();
    assert_false(as.done);
    assert_string_equal(dom_rig_state(&rig, domid), "running");
    fd = open(how.path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(fd >= 0);
    while ((n = read(fd, buf, sizeof(buf))) != 0 || !as.done) {
        total += n > 0 ? (uint64_t)n : 0;
        if (n <= 0)
            turn();
    }
    close(fd);
    assert_int_equal(as.rc, 0);
    assert_true(total > 1 << 20);
    assert_int_equal(dom_rig_count(&rig), 0);
}

static void a_fifo_without_a_reader_can_be_given_up(void **state)
{
    libxl_save_how how = {.path = dom_rig_path(&rig, "fifo"), .fd = -1};
    struct async as = {0};
    const libxl_asyncop_how ao = {.callback = async_done,
                                  .u.for_callback = &as};
    uint32_t domid = running_guest();

    assert_int_equal(mkfifo(how.path, 0600), 0);
    assert_int_equal(libxl_domain_save_file(rig.ctx, domid, &how, &ao), 0);
    turn();
    assert_int_equal(libxl_ao_abort(rig.ctx, &ao), 0);
    while (!as.done)
        turn();
    assert_int_equal(as.rc, ERROR_ABORTED);
    assert_string_equal(dom_rig_state(&rig, domid), "running");
}

static void a_reader_that_leaves_gives_the_guest_back(void **state)
{
    libxl_save_how how = {.path = dom_rig_path(&rig, "fifo"), .fd = -1};
    struct async as = {0};
    const libxl_asyncop_how ao = {.callback = async_done,
                                  .u.for_callback = &as};
    uint32_t domid = running_guest();
    char byte;
    int fd;

    assert_int_equal(mkfifo(how.path, 0600), 0);
    fd = open(how.path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_int_equal(libxl_domain_save_file(rig.ctx, domid, &how, &ao), 0);
    while (read(fd, &byte, 1) != 1)
        turn();
    close(fd);
    while (!as.done)
        turn();
    assert_int_not_equal(as.rc, 0);
    assert_string_equal(dom_rig_state(&rig, domid), "running");
    assert_false(dom_rig_record(&rig, domid, "journal"));
}

/* Nobody reads on for a guest that cannot be made. */
static void a_silent_stream_is_not_waited_for(void **state)
{
    libxl_domain_config config;
    uint32_t domid;
    int fds[2];

    assert_int_equal(pipe(fds), 0);
    dom_rig_config(&config, "one");
    /* check_config is the first call, create the second */
    setenv("XL_FAKE_FAIL", "2", 1);
    dom_rig_close(&rig);
    dom_rig_open(&rig);
    assert_int_equal(libxl_domain_create_restore(rig.ctx, &config, &domid,
                                                 fds[0], 2, NULL, NULL),
                     ERROR_FAIL);
    unsetenv("XL_FAKE_FAIL");
    assert_int_equal(dom_rig_count(&rig), 0);
    libxl_domain_config_dispose(&config);
    close(fds[0]);
    close(fds[1]);
}

/* ---- what a host that went down has left ---- */

#define PART ".xl-save-0123456789abcdef.part"
#define NOTE "state/unfinished/0123456789abcdef"
#define OTHER_BOOT "11111111-2222-3333-4444-555555555555"

static bool there(const char *name)
{
    return !access(dom_rig_path(&rig, name), F_OK);
}

static void write_text(const char *name, const char *text)
{
    FILE *f = fopen(dom_rig_path(&rig, name), "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void make_notes(void)
{
    assert_int_equal(dom_rig_count(&rig), 0); /* makes the state directory */
    assert_int_equal(mkdir(dom_rig_path(&rig, "state/unfinished"), 0700), 0);
}

/* A recovery of whatever there is. */
static void recover(void)
{
    assert_int_equal(libxl_domain_recover(rig.ctx, INVALID_DOMID, NULL), 0);
}

/* A file, and the note of it; then somebody recovers. */
static void left_behind(const char *boot_id, bool same_inode)
{
    char text[512];
    struct stat st;

    make_notes();
    write_text(PART, "part of a guest");
    assert_int_equal(stat(dom_rig_path(&rig, PART), &st), 0);
    snprintf(text, sizeof(text), "1 %s %llu %s\n", boot_id,
             (unsigned long long)st.st_ino + !same_inode,
             dom_rig_path(&rig, PART));
    write_text(NOTE, text);
    recover();
}

static void what_a_save_left_when_the_host_went_down_is_removed(void **state)
{
    left_behind(OTHER_BOOT, true);
    assert_false(there(PART));
    assert_false(there(NOTE));
    assert_true(dom_rig_logged(&rig, "went down"));
}

static void a_file_that_merely_has_the_name_stays(void **state)
{
    left_behind(OTHER_BOOT, false);
    assert_true(there(PART));
    assert_false(there(NOTE));
}

static void a_save_of_this_boot_is_left_alone(void **state)
{
    char boot_id[64];
    FILE *f = fopen("/proc/sys/kernel/random/boot_id", "r");

    assert_non_null(f);
    assert_int_equal(fscanf(f, "%63s", boot_id), 1);
    fclose(f);
    left_behind(boot_id, true);
    assert_true(there(PART));
    assert_true(there(NOTE));
}

static void damaged_notes_name_no_file(void **state)
{
    static const char *const texts[] = {
        "",
        "1",
        "1 x",
        "2 " OTHER_BOOT " 5 /x\n",
        "1 " OTHER_BOOT " 5 x\n",
        "1 " OTHER_BOOT " 5 /etc/passwd\n",
    };

    make_notes();
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        write_text(NOTE, texts[i]);
        recover();
        assert_false(there(NOTE));
    }
}

/* While it is written it is on record; afterwards it is not. */
static void a_save_keeps_a_note_until_its_file_is_whole(void **state)
{
    uint32_t domid = running_guest();

    assert_int_equal(save(domid, "image", LIBXL_SAVE_THEN_DESTROY), 0);
    assert_true(there("state/unfinished"));
    assert_int_equal(rmdir(dom_rig_path(&rig, "state/unfinished")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_saved_guest_is_gone_and_comes_back,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            memory_that_is_not_given_back_yet_has_room_in_the_image, setup,
            teardown),
        cmocka_unit_test_setup_teardown(
            a_native_file_of_a_xen_host_has_no_zero_pages, setup, teardown),
        cmocka_unit_test_setup_teardown(
            what_a_save_left_when_the_host_went_down_is_removed, setup,
            teardown),
        cmocka_unit_test_setup_teardown(a_file_that_merely_has_the_name_stays,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_save_of_this_boot_is_left_alone,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(damaged_notes_name_no_file, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            a_save_keeps_a_note_until_its_file_is_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(a_checkpoint_leaves_the_guest_as_it_was,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_save_can_leave_the_guest_paused,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(the_file_is_for_its_owner_alone, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_directory_is_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_symbolic_link_is_followed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_full_device_leaves_the_guest_running,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_name_in_use_is_refused_and_nothing_is_left, setup, teardown),
        cmocka_unit_test_setup_teardown(trailing_bytes_are_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            a_fifo_waits_for_its_reader_and_gets_all, setup, teardown),
        cmocka_unit_test_setup_teardown(a_fifo_without_a_reader_can_be_given_up,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_reader_that_leaves_gives_the_guest_back, setup, teardown),
        cmocka_unit_test_setup_teardown(a_silent_stream_is_not_waited_for,
                                        setup, teardown),
    };

    return cmocka_run_group_tests_name("save", tests, NULL, NULL);
}
