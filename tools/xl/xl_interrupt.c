/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xl_interrupt.c - Ctrl-C in the middle of an operation.
 *
 * A signal handler has no argument, so what it acts on is static: the one
 * piece of global state in xl. A second signal asks again, and never kills: an
 * operation that is being undone must come to its end.
 */
#include <signal.h>
#include <string.h>

#include "xl.h"

static libxl_ctx *volatile running;
static volatile sig_atomic_t interrupted;

static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
static struct sigaction before[3], before_pipe, before_xfsz;

static void on_signal(int signo)
{
    libxl_ctx *ctx = running;

    (void)signo;
    interrupted = 1;
    if (ctx)
        libxl_ctx_interrupt(ctx);
}

void xl_interruptible_begin(struct xl *xl)
{
    struct sigaction sa;

    memset(&sa, 0, sizeof(sa));
    sigemptyset(&sa.sa_mask);
    interrupted = 0;
    running = xl->ctx;
    sa.sa_handler = on_signal;
    sa.sa_flags = SA_RESTART;
    for (size_t i = 0; i < 3; i++) {
        sigaction(signals[i], NULL, &before[i]);
        if (before[i].sa_handler != SIG_IGN) /* as nohup wants it */
            sigaction(signals[i], &sa, NULL);
    }
    /* A reader that goes away, or a limit of file size: errors, not the end. */
    sa.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &sa, &before_pipe);
    sigaction(SIGXFSZ, &sa, &before_xfsz);
}

void xl_interruptible_end(struct xl *xl)
{
    for (size_t i = 0; i < 3; i++)
        sigaction(signals[i], &before[i], NULL);
    sigaction(SIGPIPE, &before_pipe, NULL);
    sigaction(SIGXFSZ, &before_xfsz, NULL);
    running = NULL;
}

bool xl_was_interrupted(void)
{
    return interrupted;
}
