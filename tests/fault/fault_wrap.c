/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "../fault/fault_wrap.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

static struct {
    enum fault_call call;
    enum fault_how how;
    unsigned k, seen;
    int errnoval;
    bool armed, hit, counting;
    long unfreed;
} plan;

/* Weak: a program that is linked without --wrap never gets here. */
#define REAL(decl) extern decl __attribute__((weak))
REAL(void *__real_malloc(size_t n));
REAL(void *__real_calloc(size_t n, size_t size));
REAL(void *__real_realloc(void *p, size_t n));
REAL(void __real_free(void *p));
REAL(ssize_t __real_read(int fd, void *into, size_t n));
REAL(ssize_t __real_writev(int fd, const struct iovec *iov, int n));
REAL(ssize_t __real_pwrite64(int fd, const void *from, size_t n, off_t at));
REAL(off_t __real_lseek64(int fd, off_t at, int whence));
REAL(void *__real_mmap64(void *at, size_t n, int prot, int flags, int fd,
                         off_t offset));
REAL(int __real_poll(struct pollfd *fds, nfds_t n, int ms));

void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void __wrap_free(void *p);
ssize_t __wrap_read(int fd, void *into, size_t n);
ssize_t __wrap_writev(int fd, const struct iovec *iov, int n);
ssize_t __wrap_pwrite64(int fd, const void *from, size_t n, off_t at);
off_t __wrap_lseek64(int fd, off_t at, int whence);
void *__wrap_mmap64(void *at, size_t n, int prot, int flags, int fd,
                    off_t offset);
int __wrap_poll(struct pollfd *fds, nfds_t n, int ms);

void fault_arm(enum fault_call call, unsigned k, enum fault_how how,
               int errnoval)
{
    plan.call = call;
    plan.how = how;
    plan.k = k;
    plan.seen = 0;
    plan.errnoval = errnoval;
    plan.hit = false;
    plan.armed = true;
}

bool fault_disarm(void)
{
    plan.armed = false;
    return plan.hit;
}

void fault_count_allocs(void)
{
    plan.unfreed = 0;
    plan.counting = true;
}

long fault_unfreed(void)
{
    plan.counting = false;
    return plan.unfreed;
}

int fault_open_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;

    while (dir && readdir(dir))
        n++;
    if (dir)
        closedir(dir);
    return n;
}

static bool strikes(enum fault_call call)
{
    if (!plan.armed || plan.call != call || ++plan.seen != plan.k)
        return false;
    plan.hit = true;
    errno = plan.errnoval;
    return true;
}

static void *counted(void *p)
{
    if (plan.counting && p)
        plan.unfreed++;
    return p;
}

void *__wrap_malloc(size_t n)
{
    return strikes(FAULT_ALLOC) ? NULL : counted(__real_malloc(n));
}

void *__wrap_calloc(size_t n, size_t size)
{
    return strikes(FAULT_ALLOC) ? NULL : counted(__real_calloc(n, size));
}

void *__wrap_realloc(void *p, size_t n)
{
    if (strikes(FAULT_ALLOC))
        return NULL;
    return p ? __real_realloc(p, n) : counted(__real_realloc(p, n));
}

void __wrap_free(void *p)
{
    if (plan.counting && p)
        plan.unfreed--;
    __real_free(p);
}

ssize_t __wrap_read(int fd, void *into, size_t n)
{
    if (!strikes(FAULT_READ))
        return __real_read(fd, into, n);
    if (plan.how == FAULT_EOF)
        return 0;
    return plan.how == FAULT_SHORT ? __real_read(fd, into, 1) : -1;
}

ssize_t __wrap_writev(int fd, const struct iovec *iov, int n)
{
    if (!strikes(FAULT_WRITE))
        return __real_writev(fd, iov, n);
    return plan.how == FAULT_SHORT ? write(fd, iov->iov_base, 1) : -1;
}

ssize_t __wrap_pwrite64(int fd, const void *from, size_t n, off_t at)
{
    if (!strikes(FAULT_PWRITE))
        return __real_pwrite64(fd, from, n, at);
    return plan.how == FAULT_SHORT ? __real_pwrite64(fd, from, 1, at) : -1;
}

off_t __wrap_lseek64(int fd, off_t at, int whence)
{
    return strikes(FAULT_SEEK) ? -1 : __real_lseek64(fd, at, whence);
}

void *__wrap_mmap64(void *at, size_t n, int prot, int flags, int fd,
                    off_t offset)
{
    if (strikes(FAULT_MAP))
        return MAP_FAILED;
    return __real_mmap64(at, n, prot, flags, fd, offset);
}

int __wrap_poll(struct pollfd *fds, nfds_t n, int ms)
{
    return strikes(FAULT_POLL) ? -1 : __real_poll(fds, n, ms);
}
