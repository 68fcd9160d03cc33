# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads a whole stream, whichever layer it starts at."""

from .errors import StreamError
from .libxc import LibxcReader
from .libxl import LibxlReader
from .xl import read_header


def read_libxc(src, guest, sink):
    """A bare libxc stream. In one with checkpoints, no libxl is between."""
    reader = LibxcReader(src, guest, sink)
    reader.read_headers()
    reader.read_records()


def read_xl(src, guest, sink):
    """An xl save file, or what xl sends to another."""
    header = read_header(src)
    guest.learn_xl(header)
    sink.xl_header(header)
    if header.libxl:
        LibxlReader(src, guest, sink).read()
        return
    # The converter leaves a libxc stream behind an xl header if asked to.
    try:
        read_libxc(src, guest, sink)
    except StreamError as e:
        if e.check == "libxc.header.marker":
            raise StreamError(
                "xl.header.legacy", "a legacy stream (Xen 4.5 or older): "
                "convert it with convert-legacy-stream first", "xl",
                offset=36)
        raise


def read_stream(src, fmt, guest, sink, trailing=False):
    """Read and check a stream of format xl, libxl or libxc."""
    if fmt == "xl":
        read_xl(src, guest, sink)
    elif fmt == "libxl":
        LibxlReader(src, guest, sink).read()
    else:
        read_libxc(src, guest, sink)
    if not trailing and not src.at_end():
        raise StreamError(fmt + ".trailing", "more bytes follow the end of "
                          "the stream", fmt, offset=src.offset)
