#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every reader thinks of the corpus what its manifest says."""

import glob
import os
import re

from interop import (BUILD, GOLDEN, TOP, Ours, Tap, debian, goldens, run,
                     script, scratch)

XC_READ = os.path.join(BUILD, "tests", "xc-read")
XL_READ = os.path.join(BUILD, "tests", "xl-read")
RULE = re.compile(r'"((?:xl|libxl|libxc|back)\.[a-z_]+\.[a-z0-9_]+)"')


def read(path):
    """A text file."""
    with open(path, encoding="utf-8") as f:
        return f.read()


def ours_faults(ours):
    """Where our verifier differs from the manifest."""
    for g in goldens():
        code, said = ours.file(g.path, g.format, *g.options)
        if g.good and code:
            yield "%s is good, but: %s" % (g.name, said.strip())
        if not g.good and (code != 1 or "[%s]" % g.check not in said):
            yield "%s: exit %d, not for %s: %s" % (g.name, code, g.check,
                                                   said.strip())


def lenient_faults(ours):
    """Files that only --strict refuses are accepted without."""
    for g in goldens():
        if "strict" in g.notes and ours.file(g.path, g.format)[0]:
            yield g.name


def debian_faults(theirs):
    """Where Debian's verifier differs from the manifest."""
    for g in goldens():
        wanted = g.notes.get("debian", "accepts" if g.good else "refuses")
        got = "refuses" if theirs.file(g.path, g.format) else "accepts"
        if got != wanted:
            yield "%s: Debian %s" % (g.name, got)


def is_pv(head):
    """Is the libxc stream that begins there a PV guest's?"""
    at = head.find(b"XENF")
    return at >= 0 and head[at + 16:at + 20] == b"\1\0\0\0"


def for_c(g):
    """Is the file for our C readers, as they are?"""
    with open(g.path, "rb") as f:
        head = f.read(4096)
    pv = is_pv(head) and g.format != "libxc"  # xl-read makes HVM guests
    apart = {"strict", "checkpointed", "verifier"} & set(g.notes)
    back = "--back-channel" in g.options
    bare_end = g.check == "libxc.trailing"  # more may follow a bare stream
    return not (apart or pv or back or bare_end)


def c_command(g):
    """The C reader for it."""
    if g.format == "libxc":
        return [XC_READ, "--pages", g.notes.get("pages", "0x100000"),
                "--type", "pv" if is_pv(g.data()[:64]) else "hvm"]
    if g.format == "libxl":
        return [XL_READ, "-f", "libxl", "-x", "-m", "4096"]
    return [XL_READ] + (["-m", g.notes["memory"]]
                        if "memory" in g.notes else [])


def c_faults():
    """Where the C readers differ from the manifest."""
    for g in filter(for_c, goldens()):
        code, _, said = run(c_command(g), g.data())
        if g.good and code:
            yield "%s is good, but: %s" % (g.name, said.strip())
        if g.good:
            continue
        reason = "[%s]" % g.check in said or g.notes.get("says", g.check) \
            in said
        if code != 1 or not reason:
            yield "%s: exit %d, not for %s: %s" % (g.name, code, g.check,
                                                   said.strip())


def made_faults():
    """Files that the descriptions do not make."""
    with scratch() as where:
        code, _, said = run([script("xl-stream"), "mk", "--corpus",
                             os.path.join(GOLDEN, "corpus"), where])
        if code:
            yield said
            return
        for name in ["MANIFEST"] + [g.name for g in goldens()]:
            with open(os.path.join(where, name), "rb") as a, \
                    open(os.path.join(GOLDEN, name), "rb") as b:
                if a.read() != b.read():
                    yield name
        for kind in ("good", "bad"):
            extra = set(os.listdir(os.path.join(GOLDEN, kind))) - set(
                os.listdir(os.path.join(where, kind)))
            yield from ("%s/%s is not in the corpus" % (kind, n)
                        for n in sorted(extra))


def rule_faults():
    """Rules that no spec names, or that no file of the corpus breaks."""
    specs = "".join(read(path) for path in glob.glob(
        os.path.join(TOP, "docs", "specs", "*.md")))
    broken = {g.check for g in goldens()}
    sources = glob.glob(os.path.join(TOP, "tools/python/xlstream/*.py"))
    for rule in sorted(set(RULE.findall("".join(map(read, sources))))):
        short = "." + rule.split(".")[-1]
        if "`%s`" % rule not in specs and "`%s`" % short not in specs:
            yield rule + " is in no spec"
        if rule not in broken and rule != "xl.header.not_legacy":
            yield rule + ": no bad file"


def main():
    tap = Tap()
    ours, theirs = Ours(), debian()
    tap.none(made_faults(), "the descriptions make the corpus")
    tap.none(rule_faults(), "each rule has a name and a bad file")
    tap.none(ours_faults(ours), "our verifier")
    tap.none(lenient_faults(ours), "our verifier without --strict")
    if theirs:
        tap.none(debian_faults(theirs), "Debian's verifier")
    else:
        tap.skip("Debian's verifier", "xen-utils-4.17 is not installed")
    if os.path.exists(XC_READ) and os.path.exists(XL_READ):
        tap.none(c_faults(), "the C readers")
    else:
        tap.skip("the C readers", "xc-read and xl-read are not built")
    tap.done()


main()
