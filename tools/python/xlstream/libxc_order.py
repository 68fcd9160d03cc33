# SPDX-License-Identifier: GPL-2.0-or-later
"""Which libxc record may stand where (docs/specs/libxc-stream.md, Order)."""

from . import consts as c

STATIC = frozenset((c.XC_X86_CPUID_POLICY, c.XC_X86_MSR_POLICY))
VERSION_3 = STATIC | {c.XC_STATIC_DATA_END}
AFTER_STATIC = frozenset((
    c.XC_X86_PV_P2M_FRAMES, c.XC_PAGE_DATA, c.XC_VERIFY, c.XC_CHECKPOINT,
    c.XC_END))
VCPU = frozenset((
    c.XC_X86_PV_VCPU_BASIC, c.XC_X86_PV_VCPU_EXTENDED,
    c.XC_X86_PV_VCPU_XSAVE, c.XC_X86_PV_VCPU_MSRS))
PV_ONLY = VCPU | {c.XC_X86_PV_INFO, c.XC_X86_PV_P2M_FRAMES, c.XC_SHARED_INFO}
HVM_ONLY = frozenset((c.XC_HVM_CONTEXT, c.XC_HVM_PARAMS))
XEN_ONLY = HVM_ONLY | {c.XC_X86_TSC_INFO} | STATIC
ONCE = STATIC | {c.XC_X86_PV_INFO}
NEEDS_PV_INFO = PV_ONLY - {c.XC_X86_PV_INFO} | {c.XC_PAGE_DATA, c.XC_END,
                                                c.XC_CHECKPOINT}
NEEDS_P2M = VCPU | {c.XC_PAGE_DATA, c.XC_END, c.XC_CHECKPOINT}


class Order:
    """The table as an automaton: seen is all it remembers."""

    def __init__(self, guest):
        self.guest = guest
        self.seen = set()

    def check(self, rec):
        """Refuse rec if it may not come now; else remember it."""
        kind = rec.type
        self._belongs(rec, kind)
        self._static(rec, kind)
        if kind in ONCE and kind in self.seen:
            rec.fail("libxc.order.twice", "a second %s", rec.name)
        if self.guest.type == c.PV:
            self._pv(rec, kind)
        if kind == c.XC_CHECKPOINT and self.guest.plain:
            rec.fail("libxc.order.checkpoint",
                     "CHECKPOINT in a plain stream")
        if kind in (c.XC_END, c.XC_CHECKPOINT):
            self._complete(rec)
        self.seen.add(kind)

    def _belongs(self, rec, kind):
        """Is it for this guest, host and direction?"""
        guest = self.guest
        if kind in PV_ONLY and guest.type != c.PV:
            rec.fail("libxc.order.guest", "%s in the stream of an HVM guest",
                     rec.name)
        if kind in HVM_ONLY and guest.type != c.HVM:
            rec.fail("libxc.order.guest", "%s in the stream of a PV guest",
                     rec.name)
        if kind in XEN_ONLY and guest.qemu_host:
            rec.fail("libxc.order.host", "%s in an image of a QEMU host",
                     rec.name)
        if kind == c.XC_CHECKPOINT_DIRTY_PFN_LIST:
            rec.fail("libxc.order.back_channel",
                     "%s belongs to the back channel", rec.name)

    def _static(self, rec, kind):
        """Static data, their end, and what must wait for it."""
        done = c.XC_STATIC_DATA_END in self.seen
        if self.guest.version < 3:
            if kind in VERSION_3:
                rec.fail("libxc.order.version", "%s in a version 2 stream",
                         rec.name)
            return
        if kind == c.XC_STATIC_DATA_END and done:
            rec.fail("libxc.order.static_data_end_twice",
                     "a second STATIC_DATA_END")
        if kind in STATIC and done:
            rec.fail("libxc.order.static_data_late",
                     "%s after STATIC_DATA_END", rec.name)
        if kind in AFTER_STATIC and not done:
            rec.fail("libxc.order.static_data_end_missing",
                     "%s before STATIC_DATA_END", rec.name)

    def _pv(self, rec, kind):
        """PV_INFO, then P2M_FRAMES, then the rest."""
        if kind in NEEDS_PV_INFO and c.XC_X86_PV_INFO not in self.seen:
            rec.fail("libxc.order.pv_info_missing", "%s before X86_PV_INFO",
                     rec.name)
        if kind in NEEDS_P2M and c.XC_X86_PV_P2M_FRAMES not in self.seen:
            rec.fail("libxc.order.p2m_frames_missing",
                     "%s before X86_PV_P2M_FRAMES", rec.name)

    def _complete(self, rec):
        """A guest can be made of what has come."""
        needed = ()
        if self.guest.type == c.PV:
            needed = (c.XC_X86_PV_VCPU_BASIC, c.XC_SHARED_INFO)
        elif self.guest.host == "xen":
            needed = (c.XC_HVM_CONTEXT,)
        for kind in needed:
            if kind not in self.seen:
                rec.fail("libxc.order.incomplete", "%s without %s", rec.name,
                         c.LIBXC_NAMES[kind])
