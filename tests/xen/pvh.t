#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A PVH guest on a Xen hypervisor (tests/xen/pvh.sh runs in its dom0).
cd "$(dirname "$0")/../.." || exit 1
. tests/xen/bed.sh
[ -n "${XL_TEST_LONG:-}" ] || skip_all 'a long test (make check-xen-full)'
make_dom0
bed pvh.sh || exit 1
done_testing
