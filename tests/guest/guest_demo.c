// SPDX-License-Identifier: GPL-2.0-or-later
#include "guest_demo.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest_pattern.h"
#include "guest_setup.h"

#define PAGE 4096u
#define WORDS (PAGE / 8)
#define SAY_EVERY 64u
#define PERIOD_MS 10u

enum { ID = 0x00, SCRATCH = 0x10, PERIOD = 0x20, TICKS = 0x24, SRC = 0x30,
       DST = 0x38, BYTES = 0x40, COPY = 0x44, ERRORS = 0x48, COPIED = 0x50 };

static volatile uint32_t *regs;

static uint32_t get(unsigned at)
{
    return regs[at / 4];
}

static void put(unsigned at, uint32_t v)
{
    regs[at / 4] = v;
}

static void put64(unsigned at, uint64_t v)
{
    put(at, (uint32_t)v);
    put(at + 4, (uint32_t)(v >> 32));
}

static void bad(const char *what, uint64_t n, uint64_t found)
{
    printf("DEMO BAD %s at copy %llu: %llx\n", what, (unsigned long long)n,
           (unsigned long long)found);
    _exit(1);
}

/* Where a locked page of ours lies. */
static uint64_t physical(const void *page)
{
    int fd = open("/proc/self/pagemap", O_RDONLY);
    uint64_t entry = 0;

    if (fd < 0 || pread(fd, &entry, 8, (off_t)((uintptr_t)page / PAGE * 8)) != 8)
        entry = 0;
    if (fd >= 0)
        close(fd);
    return (entry & ((UINT64_C(1) << 55) - 1)) * PAGE;
}

static void copy_once(uint64_t n, uint64_t *from, uint64_t *to, uint64_t src,
                      uint64_t dst)
{
    for (unsigned i = 0; i < WORDS; i++)
        from[i] = guest_mix(n * WORDS + i);
    put(SCRATCH + 4 * (n % 4), (uint32_t)n);
    put64(SRC, src);
    put64(DST, dst);
    put(BYTES, PAGE);
    put(COPY, 1);
    while (get(COPY))
        usleep(100);
    if (memcmp(from, to, PAGE))
        bad("page", n, to[0]);
    if (get(SCRATCH + 4 * (n % 4)) != (uint32_t)n)
        bad("scratch", n, get(SCRATCH + 4 * (n % 4)));
    if (get(ERRORS))
        bad("errors", n, get(ERRORS));
    if (get(COPIED) != (uint32_t)(n * PAGE))
        bad("count", n, get(COPIED));
}

static void use(void)
{
    uint64_t *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED |
                               MAP_POPULATE, -1, 0);
    uint64_t src, dst;
    uint32_t ticks = 0;

    if (pages == MAP_FAILED || get(ID) != 0x314d4458)
        bad("device", 0, get(ID));
    memset(pages, 1, 2 * PAGE);
    src = physical(pages);
    dst = physical(pages + WORDS);
    if (!src || !dst)
        bad("address", 0, src);
    put(PERIOD, PERIOD_MS);
    for (uint64_t n = 1;; n++) {
        copy_once(n, pages, pages + WORDS, src, dst);
        if (get(TICKS) < ticks)
            bad("ticks", n, get(TICKS));
        ticks = get(TICKS);
        if (n % SAY_EVERY == 0)
            printf("DEMO %llu %u\n", (unsigned long long)n, ticks);
        usleep(2000);
    }
}

static int file_says(const char *dir, const char *name, const char *want)
{
    char path[300], text[32] = "";
    FILE *f;

    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%.100s/%s", dir, name);
    f = fopen(path, "r");
    if (f && !fgets(text, sizeof(text), f))
        text[0] = '\0';
    if (f)
        fclose(f);
    return !strncmp(text, want, strlen(want));
}

static void switch_on(const char *dir)
{
    char path[300];
    int fd;

    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%.100s/enable", dir);
    fd = open(path, O_WRONLY);
    if (fd < 0 || write(fd, "1", 1) != 1)
        printf("DEMO BAD enable\n");
    close(fd);
    snprintf(path, sizeof(path), "/sys/bus/pci/devices/%.100s/resource0", dir);
    fd = open(path, O_RDWR);
    regs = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
}

void guest_demo_start(void)
{
    DIR *dir;
    struct dirent *e;

    if (!guest_arg_number("demo", 0))
        return;
    dir = opendir("/sys/bus/pci/devices");
    while (dir && (e = readdir(dir)))
        if (file_says(e->d_name, "vendor", "0x1af4") &&
            file_says(e->d_name, "device", "0x10f0"))
            switch_on(e->d_name);
    if (dir)
        closedir(dir);
    if (!regs || regs == MAP_FAILED)
        printf("DEMO BAD no device\n");
    else if (fork() == 0)
        use();
}
