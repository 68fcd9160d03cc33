# SPDX-License-Identifier: GPL-2.0-or-later
"""COLO's back channel: no headers, libxl's states and libxc's dirty lists."""

from . import consts as c
from .body import HEADER, Record

NAMES = {
    c.LX_CHECKPOINT_STATE: "CHECKPOINT_STATE",
    c.XC_CHECKPOINT_DIRTY_PFN_LIST: "CHECKPOINT_DIRTY_PFN_LIST",
}


def read_back_channel(src, sink):
    """Records until the input ends between two of them."""
    index = 0
    while True:
        src.start_record("back", src.offset)
        head = src.read_or_end(8)
        if not head:
            return
        rec = Record(src, "back", index, NAMES, HEADER.unpack(head))
        index += 1
        BODIES.get(rec.type, unknown)(rec)
        rec.finish()
        sink.record(rec)


def unknown(rec):
    """Nothing else comes this way."""
    rec.fail("back.record.type", "record type 0x%x in a back channel",
             rec.type)


def state(rec):
    """The secondary tells where it is."""
    if rec.length not in (4, 8):
        rec.fail("back.checkpoint_state.length", "length %d, not 4 or 8",
                 rec.length)
    value = rec.unpack("<I", "back.checkpoint_state.length")[0]
    if value >= len(c.CHECKPOINT_STATES):
        rec.fail("back.checkpoint_state.id", "unknown state %d", value)
    rec.notes.append(c.CHECKPOINT_STATES[value])


def dirty_list(rec):
    """Pages that the secondary has written."""
    if rec.length > c.XC_RECORD_MAX or rec.length % 8:
        rec.fail("back.dirty_pfn_list.length", "%d bytes are no list of PFNs",
                 rec.length)
    rec.notes.append("%d PFNs" % (rec.length // 8))


BODIES = {
    c.LX_CHECKPOINT_STATE: state,
    c.XC_CHECKPOINT_DIRTY_PFN_LIST: dirty_list,
}
