# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash disable=SC1091,SC2154
# images.sh IMAGE...: in dom0, by hand: images of guests that say something now
# and then on their console, restored by our xl. Each must go on talking.
#
#   XEN_BED_FILES='DIR/pv.save DIR/hvm.save' \
#       scripts/xen-bed build/xen images.sh pv.save hvm.save
#
# Other guests than the test's may be in them, so their memory is not checked.
# An HVM guest's configuration names its kernel and perhaps its device model:
# both are wanted where it says.
. /mnt/host/lib.sh
. /mnt/host/xl.sh
need_ours

lines() { cat "$logs"/guest-*.log 2>/dev/null | grep -c .; }

talks() {
    local i=0 more
    more=$(($(lines) + 3))
    while [ "$(lines)" -lt $more ]; do
        i=$((i + 1))
        [ $i -lt 900 ] || return 1
        sleep 0.1
    done
    tail -n 3 "$logs"/guest-*.log
}

restored() { # IMAGE
    run_xl ours restore "$share/$1" && talks
}

for image in "$@"; do
    ok "$image: our xl restores it, and its guest goes on" restored "$image"
    sed 's/^/# /' /tmp/ok.log
    xl list | awk 'NR > 2 { print $2 }' | while read -r id; do
        xl destroy "$id"
    done
    rm -f "$logs"/guest-*.log
done
done_testing
