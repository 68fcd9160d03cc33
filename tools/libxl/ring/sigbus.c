/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ring/sigbus.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

struct range {
    volatile uintptr_t start, end; /* end 0: free */
    volatile sig_atomic_t lost;
};

static struct range ranges[LIBXL__SIGBUS_MAX];
static struct sigaction previous;

static struct range *range_at(uintptr_t addr)
{
    for (unsigned i = 0; i < LIBXL__SIGBUS_MAX; i++)
        if (addr >= ranges[i].start && addr < ranges[i].end)
            return &ranges[i];
    return NULL;
}

static void on_sigbus(int signo, siginfo_t *info, void *context)
{
    static long page_bytes;
    uintptr_t addr = (uintptr_t)info->si_addr;
    struct range *r = range_at(addr);
    int saved = errno;
    void *page;

    if (!r) {
        /* not ours: run into it again, as before */
        sigaction(signo, &previous, NULL);
        return;
    }
    if (!page_bytes)
        page_bytes = sysconf(_SC_PAGESIZE);
    page = (void *)(addr & ~((uintptr_t)page_bytes - 1));
    r->lost = 1;
    if (mmap(page, (size_t)page_bytes, PROT_READ | PROT_WRITE,
             MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
        _exit(1);
    errno = saved;
}

static int install(void)
{
    struct sigaction sa = {.sa_sigaction = on_sigbus,
                           .sa_flags = SA_SIGINFO | SA_NODEFER};

    struct sigaction now;

    if (sigaction(SIGBUS, NULL, &now))
        return -errno;
    if (now.sa_flags & SA_SIGINFO && now.sa_sigaction == on_sigbus)
        return 0;
    previous = now;
    return sigaction(SIGBUS, &sa, NULL) ? -errno : 0;
}

int libxl__sigbus_guard(void *addr, size_t bytes)
{
    int r = install();

    if (r)
        return r;
    for (unsigned i = 0; i < LIBXL__SIGBUS_MAX; i++) {
        if (ranges[i].end)
            continue;
        ranges[i].lost = 0;
        ranges[i].start = (uintptr_t)addr;
        ranges[i].end = (uintptr_t)addr + bytes;
        return 0;
    }
    return -ENOSPC;
}

void libxl__sigbus_unguard(void *addr)
{
    struct range *r = range_at((uintptr_t)addr);

    if (r)
        r->end = 0;
}

bool libxl__sigbus_lost(void *addr)
{
    const struct range *r = range_at((uintptr_t)addr);

    return r && r->lost;
}
