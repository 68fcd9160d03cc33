#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A running guest moves from this host to this host, over and over, and over
# the transports that people use; no tick is lost, its memory stays whole.
. "$(dirname "$0")/lib.sh"

MOVES=10
TOUCH_MIB=96
if [ -n "$LONG" ]; then
    MOVES=200
    GUEST_MEMORY=1024
    TOUCH_MIB=640
fi
whole="CHECK OK $((TOUCH_MIB * 256)) pages"
RECEIVE="xl migrate-receive"

same_guest_runs() {
    local before
    before=$(last_tick guest)
    wait_tick guest $((before + 2)) && sound_ticks guest "$boot" >/dev/null
}

move() { xl migrate "$@"; }

one_move() { move -s "" guest "$RECEIVE" && same_guest_runs; }

live() { own_processes | sed 's/^[0-9]* //' | awk '{print $1}' | sort; }

GUEST_ARGS="touch=$TOUCH_MIB dirty=2500"
ok "create a guest that dirties 2,500 pages a second" start_guest guest
boot=$(boot_id guest)
tick=$(last_tick guest)
id=$(domid guest)

ok "migrate" move -s "" guest "$RECEIVE"
is "it has another domid now" "$([ "$(domid guest)" != "$id" ] && echo yes)" yes
is "one guest is listed" "$(xl list | tail -n +2 | awk '{print $1}')" guest
ok "it goes on" same_guest_runs
first=$("$TOP/tests/e2e/ticks.py" "$(console_log guest)" "$boot" |
    cut -d' ' -f1)
ok "from the tick at which it was" test "$first" -ge "$tick"
is "the guest finds its memory whole" \
    "$(ask guest check CHECK)" "$whole"
ok "QEMU and a keeper are left" wait_for one_guests_processes
processes=$(live)

failed=0
for n in $(seq 2 "$MOVES"); do
    one_move >"$WORK/out" 2>&1 && continue
    failed=$n
    break
done
is "$MOVES migrations in a row" "$failed" 0 || diag <"$WORK/out"
is "the guest finds its memory whole after them" \
    "$(ask guest check CHECK)" "$whole"
comes_to "as many processes as after the first" "$processes" live

ok "a summary as JSON" sh -c "xl migrate --json -s '' guest '$RECEIVE' |
    tail -1 | grep -q '\"ok\":true.*\"downtime_ms\":[0-9]'"
ok "it goes on" same_guest_runs

# ---------------------------------------------------------------- failures

fails "a receiver that is none" "unexpected data instead of its banner" \
    xl migrate -s "" guest "echo Last login: yesterday; cat >/dev/null"
ok "the guest goes on" same_guest_runs
fails "a command that does not exist" "ended before its banner" \
    xl migrate -s /nonexistent/ssh guest there
ok "the guest goes on" same_guest_runs
fails "a receiver that dies in the middle" "." \
    xl migrate -s "" guest "head -c 20000000 | $RECEIVE"
ok "the guest goes on" same_guest_runs
one_is_listed() { [ "$(xl list | wc -l)" = 2 ]; }
ok "nothing of it is left at the receiver" wait_for one_is_listed

# A receiver that reads nothing: interrupted, the guest goes on.
"$BUILD/bin/xl" migrate -s "" guest \
    "printf 'xl migration receiver ready, send binary domain data.\n'; sleep 99" \
    >"$WORK/int.out" 2>&1 &
pid=$!
wait_for test -s "$(dom_dir guest)/journal"
kill -TERM "$pid" # a shell's background jobs ignore SIGINT
rc=0
wait "$pid" || rc=$?
is "a signal ends it with 1" "$rc" 1
ok "and says so" grep -q "interrupted: guest was not migrated" "$WORK/int.out"
ok "the guest goes on" same_guest_runs

# -------------------------------------------------------------- transports

port=$((20000 + $$ % 20000))
if command -v socat >/dev/null; then
    socat -b524288 "TCP-LISTEN:$port,bind=127.0.0.1,reuseaddr" \
        SYSTEM:"xl migrate-receive" 2>"$WORK/socat.out" &
    wait_for sh -c "grep -q ':$(printf %04X "$port") ' /proc/net/tcp"
    ok "as Ganeti does it" xl migrate \
        -s "socat -b524288 - TCP:127.0.0.1:$port #" -C "$WORK/guest.cfg" \
        guest 127.0.0.1
    wait
    ok "the guest goes on" same_guest_runs
else
    skip "as Ganeti does it" "no socat"
fi

ok "destroy" xl destroy guest
comes_to "no process is left" "" live
done_testing
