#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The C readers and the verifier agree on damaged streams."""

import os

import differential
from interop import LONG, Tap

COUNT, SEEDS = (10000, (1, 2, 3)) if LONG else (1000, (1,))


def main():
    tap = Tap()
    there = os.path.exists(differential.XC_READ) and os.path.exists(
        differential.XL_READ)
    for seed in SEEDS:
        title = "%d damaged streams, seed %d" % (COUNT, seed)
        if not there:
            tap.skip(title, "xc-read and xl-read are not built")
            continue
        accepted, faults = differential.run(COUNT, seed, None)
        tap.none(faults, title)
        tap.ok(COUNT // 20 < accepted < COUNT, "some are good, some are not",
               "%d of %d accepted" % (accepted, COUNT))
    tap.done()


main()
