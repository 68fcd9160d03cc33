/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* unfinished.c - what saves have begun, on record beyond the host's end. */
#include "domain/unfinished.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/proc_id.h"
#include "domain/save_target.h"
#include "store/store_dir.h"

#define DIRECTORY "unfinished"
/* Its file system may not be mounted yet: so long it is asked for. */
#define KEPT_S (30 * 24 * 3600)

struct note {
    const char *boot_id, *path; /* in the text */
    uint64_t ino;
};

/* -1: it cannot be opened, or (make clear) is not there. */
static int open_notes(libxl__store *st, bool make)
{
    int base = libxl__lasting_dir_open(libxl__store_files_path(st)), fd = -1;

    if (base < 0)
        return -1;
    if (!make || !mkdirat(base, DIRECTORY, 0700) || errno == EEXIST)
        fd = openat(base, DIRECTORY,
                    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    close(base);
    return fd;
}

/* The number in the name of a temporary file; NULL: it has another name. */
static const char *key_of(libxl__gc *gc, const char *temp_path)
{
    const char *name = strrchr(temp_path, '/');
    size_t before = strlen(LIBXL__SAVE_TEMP_BEFORE);

    name = name ? name + 1 : temp_path;
    if (strncmp(name, LIBXL__SAVE_TEMP_BEFORE, before) ||
        strspn(name + before, "0123456789abcdef") != LIBXL__SAVE_TEMP_DIGITS ||
        strcmp(name + before + LIBXL__SAVE_TEMP_DIGITS,
               LIBXL__SAVE_TEMP_BEHIND))
        return NULL;
    return libxl__strndup(gc, name + before, LIBXL__SAVE_TEMP_DIGITS);
}

void libxl__unfinished_note(libxl__store *st, libxl__gc *gc,
                            const char *temp_path, uint64_t ino)
{
    const char *key = key_of(gc, temp_path);
    struct libxl__proc_id self = {.boot_id = ""};
    char *text;
    int dirfd;

    /* A line is a line. */
    if (!key || strchr(temp_path, '\n') || libxl__proc_id_self(&self))
        return;
    text = libxl__sprintf(gc, "1 %s %" PRIu64 " %s\n", self.boot_id, ino,
                          temp_path);
    dirfd = text ? open_notes(st, true) : -1;
    if (dirfd < 0 ||
        libxl__file_replace(st->ctx, INVALID_DOMID, dirfd, key, text, true))
        LOG(st->ctx, WARN,
            "should this host go down now, %s is left: remove it yourself",
            temp_path);
    if (dirfd >= 0)
        close(dirfd);
}

void libxl__unfinished_forget(libxl__store *st, const char *temp_path)
{
    libxl__gc gc;
    const char *key;
    int dirfd;

    libxl__gc_init(&gc, st->ctx);
    key = key_of(&gc, temp_path);
    dirfd = key ? open_notes(st, false) : -1;
    if (dirfd >= 0) {
        (void)libxl__file_erase(st->ctx, INVALID_DOMID, dirfd, key);
        (void)fsync(dirfd); /* or a whole file would be removed after a boot */
        close(dirfd);
    }
    libxl__gc_dispose(&gc);
}

/* ---- what a host that went down has left ---- */

/* Cuts the text up. */
static bool parse(char *text, struct note *out)
{
    char *boot_id = text + 2, *inode, *path;

    if (strncmp(text, "1 ", 2))
        return false;
    inode = strchr(boot_id, ' ');
    if (!inode || *++inode < '0' || *inode > '9')
        return false;
    inode[-1] = '\0';
    out->boot_id = boot_id;
    out->ino = strtoull(inode, &path, 10);
    if (strncmp(path, " /", 2))
        return false;
    out->path = ++path;
    path[strcspn(path, "\n")] = '\0';
    return true;
}

/* Its name is a random number of ours, and the file system knows it by the same
 * number as then. (A device's number may be another one after a boot.) */
static bool is_ours(const struct note *n, const struct stat *st)
{
    return S_ISREG(st->st_mode) && st->st_nlink == 1 && st->st_ino == n->ino &&
           st->st_uid == geteuid();
}

/* true: the note has served. */
static bool clear_up(libxl__store *st, const struct note *n, bool this_boot,
                     bool is_old)
{
    struct stat sb;

    if (this_boot) /* whoever has begun it, or its recovery, forgets it */
        return false;
    if (lstat(n->path, &sb))
        return is_old;
    if (!is_ours(n, &sb))
        return true;
    if (unlink(n->path)) {
        LOGE(st->ctx, WARN, errno, "cannot remove the unfinished file %s",
             n->path);
        return is_old;
    }
    LOG(st->ctx, NOTICE,
        "%s is removed: a save that was not finished when this host went down",
        n->path);
    return true;
}

static void sweep_one(libxl__store *st, libxl__gc *gc, int dirfd,
                      const char *name, const char *boot_id)
{
    struct note n = {.ino = 0};
    struct stat sb;
    const char *key;
    char *text;
    bool served = true;

    if (fstatat(dirfd, name, &sb, AT_SYMLINK_NOFOLLOW) ||
        libxl__file_read(st->ctx, INVALID_DOMID, dirfd, name, &text))
        return;
    if (parse(text, &n)) {
        key = key_of(gc, n.path);
        if (key && !strcmp(key, name))
            served = clear_up(st, &n, !strcmp(n.boot_id, boot_id),
                              time(NULL) - sb.st_mtime > KEPT_S);
    }
    if (served)
        (void)libxl__file_erase(st->ctx, INVALID_DOMID, dirfd, name);
    free(text);
}

void libxl__unfinished_sweep(libxl__store *st, libxl__gc *gc)
{
    struct libxl__proc_id self = {.boot_id = ""};
    int dirfd = open_notes(st, false);
    int again = dirfd < 0 ? -1 : dup(dirfd);
    DIR *d = again < 0 ? NULL : fdopendir(again);
    struct dirent *de;

    if (d && !libxl__proc_id_self(&self))
        while ((de = readdir(d)))
            if (strspn(de->d_name, "0123456789abcdef") ==
                    LIBXL__SAVE_TEMP_DIGITS &&
                !de->d_name[LIBXL__SAVE_TEMP_DIGITS])
                sweep_one(st, gc, dirfd, de->d_name, self.boot_id);
    if (d)
        closedir(d);
    else if (again >= 0)
        close(again);
    if (dirfd >= 0)
        close(dirfd);
}
