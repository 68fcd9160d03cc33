#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""memsum.py DOMAIN_DIR: sum over the RAM of a domain's QEMU process.

Reads the RAM file through /proc/PID/fd, and only where it has data. Pages of
zeros do not count: whether they are holes is nobody's concern.
"""

import errno
import hashlib
import json
import os
import sys

PAGE = 4096
ZERO = bytes(PAGE)


def ram_file(pid):
    """The largest memfd of the process."""
    best = (0, None)
    base = "/proc/%d/fd" % pid
    for name in os.listdir(base):
        path = os.path.join(base, name)
        try:
            if os.readlink(path).startswith("/memfd:"):
                best = max(best, (os.stat(path).st_size, path))
        except FileNotFoundError:
            continue
    if not best[1]:
        sys.exit("process %d has no memfd" % pid)
    return best[1]


def data_runs(fd):
    offset = 0
    while True:
        try:
            start = os.lseek(fd, offset, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:
                return
            raise
        offset = os.lseek(fd, start, os.SEEK_HOLE)
        yield start, offset


def main():
    with open(os.path.join(sys.argv[1], "domain")) as record:
        pid = json.load(record)["qemu"]["pid"]
    fd = os.open(ram_file(pid), os.O_RDONLY)
    total = hashlib.sha256()
    pages = 0
    for start, end in data_runs(fd):
        for offset in range(start, end, PAGE):
            page = os.pread(fd, PAGE, offset)
            if page != ZERO:
                total.update(b"%d:" % offset + page)
                pages += 1
    print(pages, total.hexdigest())


main()
