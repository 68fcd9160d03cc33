#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# PV, PVH and HVM guests between our xl and Debian's, on a Xen hypervisor:
# tests/xen/matrix.sh in its dom0. Then both verifiers look at the images.
# XEN_BED_ALL=theirs: Debian's xl alone; XEN_BED_TYPES: other types of guests.
cd "$(dirname "$0")/../.." || exit 1
. tests/xen/bed.sh

their_verifier() {
    PYTHONPATH=/usr/lib/xen-4.17/lib/python /usr/bin/python3 \
        /usr/lib/xen-4.17/bin/verify-stream-v2 -f xl -i "$1"
}

our_verifier() { tools/python/scripts/verify-stream-v2 -f xl -i "$1"; }

# Beside the bed of guests.t.
export XEN_BED_HOST=b
make_dom0
with_shadow
# shellcheck disable=SC2086
XEN_BED_TIMEOUT=1500 bed matrix.sh "${XEN_BED_ALL:-mixed}" \
    ${XEN_BED_TYPES:-pv pvh hvm} || exit 1
for image in "$bed_dir"/share-b/out/*.save; do
    [ -e "$image" ] || continue
    name=$(basename "$image")
    ok "Debian's verifier accepts $name" their_verifier "$image"
    ok "ours accepts $name" our_verifier "$image"
    rm -f "$image"
done
done_testing
