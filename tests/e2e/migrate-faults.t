#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Links that break, receivers and senders that are killed, while a guest with a
# disk migrates: afterwards, and after `xl recover` where that was needed, one
# guest runs, its memory is whole, and its disk is its own.
. "$(dirname "$0")/lib.sh"

LINK=$BUILD/tests/unit/domain/test_migrate # see there for what it can do
[ -x "$LINK" ] || skip_all "no $LINK: run make unit"
export XL_LIBEXEC_DIR=$BUILD/libexec
EVENTS=(
    "out 60 cut" "out 130 cut" "out 150 cut" "out 160 cut" "out 180 cut"
    "go 0 cut" "go 20 cut" "go 43 cut" "go 44 cut" "in 6000 cut"
    "in 30000000 cut" "out 160 kill-receiver" "in 20000000 kill-receiver"
    "go 44 kill-receiver" "in 30000000 kill-sender" "out 150 kill-sender"
    "go 44 kill-sender"
)
if [ -n "$LONG" ]; then # 200 places of the stream
    for n in $(seq 200); do
        EVENTS+=("in $((RANDOM * 2400 + n)) cut")
    done
fi

listed() { xl list | tail -n +2 | awk '{print $1}' | tr '\n' ' '; }
one_is_left() { [ "$(listed)" = "guest " ]; }

# Nobody is at work any more, and recover has ended what was left.
settled() {
    XL_TEST_WHOLE_LINK=1 xl recover >"$WORK/recover.out" 2>&1
    one_is_left && [ ! -e "$(dom_dir guest)/journal" ]
}

one_event() { # way bytes event
    local rc=0
    timeout "$DEADLINE_S" "$BUILD/bin/xl" migrate -s "" guest \
        "exec $LINK $1 $2 $3" >"$WORK/migrate.out" 2>&1 || rc=$?
    [ "$rc" != 124 ] || { echo "it hangs"; return 1; }
    wait_for settled || { listed; cat "$WORK"/{migrate,recover}.out; return 1; }
    goes_on guest || return 1
    sound_ticks guest "$boot" >/dev/null || return 1
    [ "$(ask guest "disk-write $2" DISK-WRITE)" = "DISK-WRITE OK" ]
}

GUEST_ARGS="touch=32 dirty=500 modules=button,virtio,blk"
qemu-img create -q -f qcow2 "$WORK/disk.qcow2" 16M
ok "create a guest with a disk" start_guest guest \
    "disk = ['format=qcow2, vdev=xvda, access=rw, target=$WORK/disk.qcow2']"
boot=$(boot_id guest)

for event in "${EVENTS[@]}"; do
    # shellcheck disable=SC2086
    ok "$event" one_event $event
done
is "the guest finds its memory whole" \
    "$(ask guest check CHECK)" "CHECK OK 8192 pages"
ok "destroy" xl destroy guest
ok "the disk is sound" qemu-img check -q "$WORK/disk.qcow2"
is "no process is left" "$(wait_for none_left; own_processes)" ""
done_testing
