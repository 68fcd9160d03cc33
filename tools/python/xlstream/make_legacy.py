# SPDX-License-Identifier: GPL-2.0-or-later
"""A writer of legacy streams, for tests (docs/specs/legacy-stream.md).

The words start with `lg-`; a description puts them in the stream's order.
"""

import struct

from . import consts as c
from .make_bodies import blob, page_bytes, parse_entries


def ulongs(m, values):
    """Integers of the toolstack's width."""
    code = "<Q" if m.toolstack == 8 else "<I"
    mask = (1 << 8 * m.toolstack) - 1
    return b"".join(struct.pack(code, v & mask) for v in values)


def start(m, args):
    """p2m_size, and for PV extended info and frame list."""
    m.toolstack = args.number("width", 64) // 8
    m.guest = c.PV if args.text("guest", "pv") == "pv" else c.HVM
    m.nr_pfns = args.number("pfns", 16)
    m.add(ulongs(m, [m.nr_pfns]))


def extended_info(m, args):
    """Signature, total, blocks."""
    m.width = args.number("guest", 64) // 8
    blocks = args.hex("before")
    vcpu = blob(args.number("vcpu", c.VCPU_BASIC_SIZE.get(m.width, 0)))
    blocks += struct.pack("<4sI", b"vcpu", len(vcpu)) + vcpu
    if "extv" in args.plain:
        blocks += struct.pack("<4sI", b"extv", 0)
    if args.text("xcnt") is not None:
        blocks += struct.pack("<4sII", b"xcnt", 4, args.number("xcnt"))
    blocks += args.hex("more")
    m.add(ulongs(m, [-1]) + struct.pack(
        "<I", args.number("total", len(blocks))) + blocks)


def frame_list(m, args):
    """The frames of the p2m."""
    per_frame = c.PAGE_SIZE // m.width
    count = (m.nr_pfns - 1) // per_frame + 1
    m.add(ulongs(m, range(args.number("frames", count))))


def batch(m, args):
    """A batch of pages."""
    entries = parse_entries(args.plain)
    m.add(struct.pack("<i", args.number("count", len(entries))))
    m.add(ulongs(m, [kind << 28 | pfn for pfn, kind, _ in entries]))
    if not args.text("compressed"):
        m.add(page_bytes(entries, args.number("seed")))


def verify(m, args):
    """Verify mode begins."""
    m.add(struct.pack("<i", -1))


def vcpu_info(m, args):
    """Highest vCPU number and the bitmap of those online."""
    online = [int(w, 0) for w in args.plain]
    top = args.number("max", max(online, default=0))
    words = [0] * (top // 64 + 1)
    for vcpu in online:
        words[vcpu // 64] |= 1 << vcpu % 64
    m.add(struct.pack("<ii", -2, top))
    m.add(b"".join(struct.pack("<Q", w) for w in words))


def hvm_value(m, args):
    """A chunk with one HVM parameter."""
    m.add(struct.pack("<iIQ", int(args.plain[0], 0), args.number("pad"),
                      int(args.plain[1], 0)))


def tsc(m, args):
    """The clock."""
    m.add(struct.pack("<iIQII", -7, args.number("mode"),
                      args.number("nsec", 1000000000),
                      args.number("khz", 2300000),
                      args.number("incarnation", 1)))


def toolstack(m, args):
    """physmap entries `PHYS:START:SIZE:NAME`, with the 64-bit quirk."""
    quirk = args.number("quirk", 4 if m.toolstack == 8 else 0)
    body = struct.pack("<II", args.number("version", 1),
                       args.number("count", len(args.plain)))
    for word in args.plain:
        phys, first, size, name = word.split(":", 3)
        raw = name.encode() + b"\0"
        body += struct.pack("<QQQI", int(phys, 0), int(first, 0),
                            int(size, 0), args.number("namelen", len(raw)))
        body += raw + bytes(quirk)
    body += args.hex("more")
    m.add(struct.pack("<iI", -18, args.number("length", len(body))) + body)


def marker(value):
    def command(m, args):
        m.add(struct.pack("<i", value))
    return command


def compressed(m, args):
    """A chunk of compressed pages: words ENC, each a page's encoding."""
    body = b"".join(compress_page(word) for word in args.plain)
    m.add(struct.pack("<i", -12) + ulongs(m, [len(body)]) + body)


def compress_page(word):
    """`same`, `full:PFN:SEED`, or runs such as `s100,w4,s920`."""
    kind, *more = word.split(":")
    if kind == "same":
        return b"\0"
    if kind == "full":
        pfn, seed = (int(x, 0) for x in more)
        return b"\x80" + page_bytes([(pfn, 0, False)], seed)
    out = b""
    for run in kind.split(","):
        length = int(run[1:], 0)
        skip = run[0] == "s"
        while length:
            part = min(length, 127)
            out += bytes([part | (0x80 if skip else 0)])
            out += b"" if skip else blob(4 * part, length)
            length -= part
    return out


def tail_pv(m, args):
    """Unmapped PFNs, vCPUs, shared info."""
    unmapped = [int(w, 0) for w in args.text("unmapped", "").split(",") if w]
    m.add(struct.pack("<I", len(unmapped)) + ulongs(m, unmapped))
    xcnt = args.number("xcnt")
    for vcpu in range(args.number("vcpus", 1)):
        m.add(blob(c.VCPU_BASIC_SIZE.get(m.width, 0), vcpu))
        if "extv" in args.plain:
            m.add(blob(128, vcpu))
        if xcnt:
            m.add(struct.pack("<QQ", 7, args.number("xsize", xcnt - 16)))
            m.add(blob(xcnt - 16, vcpu))
    m.add(blob(args.number("shared_info", c.PAGE_SIZE)))


def tail_hvm(m, args):
    """Special PFNs and the hypervisor's context."""
    context = blob(args.number("context", 64))
    m.add(struct.pack("<QQQ", args.number("ioreq", 0xfefff),
                      args.number("bufioreq", 0xfeffb),
                      args.number("store", 0xfeffc)))
    m.add(struct.pack("<I", args.number("length", len(context))) + context)


def qemu(m, args):
    """The device model's record; its signature has 21 bytes."""
    data = args.hex("data") or blob(args.number("size", 100), 1)
    signature = (args.plain or ["DeviceModelRecord0002"])[0].encode()
    m.add(signature)
    if signature != b"QemuDeviceModelRecord":
        m.add(struct.pack("<I", args.number("length", len(data))))
    m.add(data)


LEGACY = {
    "lg-start": start, "lg-extended-info": extended_info,
    "lg-frames": frame_list, "lg-batch": batch, "lg-verify": verify,
    "lg-vcpu-info": vcpu_info, "lg-hvm": hvm_value, "lg-tsc": tsc,
    "lg-toolstack": toolstack, "lg-last-checkpoint": marker(-9),
    "lg-enable-compression": marker(-13), "lg-compressed": compressed,
    "lg-end-chunks": marker(0), "lg-tail-pv": tail_pv,
    "lg-tail-hvm": tail_hvm, "lg-qemu": qemu,
}
