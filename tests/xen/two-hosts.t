#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Guests move between two Xen hosts: two beds at once, joined by a socket
# (tests/xen/two-hosts.sh in their dom0s). XEN_BED_TYPES: other types than PVH.
cd "$(dirname "$0")/../.." || exit 1
. tests/xen/bed.sh
[ -n "${XL_TEST_LONG:-}" ] || skip_all 'a long test (make check-xen-full)'
make_dom0
with_shadow
export XEN_BED_TIMEOUT=2400
wire=$(mktemp -d)
XEN_BED_HOST=b XEN_BED_LINK=listen:$wire/wire \
    scripts/xen-bed "$bed_dir" two-hosts.sh b >&2 &
b=$!
trap 'kill $b 2>/dev/null; rm -rf "$wire"; true' EXIT
until [ -S "$wire/wire" ]; do
    kill -0 $b || exit 1
    sleep 0.2
done
# shellcheck disable=SC2086
XEN_BED_HOST=a XEN_BED_LINK=connect:$wire/wire \
    bed two-hosts.sh a "${XEN_BED_ALL:-mixed}" ${XEN_BED_TYPES:-pvh} || exit 1
done_testing
