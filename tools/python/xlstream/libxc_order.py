# SPDX-License-Identifier: GPL-2.0-or-later
"""Which libxc record may stand where (docs/specs/libxc-stream.md, Order)."""

from . import consts as c

POLICY = frozenset((c.XC_X86_CPUID_POLICY, c.XC_X86_MSR_POLICY))
STATIC = POLICY | {c.XC_X86_PV_INFO}
VERSION_3 = POLICY | {c.XC_STATIC_DATA_END}
MEMORY = frozenset((c.XC_X86_PV_P2M_FRAMES, c.XC_PAGE_DATA, c.XC_VERIFY))
VCPU = frozenset((
    c.XC_X86_PV_VCPU_BASIC, c.XC_X86_PV_VCPU_EXTENDED,
    c.XC_X86_PV_VCPU_XSAVE, c.XC_X86_PV_VCPU_MSRS))
PV_ONLY = VCPU | {c.XC_X86_PV_INFO, c.XC_X86_PV_P2M_FRAMES, c.XC_SHARED_INFO}
HVM_ONLY = frozenset((c.XC_HVM_CONTEXT, c.XC_HVM_PARAMS))
STATE = HVM_ONLY | VCPU | {c.XC_SHARED_INFO}
XEN_ONLY = HVM_ONLY | {c.XC_X86_TSC_INFO} | POLICY
ONCE = STATIC | {c.XC_VERIFY, c.XC_HVM_CONTEXT, c.XC_SHARED_INFO}
NEEDS_PV_INFO = PV_ONLY - {c.XC_X86_PV_INFO} | {c.XC_PAGE_DATA, c.XC_END,
                                                c.XC_CHECKPOINT}
NEEDS_P2M = VCPU | {c.XC_PAGE_DATA, c.XC_END, c.XC_CHECKPOINT}


class Order:
    """The table as an automaton: seen is all it remembers."""

    def __init__(self, guest):
        self.guest = guest
        self.seen = set()
        self.static = True   # static data may still come
        self.state = False   # state records have come

    def check(self, rec):
        """Refuse rec if it may not come now; else remember it."""
        kind = rec.type
        if kind not in c.LIBXC_NAMES:
            return
        self._belongs(rec, kind)
        if kind in ONCE and kind in self.seen:
            rec.fail("libxc.order.twice", "a second %s", rec.name)
        self._static(rec, kind)
        if kind in MEMORY and self.state:
            rec.fail("libxc.order.memory_late",
                     "%s behind the guest's state", rec.name)
        self.state = self.state or kind in STATE
        if self.guest.type == c.PV:
            self._pv(rec, kind)
        if kind == c.XC_CHECKPOINT and self.guest.plain:
            rec.fail("libxc.order.checkpoint",
                     "CHECKPOINT in a plain stream")
        if kind in (c.XC_END, c.XC_CHECKPOINT):
            self._complete(rec)
        self.seen.add(kind)
        if kind == c.XC_CHECKPOINT:
            self._next_round()

    def _next_round(self):
        """Behind a checkpoint, memory and state come again."""
        self.state = False
        self.seen -= STATE | {c.XC_VERIFY}

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
        if kind in VERSION_3 and self.guest.version < 3:
            rec.fail("libxc.order.version", "%s in a version 2 stream",
                     rec.name)
        if kind == c.XC_STATIC_DATA_END and not self.static:
            rec.fail("libxc.order.static_data_end_twice",
                     "a second STATIC_DATA_END")
        if kind in STATIC and not self.static:
            rec.fail("libxc.order.static_data_late",
                     "%s after the end of static data", rec.name)
        if kind in STATIC:
            return
        if self.static and self.guest.version >= 3 \
                and kind != c.XC_STATIC_DATA_END:
            rec.fail("libxc.order.static_data_end_missing",
                     "%s before STATIC_DATA_END", rec.name)
        self.static = False

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
