# SPDX-License-Identifier: GPL-2.0-or-later
"""Opens a stream of any layer and walks it with a sink."""

from . import consts as c
from .errors import StreamError
from .guest import Guest
from .reader import read_stream
from .source import Source, open_fd


def detect_format(src):
    """xl, libxl or libxc, by the first octets."""
    head = src.read_up_to(8)
    src.push(head)
    if head == c.XL_MAGIC[:8]:
        return "xl"
    if head == c.LIBXL_IDENT:
        return "libxl"
    if head == c.XC_MARKER:
        return "libxc"
    raise StreamError("stream.format", "neither an xl save file nor a libxl "
                      "or libxc stream (convert-legacy-stream takes older "
                      "ones)", "stream", offset=0)


def walk(name, sink):
    """Read the whole stream. Returns its format and what is known of it."""
    src = Source(open_fd(name))
    fmt = detect_format(src)
    guest = Guest()
    read_stream(src, fmt, guest, sink, trailing=True)
    return fmt, guest
