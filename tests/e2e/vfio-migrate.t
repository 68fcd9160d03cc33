#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Devices over vfio-user whose state the toolstack carries: a disk that is read
# and written without pause, and a demo device whose registers, timer and copy
# engine the guest uses, while the guest is saved, restored and migrated. And
# devices that fail at each step: the guest stays where it is, and runs.
. "$(dirname "$0")/lib.sh"
trixie=$BUILD/trixie
[ -e "$trixie/ready" ] || skip_all \
    "no QEMU with a vfio-user client: scripts/trixie-qemu build/trixie makes one"
[ "$(id -u)" = 0 ] || skip_all "the other QEMU runs in a chroot: root only"
XL_TEST_ROOT=$(readlink -f "$trixie")/root
XL_TEST_SHARE="$TOP $(readlink -f "$BUILD") $WORK"
export XL_TEST_ROOT XL_TEST_SHARE
image=$WORK/image disk=$WORK/disk.raw
GUEST_ARGS="touch=32 modules=virtio,blk diskload=1 demo=1"
cycles=${LONG:+20}
cycles=${cycles:-2}
qemu="device_model_override = '$TOP/tests/e2e/newer-qemu'"
vda="disk = ['vdev=vda, format=raw, backendtype=vfio-user, target=$disk']"
demo() { echo "vfio_user = ['name=demo,program=$BUILD/$1,args=$2']"; }

last() {
    local n
    n=$(grep -a "^$1 [0-9]" "$(console_log guest)" | tail -1 | tr -d '\r')
    n=${n#"$1 "}
    echo "${n%% *}"
}
reached() { [ "$(($(last "$1") + 0))" -ge "$2" ]; }
uses() { wait_for reached "$1" $(($(last "$1") + 64)); }
uses_both() { uses IO && uses DEMO; }
devices() { pgrep -cf "(--image $disk|xl-demo-pci|demo-fault) .*--lifeline-fd" || true; }

truncate -s 32M "$disk"
guest_config other "$vda"
fails "a QEMU without vfio-user is refused by the device's name" \
    'device vda.*needs QEMU 10.1' xl create "$WORK/other.cfg"

ok "create with two devices over vfio-user" start_guest guest "$qemu" "$vda" \
    "$(demo libexec/xl-demo-pci '--ballast 3000000')"
ok "the guest uses both" uses_both
is "two device processes" "$(devices)" 2

for ((i = 1; i <= cycles; i++)); do
    cat "$(console_log guest)" >>"$WORK/log"
    xl save guest "$image" >"$WORK/out" 2>&1 || break
    xl restore "$image" >"$WORK/out" 2>&1 || break
    uses_both || break
    cat "$(console_log guest)" >>"$WORK/log"
    xl migrate -s '' guest "exec $BUILD/bin/xl migrate-receive" \
        >"$WORK/out" 2>&1 || break
    uses_both || break
done
[ "$i" -gt "$cycles" ] || diag <"$WORK/out"
is "saved and restored, and migrated, $cycles times" $((i - 1)) "$cycles"
comes_to "two device processes" 2 devices
ok "the guest's memory is right" goes_on guest
is "all of it" "$(ask guest check CHECK | cut -d' ' -f2)" OK
ok "the verifier finds the image right" "$VERIFY" -f xl -i "$image"

ok "save, and stay" xl save -c guest "$image"
ok "it uses both after a checkpoint" uses_both
ok "pause" xl pause guest
cat "$(console_log guest)" >>"$WORK/log"
ok "every acknowledged write is in the image" \
    "$TOP/tests/e2e/diskload.py" "$disk" "$WORK/log"
is "the demo device had nothing against it" \
    "$(grep -ac '^DEMO BAD' "$WORK/log")" 0
ok "unpause" xl unpause guest
ok "it uses both" uses_both
ok "destroy" xl destroy guest
none() { [ "$(devices)" = 0 ]; }
ok "the device processes end with it" wait_for none

# ---- faults ----

GUEST_ARGS="touch=16"
runs_here() { goes_on guest && [ "$(xl list | grep -c '^guest ')" = 1 ]; }

# fault HOOK PATTERN [save]: a migration (or save) fails, saying so.
fault() {
    start_guest guest "$qemu" "$(demo tests/demo-fault "--hook $1")" ||
        { ok "$1: create" false; return; }
    if [ "${3:-}" = save ]; then
        fails "$1: the save fails" "$2" xl save guest "$image"
        ok "$1: no image" test ! -e "$image"
    else
        fails "$1: the migration fails" "$2" xl migrate -s '' guest \
            "exec $BUILD/bin/xl migrate-receive"
    fi
    ok "$1: the guest runs on" runs_here
    xl destroy guest
}
rm -f "$image"
fault none "device demo: it cannot be saved or migrated"
fault refuse:pre-copy "device demo refused to save live"
fault die:pre-copy "device demo"
fault refuse:stop-and-copy "device demo refused to stop"
fault die:stop-and-copy "device demo.*has ended"
fault refuse:stopped "device demo refused to stop" save
fault less "could not give its state" save
fault more "could not give its state"
fault refuse:resuming "device demo refused to load"
fault die:resuming "device demo.*has ended"
if [ -n "$LONG" ]; then
    fault die:stopped "device demo.*has ended" save
    fault less "could not give its state"
    fault more "could not give its state" save
    fault late:stop-and-copy "device demo did not answer.*within 30 s"
    fault late:pre-copy "device demo did not answer.*within 30 s"
fi
done_testing
