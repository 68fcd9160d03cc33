#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A disk that xl-blkd serves, written without pause while its guest is saved,
# restored and migrated: no acknowledged write is lost, none is done twice.
. "$(dirname "$0")/lib.sh"
image=$WORK/image disk=$WORK/disk.raw
GUEST_ARGS="touch=32 modules=button,virtio,blk diskload=1"
cycles=${LONG:+50}
cycles=${cycles:-4}

last_write() {
    local n
    n=$(grep -a '^IO [0-9]' "$(console_log guest)" | tail -1 | tr -d '\r')
    n=${n#IO }
    echo "${n:-0}"
}
wrote_to() { [ "$(last_write)" -ge "$1" ]; }
writes_on() { wait_for wrote_to $(($(last_write) + 128)); }
blkds() { pgrep -cf "xl-blkd --image $disk" || true; }

truncate -s 32M "$disk"
ok "create with a disk of backendtype vhost-user" start_guest guest \
    "disk = ['vdev=vda, format=raw, backendtype=vhost-user, target=$disk']"
ok "the guest writes" writes_on
is "one device process" "$(blkds)" 1
fails "nobody else can write the image" 'write.*lock' \
    qemu-io -f raw -c 'write 0 512' "$disk"

# Its process is killed again and again, with requests under way.
dir=$(dom_dir guest)
blkd_pid() { pgrep -f "xl-blkd --image $disk"; }
is_another() { [ -n "$(blkd_pid)" ] && [ "$(blkd_pid)" != "$1" ]; }
for ((i = 1; i <= 3; i++)); do
    old=$(blkd_pid)
    kill -9 "$old"
    wait_for is_another "$old" || break
    writes_on || break
done
is "killed three times, it is started again and the guest writes on" "$i" 4
fails "nobody else can write the image" 'write.*lock' \
    qemu-io -f raw -c 'write 0 512' "$disk"
kill -9 "$(sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' "$dir/keeper")" "$(blkd_pid)"
comes_to "killed with its keeper, it is gone" 0 blkds
ok "an operation starts a keeper" xl pause guest
ok "and on" xl unpause guest
ok "that starts the process, and the guest writes on" writes_on
is "one device process" "$(blkds)" 1

for ((i = 1; i <= cycles; i++)); do
    cat "$(console_log guest)" >>"$WORK/log"
    xl save guest "$image" >"$WORK/out" 2>&1 || break
    cat "$WORK/out" >>"$WORK/all"
    xl restore "$image" >"$WORK/out" 2>&1 || break
    writes_on || break
    cat "$(console_log guest)" >>"$WORK/log"
    xl migrate -s '' guest "exec $BUILD/bin/xl migrate-receive" \
        >"$WORK/out" 2>&1 || break
    writes_on || break
done
[ "$i" -gt "$cycles" ] || diag <"$WORK/out"
is "saved and restored, and migrated, $cycles times" $((i - 1)) "$cycles"
comes_to "one device process" 1 blkds
ok "the guest's memory is right" goes_on guest
is "all of it" "$(ask guest check CHECK | cut -d' ' -f2)" OK

ok "pause" xl pause guest
kill -9 "$(blkd_pid)"
comes_to "killed while the guest is paused, it is gone" 0 blkds
fails "QEMU would not speak to another" 'QEMU gave it up' xl unpause guest
cat "$(console_log guest)" >>"$WORK/log"
ok "but the guest can be saved" xl save guest "$image"
ok "and restored, paused" xl restore -p "$image"
ok "unpause" xl unpause guest
ok "it writes on" writes_on
ok "pause" xl pause guest
fails "a paused guest keeps its image" 'write.*lock' \
    qemu-io -f raw -c 'write 0 512' "$disk"
cat "$(console_log guest)" >>"$WORK/log"
ok "every acknowledged write is in the image" \
    "$TOP/tests/e2e/diskload.py" "$disk" "$WORK/log"
ok "unpause" xl unpause guest
ok "it writes on" writes_on

ok "save, and stay" xl save -c guest "$image"
ok "it writes on after a checkpoint" writes_on
ok "destroy" xl destroy guest
none() { [ "$(blkds)" = 0 ]; }
ok "its device process ends with it" wait_for none
GUEST_ARGS="touch=16 modules=button,virtio,blk,ext4"
ok "create a guest that makes a file system" start_guest fs \
    "disk = ['vdev=vda, format=raw, backendtype=vhost-user, target=$disk']"
is "it makes one, and writes 1,000 times at random" \
    "$(ask fs fs 'FS [DE]')" "FS DONE"
cp "$(console_log fs)" "$WORK/fs.log"
ok "destroy it" xl destroy fs
ok "the file system is clean, and all files are right" \
    "$TOP/tests/e2e/fscheck.py" "$disk" "$WORK/fs.log"

"$TOP/tests/e2e/bootsector.py" "$disk" "BOOTED FROM DISK"
cat >"$WORK/boot.cfg" <<EOF
name = "boot"
memory = 64
boot = "c"
disk = ['vdev=vda, format=raw, backendtype=vhost-user, target=$disk']
EOF
ok "create without a kernel" xl create "$WORK/boot.cfg"
booted() { grep -aq "BOOTED FROM DISK" "$(console_log boot)"; }
ok "SeaBIOS boots from the disk" wait_for booted
ok "destroy that" xl destroy boot
ok "its device process ends too" wait_for none
ok "the image is free" qemu-io -f raw -c 'read 0 512' "$disk"
done_testing
