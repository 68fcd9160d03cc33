#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A guest with Debian's qemu-guest-agent and no xl-agentd answers the same
# commands.
. "$(dirname "$0")/lib.sh"

[ -x /usr/sbin/qemu-ga ] || skip_all "no qemu-guest-agent"
busybox=$(command -v busybox) || skip_all "no busybox"

# qemu-ga with its libraries, started by what the test guest starts.
qga_initramfs() {
    local root=$WORK/root lib
    mkdir -p "$root/etc" "$root/run" "$root/bin" "$root/usr/sbin" "$root/sbin"
    cp /usr/sbin/qemu-ga "$root/usr/sbin/"
    cp "$busybox" "$root/bin/busybox"
    ln -s busybox "$root/bin/dmesg"
    ldd /usr/sbin/qemu-ga | grep -o '/[^ ]*' | while read -r lib; do
        mkdir -p "$root$(dirname "$lib")"
        cp -L "$lib" "$root$lib"
    done
    printf 'PRETTY_NAME="Other guest"\n' >"$root/etc/os-release"
    seq 1 40000 >"$root/etc/long"
    cat >"$root/sbin/shutdown" <<'EOS'
#!/bin/busybox sh
exec /bin/busybox poweroff -f
EOS
    cat >"$root/xl-agentd" <<'EOS'
#!/bin/busybox sh
port=$(/bin/busybox grep -l guest_agent /sys/class/virtio-ports/*/name)
port=${port%/name}
export PATH=/bin:/sbin
exec /usr/sbin/qemu-ga -m virtio-serial -p "/dev/${port##*/}" -t /run
EOS
    chmod +x "$root/xl-agentd" "$root/sbin/shutdown"
    (cd "$root" && find . | cpio --quiet -o -H newc -R 0:0 | gzip -1) |
        cat "$GUEST/initramfs.gz" - >"$WORK/qga.gz"
}

qga_initramfs
GUEST_ARGS="touch=32 modules=button,virtio,serial" guest_config guest \
    "ramdisk = \"$WORK/qga.gz\""
ok "create" xl create "$WORK/guest.cfg"
ok "qemu-ga comes up" xl agent-ping --wait=240 guest
ok "100 pings" xl agent-ping --count=100 guest
ok "16 at a time" xl agent-ping --count=100 --parallel=16 guest
ok "capabilities" sh -c "xl agent-capabilities guest | grep -q 'qemu-ga 7'"
ok "info" sh -c "xl agent-info guest | grep -q 'Other guest'"
is "viewfile" "$(xl agent-viewfile guest /etc/os-release)" \
    'PRETTY_NAME="Other guest"'
is "viewfile of many pieces" \
    "$(xl agent-viewfile guest /etc/long | cksum)" "$(seq 1 40000 | cksum)"
fails "a file that is not there" 'No such file' \
    xl agent-viewfile guest /etc/none
ok "viewdmesg" sh -c "xl agent-viewdmesg guest | grep -q 'Linux version'"
fails "what qemu-ga does not do is named" 'qemu-ga' \
    xl agent-getfile guest /etc/long "$WORK/long"

ok "save" xl save guest "$WORK/image"
ok "restore" xl restore "$WORK/image"
ok "it answers after a restore" xl agent-ping --wait=240 guest
ok "it goes on" goes_on guest

gone() { [ -z "$(domid guest)" ]; }
ok "agent-shutdown" xl agent-shutdown guest
ok "the domain is gone" wait_for gone
done_testing
