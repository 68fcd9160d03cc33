#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What goes wrong around a guest on a Xen hypervisor: tests/xen/faults.sh in
# dom0. XEN_BED_TYPES: other types of guests than PVH.
cd "$(dirname "$0")/../.." || exit 1
. tests/xen/bed.sh
[ -n "${XL_TEST_LONG:-}" ] || skip_all 'a long test (make check-xen-full)'
make_dom0
with_shadow
legacy=$(mktemp -d)
trap 'rm -rf "$legacy"' EXIT
tests/xen/make-legacy "$legacy/legacy.save" || exit 1
export XEN_BED_FILES=$legacy/legacy.save
# shellcheck disable=SC2086
XEN_BED_TIMEOUT=1200 bed faults.sh ${XEN_BED_TYPES:-pvh} || exit 1
done_testing
