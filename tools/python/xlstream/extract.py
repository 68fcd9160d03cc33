# SPDX-License-Identifier: GPL-2.0-or-later
"""xl-stream extract: the configuration, the device model's state, or pages."""

import os

from . import consts as c
from .commands_common import CommandError
from .open_stream import walk
from .output import Output
from .sink import Sink


class ConfigSink(Sink):
    """Keeps the configuration."""

    config = None

    def xl_header(self, header):
        self.config = header.config


class EmulatorSink(Sink):
    """Copies one device model's state."""

    def __init__(self, out, index):
        super().__init__()
        self.out = out
        self.index = index
        self.found = False

    def emulator(self, rec, index):
        if index == self.index:
            self.found = True
            for view in rec.chunks(1 << 18):
                self.out.write(view)


class PagesSink(Sink):
    """Puts each page where it belongs in a sparse file."""

    def __init__(self, fd, first, last):
        super().__init__()
        self.fd = fd
        self.first, self.last = first, last

    def pages(self, rec, entries, count):
        data = rec.chunks(c.PAGE_SIZE)
        for entry in entries:
            kind, pfn = entry >> 60, entry & c.PFN_MASK
            page = next(data) if kind in c.TYPES_DATA else None
            if kind == c.TYPE_XALLOC:
                page = bytes(c.PAGE_SIZE)
            if page is not None and self.first <= pfn <= self.last:
                os.pwrite(self.fd, page, (pfn - self.first) * c.PAGE_SIZE)


def parse_range(text):
    """`A-B` or `A`."""
    first, _, last = text.partition("-")
    return int(first, 0), int(last or first, 0)


def create(path):
    """A new file; the memory of a guest is nobody else's to read."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
    return os.open(path, flags, 0o600)


def cmd_extract(opts):
    """Write the part asked for."""
    if opts.what == "config":
        sink = ConfigSink()
        walk(opts.input, sink)
        if not sink.config:
            raise CommandError("%s: no configuration" % opts.input)
        Output(create(opts.output)).write(sink.config)
    elif opts.what == "emulator":
        sink = EmulatorSink(Output(create(opts.output)), opts.index)
        walk(opts.input, sink)
        if not sink.found:
            os.unlink(opts.output)
            raise CommandError("%s: no emulator state with index %d"
                               % (opts.input, opts.index))
    else:
        fd = create(opts.output)
        walk(opts.input, PagesSink(fd, *opts.pfn))
    return 0


def add_commands(sub):
    """Options."""
    p = sub.add_parser("extract", help="take a part out")
    p.add_argument("what", choices=("config", "emulator", "pages"))
    p.add_argument("input", metavar="FD|FILE")
    p.add_argument("output", metavar="FILE")
    p.add_argument("--index", type=int, default=0, help="which emulator")
    p.add_argument("--pfn", type=parse_range, metavar="A-B",
                   default=(0, c.PFN_MASK), help="which pages; the first "
                   "one is at the beginning of the file")
    p.set_defaults(run=cmd_extract)
