#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Prints the longest files and functions; refuses those beyond the limits."""

import re
import statistics

from gate import Tap, c_files, read, strip

MAX_C = 500
MAX_H = 200
MAX_FUNCTION = 100
SHOWN = 8

# A definition begins in the first column and its body's brace stands alone.
NAME = re.compile(r"\b(\w+)\s*\(")


def functions(path):
    """(lines, name) of each function: from its first line to its last brace."""
    lines = strip(read(path)).split("\n")
    start = None
    for number, line in enumerate(lines):
        if line.startswith("{"):
            head = number - 1
            while head > 0 and (lines[head - 1].strip()
                                and not lines[head - 1].startswith(("}", "#"))
                                and not lines[head - 1].rstrip().endswith(";")):
                head -= 1
            text = " ".join(lines[head:number])
            name = NAME.search(text)
            start = (head, name.group(1)) if name else None
        elif line.startswith("}") and start:
            yield number - start[0] + 1, start[1]
            start = None


def spread(title, sizes):
    if not sizes:
        return
    sizes = sorted(sizes)
    print("# %s: %d, median %d, p90 %d, longest %d" % (
        title, len(sizes), statistics.median(sizes),
        sizes[int(len(sizes) * 0.9)], sizes[-1]))


def show(title, rows):
    print("# longest %s:" % title)
    for size, what in sorted(rows, reverse=True)[:SHOWN]:
        print("#   %4d  %s" % (size, what))


def main():
    tap = Tap()
    files = c_files("tools")
    length = {f: read(f).count("\n") for f in files}
    bodies = [(n, "%s in %s" % (name, f)) for f in files
              for n, name in functions(f)]
    spread(".c files", [n for f, n in length.items() if f.endswith(".c")])
    spread(".h files", [n for f, n in length.items() if f.endswith(".h")])
    spread("functions", [n for n, _ in bodies])
    show("files", [(n, f) for f, n in length.items()])
    show("functions", bodies)
    tap.no_faults("no .c file above %d lines" % MAX_C, (
        "%s: %d" % (f, n) for f, n in length.items()
        if f.endswith(".c") and n > MAX_C))
    tap.no_faults("no header above %d lines" % MAX_H, (
        "%s: %d" % (f, n) for f, n in length.items()
        if f.endswith(".h") and n > MAX_H
        and not f.startswith("tools/libxl/include/")))
    tap.no_faults("no function above %d lines" % MAX_FUNCTION, (
        "%s: %d" % (what, n) for n, what in bodies if n > MAX_FUNCTION))
    tap.done()


main()
