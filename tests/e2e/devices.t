#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Disks and network cards over a save and a restore.
. "$(dirname "$0")/lib.sh"
image=$WORK/image
mac=52:54:00:01:02:03
GUEST_ARGS="touch=32 modules=button,virtio,blk,net"

qemu-img create -q -f qcow2 "$WORK/disk.qcow2" 16M
ok "create with a qcow2 disk and a network card" start_guest guest \
    "disk = ['format=qcow2, vdev=xvda, access=rw, target=$WORK/disk.qcow2']" \
    "vif = ['mac=$mac, model=virtio-net']"
is "the guest writes to its disk" \
    "$(ask guest 'disk-write first' DISK-WRITE)" "DISK-WRITE OK"
is "the guest sees the MAC of the configuration" \
    "$(ask guest net 'NET eth')" "NET eth0 $mac"
fails "a second guest cannot have the same disk" 'disk.qcow2|lock' bash -c "
    sed 's/^name.*/name = \"other\"/' '$WORK/guest.cfg' >'$WORK/other.cfg'
    exec xl create '$WORK/other.cfg'"
is "one domain" "$(xl list | tail -n +2 | wc -l)" 1

ok "save" xl save guest "$image"
ok "the disk is free while the guest is in the file" \
    qemu-img check -q "$WORK/disk.qcow2"
mv "$WORK/disk.qcow2" "$WORK/elsewhere"
fails "restore without the disk" 'disk.qcow2' xl restore "$image"
is "no domain is left" "$(xl list | tail -n +2 | wc -l)" 0
mv "$WORK/elsewhere" "$WORK/disk.qcow2"
ok "restore" xl restore "$image"
ok "the guest goes on" goes_on guest
is "it reads what it wrote" "$(ask guest disk 'DISK ')" "DISK first"
is "it writes again" "$(ask guest 'disk-write second' DISK-WRITE)" \
    "DISK-WRITE OK"
is "and reads that" "$(ask guest disk 'DISK ')" "DISK second"
is "the MAC is kept" "$(ask guest net 'NET eth')" "NET eth0 $mac"
done_testing
