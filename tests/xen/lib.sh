# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# In dom0: TAP, and what the test guest says on its console.
share=/mnt/host
logs=/var/log/xen/console
count=0

ok() { # NAME COMMAND...: runs it
    local name=$1
    shift
    count=$((count + 1))
    if "$@" >/tmp/ok.log 2>&1; then
        echo "ok $count - $name"
    else
        sed 's/^/# /' /tmp/ok.log
        echo "not ok $count - $name"
    fi
}

done_testing() { echo "1..$count"; }

# TYPE NAME
guest_config() {
    cat >"/tmp/$2.cfg" <<EOF
name = "$2"
type = "$1"
memory = 96
vcpus = 1
kernel = "$share/vmlinuz"
ramdisk = "$share/initramfs.gz"
extra = "console=hvc0 quiet nokaslr mitigations=off tick=200 touch=8 dirty=50"
on_crash = "preserve"
EOF
}

# How far the guest NAME has counted.
ticks() { sed -n 's/^T \([0-9]*\).*/\1/p' "$logs/guest-$1.log" | tail -n 1; }

# NAME N: until it has counted beyond N; its memory must be right.
counts_beyond() {
    local i=0
    while [ $i -lt 600 ]; do
        if [ "$(ticks "$1")" -gt "$2" ] 2>/dev/null; then
            ! grep BAD "$logs/guest-$1.log"
            return
        fi
        sleep 0.1
        i=$((i + 1))
    done
    tail -n 5 "$logs/guest-$1.log"
    return 1
}

domid() { xl domid "$1"; }
gone() { ! xl domid "$1" 2>/dev/null; }
