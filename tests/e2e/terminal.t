#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# xl on a terminal: the console and its escape, the bar, Ctrl-C.
. "$(dirname "$0")/lib.sh"

on_terminal() { # [PATTERN KEYS]... -- COMMAND...
    "$TOP/tests/e2e/onterm.py" "$DEADLINE_S" "$@" >"$WORK/term" 2>&1
}
shows() { grep -aq -- "$1" "$WORK/term"; }

GUEST_ARGS=touch=150 guest_config guest
ok "create -c attaches, Ctrl-] leaves" \
    on_terminal '^T 2 |\nT 2 ' '\x1d' -- "$BUILD/bin/xl" create -c \
    "$WORK/guest.cfg" || done_testing
ok "from the guest's first output on" shows 'READY boot='
ok "the guest runs on" goes_on guest
ok "console: what is typed reaches the guest" \
    on_terminal 'T [0-9]' 'check\r' 'CHECK OK' '\x1d' -- "$BUILD/bin/xl" \
    console guest

ok "pause" xl pause guest
ok "console: Ctrl-] leaves also when the guest reads nothing" \
    on_terminal 'T [0-9]' 'abc\x1d' -- "$BUILD/bin/xl" console guest
ok "unpause" xl unpause guest

ok "save shows a bar" on_terminal -- "$BUILD/bin/xl" save -c guest "$WORK/image"
ok "and that it is done" shows 'Saving guest: done, '

# A reader that waits until Ctrl-C has had its effect.
mkfifo "$WORK/fifo"
timeout "$DEADLINE_S" bash -c "exec 3<'$WORK/fifo'
    until [ -e '$WORK/stopped' ]; do sleep 0.1; done
    cat <&3 >/dev/null" &
rc=0
on_terminal 'Saving guest' '\x03\x03' -- bash -c \
    "'$BUILD/bin/xl' save guest '$WORK/fifo'; rc=\$?; : >'$WORK/stopped'; exit \$rc" ||
    rc=$?
: >"$WORK/stopped"
wait
is "Ctrl-C, twice, ends a save with 1" "$rc" 1
ok "it says what that means" shows 'interrupted: guest was not saved and goes on'
ok "and the guest goes on" goes_on guest
is "nothing is left behind" "$(no_leftovers "$WORK" && echo nothing)" nothing
ok "destroy" xl destroy guest
done_testing
