# SPDX-License-Identifier: GPL-2.0-or-later
"""Bodies of libxl and libxc records, for the maker of streams."""

import struct

from . import consts as c

TYPE_WORDS = {"data": 0, "zeros": 0, "L1": 1, "L2": 2, "L3": 3, "L4": 4,
              "L1p": 9, "L2p": 10, "L3p": 11, "L4p": 12,
              "broken": 13, "xalloc": 14, "xtab": 15}


def page(pfn, seed=0):
    """A page that tells its PFN, so that no two are alike."""
    first = (pfn + 1) * 0x9E3779B97F4A7C15 + seed
    return b"".join(((first + i) & (2 ** 64 - 1)).to_bytes(8, "little")
                    for i in range(512))


def blob(size, seed=0):
    """Bytes that look like something."""
    return bytes((seed + i * 7) & 0xff for i in range(size))


def parse_entries(words):
    """`PFN[-PFN]:TYPE` words: a list of (pfn, type, with zeros)."""
    entries = []
    for word in words:
        pfns, _, kind = word.partition(":")
        first, _, last = pfns.partition("-")
        value = TYPE_WORDS[kind] if kind in TYPE_WORDS else int(kind, 0)
        for pfn in range(int(first, 0), int(last or first, 0) + 1):
            entries.append((pfn, value, kind == "zeros"))
    return entries


def table(pfn, chain):
    """A page table that names nothing, or the page before its own."""
    first = (pfn - 1) << 12 | 0x67 if chain else 0
    return b"".join((i << 13 if i else first).to_bytes(8, "little")
                    for i in range(512))


def content(pfn, kind, zeros, seed, chain):
    """The page of an entry."""
    if zeros:
        return bytes(c.PAGE_SIZE)
    return table(pfn, chain) if kind else page(pfn, seed)


def page_bytes(entries, seed, chain=0):
    """The pages of those entries that have one."""
    return b"".join(content(pfn, kind, zeros, seed, chain)
                    for pfn, kind, zeros in entries if kind in c.TYPES_DATA)


def page_data(m, args):
    entries = parse_entries(args.plain)
    head = struct.pack("<II", args.number("count", len(entries)),
                       args.number("reserved"))
    high = args.number("high")
    pfns = b"".join(struct.pack("<Q", kind << 60 | high << 52 | pfn)
                    for pfn, kind, _ in entries)
    return head + pfns + page_bytes(entries, args.number("seed"),
                                    args.number("chain"))


def pv_info(m, args):
    m.width = args.number("width", 8)
    levels = args.number("levels", c.PT_LEVELS.get(m.width, 0))
    return struct.pack("<BB6s", m.width, levels, args.hex("reserved")) \
        + args.hex("more")


