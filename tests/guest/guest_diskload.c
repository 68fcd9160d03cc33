// SPDX-License-Identifier: GPL-2.0-or-later
#include "guest_diskload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest_pattern.h"
#include "guest_setup.h"

#define BLOCK_BYTES 4096u
#define BLOCK_WORDS (BLOCK_BYTES / 8)
#define NR_BLOCKS 4096u
#define SAY_EVERY 64u

static void fill(uint64_t *block, uint64_t n)
{
    block[0] = n;
    for (unsigned i = 1; i < BLOCK_WORDS; i++)
        block[i] = guest_mix(n * BLOCK_WORDS + i);
}

/* The last write before n to some block that n chooses, read back. */
static void check_one(int fd, uint64_t n, uint64_t *got, uint64_t *want)
{
    uint64_t back = 1 + guest_mix(n) % (n < NR_BLOCKS ? n : NR_BLOCKS);
    uint64_t old = n - (back <= n ? back - 1 : 0);

    if (!old)
        return;
    fill(want, old);
    if (pread(fd, got, BLOCK_BYTES, (off_t)(old % NR_BLOCKS * BLOCK_BYTES)) ==
            (ssize_t)BLOCK_BYTES &&
        !memcmp(got, want, BLOCK_BYTES))
        return;
    printf("IO BAD block %llu, write %llu, found %llu\n",
           (unsigned long long)(old % NR_BLOCKS), (unsigned long long)old,
           (unsigned long long)got[0]);
    _exit(1);
}

static void load(int fd)
{
    uint64_t *block = aligned_alloc(BLOCK_BYTES, BLOCK_BYTES);
    uint64_t *want = aligned_alloc(BLOCK_BYTES, BLOCK_BYTES);

    for (uint64_t n = 1; block && want; n++) {
        fill(block, n);
        if (pwrite(fd, block, BLOCK_BYTES,
                   (off_t)(n % NR_BLOCKS * BLOCK_BYTES)) !=
            (ssize_t)BLOCK_BYTES) {
            printf("IO BAD write %llu: %s\n", (unsigned long long)n,
                   strerror(errno));
            _exit(1);
        }
        check_one(fd, n, block, want);
        if (n % SAY_EVERY == 0)
            printf("IO %llu\n", (unsigned long long)n);
    }
    _exit(1);
}

void guest_diskload_start(void)
{
    int fd;

    if (!guest_arg_number("diskload", 0))
        return;
    fd = open(guest_disk(), O_RDWR | O_DIRECT | O_DSYNC);
    if (fd < 0) {
        printf("IO BAD open: %s\n", strerror(errno));
        return;
    }
    if (fork() == 0)
        load(fd);
    close(fd);
}
