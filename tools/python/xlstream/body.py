# SPDX-License-Identifier: GPL-2.0-or-later
"""One record: its header, and a cursor that cannot leave its body."""

import struct

from .consts import record_name
from .errors import StreamError

HEADER = struct.Struct("<II")
NO_BYTES = b"\0" * 8


class Record:
    """A record as announced, and what of its body is still to be read."""

    def __init__(self, src, layer, index, names, header=None):
        self.src = src
        self.layer = layer
        self.index = index
        if header is None:
            self.offset = src.offset
            src.start_record(layer, self.offset)
            header = HEADER.unpack(src.read(8))
        else:  # the caller had to look at the header first
            self.offset = src.offset - 8
            src.start_record(layer, self.offset)
        self.type, self.length = header
        self.name = record_name(names, self.type)
        self.left = self.length
        self.notes = []     # for people: what the body says
        self.findings = []  # broken rules that end nothing

    def label(self):
        """For messages."""
        return "%d (%s)" % (self.index, self.name)

    def fail(self, check, text, *args):
        """Refuse the stream for this record."""
        raise StreamError(check, text % args if args else text, self.layer,
                          self.label(), self.offset)

    def strict(self, ok, check, text, *args):
        """Note a rule that only --strict enforces."""
        if not ok:
            self.findings.append(StreamError(
                check, text % args if args else text, self.layer,
                self.label(), self.offset))

    def need(self, size, check):
        """The body must still hold size bytes."""
        if self.left < size:
            self.fail(check, "%d bytes are left of %d where %d are needed",
                      self.left, self.length, size)

    def unpack(self, fmt, check):
        """Fields of a struct format, from the body."""
        size = struct.calcsize(fmt)
        self.need(size, check)
        self.left -= size
        return struct.unpack(fmt, self.src.read(size))

    def read(self, size):
        """size bytes, which the caller knows to be there."""
        assert size <= self.left
        self.left -= size
        return self.src.read(size)

    def chunks(self, most):
        """The rest of the body as views of `most` bytes, the last shorter."""
        size, self.left = self.left, 0
        return self.src.chunks(size, most)

    def take(self, size):
        """The caller reads size bytes of the body from src itself."""
        assert size <= self.left
        self.left -= size

    def skip(self):
        """The rest of the body."""
        if self.left:
            self.src.skip(self.left)
            self.left = 0

    def finish(self):
        """The rest of the body, then the padding."""
        self.skip()
        size = -self.length % 8
        if size:
            pad = self.src.read(size)
            self.strict(pad == NO_BYTES[:size], self.layer + ".record.padding",
                        "padding is not zero: %s", pad.hex())
