// SPDX-License-Identifier: GPL-2.0-or-later
#include "guest_stuck.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest_setup.h"

#define PAGE 4096u

/* A page that nobody ever fills, and the kernel waits for it in write(). */
static void wait_for_ever(void)
{
    struct uffdio_api api = {.api = UFFD_API};
    void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct uffdio_register reg = {
        .range = {.start = (uintptr_t)page, .len = PAGE},
        .mode = UFFDIO_REGISTER_MODE_MISSING,
    };
    int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
    int pipes[2];

    if (fd < 0 || page == MAP_FAILED || ioctl(fd, UFFDIO_API, &api) ||
        ioctl(fd, UFFDIO_REGISTER, &reg) || pipe(pipes))
        printf("STUCK ERROR %s\n", strerror(errno));
    else if (write(pipes[1], page, PAGE) >= 0)
        printf("STUCK ERROR it went on\n");
    _exit(1);
}

void guest_stuck_start(void)
{
    int fd;

    if (!guest_arg_number("stuck", 0))
        return;
    fd = open("/sys/power/pm_freeze_timeout", O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "2000", 4) != 4)
        printf("STUCK ERROR %s\n", strerror(errno));
    if (fd >= 0)
        close(fd);
    if (!fork())
        wait_for_ever();
}
