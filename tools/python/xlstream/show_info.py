# SPDX-License-Identifier: GPL-2.0-or-later
"""xl-stream info and ls: what a stream holds."""

import collections
import json

from . import consts as c
from .open_stream import walk
from .sink import Sink


class InfoSink(Sink):
    """Counts."""

    def __init__(self):
        super().__init__()
        self.header = None
        self.records = collections.Counter()
        self.bytes = collections.Counter()
        self.kinds = collections.Counter()
        self.emulators = []
        self.last_pfn = -1

    def xl_header(self, header):
        self.header = header

    def record(self, rec):
        key = rec.layer + " " + rec.name
        self.records[key] += 1
        self.bytes[key] += 8 + rec.length + -rec.length % 8

    def emulator(self, rec, index):
        if index == len(self.emulators):
            self.emulators.append(0)
        self.emulators[-1] += rec.left

    def pages(self, rec, entries, count):
        kinds = collections.Counter(entry >> 60 for entry in entries)
        self.kinds.update(kinds)
        self.last_pfn = max(self.last_pfn,
                            max(e & c.PFN_MASK for e in entries))


def config_of(header):
    """(create info, build info) of the configuration."""
    parsed = (header.json if header else None) or {}
    infos = [parsed.get(key) for key in ("c_info", "b_info")]
    return [i if isinstance(i, dict) else {} for i in infos]


def guest_type(guest, create):
    """As users say it; libxc calls PVH HVM."""
    said = create.get("type")
    if said in ("pv", "pvh", "hvm"):
        return said.upper()
    return "PV" if guest.type == c.PV else "HVM or PVH"


def summary(fmt, guest, sink):
    """Everything that info tells, in the order in which it does."""
    create, build = config_of(sink.header)
    out = {"format": fmt, "guest": guest_type(guest, create)}
    if guest.host:
        out["host"] = {"xen": "Xen", "qemu": "QEMU"}[guest.host]
    for key in ("name", "uuid"):
        if isinstance(create.get(key), str):
            out[key] = create[key]
    for key, name in (("max_vcpus", "vcpus"), ("max_memkb", "memory_kib"),
                      ("target_memkb", "target_kib")):
        if isinstance(build.get(key), int):
            out[name] = build[key]
    if guest.type == c.PV and guest.nr_pfns:
        out["p2m_pages"] = guest.nr_pfns
    out["written_by"] = "%d.%d" % guest.xen
    out["libxc_version"] = guest.version
    if sink.header:
        out["mandatory_flags"] = sink.header.mandatory
        out["optional_flags"] = sink.header.optional
        out["config_bytes"] = len(sink.header.config or b"")
    out["highest_pfn"] = sink.last_pfn
    out["pages"] = {c.TYPE_NAMES[k]: sink.kinds[k]
                    for k in sorted(sink.kinds)}
    out["emulator_bytes"] = sink.emulators
    out["records"] = dict(sink.records)
    out["record_bytes"] = dict(sink.bytes)
    return out


def info_text(out):
    """The summary as lines."""
    records, sizes = out.pop("records"), out.pop("record_bytes")
    pages, emulators = out.pop("pages"), out.pop("emulator_bytes")
    for key, value in out.items():
        if key in ("mandatory_flags", "optional_flags", "highest_pfn"):
            value = "%#x" % value if value >= 0 else "none"
        elif key in ("memory_kib", "target_kib"):
            value = "%d (%d MiB)" % (value, value // 1024)
        yield "%-16s %s" % (key, value)
    for size in emulators:
        yield "%-16s %d bytes" % ("emulator", size)
    for kind, count in pages.items():
        yield "%-16s %9d  (%d MiB)" % ("pages, " + kind, count,
                                       count * c.PAGE_SIZE >> 20)
    for name, count in records.items():
        yield "%-36s %7d  %13d bytes" % (name, count, sizes[name])


def cmd_info(opts):
    """What guest, which host, how much of what."""
    sink = InfoSink()
    fmt, guest = walk(opts.input, sink)
    out = summary(fmt, guest, sink)
    if opts.json:
        print(json.dumps(out, indent=4))
        return 0
    for line in info_text(out):
        print(line)
    if opts.config and sink.header and sink.header.config:
        print(sink.header.config.decode("utf-8", "replace"))
    return 0


class ListSink(Sink):
    """A line a record."""

    def record(self, rec):
        print("%12d  %-5s %6d  %-24s %10d  %s" % (
            rec.offset, rec.layer, rec.index, rec.name, rec.length,
            "; ".join(rec.notes[:4])))


def cmd_ls(opts):
    """All records."""
    print("%12s  %-5s %6s  %-24s %10s  %s" % (
        "offset", "layer", "index", "record", "length", "content"))
    walk(opts.input, ListSink())
    return 0


def add_commands(sub):
    """Options of both."""
    p = sub.add_parser("info", help="what guest, which host, how much")
    p.add_argument("input", metavar="FD|FILE")
    p.add_argument("--json", action="store_true", help="for programs")
    p.add_argument("--config", action="store_true",
                   help="print the configuration too")
    p.set_defaults(run=cmd_info)
    p = sub.add_parser("ls", help="list the records")
    p.add_argument("input", metavar="FD|FILE")
    p.set_defaults(run=cmd_ls)
