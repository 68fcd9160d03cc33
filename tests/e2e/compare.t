#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Live migration where neither userfaultfd nor soft-dirty bits tell what the
# guest has written to: an installation without the preload finds it by
# comparing checksums of all pages.
. "$(dirname "$0")/lib.sh"

TOUCH_MIB=96
whole="CHECK OK $((TOUCH_MIB * 256)) pages"

mkdir "$WORK/build"
cp -a "$BUILD/bin" "$BUILD/lib" "$BUILD/libexec" "$WORK/build/" # no links: xl
rm "$WORK/build/lib/xl-preload-uffd.so"                         # looks beside
BUILD=$WORK/build                                               # itself

method=$(xl info | sed -n 's/^dirty_tracking *: //p')
case $method in
soft-dirty*) skip_all "this kernel has soft-dirty bits, which come first" ;;
esac
is "the host says how, and why" "$method" \
    "comparing checksums of all pages: xl-preload-uffd.so is not installed"

GUEST_ARGS="touch=$TOUCH_MIB dirty=2500"
ok "create a guest that dirties 2,500 pages a second" start_guest guest
boot=$(boot_id guest)

for n in 1 2 3; do
    ok "migration $n" xl migrate -s "" guest "exec $BUILD/bin/xl migrate-receive"
    ok "the guest goes on" goes_on guest
    is "it finds its memory whole" "$(ask guest check CHECK)" "$whole"
done
ok "no tick is lost" sound_ticks guest "$boot"

ok "destroy" xl destroy guest
ok "no process is left" wait_for none_left
done_testing
