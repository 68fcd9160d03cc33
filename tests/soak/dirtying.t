#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A guest with two processors that writes to memory and disk all the time, saved
# while it runs (-c), saved and restored, many times over.
. "$(dirname "$0")/../e2e/lib.sh"
image=$WORK/image
ROUNDS=10
[ -z "$LONG" ] || ROUNDS=100
GUEST_MEMORY=512
GUEST_ARGS="touch=128 dirty=5000 modules=button,virtio,blk"

qemu-img create -q -f qcow2 "$WORK/disk.qcow2" 16M

round() { # number
    local said
    xl save -c guest "$image" || return 1
    "$VERIFY" -f xl -i "$image" || return 1
    said=$(ask guest "disk-write round $1" DISK-WRITE) || return 1
    [ "$said" = "DISK-WRITE OK" ] || { echo "$said"; return 1; }
    xl save guest "$image" || return 1
    xl restore "$image" || return 1
    said=$(ask guest disk 'DISK ') || return 1
    [ "$said" = "DISK round $1" ] || { echo "$said"; return 1; }
    goes_on guest || return 1
    sound_ticks guest "$boot"
}

ok "create" start_guest guest "vcpus = 2" \
    "disk = ['format=qcow2, vdev=xvda, access=rw, target=$WORK/disk.qcow2']"
boot=$(boot_id guest)
failed=0
for n in $(seq "$ROUNDS"); do
    round "$n" >"$WORK/out" 2>&1 && continue
    failed=$n
    break
done
is "$ROUNDS rounds" "$failed" 0 || diag <"$WORK/out"
is "the guest finds its memory whole" "$(ask guest check CHECK)" \
    "CHECK OK 32768 pages"
ok "destroy" xl destroy guest
is "nothing is left" "$(wait_for none_left; own_processes)" ""
done_testing
