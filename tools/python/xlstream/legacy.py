# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads a legacy stream (docs/specs/legacy-stream.md).

It has no header: toolstack width and guest type are told, or guessed from the
first 16 octets.
"""

import array
import struct
import sys

from . import consts as c
from .errors import StreamError

BATCH_MAX = 1024
VCPU_MAX = 4095
INVALID_ENTRY = 0xf0000000
EXTV_SIZE = 128
# Chunks that carry one HVM parameter, and its index.
HVM_CHUNKS = {-3: 12, -4: 15, -8: 17, -10: 19, -11: 9, -14: 34, -15: 27,
              -16: 28, -17: 29, -19: 32, -20: 33}
SIGNATURES = {
    b"DeviceModelRecord0002": "counted",
    b"RemusDeviceModelState": "counted",
    b"QemuDeviceModelRecord": "to the end",
}


class Unsupported(StreamError):
    """Nothing is wrong with the stream, but it cannot be converted."""


def detect(src, width, guest):
    """(width, guest) of the toolstack and the stream, guessing what is None."""
    if width and guest:
        return width, guest
    head = src.read(16)
    src.push(head)
    high, = struct.unpack_from("<I", head, 4)
    width = width or (64 if high == 0 else 32)
    at = width // 8
    ones = head[at:at + at] == b"\xff" * at
    return width, guest or ("pv" if ones else "hvm")


class Legacy:
    """The parts of a legacy stream, one method each, in order."""

    def __init__(self, src, width):
        self.src = src
        self.ulong = width // 8
        self.code = "Q" if width == 64 else "I"
        self.p2m_size = 0
        self.width = None       # guest's, PV
        self.basic_size = 0
        self.extended = False
        self.xsave_size = None
        self.online = None      # nobody said

    def fail(self, check, text, *args):
        """Refuse the stream."""
        raise StreamError("legacy." + check, text % args if args else text,
                          "legacy", offset=self.src.offset)

    def unpack(self, fmt):
        """Fields, little-endian, without gaps."""
        size = struct.calcsize(fmt)
        return struct.unpack(fmt, self.src.read(size))

    def ulongs(self, count):
        """An array of native integers; for counts that are bounded."""
        values = array.array(self.code)
        for view in self.src.chunks(count * self.ulong):
            values.frombytes(view)
        if sys.byteorder == "big":
            values.byteswap()
        return values

    def start(self):
        """p2m_size."""
        self.src.start_record("legacy", self.src.offset)
        self.p2m_size, = self.unpack("<" + self.code)

    def extended_info(self):
        """PV: blocks that tell the guest's width and what vCPUs have."""
        if not 0 < self.p2m_size <= 1 << 32:
            self.fail("p2m_size", "a p2m of 0x%x PFNs: is the toolstack's "
                      "width right?", self.p2m_size)
        if self.src.read(self.ulong) != b"\xff" * self.ulong:
            self.fail("extended_info", "no extended info: the stream is not "
                      "of a PV guest, or older than Xen 3.1")
        left, = self.unpack("<I")
        while left:
            if left < 8:
                self.fail("extended_info.length", "%d bytes are no block",
                          left)
            ident, size = self.unpack("<4sI")
            left -= 8
            if size > left:
                self.fail("extended_info.length", "block %r has %d bytes, "
                          "%d are left", ident, size, left)
            self.block(ident, size)
            left -= size
        if self.width is None:
            self.fail("extended_info.vcpu", "no vcpu block")

    def block(self, ident, size):
        """One block of the extended info."""
        if ident == b"vcpu":
            widths = {s: w for w, s in c.VCPU_BASIC_SIZE.items()}
            if size not in widths:
                self.fail("extended_info.vcpu", "a vCPU of %d bytes", size)
            self.width, self.basic_size = widths[size], size
            self.src.skip(size)
        elif ident == b"extv":
            if size:
                self.fail("extended_info.extv", "size %d, not 0", size)
            self.extended = True
        elif ident == b"xcnt":
            if size != 4:
                self.fail("extended_info.xcnt", "size %d, not 4", size)
            self.xsave_size, = self.unpack("<I")
            if self.xsave_size < 16:
                self.fail("extended_info.xcnt", "xsave area of %d bytes",
                          self.xsave_size)
        else:
            self.fail("extended_info.block", "unknown block %r", ident)

    def frame_count(self):
        """How many frames the p2m has."""
        return (self.p2m_size - 1) // (c.PAGE_SIZE // self.width) + 1

    def marker(self):
        """The number that a chunk starts with."""
        return self.unpack("<i")[0]

    def batch(self, count):
        """(libxc's PFN array as bytes, entries kept, pages that follow)."""
        if count > BATCH_MAX:
            self.fail("batch.count", "a batch of %d, at most %d", count,
                      BATCH_MAX)
        raw = self.src.read(count * self.ulong)
        entries = array.array(self.code, raw)
        if INVALID_ENTRY in entries:
            entries = array.array(
                self.code, [e for e in entries if e != INVALID_ENTRY])
            raw = entries.tobytes()
        if len(set(entries)) != len(entries):
            self.fail("batch.duplicate", "an entry stands twice in one batch")
        return self.v2_entries(raw), len(entries)

    def v2_entries(self, raw):
        """Type and PFN moved to where libxc's v2 has them."""
        step = self.ulong
        out = bytearray(len(raw) // step * 8)
        out[0::8], out[1::8], out[2::8] = raw[0::step], raw[1::step], \
            raw[2::step]
        out[3::8] = raw[3::step].translate(LOW_NIBBLE)
        out[7::8] = raw[3::step].translate(HIGH_NIBBLE)
        return out

    def vcpu_info(self):
        """Which vCPUs are online."""
        top, = self.unpack("<i")
        if not 0 <= top <= VCPU_MAX:
            self.fail("vcpu_info.id", "highest vCPU is %d", top)
        words = self.unpack("<%dQ" % (top // 64 + 1))
        self.online = (self.online or []) + [
            i for i in range(top + 1) if words[i // 64] >> i % 64 & 1]

    def skip_chunk(self, marker):
        """Any chunk but a batch, when nobody wants it."""
        if marker in HVM_CHUNKS:
            self.src.skip(12)
        elif marker == -2:
            self.vcpu_info()
        elif marker == -7:
            self.src.skip(20)
        elif marker == -18:
            self.src.skip(*self.unpack("<I"))

    def tsc(self):
        """(mode, khz, nsec, incarnation)."""
        mode, nsec, khz, incarnation = self.unpack("<IQII")
        return mode, khz, nsec, incarnation

    def unmapped(self):
        """PFNs that went away; not reliable, so nobody wants them."""
        count, = self.unpack("<I")
        if count > self.p2m_size:
            self.fail("tail.unmapped", "%d unmapped PFNs", count)
        self.src.skip(count * self.ulong)

    def xsave(self):
        """Size of one vCPU's xsave area; past the words in front of it."""
        _mask, size = self.unpack("<QQ")
        if size != self.xsave_size - 16:
            self.fail("tail.xsave", "%d bytes where the extended info says "
                      "%d", size, self.xsave_size - 16)
        return size

    def signature(self):
        """The device model's record: its signature and how it ends."""
        name = self.src.read(21)
        if name not in SIGNATURES:
            self.fail("qemu.signature", "device model record %r", name)
        return name, SIGNATURES[name]


LOW_NIBBLE = bytes(b & 0x0f for b in range(256))
HIGH_NIBBLE = bytes(b & 0xf0 for b in range(256))


def physmap(legacy):
    """The toolstack chunk: EMULATOR_XENSTORE_DATA's strings.

    A 64-bit writer leaves four bytes behind each name.
    """
    length, = legacy.unpack("<I")
    if not 8 <= length <= c.XENSTORE_DATA_MAX:
        legacy.fail("toolstack.length", "%d bytes", length)
    data = legacy.src.read(length)
    version, count = struct.unpack_from("<II", data)
    if version != 1:
        legacy.fail("toolstack.version", "version %d", version)
    at, out = 8, []
    for _ in range(count):
        at, strings = physmap_entry(legacy, data, at)
        out += strings
    return b"".join(s + b"\0" for s in out)


def physmap_entry(legacy, data, at):
    """One entry: (where the next begins, its keys and values)."""
    if len(data) - at < 28:
        legacy.fail("toolstack.length", "an entry is cut short")
    phys, first, size, namelen = struct.unpack_from("<QQQI", data, at)
    at += 28
    quirk = 4 if legacy.ulong == 8 else 0
    if namelen == 0 or len(data) - at < namelen + quirk:
        legacy.fail("toolstack.name", "a name of %d bytes", namelen)
    name = data[at:at + namelen]
    if name.find(b"\0") != namelen - 1:
        legacy.fail("toolstack.name", "a name does not end in its only NUL")
    key = b"physmap/%x/" % phys
    return at + namelen + quirk, [
        key + b"start_addr", b"%x" % first, key + b"size", b"%x" % size,
        key + b"name", name[:-1]]
