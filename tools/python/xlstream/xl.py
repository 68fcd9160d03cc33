# SPDX-License-Identifier: GPL-2.0-or-later
"""The xl header (docs/specs/xl-header.md)."""

import struct

from . import consts as c
from .errors import StreamError

FIELDS = struct.Struct("=IIII")


class XlHeader:
    """What the header and the optional data say."""

    def __init__(self, mandatory, optional, config, tail):
        self.mandatory = mandatory
        self.optional = optional
        self.config = config  # bytes without the NUL, or None
        self.tail = tail      # how many bytes follow the configuration
        self.json = None      # the configuration, parsed

    @property
    def qemu_host(self):
        """Made on a QEMU host."""
        return bool(self.mandatory & c.XL_QEMU_HOST)

    @property
    def libxl(self):
        """A libxl v2 stream follows."""
        return bool(self.mandatory & c.XL_STREAM_V2)


def refuse(check, offset, text, *args):
    """Refuse the header."""
    raise StreamError(check, text % args if args else text, "xl",
                      offset=offset)


def check_magic(magic):
    """The 32 bytes, with a hint at what mangled them."""
    if magic == c.XL_MAGIC:
        return
    if magic[:27] == c.XL_MAGIC[:27]:
        refuse("xl.header.magic", 0, "the magic is damaged, as by a "
               "transfer in text mode")
    refuse("xl.header.magic", 0, "this is no xl save file")


def check_fields(order, mandatory, size):
    """The four words behind the magic."""
    if order == struct.unpack("<I", struct.pack(">I", c.XL_BYTEORDER))[0]:
        refuse("xl.header.byteorder", 32, "written in the other byte order: "
               "big-endian streams are not supported")
    if order != c.XL_BYTEORDER:
        refuse("xl.header.byteorder", 32, "byte order mark is 0x%08x", order)
    if mandatory & ~c.XL_KNOWN:
        refuse("xl.header.mandatory_flags", 36, "unknown mandatory flags "
               "0x%x: a newer xl is needed", mandatory & ~c.XL_KNOWN)
    if size > c.XL_OPTIONAL_MAX:
        refuse("xl.optional.length", 44, "%d bytes of optional data, at most "
               "%d are accepted", size, c.XL_OPTIONAL_MAX)
    if 0 < size < 4:
        refuse("xl.optional.length", 44, "%d bytes of optional data cannot "
               "hold the configuration's length", size)


def read_config(src, size):
    """The optional data: (configuration, bytes behind it)."""
    if size == 0:
        return None, 0
    length = struct.unpack("=I", src.read(4))[0]
    left = size - 4
    if length > left:
        refuse("xl.config.length", src.offset - 4, "the configuration has %d "
               "bytes, but only %d are left", length, left)
    config = src.read(length)
    src.skip(left - length)
    return config, left - length


def check_string(config, is_json):
    """One string. Its NUL is at its end; text (xl up to 4.4) may have none."""
    ended = config.endswith(b"\0")
    if not config or is_json and not ended or b"\0" in config[:-1]:
        refuse("xl.config.nul", 52, "the configuration is not one string "
               "that ends in a NUL")
    return config[:-1] if ended else config


def check_json(config, offset):
    """The parsed configuration: one JSON object."""
    import json
    try:
        parsed = json.loads(config.decode("utf-8"))
    except (ValueError, RecursionError) as e:
        refuse("xl.config.json", offset, "the configuration is no JSON: %s",
               str(e)[:100])
    if not isinstance(parsed, dict):
        refuse("xl.config.json", offset, "the configuration is not a JSON "
               "object")
    return parsed


def read_words(src):
    """The magic and the words behind it, checked: (flags, flags, size)."""
    src.start_record("xl", 0)
    check_magic(src.read(32))
    order, mandatory, optional, size = FIELDS.unpack(src.read(16))
    check_fields(order, mandatory, size)
    return mandatory, optional, size


def read_raw(src):
    """The header, and the optional data as they are."""
    mandatory, optional, size = read_words(src)
    return XlHeader(mandatory, optional, None, 0), src.read(size)


def read_header(src):
    """Read and check an xl header with its optional data."""
    mandatory, optional, size = read_words(src)
    config, tail = read_config(src, size)
    header = XlHeader(mandatory, optional, config, tail)
    if config is not None:
        header.config = check_string(config, mandatory & c.XL_JSON)
        if mandatory & c.XL_JSON:
            header.json = check_json(header.config, 52)
    return header
