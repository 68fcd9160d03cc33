// SPDX-License-Identifier: GPL-2.0-or-later
#include "guest_fs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest_pattern.h"

#define NR_FILES 8
#define FILE_BYTES (256u * 1024)
#define NR_WRITES 1000
#define WRITE_MAX 8192u

static uint8_t content[NR_FILES][FILE_BYTES];

static int make_fs(void)
{
    pid_t pid = fork();
    int status = -1;

    if (pid == 0) {
        execl("/busybox", "mke2fs", "-q", "/dev/vda", (char *)NULL);
        _exit(127);
    }
    waitpid(pid, &status, 0);
    return status;
}

static int open_file(int file)
{
    char path[32];

    snprintf(path, sizeof(path), "/mnt/file%d", file);
    return open(path, O_RDWR | O_CREAT, 0600);
}

/* One write of a random length to a random place of a random file. */
static int write_once(uint64_t n)
{
    uint64_t r = guest_mix(n);
    int file = (int)(r % NR_FILES), fd = open_file(file);
    uint32_t len = 1 + (uint32_t)(r >> 8) % WRITE_MAX;
    uint32_t at = (uint32_t)(r >> 32) % (FILE_BYTES - WRITE_MAX);
    ssize_t done;

    for (uint32_t i = 0; i < len; i++)
        content[file][at + i] = (uint8_t)guest_mix(n + i);
    done = fd < 0 ? -1 : pwrite(fd, &content[file][at], len, (off_t)at);
    if (fd >= 0 && n % 50 == 0)
        fsync(fd);
    if (fd >= 0)
        close(fd);
    return done == (ssize_t)len ? 0 : -1;
}

static uint32_t crc32_of(const uint8_t *p, size_t n)
{
    uint32_t crc = UINT32_MAX;

    while (n--) {
        crc ^= *p++;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static const char *run(void)
{
    if (make_fs())
        return "mke2fs";
    mkdir("/mnt", 0700);
    if (mount("/dev/vda", "/mnt", "ext4", 0, NULL))
        return "mount";
    for (int i = 0; i < NR_FILES; i++) {
        int fd = open_file(i);

        if (fd < 0 || ftruncate(fd, FILE_BYTES))
            return "create";
        close(fd);
    }
    for (uint64_t n = 1; n <= NR_WRITES; n++)
        if (write_once(n))
            return "write";
    if (umount("/mnt"))
        return "umount";
    return NULL;
}

void guest_fs_test(void)
{
    const char *wrong = run();

    if (wrong) {
        printf("FS ERROR %s: %s\n", wrong, strerror(errno));
        return;
    }
    for (int i = 0; i < NR_FILES; i++)
        printf("FS file%d %08x\n", i, crc32_of(content[i], FILE_BYTES));
    printf("FS DONE\n");
}
