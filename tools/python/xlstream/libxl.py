# SPDX-License-Identifier: GPL-2.0-or-later
"""The libxl layer (docs/specs/libxl-stream.md)."""

import struct

from . import consts as c
from .body import HEADER, Record
from .errors import StreamError, Truncated
from .libxc import LibxcReader

PHYSMAP_LEAVES = (b"start_addr", b"size", b"name")
HEX = frozenset(b"0123456789abcdefABCDEF")
MARKERS = frozenset((c.LX_END, c.LX_LIBXC_CONTEXT, c.LX_CHECKPOINT_END))
LIMITS = {
    c.LX_EMULATOR_XENSTORE_DATA: c.XENSTORE_DATA_MAX,
    c.LX_EMULATOR_CONTEXT: c.EMULATOR_CONTEXT_MAX,
}


def read_header(src, strict):
    """Ident, version, options. Returns the options."""
    at = src.offset
    src.start_record("libxl", at)
    ident, version, options = struct.unpack(">8sII", src.read(16))

    def refuse(check, text):
        return StreamError(check, text, "libxl", offset=at)

    if ident != c.LIBXL_IDENT:
        raise refuse("libxl.header.ident", "this is no libxl stream")
    if version != c.LIBXL_VERSION:
        raise refuse("libxl.header.version",
                     "version %d, this reader knows 2" % version)
    if options & c.LIBXL_BIG_ENDIAN:
        raise refuse("libxl.header.endian",
                     "big-endian streams are not supported")
    if options & ~(c.LIBXL_BIG_ENDIAN | c.LIBXL_CONVERTED):
        strict(refuse("libxl.header.reserved",
                      "reserved option bits are set: 0x%x" % options))
    return options


def key_allowed(key):
    """physmap/HEX/(start_addr|size|name), and nothing else."""
    parts = key.split(b"/")
    return (len(parts) == 3 and parts[0] == b"physmap"
            and 1 <= len(parts[1]) <= 16 and HEX.issuperset(parts[1])
            and parts[2] in PHYSMAP_LEAVES)


