#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The legacy virtio register file, served over vfio-user to a QEMU that has a
# client for it: SeaBIOS boots from it, and Linux writes to it.
. "$(dirname "$0")/lib.sh"
trixie=$BUILD/trixie
[ -e "$trixie/ready" ] || skip_all \
    "no QEMU with a vfio-user client: scripts/trixie-qemu build/trixie makes one"
[ "$(id -u)" = 0 ] || skip_all "the other QEMU runs in a chroot: root only"
disk=$WORK/disk.raw
share=$(mktemp -d "$trixie/root/tmp/xl-e2e.XXXXXX")
inside=/tmp/$(basename "$share")
qemu=0 blkd=0
end_both() {
    [ $qemu = 0 ] || kill -9 $qemu 2>/dev/null
    [ $blkd = 0 ] || kill $blkd 2>/dev/null
    wait $qemu $blkd 2>/dev/null
    qemu=0 blkd=0
}
trap 'end_both; rm -rf "$share"; cleanup' EXIT

start() { # QEMU's arguments
    "$BUILD/libexec/xl-blkd" --vfio-user -i "$disk" -s "$share/socket" \
        2>"$WORK/blkd.log" &
    blkd=$!
    wait_for test -S "$share/socket"
    chroot "$trixie/root" qemu-system-x86_64 -accel tcg,thread=single \
        -nodefaults -no-user-config -display none -m 256 -no-reboot \
        -machine q35,memory-backend=ram \
        -object memory-backend-memfd,id=ram,size=256M,share=on \
        -device '{"driver":"vfio-user-pci","bootindex":1,
                  "socket":{"path":"'"$inside"'/socket","type":"unix"}}' \
        -serial "file:$inside/console" "$@" >"$WORK/qemu.log" 2>&1 </dev/null &
    qemu=$!
}
says() { grep -aq "$1" "$share/console"; }

truncate -s 32M "$disk"
"$TOP/tests/e2e/bootsector.py" "$disk" "BOOTED FROM VFIO-USER"
start
ok "SeaBIOS reads the boot sector" wait_for says "BOOTED FROM VFIO-USER"
end_both

cp "$GUEST/vmlinuz" "$GUEST/initramfs.gz" "$share/"
rm -f "$share/console"
start -kernel "$inside/vmlinuz" -initrd "$inside/initramfs.gz" \
    -append "console=ttyS0 quiet panic=-1 tick=100 touch=16 modules=virtio,blk diskload=1"
ok "Linux writes 1,024 blocks" wait_for says '^IO 1024'
kill -STOP $qemu
ok "every acknowledged write is in the image" \
    "$TOP/tests/e2e/diskload.py" "$disk" "$share/console"
end_both
is "the device had nothing to say against them" \
    "$(grep -vc serving "$WORK/blkd.log")" 0
done_testing
