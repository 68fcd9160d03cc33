#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Memory of a save or a restore does not grow with the guest: xl, the helper and
# the keeper pass with 32 MiB of data. (QEMU itself is freed of the limit.)
. "$(dirname "$0")/lib.sh"
image=$WORK/image

cat >"$WORK/qemu" <<'EOF'
#!/bin/sh
prlimit --pid $$ --data=unlimited && exec qemu-system-x86_64 "$@"
EOF
chmod +x "$WORK/qemu"
limited() { prlimit --data=$((32 << 20)):unlimited "$@"; }

limited48() { prlimit --data=$((48 << 20)):unlimited "$BUILD/bin/$1" "${@:2}"; }

data_limit() { awk '/^Max data size/ {print $4}' "/proc/$1/limits"; }

cycle() { # MiB of memory, MiB that the guest fills
    local boot
    GUEST_MEMORY=$1 GUEST_ARGS="touch=$2" guest_config guest \
        "device_model_override = \"$WORK/qemu\""
    ok "$1 MiB: create" limited xl create "$WORK/guest.cfg"
    ok "$1 MiB: the guest ticks" wait_tick guest 2
    boot=$(boot_id guest)
    is "$1 MiB: QEMU has no such limit" \
        "$(data_limit "$(qemu_pid "$(dom_dir guest)")")" unlimited
    ok "$1 MiB: save" limited xl save guest "$image"
    ok "$1 MiB: restore" limited xl restore "$image"
    ok "$1 MiB: migrate" limited48 xl migrate -s "" guest \
        "exec $BUILD/bin/xl migrate-receive"
    ok "$1 MiB: the guest goes on" goes_on guest
    ok "$1 MiB: its ticks are sound" sound_ticks guest "$boot"
    is "$1 MiB: it finds its memory whole" "$(ask guest check CHECK)" \
        "CHECK OK $(($2 * 256)) pages"
    ok "$1 MiB: destroy" xl destroy guest
}

free_mib=$(awk '/^MemAvailable/ {print int($2 / 1024)}' /proc/meminfo)
room_mib=$(df -m --output=avail "$WORK" | tail -1)

cycle 256 64
if [ "$free_mib" -gt 3500 ] && [ "$room_mib" -gt 2500 ]; then
    cycle 2048 1536
else
    skip "2048 MiB" "$free_mib MiB of memory, $room_mib MiB of disk are free"
fi
if [ -z "$LONG" ]; then
    skip "4096 MiB" "a long test: make soak"
elif [ "$free_mib" -gt 9000 ] && [ "$room_mib" -gt 4500 ]; then
    cycle 4096 3072
else
    skip "4096 MiB" "$free_mib MiB of memory, $room_mib MiB of disk are free"
fi
done_testing
