#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A FIFO as the save file: how people clone a guest; and a second command while
# a save is held up by its reader.
. "$(dirname "$0")/lib.sh"
fifo=$WORK/fifo
mkfifo "$fifo"

ok "create" start_guest guest
boot=$(boot_id guest)

cat "$fifo" >"$WORK/clone" &
ok "save -c into a FIFO" timeout "$DEADLINE_S" xl save -c guest "$fifo"
wait $!
ok "the FIFO is still one" test -p "$fifo"
ok "what came out is a complete image" "$VERIFY" -f xl -i "$WORK/clone"
ok "the guest goes on" goes_on guest

here=$XL_STATE_DIR
XL_STATE_DIR=$WORK/state-clone
ok "restore on another host" xl restore "$WORK/clone"
ok "the clone goes on" goes_on guest
ok "its ticks are those of the same boot" sound_ticks guest "$boot"
ok "destroy the clone" xl destroy guest
XL_STATE_DIR=$here
ok "the first one was not touched" goes_on guest

# The reader opens the FIFO and does not read: the save stands still.
# shellcheck disable=SC2217
sleep infinity <"$fifo" &
reader=$!
"$BUILD/bin/xl" save guest "$fifo" >"$WORK/save.out" 2>&1 &
saver=$!
ok "the save holds the guest" wait_for grep -q "save $saver " \
    "$(dom_dir guest)/lock"
fails "a second save is told who is busy" "busy.*$saver|$saver.*busy" \
    xl save guest "$WORK/image"
fails "so is a pause" 'busy' xl pause guest
is "list is not held up" "$(timeout "$DEADLINE_S" xl list guest |
    awk 'NR==2 {print $1}')" guest
kill "$reader"
wait "$reader" 2>/dev/null
rc=0
wait "$saver" || rc=$?
is "a reader that goes away fails the save" "$rc" 1
ok "the guest goes on" goes_on guest
ok "its ticks are sound" sound_ticks guest "$boot"

# destroy overrides.
# shellcheck disable=SC2217
sleep infinity <"$fifo" &
reader=$!
"$BUILD/bin/xl" save guest "$fifo" >"$WORK/save.out" 2>&1 &
saver=$!
ok "the save holds the guest" wait_for grep -q "save $saver " \
    "$(dom_dir guest)/lock"
ok "destroy overrides a save" timeout "$DEADLINE_S" xl destroy guest
kill "$reader"
wait "$reader" "$saver" 2>/dev/null
is "the domain is gone" "$(domid guest)" ""
done_testing
