# SPDX-License-Identifier: GPL-2.0-or-later
"""The bodies of libxc's records, one function each, and their table."""

import struct

from . import consts as c
from .page_data import SLICE, entries_of


def marker(rec, guest, sink):
    """A record without a body."""
    if rec.length:
        rec.fail("libxc.marker.length", "%s has no body, but a length of %d",
                 rec.name, rec.length)


def exact(rec, size, check):
    """The body has one legal size."""
    if rec.length != size:
        rec.fail(check, "length %d, not %d", rec.length, size)


def items(rec, size, check, least=0):
    """What is left of the body is an array of `size`-byte items."""
    if rec.left % size or rec.left < least * size:
        rec.fail(check, "%d bytes are no array of %d-byte items", rec.left,
                 size)
    return rec.left // size


def pv_info(rec, guest, sink):
    """Guest width and page table levels."""
    width, levels, *reserved = rec.unpack("<8B", "libxc.pv_info.length")
    if c.PT_LEVELS.get(width) != levels:
        rec.fail("libxc.pv_info.width", "width %d with %d page table levels",
                 width, levels)
    rec.strict(not any(reserved), "libxc.pv_info.reserved",
               "reserved bytes are not zero")
    rec.strict(not rec.left, "libxc.pv_info.long", "length %d, not 8",
               rec.length)
    guest.width = width
    rec.notes.append("%d-bit guest, %d page table levels"
                     % (8 * width, levels))


def p2m_frames(rec, guest, sink):
    """The frames of the p2m itself, and by that the size of the guest."""
    start, end = rec.unpack("<II", "libxc.p2m_frames.length")
    if start > end:
        rec.fail("libxc.p2m_frames.range", "0x%x to 0x%x is no range", start,
                 end)
    per_frame = c.PAGE_SIZE // guest.width
    wanted = end // per_frame - start // per_frame + 1
    if rec.left != 8 * wanted:
        rec.fail("libxc.p2m_frames.length", "%d bytes for %d frames",
                 rec.left, wanted)
    if guest.domain_pfns is not None and end >= guest.domain_pfns:
        rec.fail("libxc.p2m_frames.end", "the range ends at 0x%x, the domain "
                 "at 0x%x", end, guest.domain_pfns)
    guest.nr_pfns = max(guest.nr_pfns or 0, end + 1)
    for view in rec.chunks(SLICE):
        worst = max(entries_of(view))
        if worst >= guest.nr_pfns:
            rec.fail("libxc.p2m_frames.pfn_range", "frame 0x%x, the guest "
                     "has 0x%x", worst, guest.nr_pfns)
    rec.notes.append("PFNs 0x%x to 0x%x" % (start, end))


def vcpu(rec, guest, what):
    """The number in front of each vCPU record."""
    ident, reserved = rec.unpack("<II", "libxc.vcpu_%s.length" % what)
    most = guest.max_vcpus or c.VCPU_MAX
    if ident >= most:
        rec.fail("libxc.vcpu.id", "vCPU %d, the guest has %d", ident, most)
    rec.strict(not reserved, "libxc.vcpu.reserved",
               "reserved field is 0x%x", reserved)
    rec.notes.append("vCPU %d, %d bytes" % (ident, rec.left))
    return ident


def vcpu_basic(rec, guest, sink):
    """Registers; an empty one is tolerated."""
    ident = vcpu(rec, guest, "basic")
    size = c.VCPU_BASIC_SIZE[guest.width]
    if rec.left not in (0, size):
        rec.fail("libxc.vcpu_basic.length", "%d bytes, not %d", rec.left,
                 size)
    if ident == 0 and rec.left:
        guest.vcpu0 = True


def vcpu_extended(rec, guest, sink):
    """Syscall entry points and MCE state."""
    vcpu(rec, guest, "extended")
    if rec.left > 128:
        rec.fail("libxc.vcpu_extended.length", "%d bytes, at most 128",
                 rec.left)


def vcpu_xsave(rec, guest, sink):
    """Starts with xcr0 and xcr0_accum."""
    vcpu(rec, guest, "xsave")
    if 0 < rec.left < 16 or rec.left > c.VCPU_XSAVE_MAX:
        rec.fail("libxc.vcpu_xsave.length", "%d bytes, not 16 to %d",
                 rec.left, c.VCPU_XSAVE_MAX)


