# SPDX-License-Identifier: GPL-2.0-or-later
"""Where in a file each PFN's last content lies."""

import array
import hashlib
import os

from . import consts as c
from .sink import Sink

CHUNK = 1 << 15
NOT_SENT, ZERO = 0, 1  # no page lies that early in a file


class IndexSink(Sink):
    """Eight bytes a PFN: the page's offset, or NOT_SENT or ZERO."""

    def __init__(self):
        super().__init__()
        self.header = None
        self.chunks = {}
        self.others = []    # records without pages

    def xl_header(self, header):
        self.header = header

    def record(self, rec):
        if rec.type != c.XC_PAGE_DATA or rec.layer != "libxc":
            self.others.append((rec.layer, rec.name, rec.offset, rec.length))

    def pages(self, rec, entries, count):
        at = rec.src.offset
        for entry in entries:
            kind = entry >> 60
            value = NOT_SENT if kind in (c.TYPE_XTAB, c.TYPE_BROKEN) else ZERO
            if kind in c.TYPES_DATA:
                value, at = at, at + c.PAGE_SIZE
            if value != NOT_SENT:
                self.put(entry & c.PFN_MASK, value)

    def put(self, pfn, value):
        """Remember one page."""
        chunk = self.chunks.get(pfn // CHUNK)
        if chunk is None:
            chunk = self.chunks[pfn // CHUNK] = array.array(
                "Q", bytes(8 * CHUNK))
        chunk[pfn % CHUNK] = value

    def get(self, pfn):
        """The page's place."""
        chunk = self.chunks.get(pfn // CHUNK)
        return chunk[pfn % CHUNK] if chunk else NOT_SENT


def pfns_of(*indices):
    """All that were sent in any of the streams, ascending."""
    for number in sorted(set().union(*(i.chunks for i in indices))):
        for pfn in range(number * CHUNK, (number + 1) * CHUNK):
            if any(i.get(pfn) != NOT_SENT for i in indices):
                yield pfn


def page_at(fd, place):
    """The page's content."""
    if place == ZERO:
        return bytes(c.PAGE_SIZE)
    return os.pread(fd, c.PAGE_SIZE, place)


def digest(fd, offset, length):
    """Of a record's body."""
    hasher = hashlib.sha256()
    while length:
        data = os.pread(fd, min(length, 1 << 18), offset)
        if not data:
            break
        hasher.update(data)
        offset, length = offset + len(data), length - len(data)
    return hasher.digest()
