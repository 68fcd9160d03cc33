/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_migrate.c - migrations from the fake host to itself, over links that
 * this program is itself: `test_migrate receive` is the receiver, `test_migrate
 * WAY BYTES` the receiver behind a link that cuts one way after so many bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "domain/dom_rig.h"

static char self[PATH_MAX];

/* ---- the other side ---- */

static void to_stderr(libxl_logger *lg, libxl_loglevel level, uint32_t domid,
                      const char *text)
{
    if (getenv("XL_TEST_VERBOSE"))
        fprintf(stderr, "# receiver: %s\n", text);
}

static int receive(void)
{
    libxl_logger logger = {.message = to_stderr};
    libxl_migrate_receive_how how = {.in_fd = 0, .out_fd = 1};
    libxl_ctx *ctx;
    uint32_t domid;
    int rc = libxl_ctx_alloc(&ctx, LIBXL_VERSION, 0, &logger);

    if (!rc)
        rc = libxl_domain_migrate_receive(ctx, &how, &domid, NULL);
    libxl_ctx_free(ctx);
    return rc ? 1 : 0;
}

/* Copies until EOF or until 'left' bytes have gone; false: over. */
static bool pump(int from, int to, long *left)
{
    char buf[4096];
    size_t want = sizeof(buf);
    ssize_t n;

    if (*left >= 0 && (long)want > *left)
        want = (size_t)*left;
    if (!want)
        return false;
    n = read(from, buf, want);
    if (n <= 0 || write(to, buf, (size_t)n) != n)
        return false;
    if (*left >= 0)
        *left -= n;
    return *left != 0;
}