def vcpu_msrs(rec, guest, sink):
    """Index, reserved, value."""
    vcpu(rec, guest, "msrs")
    count = items(rec, 16, "libxc.vcpu_msrs.length")
    if count > c.VCPU_MSRS_MAX:
        rec.fail("libxc.vcpu_msrs.count_max", "%d MSRs, at most %d are "
                 "accepted", count, c.VCPU_MSRS_MAX)
    for view in rec.chunks(SLICE):
        check_zero_words(rec, view, "<4xI8x", "libxc.vcpu_msrs.reserved")


def check_zero_words(rec, view, fmt, check):
    """A field of every item is zero."""
    bad = [x for x, in struct.iter_unpack(fmt, view) if x]
    if bad:
        rec.strict(False, check, "reserved field is 0x%x", bad[0])


def shared_info(rec, guest, sink):
    """The raw page."""
    exact(rec, c.PAGE_SIZE, "libxc.shared_info.length")


def tsc_info(rec, guest, sink):
    """Mode and state of the guest's clock."""
    exact(rec, 24, "libxc.tsc_info.length")
    mode, khz, nsec, incarnation, reserved = rec.unpack(
        "<IIQII", "libxc.tsc_info.length")
    rec.strict(not reserved, "libxc.tsc_info.reserved",
               "reserved field is 0x%x", reserved)
    rec.notes.append("mode %d, %d kHz, %d ns, incarnation %d"
                     % (mode, khz, nsec, incarnation))


def hvm_context(rec, guest, sink):
    """Opaque, but not nothing."""
    if not rec.length:
        rec.fail("libxc.hvm_context.length", "an empty HVM_CONTEXT")


def hvm_params(rec, guest, sink):
    """Pairs of index and value; none at all is tolerated."""
    count, reserved = rec.unpack("<II", "libxc.hvm_params.length")
    rec.strict(not reserved, "libxc.hvm_params.reserved",
               "reserved field is 0x%x", reserved)
    if rec.left != 16 * count:
        rec.fail("libxc.hvm_params.length", "%d bytes for %d parameters",
                 rec.left, count)
    if count > c.HVM_PARAMS_MAX:
        rec.fail("libxc.hvm_params.count_max", "%d parameters, at most %d "
                 "are accepted", count, c.HVM_PARAMS_MAX)
    for index, value in struct.iter_unpack("<QQ", rec.read(rec.left)):
        name = c.HVM_PARAM_NAMES.get(index, index)
        rec.notes.append("%s = 0x%x" % (name, value))
        if index in c.HVM_PARAMS_PFN and guest.nr_pfns is not None \
                and value >= guest.nr_pfns:
            rec.fail("libxc.hvm_params.pfn", "%s names PFN 0x%x, the guest "
                     "has 0x%x", name, value, guest.nr_pfns)


def cpuid_policy(rec, guest, sink):
    """Leaves of six words."""
    n = items(rec, 24, "libxc.cpuid_policy.length", 1)
    rec.notes.append("%d leaves" % n)


def msr_policy(rec, guest, sink):
    """Index, flags (none defined), value."""
    n = items(rec, 16, "libxc.msr_policy.length", 1)
    rec.notes.append("%d MSRs" % n)
    for view in rec.chunks(SLICE):
        check_zero_words(rec, view, "<4xI8x", "libxc.msr_policy.flags")


BODIES = {
    c.XC_END: marker,
    c.XC_X86_PV_INFO: pv_info,
    c.XC_X86_PV_P2M_FRAMES: p2m_frames,
    c.XC_X86_PV_VCPU_BASIC: vcpu_basic,
    c.XC_X86_PV_VCPU_EXTENDED: vcpu_extended,
    c.XC_X86_PV_VCPU_XSAVE: vcpu_xsave,
    c.XC_SHARED_INFO: shared_info,
    c.XC_X86_TSC_INFO: tsc_info,
    c.XC_HVM_CONTEXT: hvm_context,
    c.XC_HVM_PARAMS: hvm_params,
    c.XC_X86_PV_VCPU_MSRS: vcpu_msrs,
    c.XC_VERIFY: marker,
    c.XC_CHECKPOINT: marker,
    c.XC_STATIC_DATA_END: marker,
    c.XC_X86_CPUID_POLICY: cpuid_policy,
    c.XC_X86_MSR_POLICY: msr_policy,
}
