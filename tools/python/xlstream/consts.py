# SPDX-License-Identifier: GPL-2.0-or-later
"""Numbers and names of the formats (docs/specs has the meaning)."""

XL_MAGIC = b"Xen saved domain, xl format\n \0 \r"
XL_BYTEORDER = 0x01020304
XL_JSON = 1 << 0
XL_STREAM_V2 = 1 << 1
XL_QEMU_HOST = 1 << 30
XL_ZERO_XALLOC = 1 << 31
XL_KNOWN = XL_JSON | XL_STREAM_V2 | XL_QEMU_HOST | XL_ZERO_XALLOC
XL_OPT_BACK_CHANNEL = 1 << 31
XL_OPTIONAL_MAX = 16 << 20

LIBXL_IDENT = b"LibxlFmt"
LIBXL_VERSION = 2
LIBXL_BIG_ENDIAN = 1 << 0
LIBXL_CONVERTED = 1 << 1

REC_OPTIONAL = 1 << 31

LX_END = 0
LX_LIBXC_CONTEXT = 1
LX_EMULATOR_XENSTORE_DATA = 2
LX_EMULATOR_CONTEXT = 3
LX_CHECKPOINT_END = 4
LX_CHECKPOINT_STATE = 5
LIBXL_NAMES = {
    LX_END: "END",
    LX_LIBXC_CONTEXT: "LIBXC_CONTEXT",
    LX_EMULATOR_XENSTORE_DATA: "EMULATOR_XENSTORE_DATA",
    LX_EMULATOR_CONTEXT: "EMULATOR_CONTEXT",
    LX_CHECKPOINT_END: "CHECKPOINT_END",
    LX_CHECKPOINT_STATE: "CHECKPOINT_STATE",
}
EMULATOR_UNKNOWN, EMULATOR_TRADITIONAL, EMULATOR_QEMU = 0, 1, 2
EMULATOR_NAMES = {0: "unknown", 1: "qemu-traditional", 2: "qemu"}
CHECKPOINT_STATES = ("NEW", "SVM_SUSPENDED", "SVM_READY", "SVM_RESUMED")
# Lengths that a reader is ready to take (body without padding).
LIBXL_SKIPPED_MAX = 64 << 20  # an unknown optional record
EMULATOR_CONTEXT_MAX = 256 << 20
XENSTORE_DATA_MAX = 1 << 20

XC_MARKER = b"\xff" * 8
XC_ID = 0x58454E46
XC_BIG_ENDIAN = 1 << 0
XC_RECORD_MAX = 128 << 20
PV, HVM = 1, 2
GUEST_NAMES = {PV: "x86 PV", HVM: "x86 HVM"}

XC_END = 0x00
XC_PAGE_DATA = 0x01
XC_X86_PV_INFO = 0x02
XC_X86_PV_P2M_FRAMES = 0x03
XC_X86_PV_VCPU_BASIC = 0x04
XC_X86_PV_VCPU_EXTENDED = 0x05
XC_X86_PV_VCPU_XSAVE = 0x06
XC_SHARED_INFO = 0x07
XC_X86_TSC_INFO = 0x08
XC_HVM_CONTEXT = 0x09
XC_HVM_PARAMS = 0x0A
XC_TOOLSTACK = 0x0B
XC_X86_PV_VCPU_MSRS = 0x0C
XC_VERIFY = 0x0D
XC_CHECKPOINT = 0x0E
XC_CHECKPOINT_DIRTY_PFN_LIST = 0x0F
XC_STATIC_DATA_END = 0x10
XC_X86_CPUID_POLICY = 0x11
XC_X86_MSR_POLICY = 0x12
LIBXC_NAMES = {
    value: name[3:] for name, value in list(globals().items())
    if name.startswith("XC_") and name not in (
        "XC_MARKER", "XC_ID", "XC_BIG_ENDIAN", "XC_RECORD_MAX")
}

PAGE_SIZE = 4096
PAGE_DATA_MAX = 32704  # entries of a record
PFN_BITS = 52
PFN_MASK = (1 << PFN_BITS) - 1
# Page type nibbles.
TYPE_BROKEN, TYPE_XALLOC, TYPE_XTAB = 0xD, 0xE, 0xF
TYPES_BAD = frozenset((5, 6, 7, 8))
TYPES_DATA = frozenset((0, 1, 2, 3, 4, 9, 10, 11, 12))
TYPE_NAMES = {
    0: "data", 1: "L1", 2: "L2", 3: "L3", 4: "L4", 9: "L1 pinned",
    10: "L2 pinned", 11: "L3 pinned", 12: "L4 pinned", 13: "broken",
    14: "zero", 15: "absent",
}
VCPU_BASIC_SIZE = {8: 0x1430, 4: 0xAF0}
VCPU_BASIC_FIELDS = {
    8: {"start_info": 616, "gdt_ents": 4960, "cr1": 4992, "cr3": 5008},
    4: {"start_info": 524, "gdt_ents": 2704, "cr3": 2728}}
VCPU_XSAVE_MAX = 65536
VCPU_MSRS_MAX = 1024
PT_LEVELS = {8: 4, 4: 3}
VCPU_MAX = 8192

HVM_PARAMS_MAX = 1024
# Parameters that name a page which the reader clears.
HVM_PARAMS_PFN = frozenset((1, 5, 6, 17))
HVM_PARAM_NAMES = {
    1: "STORE_PFN", 4: "PAE_ENABLED", 5: "IOREQ_PFN", 6: "BUFIOREQ_PFN",
    9: "VIRIDIAN", 12: "IDENT_PT", 15: "VM86_TSS", 17: "CONSOLE_PFN",
    19: "ACPI_IOPORTS_LOCATION", 27: "PAGING_RING_PFN",
    28: "MONITOR_RING_PFN", 29: "SHARING_RING_PFN", 32: "IOREQ_SERVER_PFN",
    33: "NR_IOREQ_SERVER_PAGES", 34: "VM_GENERATION_ID_ADDR",
    36: "X87_FIP_WIDTH", 37: "VM86_TSS_SIZED", 38: "MCA_CAP",
}


def record_name(names, rec_type):
    """The record's name, or a description of an unknown type."""
    if rec_type in names:
        return names[rec_type]
    kind = "optional" if rec_type & REC_OPTIONAL else "mandatory"
    return "unknown %s type 0x%08x" % (kind, rec_type)
