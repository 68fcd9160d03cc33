// SPDX-License-Identifier: GPL-2.0-or-later
#include "guest_setup.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#define MODULES_FILE "/modules"

static void mount_one(const char *type, const char *at)
{
    mkdir(at, 0755);
    if (mount(type, at, type, 0, NULL) && errno != EBUSY)
        fprintf(stderr, "guest: mount %s: %s\n", at, strerror(errno));
}

void guest_setup_console(void)
{
    struct termios tio;
    int fd;

    mount_one("devtmpfs", "/dev");
    fd = open("/dev/console", O_RDWR | O_NOCTTY);
    if (fd >= 0) {
        dup2(fd, 0);
        dup2(fd, 1);
        dup2(fd, 2);
        if (fd > 2)
            close(fd);
    }
    if (!tcgetattr(0, &tio)) {
        tio.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
        tcsetattr(0, TCSANOW, &tio);
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    mount_one("proc", "/proc");
    mount_one("sysfs", "/sys");
}

void guest_arg_text(const char *name, char *buf, size_t size)
{
    char line[4096] = "";
    size_t len = strlen(name);
    FILE *f = fopen("/proc/cmdline", "r");
    char *save = NULL;

    buf[0] = '\0';
    if (!f)
        return;
    if (!fgets(line, sizeof(line), f))
        line[0] = '\0';
    fclose(f);
    for (char *word = strtok_r(line, " \n", &save); word;
         word = strtok_r(NULL, " \n", &save)) {
        if (!strncmp(word, name, len) && word[len] == '=')
            snprintf(buf, size, "%s", word + len + 1);
    }
}

uint64_t guest_arg_number(const char *name, uint64_t otherwise)
{
    char text[64];

    guest_arg_text(name, text, sizeof(text));
    return text[0] ? strtoull(text, NULL, 0) : otherwise;
}

static void load_module(const char *name)
{
    char path[256];
    int fd;

    snprintf(path, sizeof(path), "/lib/%s.ko", name);
    fd = open(path, O_RDONLY);
    if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST))
        printf("guest: module %s: %s\n", name, strerror(errno));
    if (fd >= 0)
        close(fd);
}

static int in_list(const char *list, const char *word)
{
    size_t len = strlen(word);

    for (const char *p = list; *p; p += strcspn(p, ","), p += *p == ',') {
        if (!strncmp(p, word, len) && (p[len] == ',' || !p[len]))
            return 1;
    }
    return 0;
}

/* The table's order is the order in which modules can load. */
void guest_load_modules(const char *groups)
{
    char line[512];
    FILE *f = fopen(MODULES_FILE, "r");

    while (f && fgets(line, sizeof(line), f)) {
        char *save = NULL;
        char *group = strtok_r(line, " \t\n", &save);

        if (!group || group[0] == '#' || !in_list(groups, group))
            continue;
        for (char *path = strtok_r(NULL, " \t\n", &save); path;
             path = strtok_r(NULL, " \t\n", &save)) {
            char *slash = strrchr(path, '/');

            load_module(slash ? slash + 1 : path);
        }
    }
    if (f)
        fclose(f);
}

void guest_start_program(const char *path)
{
    pid_t pid;

    if (access(path, X_OK))
        return;
    pid = fork();
    if (!pid) {
        execl(path, path, (char *)NULL);
        _exit(127);
    }
    if (pid < 0)
        printf("guest: %s: %s\n", path, strerror(errno));
}

const char *guest_disk(void)
{
    return access("/dev/xvda", F_OK) ? "/dev/vda" : "/dev/xvda";
}

void guest_net_up(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct if_nameindex *all = if_nameindex();

    for (struct if_nameindex *i = all; i && i->if_index; i++) {
        struct ifreq req = {0};

        memcpy(req.ifr_name, i->if_name,
               strnlen(i->if_name, sizeof(req.ifr_name) - 1));
        req.ifr_flags = IFF_UP;
        if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &req))
            printf("guest: %s up: %s\n", i->if_name, strerror(errno));
    }
    if (all)
        if_freenameindex(all);
    if (fd >= 0)
        close(fd);
}
