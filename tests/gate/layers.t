#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""No file includes a header of a room above it, or beside it."""

import fnmatch
import os
import re

from gate import Tap, TOP, c_files, read

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)
TREES = ("tools/libxc", "tools/libxl/include", "tools/libxl", "tools/xl")


class Table:
    """tests/gate/layers."""

    def __init__(self):
        self.rank = {}
        self.only = {}
        self.sees_libxc = []
        for line in read("tests/gate/layers").splitlines():
            words = line.split("#")[0].split() if "<" not in line \
                else line.split()
            if not words or words[0] == "#":
                continue
            if words[0] == "only":
                self.only[words[1].strip("<>")] = words[2:]
            elif words[0] == "libxc":
                self.sees_libxc = words[1:]
            else:
                self.rank[words[0]] = int(words[1])


def room_of(path):
    """libxl/engine for tools/libxl/engine/ao.c; xl for tools/xl/xl.c."""
    parts = path.split("/")
    if parts[0] != "tools" or len(parts) < 3:
        return None
    return "xl" if parts[1] == "xl" else "/".join(parts[1:3])


def resolve(path, name):
    """The tree's file that #include "name" in path means, or None."""
    for base in (os.path.dirname(path),) + TREES:
        found = os.path.normpath(os.path.join(base, name))
        if os.path.isfile(os.path.join(TOP, found)):
            return found
    return None


def matches(path, patterns):
    return any(fnmatch.fnmatch(path, p) for p in patterns)


def fault(table, path, quote, name):
    """Why path may not include name, or None."""
    if quote == "<":
        allowed = table.only.get(name)
        if allowed is not None and not matches(path, allowed):
            return "only %s may include <%s>" % (" ".join(allowed), name)
        return None
    target = resolve(path, name)
    if target is None:
        return 'no such header: "%s"' % name
    mine, its = room_of(path), room_of(target)
    if mine == its:
        return None
    if its not in table.rank or mine not in table.rank:
        return "room %s is not in tests/gate/layers" % (
            its if its not in table.rank else mine)
    if mine == "xl" and its != "libxl/include":
        return "xl includes public headers alone, not %s" % target
    if mine.startswith("libxl/") and its.startswith("libxc/"):
        return None if matches(path, table.sees_libxc) else \
            "libxl sees libxc only in " + " ".join(table.sees_libxc)
    if table.rank[its] >= table.rank[mine]:
        return "%s (rank %d) may not include %s (rank %d)" % (
            mine, table.rank[mine], target, table.rank[its])
    return None


def faults(table, paths):
    for path in paths:
        for match in INCLUDE.finditer(read(path)):
            why = fault(table, path, match.group(1), match.group(2))
            if why:
                yield "%s: %s" % (path, why)


def main():
    tap = Tap()
    table = Table()
    files = c_files("tools")
    # Programs that only tests run join what they like.
    tests = [f for f in files if f.endswith("_read_main.c")]
    tap.no_faults("layers: %d files include downwards only" % len(files),
                  faults(table, [f for f in files if f not in tests]))
    tap.no_faults("public headers stand alone", (
        "%s includes %s" % (f, m.group(2))
        for f in files if room_of(f) == "libxl/include"
        for m in INCLUDE.finditer(read(f))
        if m.group(1) == '"'
        and room_of(resolve(f, m.group(2)) or "") != "libxl/include"))
    tap.done()


main()
