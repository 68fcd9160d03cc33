# SPDX-License-Identifier: GPL-2.0-or-later
"""Streams from a description: good ones, and bad ones on purpose.

A description is lines of words, read with shell quoting; xl-stream(1) has the
list. The first word says what is written, `key=value` words set fields. Every
field has a sane default, and every length can be made a lie.
"""

import shlex
import struct

from . import consts as c
from .make_bodies import LIBXC_BODIES, LIBXL_BODIES
from .make_legacy import LEGACY


class DescriptionError(Exception):
    """The description itself is wrong."""


class Words:
    """The words of one line: positional ones, and key=value."""

    def __init__(self, words):
        self.plain = [w for w in words if "=" not in w]
        pairs = [w.split("=", 1) for w in words if "=" in w]
        self.keys = dict(pairs)
        self.used = set()

    def text(self, key, default=None):
        """The value as it stands."""
        self.used.add(key)
        return self.keys.get(key, default)

    def number(self, key, default=0):
        """The value as an integer."""
        value = self.text(key)
        return default if value is None else int(value, 0)

    def hex(self, key, default=b""):
        """The value as bytes, given in hex."""
        value = self.text(key)
        return default if value is None else bytes.fromhex(value)

    def rest(self):
        """Pairs that nobody asked for."""
        left = {k: v for k, v in self.keys.items() if k not in self.used}
        self.used.update(left)
        return left


class Maker:
    """Collects the bytes of a stream."""

    def __init__(self):
        self.out = bytearray()
        self.guest = c.HVM
        self.width = 8           # of a PV guest
        self.nr_pfns = 0
        self.toolstack = 8       # bytes of a legacy ulong

    def line(self, text):
        """One line of the description."""
        words = shlex.split(text, comments=True)
        if not words:
            return
        if words[0] not in COMMANDS:
            raise DescriptionError("unknown word %r" % words[0])
        args = Words(words[1:])
        COMMANDS[words[0]](self, args)
        if args.rest():
            raise DescriptionError("unknown fields: " + ", ".join(
                sorted(set(args.keys) - args.used) or args.keys))

    def add(self, data):
        """More bytes."""
        self.out += data

    def record(self, kind, body, args):
        """A record, framed; its frame may lie."""
        length = args.number("length", len(body))
        kind = args.number("type", kind)
        pad = args.hex("pad", b"\0" * (-len(body) % 8))
        self.add(struct.pack("<II", kind & 0xffffffff, length & 0xffffffff)
                 + body + pad)


def xl(m, args):
    """The xl header with its optional data."""
    config = args.text("config", "{}").encode()
    config += args.hex("nul", b"\0")
    text = struct.pack("=I", args.number("config_length", len(config)))
    text += config + bytes(args.number("tail"))
    if args.text("optional_data") is not None:
        text = args.hex("optional_data")
    if args.text("align"):
        lead = args.number("align")
        text += bytes(-(48 + len(text) + lead) % c.PAGE_SIZE)
    m.add(args.hex("magic", c.XL_MAGIC) + struct.pack(
        "=IIII", args.number("byteorder", c.XL_BYTEORDER),
        args.number("mandatory", 3), args.number("optional"),
        args.number("optional_length", len(text))) + text)


def libxl(m, args):
    """The libxl header."""
    m.add(struct.pack(">8sII", args.hex("ident", c.LIBXL_IDENT),
                      args.number("version", 2), args.number("options")))


def libxc(m, args):
    """libxc's image and domain headers."""
    guest = args.text("guest", "hvm")
    m.guest = {"pv": c.PV, "hvm": c.HVM}.get(guest) or int(guest, 0)
    major, minor = args.text("xen", "4.17").split(".")
    m.add(struct.pack(
        ">8sIIH6s", args.hex("marker", c.XC_MARKER),
        args.number("id", c.XC_ID), args.number("version", 3),
        args.number("options"), args.hex("reserved")))
    m.add(struct.pack("<IHHII", m.guest, args.number("page_shift", 12),
                      args.number("domain_reserved"), int(major), int(minor)))


def record_in(bodies):
    """A command that writes a record of one layer."""
    def command(m, args):
        name = args.plain.pop(0)
        if name in bodies:
            kind, build = bodies[name]
        else:
            kind, build = int(name, 0), None
        if args.text("body") is not None:
            body = args.hex("body")
        else:
            body = build(m, args) if build else b""
        m.record(kind, body, args)
    return command


def raw(m, args):
    """Bytes in hex."""
    m.add(bytes.fromhex("".join(args.plain)))


def text(m, args):
    """A line of text as it stands."""
    m.add(" ".join(args.plain).encode() + args.hex("end"))


def poke(m, args):
    """Overwrite at an offset; a negative one counts from the end."""
    at, data = int(args.plain[0], 0), bytes.fromhex(args.plain[1])
    at = at if at >= 0 else len(m.out) + at
    if at < 0 or at + len(data) > len(m.out):
        raise DescriptionError("poke outside of what was written")
    m.out[at:at + len(data)] = data


def cut(m, args):
    """Drop bytes at the end."""
    del m.out[len(m.out) - int(args.plain[0], 0):]


COMMANDS = {
    "xl": xl, "libxl": libxl, "libxc": libxc, "raw": raw, "text": text,
    "poke": poke, "cut": cut, "lx": record_in(LIBXL_BODIES),
    "xc": record_in(LIBXC_BODIES),
}
COMMANDS.update(LEGACY)


def make(lines):
    """The stream that the lines describe."""
    maker = Maker()
    for number, line in enumerate(lines, 1):
        try:
            maker.line(line)
        except (DescriptionError, ValueError, IndexError, KeyError,
                struct.error) as e:
            raise DescriptionError("line %d: %s" % (number, e)) from e
    return bytes(maker.out)
