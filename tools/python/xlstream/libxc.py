# SPDX-License-Identifier: GPL-2.0-or-later
"""The libxc layer (docs/specs/libxc-stream.md)."""

import struct

from . import consts as c
from .body import Record
from .errors import StreamError
from .libxc_bodies import BODIES
from .libxc_order import Order
from .page_data import page_data


class LibxcReader:
    """Walks the libxc records up to END, or from CHECKPOINT to CHECKPOINT."""

    def __init__(self, src, guest, sink):
        self.src = src
        self.guest = guest
        self.sink = sink
        self.index = 0
        self.order = Order(guest)

    def refuse(self, at, check, text):
        """Refuse a header."""
        raise StreamError(check, text, "libxc", offset=at)

    def strict(self, at, ok, check, text):
        """A rule of the headers that only --strict enforces."""
        if not ok:
            self.sink.finding(StreamError(check, text, "libxc", offset=at))

    def read_headers(self):
        """Image header, then domain header."""
        at = self.src.offset
        self.src.start_record("libxc", at)
        marker, ident, version, options, reserved = struct.unpack(
            ">8sIIH6s", self.src.read(24))
        if marker != c.XC_MARKER:
            self.refuse(at, "libxc.header.marker", "no libxc stream: the "
                        "marker is missing (a legacy stream?)")
        if ident != c.XC_ID:
            self.refuse(at, "libxc.header.id", "id is 0x%08x" % ident)
        if version not in (2, 3):
            self.refuse(at, "libxc.header.version", "version %d, this reader "
                        "knows 2 and 3" % version)
        if options & c.XC_BIG_ENDIAN:
            self.refuse(at, "libxc.header.endian",
                        "big-endian streams are not supported")
        self.strict(at, options == 0, "libxc.header.options_reserved",
                    "reserved option bits are set: 0x%x" % options)
        self.strict(at, not any(reserved), "libxc.header.reserved",
                    "reserved bytes are not zero")
        self.guest.version = version
        self.read_domain_header()

    def read_domain_header(self):
        """Guest type, page size, who wrote it."""
        at = self.src.offset
        kind, shift, reserved, major, minor = struct.unpack(
            "<IHHII", self.src.read(16))
        if kind not in c.GUEST_NAMES:
            self.refuse(at, "libxc.domain.type", "guest type %d" % kind)
        if shift != 12:
            self.refuse(at, "libxc.domain.page_shift", "page shift %d, this "
                        "reader knows 12" % shift)
        if kind != c.HVM and self.guest.qemu_host:
            self.refuse(at, "libxc.domain.host", "a PV guest in an image of "
                        "a QEMU host")
        self.strict(at, reserved == 0, "libxc.domain.reserved",
                    "reserved field is 0x%x" % reserved)
        self.guest.type = kind
        if kind == c.PV:
            self.guest.is_pv()
        self.guest.xen = (major, minor)
        self.sink.libxc_headers(self.guest)

    def read_records(self, header=None):
        """Until END (False) or, within libxl, CHECKPOINT (True).

        header: that of the next record, if the caller had to read it.
        """
        while True:
            kind = self.record(header)
            header = None
            if kind == c.XC_END:
                return False
            if kind == c.XC_CHECKPOINT and self.sink.in_libxl:
                return True

    def record(self, header):
        """One record. Returns its type."""
        rec = Record(self.src, "libxc", self.index, c.LIBXC_NAMES, header)
        self.index += 1
        if rec.length > c.XC_RECORD_MAX:
            rec.fail("libxc.record.length", "%d bytes, at most %d are "
                     "accepted", rec.length, c.XC_RECORD_MAX)
        self.order.check(rec)
        if rec.type == c.XC_PAGE_DATA:
            page_data(rec, self.guest, self.sink)
        elif rec.type in BODIES:
            BODIES[rec.type](rec, self.guest, self.sink)
        elif not rec.type & c.REC_OPTIONAL:
            rec.fail("libxc.record.type", "unknown record type 0x%x",
                     rec.type)
        if rec.type in (c.XC_END, c.XC_CHECKPOINT):
            self.check_vcpu0(rec)
        rec.finish()
        self.sink.record(rec)
        return rec.type

    def check_vcpu0(self, rec):
        """Only vCPU 0 says where the guest's start info is."""
        if self.guest.type == c.PV and not self.guest.vcpu0:
            rec.fail("libxc.order.incomplete",
                     "%s without vCPU 0's X86_PV_VCPU_BASIC", rec.name)
