#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Guests with disks, a network card, two CPUs, less memory than they had, and
# one that does not suspend, on a Xen hypervisor: tests/xen/guests.sh in dom0.
cd "$(dirname "$0")/../.." || exit 1
. tests/xen/bed.sh
# What takes long: make check-xen-full.
short='qcow loop small grows made hot stuck again'
[ -n "${XL_TEST_LONG:-}" ] || : "${XEN_BED_GUESTS:=$short}"
make_dom0
with_shadow
# shellcheck disable=SC2086
XEN_BED_TIMEOUT=1200 bed guests.sh "${XEN_BED_ALL:-mixed}" ${XEN_BED_GUESTS:-} ||
    exit 1
done_testing
