/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* child_sandbox.c - what the save helper may still do. */
#include "helper/child_sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef PAGEMAP_SCAN /* Linux 6.7: struct pm_scan_arg is 96 bytes */
#define PAGEMAP_SCAN _IOC(_IOC_READ | _IOC_WRITE, 'f', 16, 96)
#endif

#define NR(a) (sizeof(a) / sizeof((a)[0]))

static const int allowed[] = {
    /* streams and guest memory */
    SCMP_SYS(read),
    SCMP_SYS(write),
    SCMP_SYS(readv),
    SCMP_SYS(writev),
    SCMP_SYS(pread64),
    SCMP_SYS(pwrite64),
    SCMP_SYS(preadv),
    SCMP_SYS(pwritev),
    SCMP_SYS(preadv2),
    SCMP_SYS(pwritev2),
    SCMP_SYS(lseek),
    SCMP_SYS(sendfile),
    SCMP_SYS(splice),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(fstat),
    SCMP_SYS(newfstatat),
    SCMP_SYS(fallocate),
    SCMP_SYS(ftruncate),
    SCMP_SYS(fadvise64),
    SCMP_SYS(sync_file_range),
    SCMP_SYS(fcntl),
    SCMP_SYS(close),
    SCMP_SYS(dup2),
    SCMP_SYS(dup3),
    /* memory */
    SCMP_SYS(mmap),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(mprotect),
    SCMP_SYS(madvise),
    SCMP_SYS(mincore),
    SCMP_SYS(brk),
    /* time, signals, the end */
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(getrandom),
    SCMP_SYS(futex),
    SCMP_SYS(sched_yield),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(tgkill),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
};

/* Nobody calls these by mistake: whoever does has taken the helper over. */
static const int deadly[] = {
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(bpf),
    SCMP_SYS(mount),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(kexec_load),
    SCMP_SYS(setns),
    SCMP_SYS(unshare),
    SCMP_SYS(pidfd_getfd),
    SCMP_SYS(io_uring_setup),
};

static const unsigned ioctls[] = {
    UFFDIO_API,          UFFDIO_REGISTER, UFFDIO_UNREGISTER,
    UFFDIO_WAKE,         UFFDIO_COPY,     UFFDIO_ZEROPAGE,
    UFFDIO_WRITEPROTECT, UFFDIO_CONTINUE, (unsigned)PAGEMAP_SCAN,
};

/* /dev/xen/privcmd: hypercalls, and mappings of a guest's pages. Their sizes
 * are part of the kernel's interface. */
#define PRIVCMD(nr, bytes) _IOC(_IOC_NONE, 'P', nr, bytes)
static const unsigned xen_ioctls[] = {
    PRIVCMD(0, 48), /* HYPERCALL */
    PRIVCMD(4, 32), /* MMAPBATCH_V2 */
};

static int allow_ioctls(scmp_filter_ctx filter, const unsigned *list, size_t n)
{
    int r = 0;

    for (size_t i = 0; !r && i < n; i++)
        r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
                             SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffffu, list[i]));
    return r;
}

static int add_rules(scmp_filter_ctx filter, bool xen)
{
    int r = 0;

    for (size_t i = 0; !r && i < NR(allowed); i++)
        r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
    for (size_t i = 0; !r && i < NR(deadly); i++)
        r = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, deadly[i], 0);
    if (!r)
        r = allow_ioctls(filter, ioctls, NR(ioctls));
    if (!r && xen)
        r = allow_ioctls(filter, xen_ioctls, NR(xen_ioctls));
    return r;
}

static int load_filter(bool xen)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int r;

    if (!filter)
        return -ENOMEM;
    r = add_rules(filter, xen);
    if (!r)
        r = seccomp_load(filter); /* sets no_new_privs too */
    seccomp_release(filter);
    return r;
}

/* A limit below what the process has already would make the next malloc
 * fail: try a piece, and go without rather than fail half way. */
static void limit_data(uint64_t bytes)
{
    struct rlimit old, lim;
    void *piece;

    if (getrlimit(RLIMIT_DATA, &old))
        return;
    lim = old;
    if (lim.rlim_cur <= bytes)
        return;
    lim.rlim_cur = bytes;
    if (setrlimit(RLIMIT_DATA, &lim))
        return;
    piece = mmap(NULL, bytes / 2, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (piece == MAP_FAILED)
        setrlimit(RLIMIT_DATA, &old);
    else
        munmap(piece, bytes / 2);
}

int child_sandbox_enter(uint64_t data_bytes, bool xen)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        return -errno;
    if (data_bytes)
        limit_data(data_bytes);
    return load_filter(xen);
}

static int try_open(void)
{
    return open("/dev/null", O_RDONLY);
}

static int try_socket(void)
{
    return socket(AF_UNIX, SOCK_STREAM, 0);
}

static int try_fork(void)
{
    pid_t pid = fork();

    if (!pid)
        _exit(0);
    return pid;
}

static int try_kill(void)
{
    return kill(getppid(), 0);
}

static int try_foreign_ioctl(void)
{
    int n;

    return ioctl(0, FIONREAD, &n);
}

int child_sandbox_try(void)
{
    static const struct {
        const char *name;
        int (*attempt)(void);
    } tries[] = {
        {"open", try_open}, {"socket", try_socket},       {"fork", try_fork},
        {"kill", try_kill}, {"ioctl", try_foreign_ioctl},
    };
    int passed = 0;

    for (size_t i = 0; i < NR(tries); i++) {
        bool refused = tries[i].attempt() < 0 && errno == EPERM;

        dprintf(STDOUT_FILENO, "%s: %s\n", tries[i].name,
                refused ? "refused" : "NOT REFUSED");
        passed += !refused;
    }
    return passed;
}
