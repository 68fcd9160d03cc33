/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_console.c - the console's relay and log, with the test as the guest.
 */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "domain/console_relay.h"
#include "domain/dom_rig.h"
#include "base/sock_at.h"

#define DEADLINE_S 120

static struct dom_rig rig;
static struct libxl__console_relay relay;
static int dirfd, guest_listen, guest;

static void turn(void)
{
    libxl_event *event;

    libxl_event_check(rig.ctx, &event, 0, NULL, NULL);
}

static int setup(void **state)
{
    if (dom_rig_init(&rig))
        return -1;
    dom_rig_open(&rig);
    dirfd = open(rig.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    guest_listen = libxl__listen_at(dirfd, "console");
    libxl__console_relay_init(&relay);
    relay.ctx = rig.ctx;
    relay.dirfd = dirfd;
    if (libxl__console_relay_listen(&relay) ||
        libxl__console_relay_attach(&relay))
        return -1;
    guest = accept4(guest_listen, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    return guest < 0 ? -1 : 0;
}

static int teardown(void **state)
{
    libxl__console_relay_close(&relay);
    close(guest);
    close(guest_listen);
    close(dirfd);
    dom_rig_dispose(&rig);
    return 0;
}

static int client(void)
{
    int fd = libxl__connect_at(dirfd, "console.sock");

    assert_true(fd >= 0);
    return fd;
}

/* The next bytes on fd, turning the relay's loop meanwhile. */
static void expect(int fd, const char *text)
{
    size_t want = strlen(text), have = 0;
    time_t end = time(NULL) + DEADLINE_S;
    char buf[256];
    ssize_t n;

    assert_true(want < sizeof(buf));
    while (have < want && time(NULL) < end) {
        turn();
        n = read(fd, buf + have, want - have);
        if (n > 0)
            have += (size_t)n;
    }
    buf[have] = '\0';
    assert_string_equal(buf, text);
}

static void say(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void every_client_sees_all_output(void **state)
{
    int a = client(), b = client();

    say(guest, "boot\n");
    expect(a, "boot\n");
    expect(b, "boot\n");
    close(a);
    close(b);
}

static void who_comes_late_gets_the_end_of_the_log(void **state)
{
    int a = client(), b;

    say(guest, "first\n");
    expect(a, "first\n");
    b = client();
    expect(b, "first\n");
    close(a);
    close(b);
}

static void the_first_client_writes_and_the_next_takes_over(void **state)
{
    int a = client(), b;

    say(a, "one");
    expect(guest, "one");
    b = client();
    say(guest, "x");
    expect(b, "x");
    say(b, "dropped");
    say(a, "two");
    expect(guest, "two");
    close(a);
    say(guest, "y"); /* the relay has seen b's words when this arrives */
    expect(b, "y");
    say(b, "three");
    expect(guest, "three");
    close(b);
}

static void a_client_that_does_not_read_is_put_out(void **state)
{
    static char block[16384];
    int a = client(), b = client(), i;
    ssize_t n;
    char c;

    memset(block, 'x', sizeof(block));
    say(guest, "x");
    expect(b, "x");
    /* more than the sockets and the relay's buffer hold for a */
    for (i = 0; i < 200; i++) {
        size_t sent = 0, seen = 0;
        char drop[16384];

        while (seen < sizeof(block)) {
            n = write(guest, block + sent, sizeof(block) - sent);
            sent += n > 0 ? (size_t)n : 0;
            turn();
            n = read(b, drop, sizeof(drop));
            seen += n > 0 ? (size_t)n : 0;
        }
    }
    say(guest, "!");
    expect(b, "!");
    while ((n = read(a, block, sizeof(block))) > 0)
        ;
    assert_int_equal(n, 0); /* closed by the relay */
    assert_int_equal(read(b, &c, 1), -1);
    close(a);
    close(b);
}

static void a_guest_that_does_not_read_stops_the_writer(void **state)
{
    static char block[65536];
    size_t total = 0;
    int a = client(), i;
    ssize_t n;

    memset(block, 'k', sizeof(block));
    for (i = 0; i < 1000; i++) {
        n = write(a, block, sizeof(block));
        if (n > 0)
            total += (size_t)n;
        turn();
    }
    assert_true(total < 64 * sizeof(block)); /* the writer had to stop */
    while (total) {
        n = read(guest, block, sizeof(block));
        if (n > 0)
            total -= (size_t)n;
        turn();
    }
    close(a);
}

static off_t size_of(const char *name)
{
    struct stat st;

    return stat(dom_rig_path(&rig, name), &st) ? -1 : st.st_size;
}

static void the_log_is_bounded(void **state)
{
    static char line[1024];
    unsigned i;

    memset(line, 'l', sizeof(line));
    for (i = 0; i < 5 * CONSOLE_LOG_BYTES / sizeof(line); i++)
        libxl__console_log_write(&relay.log, line, sizeof(line));
    assert_in_range(size_of("console-log"), 1, CONSOLE_LOG_BYTES);
    assert_in_range(size_of("console-log.old"), 1, CONSOLE_LOG_BYTES);
}

static void a_new_keeper_goes_on_behind_the_old_log(void **state)
{
    struct libxl__console_log log;
    char tail[CONSOLE_TAIL_BYTES];
    size_t n;

    libxl__console_log_write(&relay.log, "before\n", 7);
    libxl__console_log_open(&log, dirfd);
    libxl__console_log_write(&log, "after\n", 6);
    n = libxl__console_log_tail(&log, tail);
    assert_int_equal(n, 13);
    assert_memory_equal(tail, "before\nafter\n", 13);
    assert_int_equal(size_of("console-log"), 13);
    libxl__console_log_close(&log);
}

static void the_tail_is_the_end_of_what_was_written(void **state)
{
    char tail[CONSOLE_TAIL_BYTES], piece[1000];
    unsigned i, c;

    for (i = 0; i < 100; i++) {
        memset(piece, 'a' + (int)(i % 26), sizeof(piece));
        libxl__console_log_write(&relay.log, piece, sizeof(piece));
    }
    assert_int_equal(libxl__console_log_tail(&relay.log, tail),
                     CONSOLE_TAIL_BYTES);
    for (i = 0; i < CONSOLE_TAIL_BYTES; i++) {
        c = (100000 - CONSOLE_TAIL_BYTES + i) / 1000;
        assert_int_equal(tail[i], 'a' + (int)(c % 26));
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_client_sees_all_output),
        TEST(who_comes_late_gets_the_end_of_the_log),
        TEST(the_first_client_writes_and_the_next_takes_over),
        TEST(a_client_that_does_not_read_is_put_out),
        TEST(a_guest_that_does_not_read_stops_the_writer),
        TEST(the_log_is_bounded),
        TEST(a_new_keeper_goes_on_behind_the_old_log),
        TEST(the_tail_is_the_end_of_what_was_written),
    };

    return cmocka_run_group_tests_name("console", tests, NULL, NULL);
}
