# SPDX-License-Identifier: GPL-2.0-or-later
"""xl-stream map: a picture of the guest's memory.

A row is 512 pages, 2 MiB. Rows in which nothing was sent are left out, with a
line in their place. What a pixel's colour means is chosen: the kind of page,
the record that brought it last, or the pass.
"""

import colorsys

from . import consts as c
from .commands_common import CommandError
from .open_stream import walk
from .picture import png, svg
from .sink import Sink

ROW = 512
ROWS_MAX = 1 << 17  # 256 GiB of memory
ABSENT, GAP, ZERO, DATA, TABLE, BROKEN = range(6)
KINDS = [
    ("untouched", (250, 250, 250)), ("left out", (200, 200, 200)),
    ("zero", (150, 190, 230)), ("data", (30, 60, 120)),
    ("page table", (220, 60, 40)), ("broken", (0, 0, 0)),
]
NOTHING = bytes(c.PAGE_SIZE)


class MapSink(Sink):
    """Colours pages as they come."""

    def __init__(self, by):
        super().__init__()
        self.by = by
        self.rows = {}
        self.passes = 1
        self.records = 0
        self.highest = -1

    def record(self, rec):
        if rec.layer == "libxc" and rec.type in (c.XC_VERIFY,
                                                 c.XC_CHECKPOINT):
            self.next_pass()

    def next_pass(self):
        """Memory starts over."""
        if self.highest >= 0:
            self.passes += 1
        self.highest = -1

    def pages(self, rec, entries, count):
        """One batch. A PFN below those before it begins a pass."""
        self.records += 1
        if (entries[0] & c.PFN_MASK) <= self.highest:
            self.next_pass()
        self.highest = max(self.highest,
                           max(e & c.PFN_MASK for e in entries))
        data = rec.chunks(c.PAGE_SIZE)
        for entry in entries:
            kind = entry >> 60
            page = next(data) if kind in c.TYPES_DATA else None
            self.put(entry & c.PFN_MASK, kind, page)

    def put(self, pfn, kind, page):
        """One page. An absent one changes nothing, as in a restore."""
        value = self.kind_of(kind, page)
        if value == ABSENT:
            return
        row = self.rows.get(pfn // ROW)
        if row is None:
            if len(self.rows) == ROWS_MAX:
                raise CommandError("the guest's PFNs are too many, or too "
                                   "far apart, for a picture")
            row = self.rows[pfn // ROW] = bytearray(ROW)
        if self.by == "record":
            value = 2 + self.records % 200
        elif self.by == "pass":
            value = 2 + min(self.passes, 200)
        row[pfn % ROW] = value

    @staticmethod
    def kind_of(kind, page):
        """The index in KINDS."""
        if kind == c.TYPE_XTAB:
            return ABSENT
        if kind == c.TYPE_XALLOC:
            return ZERO
        if kind == c.TYPE_BROKEN:
            return BROKEN
        if kind:
            return TABLE
        return ZERO if page == NOTHING else DATA

    def picture(self):
        """The rows from low to high, with lines where some are left out."""
        out, last = [], -1
        for number in sorted(self.rows):
            if number != last + 1:
                out.append(bytes([GAP]) * ROW)
            out.append(self.rows[number])
            last = number
        return out


def palette(by, sink):
    """(colours, legend) for one way to colour."""
    if by == "kind":
        return ([rgb for _, rgb in KINDS],
                [(i, name) for i, (name, _) in enumerate(KINDS)])
    colors = [KINDS[0][1], KINDS[1][1]]
    for i in range(202):
        step = i * 0.618 % 1 if by == "record" else min(i, 12) / 14
        colors.append(tuple(int(255 * x) for x in
                            colorsys.hsv_to_rgb(step, 0.75, 0.85)))
    if by == "record":
        return colors, [(0, "untouched")]
    return colors, [(0, "untouched")] + [
        (2 + i, "pass %d" % i) for i in range(1, min(sink.passes, 8) + 1)]


def cmd_map(opts):
    """Write the picture, say what it shows."""
    sink = MapSink(opts.by)
    walk(opts.input, sink)
    rows = sink.picture()
    if not rows:
        raise CommandError("%s: no pages, no picture" % opts.input)
    colors, legend = palette(opts.by, sink)
    scale = opts.scale or (2 if len(rows) <= 512 else 1)
    if opts.output.endswith(".svg"):
        parts = svg(rows, colors, scale, legend)
    else:
        parts = png(rows, colors, scale)
    with open(opts.output, "wb") as f:
        for part in parts:
            f.write(part)
    print("%s: %d rows of 512 pages, %d PAGE_DATA records in %d passes"
          % (opts.output, len(rows), sink.records, sink.passes))
    for value, text in legend:
        print("  #%02x%02x%02x  %s" % (*colors[value], text))
    return 0


def add_commands(sub):
    """Options."""
    p = sub.add_parser("map", help="draw the guest's memory")
    p.add_argument("input", metavar="FD|FILE")
    p.add_argument("output", help="FILE.png or FILE.svg")
    p.add_argument("--by", choices=("kind", "record", "pass"),
                   default="kind", help="what colours mean")
    p.add_argument("--scale", type=int, choices=range(1, 17), metavar="N",
                   help="pixels a page")
    p.set_defaults(run=cmd_map)
