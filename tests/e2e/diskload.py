#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""diskload.py IMAGE CONSOLE-LOG: is every write that the guest was told is done
in the image? (tests/guest/guest_diskload.h says what was written.)

Prints "N writes" and exits 0, or says what is missing and exits 1."""

import re
import struct
import sys

BLOCK, BLOCKS = 4096, 4096
MASK = (1 << 64) - 1


def mix(x):
    """guest_mix of tests/guest/guest_pattern.h"""
    x = (x + 0x9E3779B97F4A7C15) & MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def acknowledged(log):
    text = open(log, "rb").read().decode("latin-1")
    bad = re.search(r"^IO BAD.*", text, re.M)
    if bad:
        sys.exit(bad.group().strip())
    return max((int(n) for n in re.findall(r"^IO (\d+)\r?$", text, re.M)),
               default=0)


def main(image, log):
    done = acknowledged(log)
    with open(image, "rb") as f:
        for n in range(max(1, done - BLOCKS + 1), done + 1):
            f.seek(n % BLOCKS * BLOCK)
            words = struct.unpack("<512Q", f.read(BLOCK))
            found = words[0]
            if found < n or found % BLOCKS != n % BLOCKS:
                sys.exit("write %d is lost: its block holds write %d"
                         % (n, found))
            for i in (1, 200, 511):
                if words[i] != mix(found * 512 + i):
                    sys.exit("write %d is torn at word %d" % (found, i))
    if not done:
        sys.exit("the guest wrote nothing")
    print(done, "writes")


main(*sys.argv[1:])
