/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "libxc_hv/qemu_bench.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define UFFD_USER_MODE_ONLY_FLAG 1
#define CHILD_UFFD 50

struct order {
    char verb; /* 'w' write, 'p' pause */
    uint8_t value;
    uint64_t pfn;
};

/* Random pages of the first half; some are written zero again. */
static void write_some(uint8_t *memory, uint64_t pages, uint64_t *random)
{
    uint64_t *page;

    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    page = (uint64_t *)(memory + xc_pages_to_bytes(*random % (pages / 2)));
    if (*random >> 62)
        page[17] = *random;
    else
        memset(page, 0, XC_PAGE_SIZE);
}

static _Noreturn void child_main(struct fake_qemu *q, int control, bool writes)
{
    int uffd = (int)syscall(SYS_userfaultfd,
                            O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY_FLAG);
    uint64_t random = 88172645463325252u;
    char has_uffd = uffd >= 0 && dup2(uffd, CHILD_UFFD) == CHILD_UFFD;
    struct order o;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (write(control, &has_uffd, 1) != 1)
        _exit(1);
    for (;;) {
        ssize_t r = recv(control, &o, sizeof(o), writes ? MSG_DONTWAIT : 0);

        if (r == 0)
            _exit(0);
        if (r > 0 && o.verb == 'p')
            writes = false;
        if (r > 0 && o.verb == 'w')
            memset(q->memory + xc_pages_to_bytes(o.pfn), o.value, XC_PAGE_SIZE);
        if (r > 0 && write(control, "", 1) != 1)
            _exit(1);
        if (writes)
            write_some(q->memory, q->bytes / XC_PAGE_SIZE, &random);
    }
}

static int fetch_uffd(pid_t pid)
{
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    int fd = (int)syscall(SYS_pidfd_getfd, pidfd, CHILD_UFFD, 0);

    close(pidfd);
    return fd;
}

void fake_qemu_start(struct fake_qemu *q, uint64_t pages, bool writes)
{
    int pair[2];
    char has_uffd;

    *q = (struct fake_qemu){.bytes = xc_pages_to_bytes(pages), .uffd = -1};
    q->memory_fd = memfd_create("guest", MFD_CLOEXEC);
    assert_true(q->memory_fd >= 0);
    assert_int_equal(ftruncate(q->memory_fd, (off_t)q->bytes), 0);
    q->memory = mmap(NULL, q->bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
                     q->memory_fd, 0);
    assert_true(q->memory != MAP_FAILED);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    q->pid = fork();
    assert_true(q->pid >= 0);
    if (q->pid == 0) {
        close(pair[0]);
        child_main(q, pair[1], writes);
    }
    close(pair[1]);
    q->control = pair[0];
    assert_int_equal(read(q->control, &has_uffd, 1), 1);
    if (has_uffd)
        q->uffd = fetch_uffd(q->pid);
}

static void give_order(struct fake_qemu *q, struct order o)
{
    char done;

    assert_int_equal(send(q->control, &o, sizeof(o), 0), sizeof(o));
    assert_int_equal(read(q->control, &done, 1), 1);
}

void fake_qemu_pause(struct fake_qemu *q)
{
    give_order(q, (struct order){.verb = 'p'});
}

void fake_qemu_write(struct fake_qemu *q, uint64_t pfn, uint8_t value)
{
    give_order(q, (struct order){'w', value, pfn});
}

void fake_qemu_end(struct fake_qemu *q)
{
    close(q->control);
    waitpid(q->pid, NULL, 0);
    munmap(q->memory, q->bytes);
    close(q->memory_fd);
    if (q->uffd >= 0)
        close(q->uffd);
}

bool fake_qemu_has_uffd(const struct fake_qemu *q)
{
    return q->uffd >= 0;
}

static int open_proc(pid_t pid, const char *name, int flags)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    return open(path, flags | O_CLOEXEC);
}

struct xc_hv *fake_qemu_attach(const struct fake_qemu *q,
                               enum fake_qemu_way best)
{
    struct xc_hv_qemu_params p = {
        .memory_fd = dup(q->memory_fd),
        .memory_bytes = q->bytes,
        .qemu_pid = q->pid,
        .pagemap_fd = open_proc(q->pid, "pagemap", O_RDONLY),
        .uffd = best == WAY_UFFD ? dup(q->uffd) : -1,
        .qemu_va = (uintptr_t)q->memory,
        .clear_refs_fd = best == WAY_COMPARE
                             ? -1
                             : open_proc(q->pid, "clear_refs", O_WRONLY),
        .dev_log_fd = -1,
    };
    struct xc_hv *hv;

    assert_int_equal(xc_hv_qemu_open(&p, &hv), 0);
    return hv;
}

struct xc_hv *fake_qemu_empty(uint64_t pages, int *memory_fd)
{
    struct xc_hv_qemu_params p = {
        .memory_fd = memfd_create("guest", MFD_CLOEXEC),
        .memory_bytes = xc_pages_to_bytes(pages),
        .pagemap_fd = -1,
        .uffd = -1,
        .clear_refs_fd = -1,
        .dev_log_fd = -1,
    };
    struct xc_hv *hv;

    assert_int_equal(ftruncate(p.memory_fd, (off_t)p.memory_bytes), 0);
    *memory_fd = dup(p.memory_fd);
    assert_int_equal(xc_hv_qemu_open(&p, &hv), 0);
    return hv;
}
