// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * guest_fs.h - the test guest makes a file system on /dev/vda, writes to it
 * at random, and leaves it: the host looks whether it is whole.
 *
 * Prints "FS <file> <crc32>" for each of its files, and "FS DONE" when it is
 * unmounted; "FS ERROR <what>" instead if a step fails.
 */
#ifndef GUEST_FS_H
#define GUEST_FS_H

void guest_fs_test(void);

#endif
