#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""xl-stream: info, ls, map, diff, extract, mk."""

import json
import os
import struct
import subprocess
import zlib

from interop import (GOLDEN, Tap, big_streams, run, script, scratch)

TOOL = script("xl-stream")
XL_HVM = os.path.join(GOLDEN, "good", "xl-hvm")
XL_QEMU = os.path.join(GOLDEN, "good", "xl-qemu")
XC_HVM = os.path.join(GOLDEN, "good", "xc-hvm")
XC_PV = os.path.join(GOLDEN, "good", "xc-pv-64")


def make(where, name, text):
    """A stream of a description, by the tool itself."""
    path = os.path.join(where, name)
    code, _, said = run([TOOL, "mk", "-", path], text.encode())
    assert code == 0, said
    return path


def info(path):
    """info --json."""
    code, out, said = run([TOOL, "info", "--json", path])
    return json.loads(out) if code == 0 else said


def test_info(tap):
    """Guest, host, counts."""
    got = info(XL_HVM)
    tap.equal((got["guest"], got["host"], got["memory_kib"], got["name"]),
              ("HVM", "Xen", 4096, "g"), "info: an HVM guest")
    tap.equal(got["records"]["libxc PAGE_DATA"], 1, "info: records")
    tap.equal(info(XL_QEMU)["host"], "QEMU", "info: a QEMU host")
    got = info(XC_PV)
    tap.equal((got["guest"], got["p2m_pages"], got["pages"]["data"]),
              ("PV", 16, 3), "info: a PV guest")
    code, out, _ = run([TOOL, "info", "--config", XL_HVM])
    tap.ok(code == 0 and b'"c_info"' in out and b"4 MiB" in out,
           "info for people", out)
    code, _, said = run([TOOL, "info", "/etc/passwd"])
    tap.ok(code == 1 and "neither" in said, "info: no stream", said)


def test_ls(tap):
    """Each record on a line."""
    code, out, _ = run([TOOL, "ls", XL_HVM])
    names = [line.split()[3] for line in out.decode().splitlines()[1:]]
    tap.equal((code, names), (0, [
        "LIBXC_CONTEXT", "STATIC_DATA_END", "PAGE_DATA", "X86_TSC_INFO",
        "HVM_CONTEXT", "HVM_PARAMS", "END", "EMULATOR_CONTEXT", "END"]),
        "ls")
    code, out, _ = run([TOOL, "ls", "0"], open(XC_PV, "rb").read())
    tap.ok(code == 0 and b"X86_PV_INFO" in out, "ls of a pipe", out)


def read_png(path):
    """(width, height, palette indices by row)."""
    data = open(path, "rb").read()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, parts = 8, {}
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8:at + 8 + size]
        crc, = struct.unpack_from(">I", data, at + 8 + size)
        assert crc == zlib.crc32(kind + body)
        parts[kind] = parts.get(kind, b"") + body
        at += 12 + size
    width, height = struct.unpack_from(">II", parts[b"IHDR"])
    raw = zlib.decompress(parts[b"IDAT"])
    rows = [raw[y * (width + 1) + 1:(y + 1) * (width + 1)]
            for y in range(height)]
    return width, height, rows


def test_map(tap, where):
    """The picture has what the stream has."""
    png = os.path.join(where, "map.png")
    code, out, said = run([TOOL, "map", "--scale", "1", XC_PV, png])
    tap.equal(code, 0, "map")
    width, height, rows = read_png(png)
    tap.equal((width, height, rows[0][:9]),
              (512, 1, bytes([2, 3, 4, 4, 4, 4, 0, 2, 3])), "map's pixels")
    passes = make(where, "passes", "libxc\nxc STATIC_DATA_END\n"
                  "xc PAGE_DATA 0-3:data\nxc PAGE_DATA 1:data\n"
                  "xc PAGE_DATA 1:zeros\nxc HVM_CONTEXT\nxc END")
    _, out, _ = run([TOOL, "map", "--by", "pass", passes, png])
    tap.ok(b"3 PAGE_DATA records in 3 passes" in out, "map --by pass", out)
    run([TOOL, "map", "--by", "record", "--scale", "1", passes, png])
    row = read_png(png)[2][0]
    tap.ok(row[0] == row[2] != row[1], "map --by record", row[:4])
    svg = os.path.join(where, "map.svg")
    code, _, said = run([TOOL, "map", XC_PV, svg])
    text = open(svg).read()
    tap.ok(code == 0 and text.startswith("<svg") and "page table" in text,
           "map as SVG", said)


