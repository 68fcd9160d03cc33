/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agentd_conf.h - what the daemon may do (docs/specs/agent-channel.md, 9), and
 * paths held against it.
 *
 * Owns:      its strings, until dispose.
 * Thread:    any. libxl__agentd_conf_parse is pure; the openers do I/O.
 * Errors:    parse: a message, malloc'ed. Openers: -errno.
 */
#ifndef LIBXL_AGENTD_CONF_H
#define LIBXL_AGENTD_CONF_H

#include <stdbool.h>
#include <stddef.h>

#define AGENTD_CONF_ENTRIES 32

struct agentd_list {
    char *entries[AGENTD_CONF_ENTRIES];
    size_t n;
};

struct agentd_conf {
    struct agentd_list read, write, exec, disable;
};

/* text: the file's. NULL: understood; else what is wrong, with the line. */
char *libxl__agentd_conf_parse(struct agentd_conf *c, const char *text);
void libxl__agentd_conf_dispose(struct agentd_conf *c);
bool libxl__agentd_list_has(const struct agentd_list *l, const char *entry);

/* Absolute, at most 4,096 bytes, no "..": what a path must be before it is
 * looked at. */
bool libxl__agentd_path_ok(const char *path);
/* A regular file below an allowed directory, open for reading. */
int libxl__agentd_open_read(const struct agentd_conf *c, const char *path);
/* The same for writing; made (mode 0600) if it is not there. */
int libxl__agentd_open_write(const struct agentd_conf *c, const char *path);

#endif
