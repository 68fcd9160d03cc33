#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Bad input and bad places: each is refused with one message that says why,
# nothing is left behind, and a running guest goes on.
. "$(dirname "$0")/lib.sh"
image=$WORK/image

unharmed() { goes_on guest && no_leftovers "$WORK"; }
domains() { xl list | tail -n +2 | wc -l; }

# --- create

guest_config nokernel
sed -i 's|^kernel.*|kernel = "/nonexistent/vmlinuz"|' "$WORK/nokernel.cfg"
fails "create: no kernel image" '/nonexistent/vmlinuz' \
    xl create "$WORK/nokernel.cfg"
GUEST_MEMORY=100000000 guest_config toobig
fails "create: no memory for the guest" '[Mm]emory' xl create "$WORK/toobig.cfg"
fails "create: no configuration file" 'nosuch.cfg' xl create "$WORK/nosuch.cfg"
guest_config pv
sed -i 's/^type.*/type = "pv"/' "$WORK/pv.cfg"
fails "create: a pv guest on a QEMU host" 'pv' xl create "$WORK/pv.cfg"
is "none of them left a domain" "$(domains)" 0

cp "$GUEST/initramfs.gz" "$WORK/ramdisk"
ok "create" start_guest guest "ramdisk = '$WORK/ramdisk'"
fails "create: a name in use" 'guest' xl create "$WORK/guest.cfg"
is "there is still one domain" "$(domains)" 1

# --- save

mkdir "$WORK/directory"
fails "save: the target is a directory" 'directory' \
    xl save guest "$WORK/directory"
ok "the guest goes on" unharmed
fails "save: no such directory" 'nosuch' xl save guest "$WORK/nosuch/image"
ok "the guest goes on" unharmed
fails "save: no such domain" 'nobody' xl save nobody "$image"
fails "save: a full device" '[Nn]o space|ENOSPC' xl save guest /dev/full
ok "the guest goes on" unharmed

mkdir "$WORK/mnt"
if [ "$(id -u)" = 0 ] && mount -t tmpfs -o size=16M none "$WORK/mnt" \
    2>/dev/null; then
    fails "save: a full disk" '[Nn]o space|ENOSPC' xl save guest "$WORK/mnt/image"
    ok "the guest goes on" unharmed
    is "the disk is as before" "$(ls -A "$WORK/mnt")" ""
    mount -o remount,ro "$WORK/mnt"
    fails "save: a read-only file system" '[Rr]ead-only' \
        xl save guest "$WORK/mnt/image"
    ok "the guest goes on" unharmed
    umount "$WORK/mnt"
else
    chmod 500 "$WORK/mnt"
    fails "save: a directory that is not writable" '[Pp]ermission' \
        xl save guest "$WORK/mnt/image"
    ok "the guest goes on" unharmed
    skip "save: a full disk" "mounting a small tmpfs needs root"
fi

old=$(echo "an older file" | tee "$image")
fails "save: the file size limit" '[Ff]ile too large|EFBIG|limit' \
    bash -c "ulimit -f 1024; exec xl save guest '$image'"
is "an older file in its place is not touched" "$(cat "$image")" "$old"
ok "the guest goes on" unharmed

# --- restore

ok "save" xl save guest "$image"
for place in 0 10 100 4096 100000 50%; do
    case $place in
    *%) size=$(($(stat -c %s "$image") * ${place%\%} / 100)) ;;
    *) size=$place ;;
    esac
    head -c "$size" "$image" >"$WORK/cut"
    fails "restore: an image cut at $place" 'cut|end|short|EOF|truncated' \
        xl restore "$WORK/cut"
done
head -c -8 "$image" >"$WORK/cut"
fails "restore: an image without its last 8 bytes" 'cut|end|short|EOF|END' \
    xl restore "$WORK/cut"
head -c 100000 /dev/urandom >"$WORK/garbage"
fails "restore: garbage" 'not|magic|unknown' xl restore "$WORK/garbage"
fails "restore: a directory" 'directory' xl restore "$WORK/directory"
fails "restore: no such file" 'nosuch' xl restore "$WORK/nosuch"

# The mandatory flags (at 36) without bit 30: an image of a Xen host.
cp "$image" "$WORK/xen"
printf '\x03\x00\x00\x00' | dd of="$WORK/xen" bs=1 seek=36 conv=notrunc status=none
fails "restore: an image of a Xen host" 'Xen' xl restore "$WORK/xen"
# An unknown mandatory flag.
cp "$image" "$WORK/flag"
printf '\x03\x00\x00\x48' | dd of="$WORK/flag" bs=1 seek=36 conv=notrunc status=none
fails "restore: an unknown mandatory flag" 'flag' xl restore "$WORK/flag"
is "none of them left a domain" "$(domains)" 0
comes_to "none of them left a process" "" own_processes

rm "$WORK/ramdisk"
fails "restore: the ramdisk is gone" "$WORK/ramdisk" xl restore "$image"
cp "$GUEST/initramfs.gz" "$WORK/ramdisk"
ok "the image is good after all that" xl restore "$image"
ok "the guest goes on" goes_on guest
done_testing
