# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a stream is written: a descriptor, or a file that appears complete."""

import os
import stat
import struct

from .source import open_fd

HEADER = struct.Struct("<II")


class Output:
    """Bytes in order, to a descriptor."""

    def __init__(self, fd):
        self.fd = fd

    def write(self, *parts):
        """All of the parts, one behind the other."""
        parts = [p for p in parts if len(p)]
        want = sum(map(len, parts))
        if not want:
            return
        done = os.writev(self.fd, parts)
        if done == want:
            return
        view = memoryview(b"".join(parts))
        while done < want:
            done += os.write(self.fd, view[done:])

    def record(self, kind, *parts):
        """A record with its padding."""
        length = sum(map(len, parts))
        self.write(HEADER.pack(kind, length), *parts, bytes(-length % 8))

    def record_head(self, kind, length, *parts):
        """A record whose body is begun by parts and goes on by copy."""
        self.write(HEADER.pack(kind, length), *parts)

    def copy(self, src, size):
        """size bytes from the source."""
        size -= src.send(self.write, size)
        for view in src.chunks(size):
            self.write(view)

    def pad(self, length):
        """Padding behind a body of this length."""
        self.write(bytes(-length % 8))


class Target:
    """The output that -o names.

    A file gets its name when it is complete, so that no half of a stream can
    be taken for one. Descriptors, pipes and devices are written directly.
    """

    def __init__(self, name):
        self.path = self.part = None
        if not name.isdigit() and self._plain(name):
            self.path = os.path.realpath(name)
            self.part = "%s.part-%d" % (self.path, os.getpid())
            name = self.part
        flags = os.O_WRONLY | os.O_CREAT | (os.O_EXCL if self.part else 0)
        self.fd = open_fd(name, flags, 0o600 if self.part else 0o666)

    @staticmethod
    def _plain(name):
        try:
            return stat.S_ISREG(os.stat(name).st_mode)
        except FileNotFoundError:
            return True

    def expect(self, size):
        """About so many bytes will come: with their place reserved, they are
        written faster, and a full disk is found out before the work.
        """
        if self.part and size:
            os.posix_fallocate(self.fd, 0, size)

    def commit(self):
        """Everything was written. Not synced: what it was made of is still
        there, should the machine fail now."""
        if self.part:
            os.ftruncate(self.fd, os.lseek(self.fd, 0, os.SEEK_CUR))
            os.close(self.fd)
            os.rename(self.part, self.path)
            self.part = None

    def discard(self):
        """Something failed: nothing must stay."""
        if self.part:
            os.unlink(self.part)
            self.part = None


class Spool(Output):
    """Holds a part of the output until it is known to be wanted.

    In memory while it is small, in a file without a name after that.
    """

    IN_MEMORY = 1 << 20

    def __init__(self):
        super().__init__(-1)
        self.small = []
        self.size = 0
        self.file = None

    def write(self, *parts):
        for part in parts:
            self.size += len(part)
            if self.file:
                self.file.write(part)
            else:
                self.small.append(bytes(part))
        if not self.file and self.size > self.IN_MEMORY:
            import tempfile
            self.file = tempfile.TemporaryFile()
            self.file.write(b"".join(self.small))
            self.small = []

    def copy(self, src, size):
        for view in src.chunks(size):
            self.write(view)

    def send(self, out):
        """All of it, to where it belongs."""
        if not self.file:
            out.write(b"".join(self.small))
            return
        self.file.seek(0)
        while True:
            data = self.file.read(256 * 1024)
            if not data:
                break
            out.write(data)
        self.file.close()