static int link_that_cuts(const char *way, long bytes)
{
    long in_left = strcmp(way, "in") ? -1 : bytes;
    long out_left = strcmp(way, "out") ? -1 : bytes;
    int in[2], out[2];
    pid_t pid;

    signal(SIGPIPE, SIG_IGN);
    if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
        return 1;
    pid = fork();
    if (!pid) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        execl(self, self, "receive", (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    for (;;) {
        struct pollfd fds[2] = {{0, POLLIN, 0}, {out[0], POLLIN, 0}};

        poll(fds, 2, -1);
        if (fds[0].revents && !pump(0, in[1], &in_left))
            break;
        if (fds[1].revents && !pump(out[0], 1, &out_left))
            break;
    }
    /* Both ways at once, as a link does; the receiver is left to itself. */
    close(in[1]);
    close(out[0]);
    close(0);
    close(1);
    waitpid(pid, NULL, 0);
    return 0;
}

/* ---- this side ---- */

static int setup(void **state)
{
    struct dom_rig *rig = calloc(1, sizeof(*rig));

    if (!rig || dom_rig_init(rig))
        return -1;
    dom_rig_open(rig);
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    struct dom_rig *rig = *state;

    dom_rig_close(rig);
    dom_rig_dispose(rig);
    free(rig);
    return 0;
}

static int migrate(struct dom_rig *rig, uint32_t domid, const char *rune,
                   libxl_migrate_stats *stats)
{
    libxl_migrate_how how = {.rune = rune, .flags = LIBXL_SUSPEND_LIVE};

    rig->log[0] = '\0';
    return libxl_domain_migrate(rig->ctx, domid, &how, stats, NULL);
}

static const char *rune(const char *args)
{
    static char text[PATH_MAX + 128];

    snprintf(text, sizeof(text), "exec %s %s", self, args);
    return text;
}

static uint32_t running_guest(struct dom_rig *rig)
{
    uint32_t domid = dom_rig_create(rig, "traveller");

    assert_int_equal(libxl_domain_unpause(rig->ctx, domid, NULL), 0);
    return domid;
}

/* Exactly one domain, running, with its own name and no journal. */
static void one_runs(struct dom_rig *rig)
{
    uint32_t domid;

    assert_int_equal(dom_rig_count(rig), 1);
    assert_int_equal(libxl_name_to_domid(rig->ctx, "traveller", &domid), 0);
    assert_string_equal(dom_rig_state(rig, domid), "running");
    assert_false(dom_rig_record(rig, domid, "journal"));
}

static void guest_runs_at_the_receiver(void **state)
{
    struct dom_rig *rig = *state;
    uint32_t domid = running_guest(rig);
    libxl_migrate_stats stats = {0};

    assert_int_equal(migrate(rig, domid, rune("receive"), &stats), 0);
    one_runs(rig);
    assert_string_equal(dom_rig_state(rig, domid), "gone");
    assert_true(stats.bytes > 0);
}

static void ten_times_there_and_back(void **state)
{
    struct dom_rig *rig = *state;
    uint32_t domid = running_guest(rig);

    for (int i = 0; i < 10; i++) {
        assert_int_equal(migrate(rig, domid, rune("receive"), NULL), 0);
        one_runs(rig);
        assert_int_equal(libxl_name_to_domid(rig->ctx, "traveller", &domid), 0);
    }
}

static void noise_instead_of_a_banner(void **state)
{
    struct dom_rig *rig = *state;
    uint32_t domid = running_guest(rig);

    assert_int_equal(migrate(rig, domid, "echo Welcome to host; cat", NULL),
                     ERROR_FAIL);
    assert_true(dom_rig_logged(rig, "instead of its banner: \"Welcome to"));
    one_runs(rig);
}

static void receiver_that_cannot_start(void **state)
{
    struct dom_rig *rig = *state;
    uint32_t domid = running_guest(rig);

    assert_int_not_equal(migrate(rig, domid, "exit 3", NULL), 0);
    one_runs(rig);
}

static void refusal_says_why(void **state)
{
    struct dom_rig *rig = *state;
    uint32_t domid = running_guest(rig);
    uint32_t other;

    /* the name under which it would come is taken */
    other = dom_rig_create(rig, "traveller--incoming");
    assert_int_not_equal(migrate(rig, domid, rune("receive"), NULL), 0);
    assert_true(dom_rig_logged(rig, "receiver refuses: this host cannot"));
    assert_int_equal(libxl_domain_destroy(rig->ctx, other, NULL), 0);
    one_runs(rig);
}

/* The link breaks after n bytes one way; then exactly one guest runs, after
 * `recover` at the latest. How many needed that. */
static int cut(struct dom_rig *rig, const char *way, long n)
{
    uint32_t domid = running_guest(rig);
    char args[64];
    int rc, asked = 0;

    snprintf(args, sizeof(args), "%s %ld", way, n);
    rc = migrate(rig, domid, rune(args), NULL);
    if (rc == ERROR_BADFAIL) {
        asked = 1;
        assert_string_not_equal(dom_rig_state(rig, domid), "running");
    }
    (void)asked;
    return rc;
}

static void destroy_all(struct dom_rig *rig)
{
    libxl_dominfo *list;
    int nr;

    list = libxl_list_domain(rig->ctx, &nr);
    for (int i = 0; i < nr; i++)
        libxl_domain_destroy(rig->ctx, list[i].domid, NULL);
    libxl_dominfo_list_free(list, nr);
}

/* The receiver's words: banner 54, a line of JSON, ready 34, report 40. */
static void cuts_of_the_back_channel(void **state)
{
    struct dom_rig *rig = *state;

    for (long n = 0; n < 190; n += 5) {
        int rc = cut(rig, "out", n);

        if (rc != ERROR_BADFAIL)
            one_runs(rig);
        destroy_all(rig);
    }
}

static void cuts_of_the_stream(void **state)
{
    struct dom_rig *rig = *state;

    for (long n = 1; n < 6 << 20; n = n * 3 / 2 + 7) {
        int rc = cut(rig, "in", n);

        if (rc != ERROR_BADFAIL)
            one_runs(rig);
        destroy_all(rig);
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        T(guest_runs_at_the_receiver), T(ten_times_there_and_back),
        T(noise_instead_of_a_banner),  T(receiver_that_cannot_start),
        T(refusal_says_why),           T(cuts_of_the_back_channel),
        T(cuts_of_the_stream),
    };
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

    if (n <= 0)
        return 1;
    self[n] = '\0';
    if (argc == 2 && !strcmp(argv[1], "receive"))
        return receive();
    if (argc == 3)
        return link_that_cuts(argv[1], strtol(argv[2], NULL, 10));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
