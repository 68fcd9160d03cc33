# SPDX-License-Identifier: GPL-2.0-or-later
"""What a stream has said so far about its guest."""

from . import consts as c


class Guest:
    """Facts that one record states and a later one is checked against."""

    def __init__(self, host=None, nr_pfns=None, plain=False):
        self.host = host        # "xen", "qemu", or None: nobody said
        self.nr_pfns = nr_pfns  # first PFN that cannot exist; None: unknown
        self.domain_pfns = None  # PV: what the new domain allows
        self.plain = plain      # checkpointed streams are refused
        self.type = None
        self.width = None       # bytes, PV
        self.max_vcpus = None
        self.vcpu0 = False      # its registers have come
        self.checkpoints = 0    # complete ones
        self.xen = None         # (major, minor)
        self.version = None

    def is_pv(self):
        """Its records tell its size, within what the domain allows."""
        self.domain_pfns, self.nr_pfns = self.nr_pfns, None

    @property
    def qemu_host(self):
        """PFNs are page indices of a RAM file; no hypervisor state."""
        return self.host == "qemu"

    def learn_xl(self, header):
        """From the xl header and the configuration in it."""
        self.host = self.host or ("qemu" if header.qemu_host else "xen")
        info = (header.json or {}).get("b_info")
        if not isinstance(info, dict):
            return
        vcpus, memory = info.get("max_vcpus"), info.get("max_memkb")
        if isinstance(vcpus, int) and 0 < vcpus <= c.VCPU_MAX:
            self.max_vcpus = vcpus
        if self.qemu_host and self.nr_pfns is None \
                and isinstance(memory, int) and memory > 0:
            self.nr_pfns = memory // 4
