/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_migrate.c - migrations from the fake host to itself, over links that
 * this program is itself:
 *
 *   test_migrate receive          the receiver
 *   test_migrate mute             the receiver, its lines of JSON taken out
 *   test_migrate send RUNE        a sender that can be killed
 *   test_migrate WAY BYTES EVENT  the receiver behind a link to which something
 *                                 happens when so many bytes have gone by
 *
 * WAY: in, to the receiver; out, from it; go, to it behind "ready". EVENT: cut
 * the link, kill-receiver, kill-sender.
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
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "domain/dom_rig.h"
#include "store/domain_record.h"

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

static int send_away(const char *rune)
{
    libxl_logger logger = {.message = to_stderr};
    libxl_migrate_how how = {.rune = rune, .flags = LIBXL_SUSPEND_LIVE};
    uint32_t domid;
    libxl_ctx *ctx;
    int rc = libxl_ctx_alloc(&ctx, LIBXL_VERSION, 0, &logger);

    if (!rc)
        rc = libxl_name_to_domid(ctx, "traveller", &domid);
    if (!rc)
        rc = libxl_domain_migrate(ctx, domid, &how, NULL, NULL);
    libxl_ctx_free(ctx);
    return rc ? 1 : 0;
}

/* One way of the link; left < 0: nothing will happen to it. */
struct way {
    int from, to;
    long left;
};

/* Some bytes. false: it is over, or its moment has come. */
static bool pump(struct way *w, char *buf, size_t size, ssize_t *n)
{
    size_t want = w->left >= 0 && (long)size > w->left ? (size_t)w->left : size;

    *n = 0;
    if (!want)
        return false;
    *n = read(w->from, buf, want);
    if (*n <= 0 || write(w->to, buf, (size_t)*n) != *n)
        return false;
    if (w->left >= 0)
        w->left -= *n;
    return w->left != 0;
}

static void relay(struct way *in, struct way *out, long behind_ready)
{
    char buf[4096];
    ssize_t n;

    for (;;) {
        struct pollfd fds[2] = {{in->from, POLLIN, 0}, {out->from, POLLIN, 0}};

        poll(fds, 2, -1);
        if (fds[1].revents) {
            if (!pump(out, buf, sizeof(buf), &n))
                return;
            if (behind_ready >= 0 && memmem(buf, (size_t)n, "to unpause", 10))
                in->left = behind_ready;
        }
        if (in->left == 0)
            return;
        if (fds[0].revents && !pump(in, buf, sizeof(buf), &n))
            return;
    }
}

