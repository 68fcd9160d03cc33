/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The only program of a small virtual machine whose kernel has soft-dirty bits:
 * moves the memory of a process that writes to it all the time, three times, by
 * that way of finding dirty pages. Prints a line for each move, then "DONE".
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "stream/xc_sr.h"

#define PAGES 8192u
#define MOVES 3
#define PAGES_PER_MS 4

static _Noreturn void give_up(const char *what)
{
    perror(what);
    reboot(RB_POWER_OFF);
    _exit(1);
}

static void set_up(void)
{
    int console;

    mkdir("/proc", 0755);
    mkdir("/dev", 0755);
    if (mount("proc", "/proc", "proc", 0, NULL) ||
        mount("dev", "/dev", "devtmpfs", 0, NULL))
        give_up("mount");
    console = open("/dev/console", O_RDWR);
    for (int fd = 0; fd <= 2; fd++)
        dup2(console, fd);
    setvbuf(stdout, NULL, _IOLBF, 0);
}

static uint8_t *map_memory(int *fd)
{
    void *at;

    *fd = memfd_create("guest", 0);
    if (*fd < 0 || ftruncate(*fd, (off_t)xc_pages_to_bytes(PAGES)))
        give_up("memfd");
    at = mmap(NULL, xc_pages_to_bytes(PAGES), PROT_READ | PROT_WRITE,
              MAP_SHARED, *fd, 0);
    if (at == MAP_FAILED)
        give_up("mmap");
    return at;
}

static _Noreturn void guest_main(uint8_t *memory)
{
    uint64_t random = 88172645463325252u;

    for (;;) {
        for (int i = 0; i < PAGES_PER_MS; i++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            *(uint64_t *)(memory + random % PAGES * XC_PAGE_SIZE + 64) = random;
        }
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

static int stop_guest(void *data)
{
    const pid_t *guest = data;

    kill(*guest, SIGSTOP);
    waitpid(*guest, NULL, WUNTRACED);
    return 0;
}

static void say(void *data, enum xc_log_level level, int errnoval,
                const char *text)
{
    printf("LOG %s\n", text);
}

static int open_proc(pid_t pid, const char *name, int flags)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    return open(path, flags | O_CLOEXEC);
}

static struct xc_hv *attach(int memory_fd, const uint8_t *memory, pid_t pid)
{
    struct xc_hv_qemu_params p = {
        .memory_fd = dup(memory_fd),
        .memory_bytes = xc_pages_to_bytes(PAGES),
        .qemu_pid = pid,
        .pagemap_fd = pid ? open_proc(pid, "pagemap", O_RDONLY) : -1,
        .uffd = -1,
        .qemu_va = (uintptr_t)memory,
        .clear_refs_fd = pid ? open_proc(pid, "clear_refs", O_WRONLY) : -1,
        .dev_log_fd = -1,
    };
    struct xc_hv *hv;

    if (xc_hv_qemu_open(&p, &hv))
        give_up("attach");
    return hv;
}

static pid_t start_reader(int memory_fd, int link)
{
    struct xc_sr_restore_result result;
    struct xc_sr_restore_params p = {.fd = link, .cb.log = say};
    pid_t pid = fork();

    if (pid)
        return pid;
    p.hv = attach(memory_fd, NULL, 0);
    _exit(xc_sr_restore(&p, &result) ? 1 : 0);
}

static int save(struct xc_hv *hv, int link, pid_t guest,
                struct xc_sr_stats *stats)
{
    struct xc_sr_save_params p = {
        .hv = hv,
        .fd = link,
        .live = true,
        .cb = {.data = &guest, .log = say, .suspend = stop_guest},
    };

    return xc_sr_save(&p, stats);
}

static unsigned count_different(const uint8_t *a, const uint8_t *b)
{
    unsigned n = 0;

    for (size_t pfn = 0; pfn < PAGES; pfn++)
        n += memcmp(a + pfn * XC_PAGE_SIZE, b + pfn * XC_PAGE_SIZE,
                    XC_PAGE_SIZE) != 0;
    return n;
}

static void move_once(void)
{
    int from_fd, to_fd, link[2], reader_status = -1, rc;
    uint8_t *from = map_memory(&from_fd), *to = map_memory(&to_fd);
    struct xc_sr_stats stats;
    pid_t guest, reader;
    struct xc_hv *hv;

    for (size_t at = 0; at < xc_pages_to_bytes(PAGES); at += 8)
        *(uint64_t *)(from + at) = at;
    guest = fork();
    if (guest == 0)
        guest_main(from);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, link))
        give_up("socketpair");
    reader = start_reader(to_fd, link[0]);
    hv = attach(from_fd, from, guest);
    rc = save(hv, link[1], guest, &stats);
    xc_hv_close(hv);
    waitpid(reader, &reader_status, 0);
    printf("MOVE save %d restore %d passes %llu different %u\n", rc,
           reader_status, (unsigned long long)stats.passes,
           count_different(from, to));
    kill(guest, SIGKILL);
    waitpid(guest, NULL, 0);
    munmap(from, xc_pages_to_bytes(PAGES));
    munmap(to, xc_pages_to_bytes(PAGES));
    close(from_fd);
    close(to_fd);
    close(link[0]);
    close(link[1]);
}

int main(void)
{
    set_up();
    for (int i = 0; i < MOVES; i++)
        move_once();
    puts("DONE");
    reboot(RB_POWER_OFF);
    return 0;
}