class LibxlReader:
    """Walks the libxl records, and hands over to libxc where they say so."""

    def __init__(self, src, guest, sink):
        self.src = src
        self.guest = guest
        self.sink = sink
        self.index = 0
        self.libxc = None
        self.converted = False
        self.in_checkpoint = False
        self.new_round()

    def new_round(self):
        """What may stand once between two checkpoints."""
        self.emulators = 0
        self.xenstore_seen = False

    def read(self):
        """The whole layer, up to and with END."""
        options = read_header(self.src, self.sink.finding)
        self.converted = bool(options & c.LIBXL_CONVERTED)
        self.sink.libxl_header(options)
        try:
            while self.record() != c.LX_END:
                pass
        except Truncated:
            if not self.guest.checkpoints:
                raise
            self.sink.note("the stream ends after checkpoint %d: a failover "
                           "would go on from there" % self.guest.checkpoints)

    def record(self):
        """One record. Returns its type."""
        rec = Record(self.src, "libxl", self.index, c.LIBXL_NAMES)
        self.index += 1
        self.check_order(rec)
        self.check_length(rec)
        BODIES.get(rec.type, LibxlReader.unknown)(self, rec)
        rec.finish()
        self.sink.record(rec)
        if rec.type == c.LX_LIBXC_CONTEXT:
            self.libxc = LibxcReader(self.src, self.guest, self.sink)
            self.libxc.read_headers()
            self.in_checkpoint = self.libxc.read_records()
        elif rec.type == c.LX_CHECKPOINT_END:
            self.resume_libxc()
        return rec.type

    def resume_libxc(self):
        """A checkpoint is complete: libxc's records go on, without headers.

        COLO puts a CHECKPOINT_STATE in between. In libxc that number is a PV
        record, and COLO is for HVM alone: so it is told apart.
        """
        self.guest.checkpoints += 1
        self.new_round()
        self.src.start_record("libxc", self.src.offset)
        header = HEADER.unpack(self.src.read(8))
        if header[0] == c.LX_CHECKPOINT_STATE and self.guest.type == c.HVM:
            rec = Record(self.src, "libxl", self.index, c.LIBXL_NAMES, header)
            self.index += 1
            self.checkpoint_state(rec)
            rec.finish()
            self.sink.record(rec)
            header = None
        self.in_checkpoint = self.libxc.read_records(header)

    def check_order(self, rec):
        """What may come now."""
        if self.libxc is None and rec.type != c.LX_LIBXC_CONTEXT \
                and not rec.type & c.REC_OPTIONAL:
            rec.fail("libxl.order.libxc_context_first",
                     "%s before LIBXC_CONTEXT", rec.name)
        if self.libxc and rec.type == c.LX_LIBXC_CONTEXT:
            rec.fail("libxl.order.libxc_context_twice",
                     "a second LIBXC_CONTEXT")
        if rec.type == c.LX_CHECKPOINT_END and not self.in_checkpoint:
            rec.fail("libxl.order.checkpoint_end",
                     "CHECKPOINT_END outside of a checkpoint")
        if rec.type == c.LX_END and self.in_checkpoint:
            rec.fail("libxl.order.end_in_checkpoint",
                     "END inside of a checkpoint")
        if rec.type == c.LX_CHECKPOINT_STATE:
            rec.fail("libxl.order.checkpoint_state",
                     "CHECKPOINT_STATE where none is expected")

    def unknown(self, rec):
        """Optional records are skipped, others refused."""
        if not rec.type & c.REC_OPTIONAL:
            rec.fail("libxl.record.type", "unknown record type 0x%x",
                     rec.type)

    def check_length(self, rec):
        """Nobody is asked to hold more than this."""
        most = LIMITS.get(rec.type, c.LIBXL_SKIPPED_MAX)
        if rec.type not in MARKERS and rec.length > most:
            rec.fail("libxl.record.length",
                     "%d bytes, at most %d are accepted", rec.length, most)

    def marker(self, rec):
        """A record without a body."""
        if rec.length:
            rec.fail("libxl.marker.length", "%s has no body, but a length "
                     "of %d", rec.name, rec.length)
        if rec.type == c.LX_END and self.guest.qemu_host \
                and not self.emulators:
            rec.fail("libxl.order.emulator_missing", "an image of a QEMU host "
                     "without EMULATOR_CONTEXT")

    def emulator(self, rec):
        """Id and index in front of both kinds of emulator records."""
        if self.guest.type != c.HVM:
            rec.fail("libxl.order.emulator_guest",
                     "%s in the stream of a PV guest", rec.name)
        ident, index = rec.unpack("<II", "libxl.emulator.length")
        if ident != c.EMULATOR_QEMU and not (
                ident == c.EMULATOR_UNKNOWN and self.converted):
            rec.fail("libxl.emulator.id", "emulator id %d (%s) is not "
                     "supported", ident, c.EMULATOR_NAMES.get(ident, "?"))
        rec.notes.append("emulator %s, index %d"
                         % (c.EMULATOR_NAMES[ident], index))
        return ident, index

    def emulator_xenstore_data(self, rec):
        """Pairs of NUL-ended keys and values, from a short list of keys."""
        self.emulator(rec)
        if self.xenstore_seen:
            rec.fail("libxl.order.xenstore_twice",
                     "a second EMULATOR_XENSTORE_DATA")
        self.xenstore_seen = True
        data = rec.read(rec.left)
        if not data:
            return
        if data[-1]:
            rec.fail("libxl.xenstore.nul", "the last string has no NUL")
        strings = data[:-1].split(b"\0")
        if len(strings) % 2:
            rec.fail("libxl.xenstore.nul", "the last key has no value")
        for key in strings[::2]:
            if not key_allowed(key):
                rec.fail("libxl.xenstore.key", "key %r is not allowed",
                         key[:60].decode("latin-1"))
        rec.notes += ["%s = %s" % (k.decode("latin-1"), v.decode("latin-1"))
                      for k, v in zip(strings[::2], strings[1::2])]

    def emulator_context(self, rec):
        """The device model's own state, opaque."""
        _, index = self.emulator(rec)
        goes_on = index > 0 and index == self.emulators - 1
        if index != self.emulators and not goes_on:
            rec.fail("libxl.emulator.index", "index %d where %d is next",
                     index, self.emulators)
        if not goes_on:
            self.emulators += 1
        rec.strict(rec.left, "libxl.emulator.empty", "no emulator state")
        self.sink.emulator(rec, index)

    def checkpoint_state(self, rec):
        """A state that the two sides of COLO tell one another."""
        if rec.length not in (4, 8):
            rec.fail("libxl.checkpoint_state.length",
                     "length %d, not 4 or 8", rec.length)
        state = rec.unpack("<I", "libxl.checkpoint_state.length")[0]
        if state >= len(c.CHECKPOINT_STATES):
            rec.fail("libxl.checkpoint_state.id", "unknown state %d", state)
        rec.notes.append(c.CHECKPOINT_STATES[state])


BODIES = {
    c.LX_END: LibxlReader.marker,
    c.LX_LIBXC_CONTEXT: LibxlReader.marker,
    c.LX_EMULATOR_XENSTORE_DATA: LibxlReader.emulator_xenstore_data,
    c.LX_EMULATOR_CONTEXT: LibxlReader.emulator_context,
    c.LX_CHECKPOINT_END: LibxlReader.marker,
}
