#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Numbers of records and messages are the same in spec, C and Python."""

import os
import re
import sys

from gate import TOP, Tap, read

sys.path.insert(0, os.path.join(TOP, "tools", "python"))
from xlstream import consts  # noqa: E402

ENUM = r"\b%s(\w+) = (0x[0-9a-fA-F]+|\d+)\b"
X_TABLE = r"\bX\((\d+), (\w+), [^)]*\)"


def c_enum(path, prefix):
    return {name: int(number, 0) for name, number
            in re.findall(ENUM % prefix, read(path))}


def c_messages(path):
    return {name: int(number) for number, name
            in re.findall(X_TABLE, read(path))}


def spec_rows(path):
    """{name: numbers} of the rows "| number | NAME |" of a spec's tables."""
    rows = {}
    for number, name in re.findall(
            r"^\| *`?(0x[0-9a-fA-F]+|\d+)`? *\| *`?([A-Z][A-Z0-9_]+)`? *\|",
            read(path), re.M):
        rows.setdefault(name, set()).add(int(number, 0))
    return rows


def differences(table, spec):
    if not table:
        yield "no table found"
    for name, number in sorted(table.items(), key=lambda row: row[1]):
        if number not in spec.get(name, ()):
            yield "%s is %d; spec: %s" % (
                name, number, sorted(spec.get(name, [])) or "not there")


def main():
    tap = Tap()
    libxc = c_enum("tools/libxc/stream/xc_sr_wire.h", "XC_REC_")
    libxl = c_enum("tools/libxl/stream/sr_record.h", "REC_TYPE_")
    helper = c_messages("tools/libxl/helper/helper_wire.h")
    for title, table, path in (
            ("libxc records", libxc, "docs/specs/libxc-stream.md"),
            ("libxl records", libxl, "docs/specs/libxl-stream.md"),
            ("helper messages", helper, "docs/specs/save-helper.md")):
        there = os.path.exists(os.path.join(TOP, path))
        tap.no_faults("%s: C and %s agree" % (title, path),
                      differences(table, spec_rows(path)) if there
                      else ["no such file"])
    tap.no_faults("libxc records: C and Python agree", (
        "%s: C %s, Python %s" % (name, libxc.get(name), number)
        for number, name in sorted(consts.LIBXC_NAMES.items())
        if libxc.get(name) != number))
    tap.no_faults("libxl records: C and Python agree", (
        "%s: C %s, Python %s" % (name, libxl.get(name), number)
        for number, name in sorted(consts.LIBXL_NAMES.items())
        if libxl.get(name) != number))
    tap.done()


main()
