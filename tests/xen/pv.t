#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A PV guest on a Xen hypervisor (tests/xen/pv.sh runs in its dom0).
cd "$(dirname "$0")/../.." || exit 1
exec scripts/xen-bed "$XL_BUILD/xen" pv.sh