def test_diff(tap, where):
    """Pages and records."""
    head = "libxc\nxc STATIC_DATA_END\n"
    tail = "xc HVM_CONTEXT size=%d\nxc END"
    a = make(where, "a", head + "xc PAGE_DATA 0-3:data 4:zeros\n" + tail % 64)
    same = make(where, "b", head + "xc PAGE_DATA 2-3:data 0-1:data 4:xalloc\n"
                + tail % 64)
    other = make(where, "c", head + "xc PAGE_DATA 0-3:data 9:data\n"
                 "xc PAGE_DATA 1-2:data seed=1\n" + tail % 80)
    tap.equal(run([TOOL, "diff", a, same]), (0, b"", ""),
              "diff: order and zeros make no difference")
    code, out, _ = run([TOOL, "diff", a, other])
    out = out.decode()
    tap.equal(code, 1, "diff: exit code")
    tap.ok("2 pages differ: 0x1-0x2" in out, "diff: pages", out)
    tap.ok("1 pages only in %s: 0x4" % a in out
           and "1 pages only in %s: 0x9" % other in out,
           "diff: pages of one side", out)
    tap.ok("record differs: libxc HVM_CONTEXT" in out, "diff: records", out)
    xl = "xl config='{\"b_info\":{\"max_vcpus\":%d}}'\nlibxl\n" \
        "lx LIBXC_CONTEXT\n" + head + tail % 9 + "\nlx END"
    _, out, _ = run([TOOL, "diff", make(where, "d", xl % 1),
                     make(where, "e", xl % 2)])
    tap.equal(out, b"config b_info.max_vcpus: 1, 2\n",
              "diff: configuration")


def test_extract(tap, where):
    """Parts, as they were put in."""
    from xlstream.make_bodies import blob, page
    out = os.path.join(where, "out")
    tap.equal(run([TOOL, "extract", "config", XL_HVM, out])[0], 0,
              "extract config")
    tap.ok(json.load(open(out))["c_info"]["name"] == "g", "its content")
    tap.equal(run([TOOL, "extract", "emulator", XL_HVM, out])[0], 0,
              "extract emulator")
    tap.equal(open(out, "rb").read(), blob(100), "its content")
    tap.equal(run([TOOL, "extract", "emulator", "--index", "1", XL_HVM,
                   out])[0], 1, "an emulator that is not there")
    tap.equal(run([TOOL, "extract", "pages", XC_HVM, out])[0], 0,
              "extract pages")
    tap.equal(open(out, "rb").read(), b"".join(
        [page(0), page(1), page(2)] + [bytes(4096)] * 2 + [page(5)]
        + [bytes(4096)] * 3 + [page(9)]), "their content")
    run([TOOL, "extract", "pages", "--pfn", "1-2", XC_HVM, out])
    tap.equal(open(out, "rb").read(), page(1) + page(2), "some pages")


def test_mk(tap):
    """A wrong description is told by its line."""
    for text, word in (("libxc\nnonsense", "line 2"),
                       ("xc END\nxc PAGE_DATA 0:what", "line 2"),
                       ("libxc verzion=3", "verzion"),
                       ("poke 5 00", "outside")):
        code, _, said = run([TOOL, "mk", "-", "/dev/null"], text.encode())
        tap.ok(code == 1 and word in said, "mk refuses %r" % text, said)


def test_real(tap, where):
    """What is known of streams of real guests."""
    known = {"pv": ("PV", 98304, 24), "pvh": ("PVH", 98304, 1020),
             "hvm": ("HVM", 131072, 1020)}
    for path in big_streams():
        name = os.path.basename(path).split(".")[0]
        plain = path
        if path.endswith(".zst"):
            plain = os.path.join(where, name)
            subprocess.run(["zstd", "-qdf", path, "-o", plain], check=True)
        got = info(plain)
        if name in known:
            tap.equal((got["guest"], got["memory_kib"],
                       got["records"]["libxc PAGE_DATA"]), known[name],
                      "info of a real %s guest" % name)


def main():
    tap = Tap()
    with scratch() as where:
        test_info(tap)
        test_ls(tap)
        test_map(tap, where)
        test_diff(tap, where)
        test_extract(tap, where)
        test_mk(tap)
        test_real(tap, where)
    tap.done()


main()
