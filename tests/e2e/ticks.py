#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""ticks.py LOG BOOT [gaps]: check the tick lines of a test guest's console log.

Each line must carry the word of that boot (tests/guest/guest_init.c), follow
the one before, and none may say BAD. gaps: lines may be missing, or cut, where
a keeper was killed. Prints "FIRST LAST".
"""

import re
import sys

TICK = re.compile(rb"^T (\d+) (\S+)", re.M)
MASK = (1 << 64) - 1


def mix(x):
    x = (x + 0x9E3779B97F4A7C15) & MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def main():
    with open(sys.argv[1], "rb") as log:
        text = log.read()
    boot = int(sys.argv[2], 16)
    # The last line may be half written, the first one half a line: a restored
    # guest goes on where it was.
    complete = text[:text.rfind(b"\n") + 1]
    first = last = None
    gaps = sys.argv[3:] == ["gaps"]
    for match in TICK.finditer(complete):
        number, word = int(match.group(1)), match.group(2).decode()
        if gaps and len(word) != 8:
            continue
        if word != "%08x" % (mix(boot ^ number) & 0xFFFFFFFF):
            sys.exit("tick %d has the word %s" % (number, word))
        if last is not None and (number <= last if gaps else
                                 number != last + 1):
            sys.exit("tick %d follows %d" % (number, last))
        first, last = first or number, number
    if last is None:
        sys.exit("no tick")
    print(first, last)


main()