static pid_t start_receiver(int *to, int *from)
{
    int in[2], out[2];
    pid_t pid;

    if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
        exit(1);
    pid = fork();
    if (!pid) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        execl(self, self, "receive", (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    *to = in[1];
    *from = out[0];
    return pid;
}

/* What a receiver of another make says: its words alone. Each line comes in one
 * piece, because the sender is waited for in front of it and behind it. */
static int mute_receiver(void)
{
    struct way in = {.from = 0, .left = -1}, out = {.to = 1, .left = -1};
    char buf[4096], *words;
    pid_t receiver;
    ssize_t n;

    signal(SIGPIPE, SIG_IGN);
    receiver = start_receiver(&in.to, &out.from);
    for (;;) {
        struct pollfd fds[2] = {{in.from, POLLIN, 0}, {out.from, POLLIN, 0}};

        poll(fds, 2, -1);
        if (fds[1].revents) {
            n = read(out.from, buf, sizeof(buf));
            if (n <= 0)
                break;
            words =
                *buf == '{' ? (char *)memchr(buf, '\n', (size_t)n) + 1 : buf;
            n -= words - buf;
            if (write(out.to, words, (size_t)n) != n)
                break;
        } else if (!pump(&in, buf, sizeof(buf), &n)) {
            break;
        }
    }
    close(in.to);
    waitpid(receiver, NULL, 0);
    return 0;
}

static int bad_link(const char *which, long bytes, const char *event)
{
    struct way in = {.from = 0, .left = -1}, out = {.to = 1, .left = -1};
    bool whole = getenv("XL_TEST_WHOLE_LINK");
    pid_t receiver, sender = getppid();

    signal(SIGPIPE, SIG_IGN);
    receiver = start_receiver(&in.to, &out.from);
    if (!whole && !strcmp(which, "in"))
        in.left = bytes;
    if (!whole && !strcmp(which, "out"))
        out.left = bytes;
    relay(&in, &out, !whole && !strcmp(which, "go") ? bytes : -1);
    if (!whole && !strcmp(event, "kill-receiver"))
        kill(receiver, SIGKILL);
    if (!whole && !strcmp(event, "kill-sender"))
        kill(sender, SIGKILL);
    close(in.to);
    close(out.from);
    close(0);
    close(1);
    waitpid(receiver, NULL, 0);
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
    /* for the estimate of the next one */
    assert_int_equal(access(dom_rig_path(rig, "state/stop-rest"), F_OK), 0);
}

/* As on a Xen host; slowly, so that what the receiver says comes early. */
static void migrate_from_xen(struct dom_rig *rig, const char *command,
                             libxl_migrate_stats *stats)
{
    libxl_precopy_how slowly = {.bandwidth_bps = 32 << 20};
    libxl_migrate_how how = {
        .rune = rune(command),
        .flags = LIBXL_SUSPEND_LIVE,
        .precopy = &slowly,
    };
    uint32_t domid;

    dom_rig_close(rig);
    setenv("XL_HYPERVISOR", "fake-xen", 1);
    dom_rig_open(rig);
    domid = running_guest(rig);
    assert_int_equal(libxl_domain_migrate(rig->ctx, domid, &how, stats, NULL),
                     0);
    one_runs(rig);
}

static void zero_pages_travel_without_data_to_a_reader_of_ours(void **state)
{
    libxl_migrate_stats stats = {0};

    migrate_from_xen(*state, "receive", &stats);
    assert_true(stats.zero_pages > 0);
}

static void zero_pages_are_data_for_any_other_reader(void **state)
{
    libxl_migrate_stats stats = {0};

    migrate_from_xen(*state, "mute", &stats);
    assert_int_equal(stats.zero_pages, 0);
    assert_true(stats.bytes > 8 << 20);
}

/* What a terminal's Ctrl-C is to the command. */
static void an_interrupt_does_not_reach_the_link(void **state)
{
    struct dom_rig *rig = *state;
    uint32_t domid = running_guest(rig);
    char text[PATH_MAX + 64];

    snprintf(text, sizeof(text), "kill -INT $$; exec %s receive", self);
    assert_int_equal(migrate(rig, domid, text, NULL), 0);
    one_runs(rig);
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

static bool is_over(struct dom_rig *rig)
{
    uint32_t domid;

    return dom_rig_count(rig) == 1 &&
           !libxl_name_to_domid(rig->ctx, "traveller", &domid) &&
           !strcmp(dom_rig_state(rig, domid), "running") &&
           !dom_rig_record(rig, domid, "journal");
}

/* What is still at work comes to its end, and `recover` does the rest. */
static void recover_all(struct dom_rig *rig)
{
    time_t end = time(NULL) + 60;

    setenv("XL_TEST_WHOLE_LINK", "1", 1);
    while (!is_over(rig) && time(NULL) < end) {
        libxl_domain_recover(rig->ctx, INVALID_DOMID, NULL);
        usleep(1000);
    }
    unsetenv("XL_TEST_WHOLE_LINK");
    one_runs(rig);
}

/* The sender in this process. true: only `recover` could end it. */
static bool event(struct dom_rig *rig, const char *way, long n,
                  const char *what)
{
    uint32_t domid = running_guest(rig);
    char args[64];
    int rc;

    snprintf(args, sizeof(args), "%s %ld %s", way, n, what);
    rc = migrate(rig, domid, rune(args), NULL);
    if (rc == ERROR_BADFAIL) {
        assert_string_not_equal(dom_rig_state(rig, domid), "running");
        recover_all(rig);
    }
    if (!strcmp(what, "kill-receiver")) /* what it left there */
        recover_all(rig);
    one_runs(rig);
    return rc == ERROR_BADFAIL;
}

/* The sender in a process of its own, which is killed. */
static void sender_dies(struct dom_rig *rig, const char *way, long n)
{
    char args[64];
    pid_t pid;

    running_guest(rig);
    snprintf(args, sizeof(args), "%s %ld kill-sender", way, n);
    pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        execl(self, self, "send", rune(args), (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    recover_all(rig);
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
#define OUT_BYTES 210

static void cuts_of_the_back_channel(void **state)
{
    struct dom_rig *rig = *state;
    unsigned recovered = 0;

    for (long n = 0; n < OUT_BYTES; n += 5) {
        recovered += event(rig, "out", n, "cut");
        destroy_all(rig);
    }
    assert_true(recovered > 0); /* the report was cut at least once */
}

static void cuts_of_the_stream(void **state)
{
    struct dom_rig *rig = *state;

    for (long n = 1; n < 6 << 20; n = n * 3 / 2 + 7) {
        event(rig, "in", n, "cut");
        destroy_all(rig);
    }
}

static void cuts_of_go(void **state)
{
    struct dom_rig *rig = *state;

    for (long n = 0; n <= 44; n++) {
        event(rig, "go", n, "cut");
        destroy_all(rig);
    }
}

static void deaths_of_the_receiver(void **state)
{
    struct dom_rig *rig = *state;

    for (long n = 0; n < OUT_BYTES; n += 12) {
        event(rig, "out", n, "kill-receiver");
        destroy_all(rig);
    }
    for (long n = 0; n <= 44; n += 11) {
        event(rig, "go", n, "kill-receiver");
        destroy_all(rig);
    }
    for (long n = 1; n < 6 << 20; n = n * 3 + 7) {
        event(rig, "in", n, "kill-receiver");
        destroy_all(rig);
    }
}

static void deaths_of_the_sender(void **state)
{
    struct dom_rig *rig = *state;

    for (long n = 0; n < OUT_BYTES; n += 12) {
        sender_dies(rig, "out", n);
        destroy_all(rig);
    }
    for (long n = 0; n <= 44; n += 11) {
        sender_dies(rig, "go", n);
        destroy_all(rig);
    }
    for (long n = 1; n < 6 << 20; n = n * 3 + 7) {
        sender_dies(rig, "in", n);
        destroy_all(rig);
    }
}

/* Three hosts, each with a state directory of its own. */
static int on_host(struct dom_rig *rig, const char *host, const char *to,
                   const char *args)
{
    char text[3 * PATH_MAX];

    snprintf(text, sizeof(text),
             "XL_STATE_DIR=%s/%s %s send 'XL_STATE_DIR=%s/%s exec %s %s'",
             rig->dir, host, self, rig->dir, to, self, args);
    return system(text);
}

/* Its migration to b has a question. The guest goes on to c, and from there
 * nearly back to b. */
static void a_question_is_about_one_migration(void **state)
{
    struct dom_rig *rig = *state;
    uint32_t domid = running_guest(rig);
    char text[2 * PATH_MAX];

    snprintf(text, sizeof(text),
             "XL_STATE_DIR=%s/b exec %s out 165 cut", /* in the report */
             rig->dir, self);
    assert_int_equal(migrate(rig, domid, text, NULL), ERROR_BADFAIL);
    assert_int_equal(on_host(rig, "b", "c", "receive"), 0);
    assert_int_not_equal(on_host(rig, "c", "b", "out 120 cut"), 0);
    setenv("XL_TEST_WHOLE_LINK", "1", 1);
    assert_int_equal(libxl_domain_recover(rig->ctx, domid, NULL), 0);
    unsetenv("XL_TEST_WHOLE_LINK");
    assert_int_equal(dom_rig_count(rig), 0);
}

/* Its "cont" was not answered: it is not given back. */
static void a_guest_that_may_run_is_not_given_back(void **state)
{
    struct dom_rig *rig = *state;
    uint32_t domid = running_guest(rig);
    char text[PATH_MAX + 64];

    snprintf(text, sizeof(text), "XL_FAKE_UNSURE=1 exec %s receive", self);
    assert_int_equal(migrate(rig, domid, text, NULL), ERROR_BADFAIL);
    assert_string_not_equal(dom_rig_state(rig, domid), "running");
    recover_all(rig);
    assert_string_equal(dom_rig_state(rig, domid), "gone");
}

/* What a process leaves that is killed while it renames: the name in the record
 * and the one in the configuration differ. */
static void rename_by_half(struct dom_rig *rig, uint32_t domid)
{
    libxl__host *h = libxl__host_get(rig->ctx);
    libxl__store *st = h->ops->store(h);
    struct libxl__domain_record rec;
    libxl_domain_config config;
    libxl__gc gc;

    libxl__gc_init(&gc, rig->ctx);
    assert_int_equal(libxl__domain_record_read(st, &gc, domid, &rec), 0);
    assert_int_equal(
        libxl_domain_config_from_json(rig->ctx, &config, rec.config_json), 0);
    free(config.c_info.name);
    config.c_info.name = strdup("traveller--incoming");
    rec.config_json =
        libxl__gc_take(&gc, libxl_domain_config_to_json(rig->ctx, &config));
    assert_int_equal(libxl__domain_record_write(st, &gc, &rec), 0);
    libxl_domain_config_dispose(&config);
    libxl__gc_dispose(&gc);
}

static void the_name_of_a_guest_is_its_records(void **state)
{
    struct dom_rig *rig = *state;
    uint32_t domid = running_guest(rig);

    rename_by_half(rig, domid);
    assert_int_not_equal(migrate(rig, domid, rune("in 5000 cut"), NULL), 0);
    one_runs(rig);
    rename_by_half(rig, domid);
    assert_int_equal(migrate(rig, domid, rune("receive"), NULL), 0);
    one_runs(rig);
}

/* With a keeper from the start nobody else has to clear up. */
static void what_a_killed_receiver_leaves_its_keeper_ends(void **state)
{
    struct dom_rig *rig = *state;
    time_t end = time(NULL) + 120;
    uint32_t domid;

    setenv("XL_FAKE_KEEPER", "1", 1);
    dom_rig_close(rig);
    dom_rig_open(rig);
    domid = running_guest(rig);
    /* in the middle of "ready" */
    assert_int_not_equal(
        migrate(rig, domid, rune("out 120 kill-receiver"), NULL), 0);
    while (!is_over(rig) && time(NULL) < end)
        usleep(1000);
    one_runs(rig);
    destroy_all(rig);
    unsetenv("XL_FAKE_KEEPER");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        T(guest_runs_at_the_receiver),
        T(zero_pages_travel_without_data_to_a_reader_of_ours),
        T(zero_pages_are_data_for_any_other_reader),
        T(an_interrupt_does_not_reach_the_link),
        T(ten_times_there_and_back),
        T(noise_instead_of_a_banner),
        T(receiver_that_cannot_start),
        T(refusal_says_why),
        T(cuts_of_the_back_channel),
        T(cuts_of_the_stream),
        T(cuts_of_go),
        T(deaths_of_the_receiver),
        T(deaths_of_the_sender),
        T(a_question_is_about_one_migration),
        T(a_guest_that_may_run_is_not_given_back),
        T(the_name_of_a_guest_is_its_records),
        T(what_a_killed_receiver_leaves_its_keeper_ends),
    };
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

    if (n <= 0)
        return 1;
    self[n] = '\0';
    if (argc == 2 && !strcmp(argv[1], "receive"))
        return receive();
    if (argc == 2 && !strcmp(argv[1], "mute"))
        return mute_receiver();
    if (argc == 3 && !strcmp(argv[1], "send"))
        return send_away(argv[2]);
    if (argc == 4)
        return bad_link(argv[1], strtol(argv[2], NULL, 10), argv[3]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
