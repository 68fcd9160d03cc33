# SPDX-License-Identifier: GPL-2.0-or-later
"""Exact reads from a file, a pipe or a descriptor.

Never reads ahead: what follows a stream on a pipe belongs to somebody else.
Memory is one scratch buffer, whatever the stream says about its lengths.
"""

import os
import stat

from .errors import Truncated

SCRATCH = 128 * 1024
SEEK_FROM = 64 * 1024
WINDOW = 4 << 20
MAP_FLAGS = 0x01 | 0x8000  # MAP_SHARED | MAP_POPULATE


def open_fd(name, flags=os.O_RDONLY, mode=0o666):
    """A descriptor for NAME, which is a decimal number or a path."""
    if name.isdigit():
        return int(name)
    return os.open(name, flags | os.O_CLOEXEC, mode)


class Source:
    """Bytes in order, with the offset of the next one."""

    def __init__(self, fd):
        self.fd = fd
        self.seeks = True   # what is skipped in a file is not read
        self.offset = 0
        self.layer = "stream"
        self.where = None  # the record being read, for messages
        self._scratch = memoryview(bytearray(SCRATCH))
        self._pushed = b""

    def push(self, data):
        """Give back what was just read, to be read again by read()."""
        self._pushed = data
        self.offset -= len(data)

    def read(self, size):
        """Exactly size bytes; for small, bounded sizes."""
        if self._pushed:
            return self._read_pushed(size)
        data = os.read(self.fd, size) if size else b""
        if len(data) != size:
            data = self._rest(data, size)
        self.offset += size
        return data

    def _read_pushed(self, size):
        data, self._pushed = self._pushed[:size], self._pushed[size:]
        self.offset += len(data)
        return data if len(data) == size else data + self.read(
            size - len(data))

    def read_or_end(self, size):
        """size bytes, or b"" if the input ends here and now."""
        data = os.read(self.fd, size)
        if data and len(data) != size:
            data = self._rest(data, size)
        self.offset += len(data)
        return data

    def _rest(self, data, size):
        parts, got = [data], len(data)
        while got < size:
            data = os.read(self.fd, size - got) if parts[-1] else b""
            if not data:
                self._truncated(size, got)
            parts.append(data)
            got += len(data)
        return b"".join(parts)

    def chunks(self, size, most=SCRATCH):
        """Views of the next size bytes, each of at most `most` bytes.

        All but the last are of exactly `most`; each is valid until the next.
        """
        most = min(most, SCRATCH)
        while size:
            view = self._scratch[:min(size, most)]
            self._fill(view)
            size -= len(view)
            yield view

    def _fill(self, view):
        got, want = 0, len(view)
        if self._pushed:
            view[:] = self._read_pushed(want)
            return
        while got < want:
            n = os.readv(self.fd, [view[got:]])
            if n == 0:
                self._truncated(want, got)
            got += n
        self.offset += want

    def send(self, write, size):
        """Hand size bytes to write(view), from a mapping where the input is
        a file: they are copied once, not twice. Returns how many were handed
        over: less, if there is nothing to map.
        """
        if self.file_size() is None or self._pushed or size < SEEK_FROM:
            return 0
        import mmap
        end = self.offset + size
        at = os.lseek(self.fd, 0, os.SEEK_CUR)
        while self.offset < end:
            part = min(end - self.offset, WINDOW)
            lead = at % mmap.ALLOCATIONGRANULARITY
            self._must_hold(at, part)
            with mmap.mmap(self.fd, lead + part, MAP_FLAGS, mmap.PROT_READ,
                           offset=at - lead) as window, \
                    memoryview(window)[lead:] as view:
                write(view)
            at += part
            self.offset += part
        os.lseek(self.fd, at, os.SEEK_SET)
        return size

    def file_size(self):
        """How long the input is, if it is a regular file."""
        found = os.fstat(self.fd)
        return found.st_size if stat.S_ISREG(found.st_mode) else None

    def _must_hold(self, at, size):
        """The file reaches so far. A mapping beyond its end is no error that
        could be caught later."""
        there = self.file_size() - at
        if there < size:
            self._truncated(size, max(there, 0))

    def skip(self, size):
        """Pass over size bytes. In a file they need not be read."""
        if size >= SEEK_FROM and self.seeks and not self._pushed \
                and self.file_size() is not None:
            at = os.lseek(self.fd, 0, os.SEEK_CUR)
            self._must_hold(at, size)
            os.lseek(self.fd, size, os.SEEK_CUR)
            self.offset += size
            return
        for _ in self.chunks(size):
            pass

    def read_up_to(self, size):
        """size bytes, or less at the end of the input."""
        parts, left = [], size
        while left:
            data = os.read(self.fd, left)
            if not data:
                break
            parts.append(data)
            left -= len(data)
        self.offset += size - left
        return b"".join(parts)

    def at_end(self):
        """True at the end of the input. Eats a byte when it is not."""
        return not os.read(self.fd, 1)

    def start_record(self, layer, offset):
        """Messages name this record until the next one."""
        self.layer = layer
        self.where = offset

    def _truncated(self, wanted, got):
        raise Truncated(
            self.layer + ".truncated",
            "the input ends after %d of %d bytes" % (got, wanted),
            self.layer, offset=self.offset + got)
