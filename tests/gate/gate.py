# SPDX-License-Identifier: GPL-2.0-or-later
"""What the gate's tests share: TAP output, and the tree's files."""

import os
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BUILD = os.environ.get("XL_BUILD", os.path.join(TOP, "build"))


class Tap:
    """Counts results; ends the program with the plan and the exit code."""

    def __init__(self):
        self.count = 0
        self.bad = 0

    def no_faults(self, title, faults):
        """One test: passes if the list of faults is empty, else shows them."""
        self.count += 1
        faults = list(faults)
        print("%sok %d - %s" % ("not " if faults else "", self.count, title))
        for fault in faults[:40]:
            print("#   " + fault)
        if len(faults) > 40:
            print("#   and %d more" % (len(faults) - 40))
        self.bad += bool(faults)

    def done(self):
        print("1..%d" % self.count)
        sys.exit(1 if self.bad else 0)


def tree_files(*under):
    """The project's files, as paths from the top; git's list if there is one."""
    git = subprocess.run(["git", "-C", TOP, "ls-files", "--"] + list(under),
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                         universal_newlines=True)
    if git.returncode == 0 and git.stdout:
        found = git.stdout.splitlines()
    else:
        found = walk(under or (".",))
    return sorted(f for f in found if os.path.isfile(os.path.join(TOP, f)))


def walk(under):
    for start in under:
        for path, dirs, names in os.walk(os.path.join(TOP, start)):
            dirs[:] = [d for d in dirs
                       if d != ".git" and not d.startswith("build")]
            for name in names:
                yield os.path.relpath(os.path.join(path, name), TOP)


def c_files(*under):
    return [f for f in tree_files(*(under or ("tools", "tests")))
            if f.endswith((".c", ".h"))]


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8",
              errors="replace") as f:
        return f.read()


def code_lines(path):
    """(line number, text) without comments and without strings' contents."""
    return list(enumerate(strip(read(path)).split("\n"), 1))


def strip(text):
    """C text with comments and literals blanked, line numbers kept."""
    out = []
    i = 0
    while i < len(text):
        two = text[i:i + 2]
        if two == "/*":
            end = text.find("*/", i + 2)
            end = len(text) if end < 0 else end + 2
        elif two == "//":
            end = text.find("\n", i)
            end = len(text) if end < 0 else end
        elif text[i] in "\"'":
            end = literal_end(text, i)
            out.append(text[i] + text[i])
            out.append("\n" * text.count("\n", i, end))
            i = end
            continue
        else:
            out.append(text[i])
            i += 1
            continue
        out.append(" " + "\n" * text.count("\n", i, end))
        i = end
    return "".join(out)


def literal_end(text, start):
    i = start + 1
    while i < len(text) and text[i] != text[start] and text[i] != "\n":
        i += 2 if text[i] == "\\" else 1
    return i + 1
