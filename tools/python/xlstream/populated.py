# SPDX-License-Identifier: GPL-2.0-or-later
"""Which PFNs of an HVM guest a stream has brought."""

import array

from . import consts as c

CHUNK = 1 << 15
MOST = 512  # chunks; of 32 KiB each


class Populated:
    """A byte a PFN, in chunks that exist where something is.

    Memory is bounded: a stream that scatters its PFNs over more chunks than
    MOST is no longer followed, and has() then says yes to everything.
    """

    def __init__(self):
        self.chunks = {}
        self.lost = False

    def chunk(self, number):
        """A chunk, made if there is room."""
        found = self.chunks.get(number)
        if found is None:
            if len(self.chunks) == MOST:
                self.lost = True
                self.chunks.clear()
            found = self.chunks[number] = bytearray(CHUNK)
        return found

    def add(self, entries, tops):
        """PAGE_DATA entries; tops: the set of their top bytes."""
        if self.lost or not len(entries):
            return
        first = entries[0]
        if tops == {0} and first < 1 << c.PFN_BITS and entries == array.array(
                "Q", range(first, first + len(entries))):
            self.add_run(first, len(entries))
            return
        for entry in entries:
            if entry >> 60 not in (c.TYPE_XTAB, c.TYPE_BROKEN):
                pfn = entry & c.PFN_MASK
                self.chunk(pfn // CHUNK)[pfn % CHUNK] = 1

    def add_run(self, first, count):
        """Consecutive PFNs."""
        while count:
            at = first % CHUNK
            part = min(count, CHUNK - at)
            self.chunk(first // CHUNK)[at:at + part] = b"\1" * part
            first, count = first + part, count - part

    def has(self, pfn):
        """Has it come? Yes, when nobody can tell."""
        found = self.chunks.get(pfn // CHUNK)
        return self.lost or bool(found and found[pfn % CHUNK])
