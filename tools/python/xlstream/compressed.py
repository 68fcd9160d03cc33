# SPDX-License-Identifier: GPL-2.0-or-later
"""Page compression of legacy Remus streams.

Once it is announced, a batch brings PFNs alone, and chunks of compressed data
bring the pages, in the order of the PFNs. A page may be told as changes to
what it held before; so a file holds what every page held.
"""

import collections
import os
import struct
import tempfile

from . import consts as c

CHUNK_MAX = 16 << 20
PER_RECORD = 256
FULL_PAGE = 0x80
SAME_PAGE = 0x00


class PageStore:
    """What pages held when last sent, in a file without a name."""

    def __init__(self):
        self.file = tempfile.TemporaryFile()
        self.fd = self.file.fileno()

    def get(self, pfn):
        """The page; zeros if it was never sent."""
        data = os.pread(self.fd, c.PAGE_SIZE, pfn * c.PAGE_SIZE)
        return bytearray(data.ljust(c.PAGE_SIZE, b"\0"))

    def put(self, pfn, page):
        """Keep it for the next change."""
        os.pwrite(self.fd, page, pfn * c.PAGE_SIZE)


class Compressed:
    """Batches that wait for their pages, and the pages as they come."""

    def __init__(self, legacy, store):
        self.legacy = legacy
        self.store = store
        self.waiting = collections.deque()

    def batch(self, entries, out):
        """v2 entries of a batch. Those without a page go out at once."""
        bare = []
        for entry, in struct.iter_unpack("<Q", entries):
            if entry >> 60 in c.TYPES_DATA:
                self.waiting.append(entry)
            else:
                bare.append(entry)
        write_pages(out, bare, ())

    def data(self, out):
        """A chunk of compressed pages."""
        legacy = self.legacy
        size, = legacy.unpack("<" + legacy.code)
        if size > CHUNK_MAX:
            legacy.fail("compressed.length", "%d bytes", size)
        data, at = legacy.src.read(size), 0
        entries, pages = [], []
        while at < size:
            at, entry, page = self.page(data, at)
            entries.append(entry)
            pages.append(page)
            if len(pages) == PER_RECORD or at == size:
                write_pages(out, entries, pages)
                entries, pages = [], []

    def page(self, data, at):
        """The next page: (where the one after begins, entry, page)."""
        if not self.waiting:
            self.legacy.fail("compressed.count", "more pages than PFNs")
        entry = self.waiting.popleft()
        pfn = entry & c.PFN_MASK
        if data[at] == FULL_PAGE:
            page = data[at + 1:at + 1 + c.PAGE_SIZE]
            at += 1 + c.PAGE_SIZE
            if len(page) != c.PAGE_SIZE:
                self.legacy.fail("compressed.length", "a page is cut short")
        elif data[at] == SAME_PAGE:
            page, at = self.store.get(pfn), at + 1
        else:
            page = self.store.get(pfn)
            at = self.changes(data, at, page)
        self.store.put(pfn, page)
        return at, entry, page

    def changes(self, data, at, page):
        """Apply runs of words to the page."""
        filled = 0
        while filled < c.PAGE_SIZE:
            run = 4 * (data[at] & 0x7f) if at < len(data) else 0
            skip = run and data[at] & 0x80
            at += 1
            if not run or filled + run > c.PAGE_SIZE \
                    or not skip and at + run > len(data):
                self.legacy.fail("compressed.run", "a run of %d bytes at %d "
                                 "of a page", run, filled)
            if not skip:
                page[filled:filled + run] = data[at:at + run]
                at += run
            filled += run
        return at

    def end_of_round(self):
        """Every PFN has got its page."""
        if self.waiting:
            self.legacy.fail("compressed.count", "%d PFNs without a page",
                             len(self.waiting))


def write_pages(out, entries, pages):
    """A PAGE_DATA record, if there is anything to tell."""
    if entries:
        out.record(c.XC_PAGE_DATA, struct.pack(
            "<II%dQ" % len(entries), len(entries), 0, *entries), *pages)


def fill_store(legacy, store, pv, until):
    """Read the stream again from its start, for its uncompressed pages."""
    legacy.start()
    if pv:
        legacy.extended_info()
        legacy.src.skip(legacy.frame_count() * legacy.ulong)
    while legacy.src.offset < until:
        marker = legacy.marker()
        if marker > 0:
            entries, _ = legacy.batch(marker)
            for entry, in struct.iter_unpack("<Q", entries):
                if entry >> 60 in c.TYPES_DATA:
                    store.put(entry & c.PFN_MASK,
                              legacy.src.read(c.PAGE_SIZE))
        else:
            legacy.skip_chunk(marker)