def p2m_frames(m, args):
    start, end = args.number("start"), args.number("end", 0xf)
    per_frame = c.PAGE_SIZE // m.width
    count = args.number("frames", end // per_frame - start // per_frame + 1)
    first = args.number("first", 0)
    return struct.pack("<II", start, end) + b"".join(
        struct.pack("<Q", first + i) for i in range(count))


def vcpu_basic(m, args):
    """Registers that name start info, no GDT, and a page table."""
    size = args.number("size", c.VCPU_BASIC_SIZE.get(m.width, 0))
    data = bytearray(blob(size))
    values = {"start_info": args.number("start"), "gdt_ents": 0, "cr1": 0,
              "cr3": args.number("top", 1) << 12}
    for name, at in c.VCPU_BASIC_FIELDS.get(m.width, {}).items():
        if at + m.width <= size:
            data[at:at + m.width] = values[name].to_bytes(m.width, "little")
    return struct.pack("<II", args.number("id"),
                       args.number("reserved")) + bytes(data)


def vcpu(default):
    def build(m, args):
        size = args.number("size", default(m))
        return struct.pack("<II", args.number("id"),
                           args.number("reserved")) + blob(size)
    return build


def vcpu_msrs(m, args):
    return struct.pack("<II", args.number("id"), args.number("reserved")) \
        + b"".join(struct.pack("<IIQ", 0xc0000080 + i, args.number("flags"),
                               i) for i in range(args.number("count", 1)))


def shared_info(m, args):
    return blob(args.number("size", c.PAGE_SIZE))


def tsc_info(m, args):
    return struct.pack(
        "<IIQII", args.number("mode"), args.number("khz", 2300000),
        args.number("nsec", 1000000000), args.number("incarnation", 1),
        args.number("reserved"))


def hvm_context(m, args):
    return blob(args.number("size", 64))


def hvm_params(m, args):
    count, reserved = args.text("count"), args.number("reserved")
    many = args.number("many")
    for framing in ("length", "type", "pad", "body"):
        args.text(framing)
    pairs = [(int(k, 0), int(v, 0)) for k, v in args.rest().items()]
    pairs += [(1000 + i, i) for i in range(many)]
    return struct.pack("<II", len(pairs) if count is None else int(count, 0),
                       reserved) \
        + b"".join(struct.pack("<QQ", *pair) for pair in pairs)


def cpuid_policy(m, args):
    return b"".join(struct.pack("<6I", i, 0xffffffff, i, 2, 3, 4)
                    for i in range(args.number("count", 2)))


def msr_policy(m, args):
    return b"".join(struct.pack("<IIQ", 0xce + i, args.number("flags"), i)
                    for i in range(args.number("count", 1)))


def pfn_list(m, args):
    return b"".join(struct.pack("<Q", int(w, 0)) for w in args.plain)


def nothing(m, args):
    return b""


def opaque(m, args):
    return blob(args.number("size", 0))


LIBXC_BODIES = {
    "END": (c.XC_END, nothing),
    "PAGE_DATA": (c.XC_PAGE_DATA, page_data),
    "X86_PV_INFO": (c.XC_X86_PV_INFO, pv_info),
    "X86_PV_P2M_FRAMES": (c.XC_X86_PV_P2M_FRAMES, p2m_frames),
    "X86_PV_VCPU_BASIC": (c.XC_X86_PV_VCPU_BASIC, vcpu_basic),
    "X86_PV_VCPU_EXTENDED": (c.XC_X86_PV_VCPU_EXTENDED, vcpu(lambda m: 64)),
    "X86_PV_VCPU_XSAVE": (c.XC_X86_PV_VCPU_XSAVE, vcpu(lambda m: 592)),
    "SHARED_INFO": (c.XC_SHARED_INFO, shared_info),
    "X86_TSC_INFO": (c.XC_X86_TSC_INFO, tsc_info),
    "HVM_CONTEXT": (c.XC_HVM_CONTEXT, hvm_context),
    "HVM_PARAMS": (c.XC_HVM_PARAMS, hvm_params),
    "TOOLSTACK": (c.XC_TOOLSTACK, opaque),
    "X86_PV_VCPU_MSRS": (c.XC_X86_PV_VCPU_MSRS, vcpu_msrs),
    "VERIFY": (c.XC_VERIFY, nothing),
    "CHECKPOINT": (c.XC_CHECKPOINT, nothing),
    "CHECKPOINT_DIRTY_PFN_LIST": (c.XC_CHECKPOINT_DIRTY_PFN_LIST, pfn_list),
    "STATIC_DATA_END": (c.XC_STATIC_DATA_END, nothing),
    "X86_CPUID_POLICY": (c.XC_X86_CPUID_POLICY, cpuid_policy),
    "X86_MSR_POLICY": (c.XC_X86_MSR_POLICY, msr_policy),
    "OPTIONAL": (c.REC_OPTIONAL | 1, opaque),
}


def emulator_context(m, args):
    return struct.pack("<II", args.number("id", c.EMULATOR_QEMU),
                       args.number("index")) + blob(args.number("size", 100))


def emulator_xenstore_data(m, args):
    data = b"".join(w.encode() + b"\0" for w in args.plain)
    data += b"".join(b"physmap/%x/size\0001\0" % i
                     for i in range(args.number("many")))
    if args.text("long") is not None:
        data += b"physmap/0/name\0" + b"x" * args.number("long") + b"\0"
    return struct.pack("<II", args.number("id", c.EMULATOR_QEMU),
                       args.number("index")) + data + args.hex("more")


def checkpoint_state(m, args):
    return struct.pack("<I", args.number("state"))


LIBXL_BODIES = {
    "END": (c.LX_END, nothing),
    "LIBXC_CONTEXT": (c.LX_LIBXC_CONTEXT, nothing),
    "EMULATOR_XENSTORE_DATA": (c.LX_EMULATOR_XENSTORE_DATA,
                               emulator_xenstore_data),
    "EMULATOR_CONTEXT": (c.LX_EMULATOR_CONTEXT, emulator_context),
    "CHECKPOINT_END": (c.LX_CHECKPOINT_END, nothing),
    "CHECKPOINT_STATE": (c.LX_CHECKPOINT_STATE, checkpoint_state),
    "OPTIONAL": (c.REC_OPTIONAL | 1, opaque),
}
