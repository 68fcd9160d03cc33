#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Global symbols carry their library's prefix; libxl.so exports libxl_* alone."""

import os
import subprocess

from gate import BUILD, Tap


def symbols(*args):
    """(name, type) of each defined global symbol that nm prints."""
    done = subprocess.run(["nm", "--defined-only", "-P"] + list(args),
                          stdout=subprocess.PIPE, universal_newlines=True,
                          check=True)
    for line in done.stdout.splitlines():
        words = line.split()
        if len(words) >= 2 and not line.endswith(":"):
            yield words[0].split("@")[0], words[1]


def strangers(path, prefixes, *nm_args):
    for name, kind in symbols(*(nm_args + (path,))):
        # Sanitizers and the compiler add hidden helpers of their own.
        if name.startswith(("__asan", "__odr_asan", "__x86", "__ubsan")):
            continue
        if not name.startswith(prefixes):
            yield "%s: %s (%s)" % (os.path.basename(path), name, kind)


def main():
    tap = Tap()
    lib = os.path.join(BUILD, "lib")
    tap.no_faults("libxc.a: global symbols begin with xc_", strangers(
        os.path.join(lib, "libxc.a"), ("xc_",), "-g"))
    tap.no_faults("libxl.a: global symbols begin with libxl_", strangers(
        os.path.join(lib, "libxl.a"), ("libxl_",), "-g"))
    exported = list(symbols("-g", "-D", os.path.join(lib, "libxl.so")))
    tap.no_faults("libxl.so exports libxl_*, never libxl__*", (
        name for name, kind in exported
        if kind != "A" and (not name.startswith("libxl_")
                            or name.startswith("libxl__"))))
    tap.no_faults("libxl.so exports something",
                  [] if exported else ["nothing is exported"])
    tap.done()


main()
