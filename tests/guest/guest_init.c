// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The test guest: the only program of its initramfs, as /init.
 *
 * It fills memory with a known pattern, then prints a line each tick:
 *
 *     READY boot=<16 hex> pages=<n>     once
 *     T <n> <checkword>                 each tick; or: T <n> BAD page <p>
 *
 * The check word follows from the boot id and n, so that a reader can tell the
 * same guest gone on from a guest that booted again. Each tick compares a part
 * of the pattern; the line "check" on the console compares all of it
 * (guest_commands.h).
 *
 * Kernel arguments: tick=MS (1000)  touch=MIB (16)  dirty=PAGES_PER_S (0)
 *                   modules=GROUP,... (button)  diskload=1 (guest_diskload.h)
 *                   demo=1 (guest_demo.h)
 *                   stuck=1 (guest_stuck.h)
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "guest_commands.h"
#include "guest_demo.h"
#include "guest_diskload.h"
#include "guest_pattern.h"
#include "guest_setup.h"
#include "guest_stuck.h"

#define CHECK_PAGES_A_TICK 256
#define DIRTY_STEP_MS 10
#define PAGES_PER_MIB 256

struct guest {
    struct guest_pattern *pattern;
    uint64_t boot_id;
    uint64_t ticks;
    uint64_t tick_ms;
    uint64_t next_tick_ms;
    uint64_t dirty_per_s;
    uint64_t dirty_done; /* pages, since dirty_since_ms */
    uint64_t dirty_since_ms;
    int button_fd;
};

static uint64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void tick(struct guest *g)
{
    int64_t wrong = guest_pattern_check(g->pattern, CHECK_PAGES_A_TICK);
    unsigned long long n = ++g->ticks;

    if (wrong >= 0)
        printf("T %llu BAD page %lld\n", n, (long long)wrong);
    else
        printf("T %llu %08x\n", n, (unsigned int)guest_mix(g->boot_id ^ n));
    /* From now, not from the last one: no burst after a long pause. */
    g->next_tick_ms = now_ms() + g->tick_ms;
}

static void dirty(struct guest *g)
{
    uint64_t due = (now_ms() - g->dirty_since_ms) * g->dirty_per_s / 1000;
    uint64_t most = g->dirty_per_s / 10 + 1;

    if (due <= g->dirty_done)
        return;
    /* After a pause, go on at the old rate: what was missed stays missed. */
    guest_pattern_dirty(g->pattern, due - g->dirty_done < most
                                        ? due - g->dirty_done
                                        : most);
    g->dirty_done = due;
}

static int wait_ms(const struct guest *g)
{
    uint64_t now = now_ms();
    uint64_t left = g->next_tick_ms > now ? g->next_tick_ms - now : 0;

    return (int)(g->dirty_per_s && left > DIRTY_STEP_MS ? DIRTY_STEP_MS : left);
}

static void read_console(struct guest *g)
{
    char line[256];
    ssize_t r = read(STDIN_FILENO, line, sizeof(line) - 1);

    if (r <= 0)
        return;
    line[r] = '\0';
    guest_command(g->pattern, line);
}

static void run(struct guest *g)
{
    for (;;) {
        struct pollfd fds[] = {
            {.fd = STDIN_FILENO, .events = POLLIN},
            {.fd = g->button_fd, .events = POLLIN},
        };

        poll(fds, 2, wait_ms(g));
        if (fds[0].revents & POLLIN)
            read_console(g);
        if (fds[1].revents & POLLIN)
            guest_button_read(g->button_fd);
        if (g->dirty_per_s)
            dirty(g);
        if (now_ms() >= g->next_tick_ms)
            tick(g);
    }
}

int main(void)
{
    struct guest g = {0};
    char modules[256];

    guest_setup_console();
    guest_arg_text("modules", modules, sizeof(modules));
    guest_load_modules(modules[0] ? modules : "button");
    guest_net_up();
    guest_start_program("/xl-agentd");
    if (getrandom(&g.boot_id, sizeof(g.boot_id), GRND_INSECURE) < 0)
        g.boot_id = now_ms();
    g.tick_ms = guest_arg_number("tick", 1000);
    g.dirty_per_s = guest_arg_number("dirty", 0);
    g.button_fd = guest_button_open();
    g.pattern = guest_pattern_new(guest_arg_number("touch", 16) * PAGES_PER_MIB,
                                  g.boot_id);
    if (!g.pattern) {
        printf("guest: no memory for the pattern (touch=)\n");
        for (;;)
            pause();
    }
    printf("READY boot=%016llx pages=%llu\n", (unsigned long long)g.boot_id,
           (unsigned long long)guest_pattern_pages(g.pattern));
    guest_diskload_start();
    guest_demo_start();
    guest_stuck_start();
    g.dirty_since_ms = now_ms();
    g.next_tick_ms = now_ms();
    run(&g);
}
