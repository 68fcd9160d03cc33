# SPDX-License-Identifier: GPL-2.0-or-later
"""Pictures of rows of small numbers: PNG with a palette, or SVG."""

import struct
import zlib


def chunk(kind, data):
    """A PNG chunk."""
    return (struct.pack(">I", len(data)) + kind + data
            + struct.pack(">I", zlib.crc32(kind + data)))


def png(rows, palette, scale):
    """rows: iterable of equally long bytes, each an index in palette.

    Yields the file piece by piece. The rows are counted first, so it has to
    be a list.
    """
    width = len(rows[0]) * scale
    yield b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(
        ">IIBBBBB", width, len(rows) * scale, 8, 3, 0, 0, 0))
    yield chunk(b"PLTE", b"".join(bytes(rgb) for rgb in palette))
    packer, out = zlib.compressobj(), b""
    for row in rows:
        if scale > 1:
            row = b"".join(bytes((x,)) * scale for x in row)
        out += packer.compress((b"\0" + bytes(row)) * scale)
        if len(out) > 1 << 16:
            yield chunk(b"IDAT", out)
            out = b""
    yield chunk(b"IDAT", out + packer.flush()) + chunk(b"IEND", b"")


def runs(row):
    """(start, length, value) of equal neighbours."""
    start = 0
    for at in range(1, len(row) + 1):
        if at == len(row) or row[at] != row[start]:
            yield start, at - start, row[start]
            start = at


def svg(rows, palette, scale, legend):
    """The same as SVG, with a legend: (index, text) pairs."""
    width, height = len(rows[0]) * scale, len(rows) * scale
    yield ('<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" '
           'shape-rendering="crispEdges">\n<rect width="100%%" height="100%%" '
           'fill="%s"/>\n' % (width, height + 30, color(palette[0]))).encode()
    for y, row in enumerate(rows):
        for x, length, value in runs(row):
            if value:
                yield ('<rect x="%d" y="%d" width="%d" height="%d" '
                       'fill="%s"/>\n' % (
                           x * scale, y * scale, length * scale, scale,
                           color(palette[value]))).encode()
    for i, (value, text) in enumerate(legend):
        yield ('<rect x="%d" y="%d" width="12" height="12" fill="%s" '
               'stroke="#888"/><text x="%d" y="%d" font-size="12" '
               'fill="#888">%s</text>\n' % (
                   10 + i * 110, height + 8, color(palette[value]),
                   27 + i * 110, height + 19, text)).encode()
    yield b"</svg>\n"


def color(rgb):
    """As SVG writes it."""
    return "#%02x%02x%02x" % tuple(rgb)
