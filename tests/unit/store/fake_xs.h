/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fake_xs.h - a xenstore in memory, behind the table of the plugin. One at a
 * time; transactions succeed, unless the test says otherwise. */
#ifndef FAKE_XS_H
#define FAKE_XS_H

#include "store/xs_calls.h"

extern const struct libxl__xs_calls fake_xs_calls;
void fake_xs_empty(void);
void fake_xs_put(const char *path, const char *text);
const char *fake_xs_get(const char *path); /* NULL: no such node */
/* NULL, or called in the place of each commit: true, somebody was quicker. What
 * was written stays, unless it writes something else. */
extern bool (*fake_xs_on_commit)(void);
/* Its own, or those of the node above that it was made with. */
enum libxl__xs_perms fake_xs_perms(const char *path);

#endif
