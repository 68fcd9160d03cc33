// SPDX-License-Identifier: GPL-2.0-or-later
#include "guest_commands.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "guest_fs.h"
#include "guest_setup.h"

#define SECTOR 512

static void say_check(struct guest_pattern *pattern)
{
    uint64_t pages = guest_pattern_pages(pattern);
    int64_t wrong = guest_pattern_check(pattern, pages);

    if (wrong >= 0)
        printf("CHECK BAD page %lld of %llu\n", (long long)wrong,
               (unsigned long long)pages);
    else
        printf("CHECK OK %llu pages\n", (unsigned long long)pages);
}

static void disk_read(void)
{
    char sector[SECTOR + 1] = "";
    int fd = open(guest_disk(), O_RDONLY | O_DSYNC);
    ssize_t r = fd < 0 ? -1 : pread(fd, sector, SECTOR, 0);

    if (r != SECTOR)
        printf("DISK ERROR %s\n", strerror(errno));
    else
        printf("DISK %.*s\n", (int)strcspn(sector, "\n"), sector);
    if (fd >= 0)
        close(fd);
}

static void disk_write(const char *text)
{
    char sector[SECTOR] = "";
    int fd = open(guest_disk(), O_WRONLY | O_DSYNC);
    ssize_t r = -1;

    snprintf(sector, sizeof(sector), "%s\n", text);
    if (fd >= 0)
        r = pwrite(fd, sector, SECTOR, 0);
    printf("DISK-WRITE %s\n", r == SECTOR ? "OK" : "ERROR");
    if (fd >= 0)
        close(fd);
}

static void say_net(void)
{
    DIR *dir = opendir("/sys/class/net");
    struct dirent *e;

    while (dir && (e = readdir(dir))) {
        char path[300], mac[64] = "";
        FILE *f;

        if (e->d_name[0] == '.' || !strcmp(e->d_name, "lo"))
            continue;
        snprintf(path, sizeof(path), "/sys/class/net/%s/address", e->d_name);
        f = fopen(path, "r");
        if (f && fgets(mac, sizeof(mac), f))
            printf("NET %s %s", e->d_name, mac);
        if (f)
            fclose(f);
    }
    if (dir)
        closedir(dir);
    printf("NET END\n");
}

static void crash(void)
{
    int fd = open("/proc/sysrq-trigger", O_WRONLY);

    if (fd < 0 || write(fd, "c", 1) != 1)
        printf("CRASH ERROR %s\n", strerror(errno));
}

void guest_command(struct guest_pattern *pattern, char *line)
{
    line[strcspn(line, "\r\n")] = '\0';
    if (!strcmp(line, "check"))
        say_check(pattern);
    else if (!strcmp(line, "disk"))
        disk_read();
    else if (!strncmp(line, "disk-write ", 11))
        disk_write(line + 11);
    else if (!strcmp(line, "fs"))
        guest_fs_test();
    else if (!strcmp(line, "net"))
        say_net();
    else if (!strcmp(line, "crash"))
        crash();
    else if (!strcmp(line, "poweroff"))
        reboot(RB_POWER_OFF);
    else if (!strcmp(line, "reboot"))
        reboot(RB_AUTOBOOT);
    else if (line[0])
        printf("UNKNOWN %s\n", line);
}

int guest_button_open(void)
{
    for (int i = 0; i < 8; i++) {
        char path[32], name[64] = "";
        int fd;

        snprintf(path, sizeof(path), "/dev/input/event%d", i);
        fd = open(path, O_RDONLY | O_NONBLOCK);
        if (fd < 0)
            continue;
        if (ioctl(fd, EVIOCGNAME(sizeof(name)), name) > 0 &&
            strstr(name, "Power Button"))
            return fd;
        close(fd);
    }
    return -1;
}

void guest_button_read(int fd)
{
    struct input_event ev;

    while (read(fd, &ev, sizeof(ev)) == sizeof(ev)) {
        if (ev.type == EV_KEY && ev.code == KEY_POWER && ev.value == 1) {
            printf("POWER BUTTON\n");
            reboot(RB_POWER_OFF);
        }
    }
}
