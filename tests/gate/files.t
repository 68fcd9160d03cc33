#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Licence lines, header preambles, and shell scripts that shellcheck accepts."""

import os
import re
import subprocess

from gate import Tap, TOP, read, tree_files

LIBRARY = ("tools/libxc/", "tools/libxl/")
# A program's own files may lie in the room whose code they use.
PROGRAM_OF_LIBRARY = re.compile(
    r"^tools/(libx[cl]/.*_main\.c|libxl/(helper/child|ring/blkd|agent/agentd)_.*)$")
# SPDX line, then a block comment: what the header is for, and its contract.
OPENING = re.compile(r"\A/\* SPDX[^\n]*\n/\*")
TEXT = (".c", ".h", ".py", ".t", ".sh", ".map", ".bash")


def is_script(path):
    with open(os.path.join(TOP, path), "rb") as f:
        return f.read(2) == b"#!"


def needs_licence(path):
    if "/golden/" in path or "/corpus/" in path:
        return False
    return path.endswith(TEXT) or os.path.basename(path) == "Makefile" \
        or is_script(path)


def licence_fault(path):
    head = "\n".join(read(path).splitlines()[:3])
    found = re.search(r"SPDX-License-Identifier: ([\w.+-]+)", head)
    if not found:
        return "no SPDX line on top"
    name = found.group(1)
    if name not in ("GPL-2.0-or-later", "LGPL-2.1-or-later"):
        return "unknown licence " + name
    if path.startswith(LIBRARY) and not PROGRAM_OF_LIBRARY.match(path) \
            and name != "LGPL-2.1-or-later":
        return "a library's file is LGPL-2.1-or-later"
    return None


def shell_scripts(files):
    for path in files:
        if "/golden/" in path or "/corpus/" in path:
            continue
        first = read(path).split("\n", 1)[0]
        if re.match(r"#!.*\b(bash|sh)$", first) or path.endswith(".sh"):
            yield path


def shellcheck(paths):
    done = subprocess.run(["shellcheck", "-x", "-f", "gcc"] + paths, cwd=TOP,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          universal_newlines=True)
    return done.stdout.splitlines() if done.returncode else []


def main():
    tap = Tap()
    files = tree_files()
    tap.no_faults("each file names its licence", (
        "%s: %s" % (f, licence_fault(f)) for f in files
        if needs_licence(f) and licence_fault(f)))
    tap.no_faults("each header opens with what it is for", (
        f for f in files if f.startswith(LIBRARY) and f.endswith(".h")
        and not OPENING.match(read(f))))
    tap.no_faults("shellcheck", shellcheck(list(shell_scripts(files))))
    tap.done()


main()
