# SPDX-License-Identifier: GPL-2.0-or-later
"""Turns a legacy stream into a libxc v3 stream, bare or within libxl's.

headers -> static data -> chunks (pages as they come) -> tail (vCPUs and shared
info, or HVM context) -> END -> device model. A stream with checkpoints has
more rounds of chunks, tail and device model: the last complete one counts, so
pages of a later round are held back until its tail has come.
"""

import os
import struct

from . import consts as c
from .errors import Truncated
from .legacy import EXTV_SIZE, HVM_CHUNKS, Legacy, Unsupported, physmap
from .output import Spool
from .source import SCRATCH, Source

BLOB_MAX = 128 << 20
REMUS = b"RemusDeviceModelState"


class Settings:
    """What the caller wants."""

    def __init__(self, pv, libxl=False, skip_qemu=False, assume_vcpu0=False,
                 say=lambda text: None):
        self.pv = pv
        self.libxl = libxl
        self.skip_qemu = skip_qemu
        self.assume_vcpu0 = assume_vcpu0
        self.say = say


class Converter:
    """One conversion, from legacy to out."""

    def __init__(self, legacy, out, settings):
        self.legacy = legacy
        self.src = legacy.src
        self.out = out          # the new stream
        self.pages = out        # where this round's pages go
        self.state = Spool()    # the tail of this round
        self.want = settings
        self.begin = legacy.src.offset
        self.params = []
        self.physmap = b""
        self.compressed = None
        self.last = False       # the sender means to send no more rounds

    def run(self):
        """The whole stream."""
        self.headers()
        self.chunks()
        self.tail()
        if self.want.pv and not self.compressed:
            self.end()
        elif self.want.pv:
            self.more_rounds(None)
            self.end()
        else:
            self.hvm_end()

    def headers(self):
        """All headers, and the static data."""
        if self.want.libxl:
            self.out.write(struct.pack(">8sII", c.LIBXL_IDENT,
                                       c.LIBXL_VERSION, c.LIBXL_CONVERTED))
            self.out.record(c.LX_LIBXC_CONTEXT)
        self.legacy.start()
        self.want.say("p2m of 0x%x PFNs" % self.legacy.p2m_size)
        self.out.write(struct.pack(">8sIIHHI", c.XC_MARKER, c.XC_ID, 3, 0, 0,
                                   0))
        self.out.write(struct.pack("<IHHII", c.PV if self.want.pv else c.HVM,
                                   12, 0, 0, 1))
        if self.want.pv:
            self.pv_static()
        else:
            self.out.record(c.XC_STATIC_DATA_END)

    def pv_static(self):
        """PV_INFO, and the frames of the p2m."""
        legacy = self.legacy
        legacy.extended_info()
        width = legacy.width
        self.want.say("%d-bit guest" % (8 * width))
        self.out.record(c.XC_X86_PV_INFO, struct.pack(
            "<BBHI", width, c.PT_LEVELS[width], 0, 0))
        self.out.record(c.XC_STATIC_DATA_END)
        count = legacy.frame_count()
        self.out.record_head(c.XC_X86_PV_P2M_FRAMES, 8 + 8 * count,
                             struct.pack("<II", 0, legacy.p2m_size - 1))
        while count:
            part = min(count, 4096)
            self.out.write(struct.pack("<%dQ" % part, *legacy.ulongs(part)))
            count -= part

    def chunks(self):
        """Up to the 0 that ends them."""
        while True:
            marker = self.legacy.marker()
            if marker > 0:
                self.batch(marker)
            elif marker == 0:
                break
            elif marker in HVM_CHUNKS:
                self.hvm_value(HVM_CHUNKS[marker])
            elif marker in CHUNKS:
                CHUNKS[marker](self)
            else:
                self.legacy.fail("chunk.marker", "unknown chunk %d", marker)
        if self.compressed:
            self.compressed.end_of_round()
        self.hvm_params(self.state, self.params)
        self.params = []

    def batch(self, count):
        """PAGE_DATA of a batch, unless nothing of it is left."""
        entries, kept = self.legacy.batch(count)
        if not kept:
            return
        if self.compressed:
            self.compressed.batch(entries, self.pages)
            return
        data = sum(top < 0xd0 for top in entries[7::8])
        size = c.PAGE_SIZE * data
        self.pages.record_head(c.XC_PAGE_DATA, 8 + len(entries) + size,
                               struct.pack("<II", kept, 0), entries)
        self.pages.copy(self.src, size)

    def hvm_value(self, index):
        """A chunk with one parameter."""
        _pad, value = self.legacy.unpack("<IQ")
        if self.want.pv:
            self.legacy.fail("chunk.guest", "HVM parameter %d in the stream "
                             "of a PV guest", index)
        self.params.append((index, value))

    @staticmethod
    def hvm_params(out, pairs):
        """One HVM_PARAMS record; none without content."""
        if pairs:
            out.record(c.XC_HVM_PARAMS, struct.pack("<II", len(pairs), 0),
                       *(struct.pack("<QQ", *pair) for pair in pairs))

    def verify_mode(self):
        """More pages follow, to compare; they do no harm."""
        self.want.say("verify mode")

    def tsc(self):
        """TSC_INFO, where it is met."""
        self.pages.record(c.XC_X86_TSC_INFO, struct.pack(
            "<IIQII", *self.legacy.tsc(), 0))

    def vcpu_info(self):
        """Which vCPUs the tail has."""
        self.legacy.vcpu_info()

    def toolstack(self):
        """physmap of libxl's device model; libxc has no place for it."""
        if self.want.libxl:
            self.physmap += physmap(self.legacy)
        else:
            self.src.skip(*self.legacy.unpack("<I"))

    def last_checkpoint(self):
        """No more rounds are to come."""
        self.last = True

    def tmem(self):
        """Transcendent memory never came back."""
        raise Unsupported("legacy.chunk.tmem", "tmem is not supported",
                          "legacy", offset=self.src.offset)

    def enable_compression(self):
        """From here on, batches have no pages: they come compressed."""
        if self.compressed:
            return
        from .compressed import Compressed, PageStore, fill_store
        store = PageStore()
        fill_store(self.reread(), store, self.want.pv, self.src.offset)
        self.compressed = Compressed(self.legacy, store)

    def reread(self):
        """A second reader of the same stream, from its start."""
        try:
            at = os.lseek(self.src.fd, 0, os.SEEK_CUR)
            fd = os.open("/proc/self/fd/%d" % self.src.fd, os.O_RDONLY)
            os.lseek(fd, at - (self.src.offset - self.begin), os.SEEK_SET)
        except OSError as e:
            raise Unsupported(
                "legacy.compressed.seek", "compressed pages need what was "
                "sent before: give the stream as a file, not as a pipe",
                "legacy", offset=self.src.offset) from e
        src = Source(fd)
        src.offset = self.begin
        return Legacy(src, 8 * self.legacy.ulong)

    def compressed_data(self):
        """Pages for the batches before."""
        if not self.compressed:
            self.legacy.fail("compressed.order", "compressed pages before "
                             "compression was announced")
        self.compressed.data(self.pages)

    def tail(self):
        """The state that follows memory."""
        if self.want.pv:
            self.pv_tail()
        else:
            self.hvm_tail()

    def pv_tail(self):
        """vCPUs in ascending order, then the shared info page."""
        legacy, out = self.legacy, self.state
        legacy.unmapped()
        for vcpu in self.online():
            head = struct.pack("<II", vcpu, 0)
            out.record(c.XC_X86_PV_VCPU_BASIC, head,
                       self.src.read(legacy.basic_size))
            if legacy.extended:
                out.record(c.XC_X86_PV_VCPU_EXTENDED, head,
                           self.src.read(EXTV_SIZE))
            if legacy.xsave_size is not None:
                self.blob(out, c.XC_X86_PV_VCPU_XSAVE, legacy.xsave(), head)
        out.record(c.XC_SHARED_INFO, self.src.read(c.PAGE_SIZE))

    def online(self):
        """The vCPUs of the tail. Writers before 4.0 may not have said."""
        online = self.legacy.online
        if online is None:
            online = [0] if self.want.assume_vcpu0 else []
            self.want.say("the stream does not tell its vCPUs: %s assumed"
                          % ("vCPU 0" if online else "none"))
        return online

    def hvm_tail(self):
        """Special PFNs, then the hypervisor's context."""
        ioreq, bufioreq, store = self.legacy.unpack("<QQQ")
        self.hvm_params(self.state, [(5, ioreq), (6, bufioreq), (1, store)])
        self.opaque(self.state, c.XC_HVM_CONTEXT)

    def opaque(self, out, kind, head=b""):
        """A record whose body is counted and copied."""
        self.blob(out, kind, *self.legacy.unpack("<I"), head)

    def blob(self, out, kind, size, head=b""):
        """A record whose body is `size` bytes of the stream."""
        if size > BLOB_MAX - len(head):
            self.legacy.fail("blob.length", "%d bytes, at most %d are "
                             "accepted", size, BLOB_MAX)
        out.record_head(kind, len(head) + size, head)
        out.copy(self.src, size)
        out.pad(len(head) + size)

    def hvm_end(self):
        """The device model, and more rounds if it says so."""
        if self.want.skip_qemu and not self.compressed:
            self.end()
            return
        name, kind = self.legacy.signature()
        if name != REMUS and not self.compressed:
            self.end_libxc()
            self.qemu(self.out, name, kind)
        else:
            model = Spool()
            self.qemu(model, name, kind)
            model = self.more_rounds(model)
            self.end_libxc()
            if not self.want.skip_qemu:
                model.send(self.out)
        self.end_libxl()

    def more_rounds(self, model):
        """Rounds until the stream ends. The device model's last state."""
        while not self.last:
            try:
                ahead = self.src.read_up_to(4)
                if not ahead:
                    break
                self.src.push(ahead)
                model = self.round()
            except Truncated:
                self.want.say("the stream ends within a checkpoint, which is "
                              "left out")
                break
        return model

    def round(self):
        """One more checkpoint, held back until it is complete."""
        state, strings = self.state, self.physmap
        self.pages, self.state, self.physmap = Spool(), Spool(), b""
        self.legacy.online = None
        model = None
        try:
            self.chunks()
            self.tail()
            if not self.want.pv:
                model = Spool()
                self.qemu(model, *self.legacy.signature())
        except Truncated:
            self.state, self.physmap = state, strings
            raise
        self.pages.send(self.out)
        return model

    def end_libxc(self):
        """State, then END."""
        self.state.send(self.out)
        self.out.record(c.XC_END)
        if self.want.libxl and self.physmap:
            self.out.record(c.LX_EMULATOR_XENSTORE_DATA, struct.pack(
                "<II", c.EMULATOR_UNKNOWN, 0), self.physmap)

    def end_libxl(self):
        """libxl's END."""
        if self.want.libxl:
            self.out.record(c.LX_END)

    def end(self):
        """Both, where no device model is between."""
        self.end_libxc()
        self.end_libxl()

    def qemu(self, out, name, kind):
        """The device model's state: a record for libxl, verbatim else."""
        head = struct.pack("<II", c.EMULATOR_UNKNOWN, 0)
        if kind == "to the end":
            self.qemu_to_end(out, name, head)
        elif self.want.libxl:
            self.opaque(out, c.LX_EMULATOR_CONTEXT, head)
        else:
            size, = self.legacy.unpack("<I")
            out.write(name, struct.pack("<I", size))
            out.copy(self.src, size)


    def qemu_to_end(self, out, name, head):
        """The device model's state is all that is left."""
        data = Spool()
        while data.size <= BLOB_MAX:
            part = self.src.read_up_to(SCRATCH)
            if not part:
                break
            data.write(part)
        size = len(head) + data.size
        if size > BLOB_MAX:
            self.legacy.fail("blob.length", "more than %d bytes", BLOB_MAX)
        if self.want.libxl:
            out.record_head(c.LX_EMULATOR_CONTEXT, size, head)
            data.send(out)
            out.pad(size)
        else:
            out.write(name)
            data.send(out)


CHUNKS = {
    -1: Converter.verify_mode, -2: Converter.vcpu_info, -5: Converter.tmem,
    -6: Converter.tmem, -7: Converter.tsc, -9: Converter.last_checkpoint,
    -12: Converter.compressed_data, -13: Converter.enable_compression,
    -18: Converter.toolstack,
}
