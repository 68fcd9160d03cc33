/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's daemon as qemu-ga, and a host that asks faster than it reads. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/agentd_core.h"
#include "engine/engine_fixture.h"

enum { BURST = 20000 };

void agentd_log(agentd *d, const char *fmt, ...)
{
}

static int count_lines(int fd)
{
    static char text[65536];
    ssize_t i, n = recv(fd, text, sizeof(text), MSG_DONTWAIT);
    int lines = 0;

    for (i = 0; i < n; i++)
        lines += text[i] == '\n';
    return lines;
}

static void a_burst_of_questions_loses_no_answer(void **state)
{
    static const char ask[] = "{\"execute\":\"guest-info\"}\n";
    struct fixture *f = *state;
    agentd d = {.ctx = f->ctx, .how = AGENTD_UNIX, .listen_fd = -1};
    size_t done = 0, all = BURST * (sizeof(ask) - 1);
    char *text = malloc(all + 1);
    int i, idle, sv[2], gone = 0, answers = 0;
    ssize_t n;

    for (i = 0; i < BURST; i++)
        memcpy(text + (size_t)i * (sizeof(ask) - 1), ask, sizeof(ask));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), 0);
    d.fd = sv[0];
    assert_int_equal(libxl__agentd_qga_start(&d), 0);
    /* until it takes no more: nothing is read */
    for (idle = 0; done < all && idle < 100; idle++) {
        n = send(sv[1], text + done, all - done, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0) {
            done += (size_t)n;
            idle = 0;
        }
        fixture_turn(f, 1);
    }
    assert_true(done < all);
    done -= done % (sizeof(ask) - 1);
    for (idle = 0; idle < 1000; idle++) {
        n = count_lines(sv[1]);
        answers += (int)n;
        if (n)
            idle = 0;
        fixture_turn(f, 1);
    }
    assert_int_equal(answers, done / (sizeof(ask) - 1));
    close(sv[1]);
    for (gone = 0; !gone;) {
        fixture_turn(f, 1);
        gone = d.fd < 0;
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_burst_of_questions_loses_no_answer,
                                        fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
