#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The main job, over and over: create, save, restore, and the guest goes on
# where it was; nothing is left behind.
. "$(dirname "$0")/lib.sh"

CYCLES=10
[ -z "$LONG" ] || CYCLES=100
image=$WORK/image

one_cycle() { # number
    local before
    xl save guest "$image" || return 1
    if xl list | grep -q '^guest '; then
        echo "guest is still listed"
        return 1
    fi
    [ "$1" != 1 ] || "$VERIFY" -i "$image" -f xl || return 1
    xl restore "$image" || return 1
    before=$(last_tick guest)
    wait_tick guest $((before + 1)) || return 1
    sound_ticks guest "$boot"
}

open_fds() { find "/proc/$1/fd" -mindepth 1 | wc -l; }
live() { own_processes | sed 's/^[0-9]* //' | awk '{print $1}' | sort; }
entries() { (cd "$XL_STATE_DIR" && find . | sed 's|/[0-9]*|/N|' | sort); }

ok "create" start_guest guest
boot=$(boot_id guest)
tick=$(last_tick guest)

ok "the first cycle" one_cycle 1
first=$("$TOP/tests/e2e/ticks.py" "$(console_log guest)" "$boot" |
    cut -d' ' -f1)
ok "the tick after the restore follows the one before the save" \
    test "$first" -ge "$tick"
is "the image is for its owner alone" "$(stat -c %a "$image")" 600
if debian_verify "$image" >"$WORK/out" 2>&1; then
    result 0 "Debian's verify-stream-v2 accepts the image"
elif [ $? = 2 ]; then
    skip "Debian's verify-stream-v2 accepts the image" "no xen-utils here"
else
    result 1 "Debian's verify-stream-v2 accepts the image"
    tail -5 "$WORK/out" | diag
fi
ok "QEMU and a keeper are left" wait_for one_guests_processes
processes=$(live)
files=$(entries)
fds=$(open_fds "$(qemu_pid "$(dom_dir guest)")")

failed=0
for n in $(seq 2 "$CYCLES"); do
    one_cycle "$n" >"$WORK/out" 2>&1 && continue
    failed=$n
    break
done
is "$CYCLES cycles in a row" "$failed" 0 || diag <"$WORK/out"

is "the guest finds its memory whole" \
    "$(ask guest check CHECK)" "CHECK OK 8192 pages"
comes_to "as many processes as after the first" "$processes" live
comes_to "as many files in the state directory" "$files" entries
is "as many fds in QEMU" \
    "$(open_fds "$(qemu_pid "$(dom_dir guest)")")" "$fds"

ok "destroy" xl destroy guest
comes_to "no process is left" "" live
is "the state directory is empty of domains" \
    "$(find "$XL_STATE_DIR" -mindepth 1 -maxdepth 1 -name "[0-9]*")" ""
is "nothing lies beside the image" "$(cd "$WORK" && ls -d image*)" image
done_testing
