# SPDX-License-Identifier: GPL-2.0-or-later
"""PAGE_DATA: an array of typed PFNs, then the pages of those with data.

Within a slice of the array, bytes.translate and slicing do the work, not a
Python loop.
"""

import array
import sys

from . import consts as c

SLICE = 32 * 1024  # bytes: 4,096 entries
_bad = bytes(t << 4 | low for t in sorted(c.TYPES_BAD) for low in range(16))
_data = bytes(t << 4 | low for t in sorted(c.TYPES_DATA) for low in range(16))


def entries_of(view):
    """The slice as an array of native integers."""
    entries = array.array("Q")
    entries.frombytes(view)
    if sys.byteorder == "big":
        entries.byteswap()
    return entries


def count_data(tops):
    """How many entries carry a page. tops: the top byte of each."""
    return len(tops) - len(tops.translate(None, _data))


def check_slice(rec, view, guest):
    """Check one slice of the array: (entries, pages that they promise)."""
    raw = bytes(view)
    tops = raw[7::8]
    kinds = set(tops)
    for top in kinds:
        if top >> 4 in c.TYPES_BAD:
            rec.fail("libxc.page_data.type", "page type %d is reserved",
                     top >> 4)
        if guest.type == c.HVM and 0 < top >> 4 < c.TYPE_BROKEN:
            rec.fail("libxc.page_data.type_hvm", "a page table (type %d), "
                     "which an HVM guest has not", top >> 4)
    low = {top & 0xf for top in kinds} | {b >> 4 for b in set(raw[6::8])}
    if low != {0}:
        rec.strict(False, "libxc.page_data.pfn_reserved",
                   "reserved bits are set in a PFN")
    entries = entries_of(raw)
    if guest.nr_pfns is not None:
        check_range(rec, entries, kinds, guest.nr_pfns)
    return entries, count_data(tops)


def check_range(rec, entries, kinds, nr_pfns):
    """Every PFN exists in the guest."""
    if kinds == {0} and max(entries) < nr_pfns:
        return
    mask = c.PFN_MASK
    for entry in entries:
        if entry & mask >= nr_pfns:
            rec.fail("libxc.page_data.pfn_range", "PFN 0x%x, the guest has "
                     "0x%x", entry & mask, nr_pfns)


def check_duplicates(rec, entries):
    """Legal, but no writer does it."""
    pfns = {entry & c.PFN_MASK for entry in entries}
    rec.strict(len(pfns) == len(entries), "libxc.page_data.duplicate",
               "a PFN stands twice in one batch")


def page_data(rec, guest, sink):
    """Check the record; sink gets the entries, and may take the pages."""
    count, reserved = rec.unpack("<II", "libxc.page_data.length")
    rec.strict(not reserved, "libxc.page_data.reserved",
               "reserved field is 0x%x", reserved)
    if count == 0:
        rec.fail("libxc.page_data.count_zero", "the count of pages is zero")
    if count > c.PAGE_DATA_MAX:
        rec.fail("libxc.page_data.count_max", "%d entries, at most %d are "
                 "accepted", count, c.PAGE_DATA_MAX)
    rec.need(8 * count, "libxc.page_data.length")
    rec.take(8 * count)
    entries, pages = array.array("Q"), 0
    for view in rec.src.chunks(8 * count, SLICE):
        part, promised = check_slice(rec, view, guest)
        entries.extend(part)
        pages += promised
    if rec.left != c.PAGE_SIZE * pages:
        rec.fail("libxc.page_data.length", "%d bytes of pages where %d pages "
                 "are announced", rec.left, pages)
    if sink.is_strict:
        check_duplicates(rec, entries)
    rec.notes.append("%d entries, %d pages with data" % (count, pages))
    sink.pages(rec, entries, pages)
