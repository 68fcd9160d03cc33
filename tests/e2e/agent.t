#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The agent channel in a real guest: every call, before and after a save and
# restore, with calls on the way, and with a keeper that is killed.
. "$(dirname "$0")/lib.sh"
image=$WORK/image

# The test guest's initramfs with the daemon and some files on top.
agent_initramfs() {
    local root=$WORK/root
    mkdir -p "$root/etc" "$root/data"
    cp "$BUILD/bin/xl-agentd" "$root/xl-agentd"
    cp "$BUILD/bin/xl-agentd" "$root/data/binary"
    printf 'allowed\n' >"$root/data/text"
    : >"$root/data/empty"
    ln -s /etc/secret "$root/data/link"
    printf 'secret\n' >"$root/etc/secret"
    printf 'PRETTY_NAME="Test guest"\n' >"$root/etc/os-release"
    printf '%s\n' 'read = /data' 'read = /proc' 'write = /data' \
        'exec = /data/say' >"$root/etc/xl-agentd.conf"
    cp "$(command -v busybox)" "$root/data/busybox"
    cat >"$root/data/say" <<'EOS'
#!/data/busybox sh
echo "said $*"
[ "$1" != -fail ] || exit 7
[ "$1" != -die ] || kill -9 $$
EOS
    chmod +x "$root/data/say"
    (cd "$root" && find . | cpio --quiet -o -H newc -R 0:0 | gzip -1) |
        cat "$GUEST/initramfs.gz" - >"$WORK/agent.gz"
}

agent_guest() {
    GUEST_ARGS="touch=32 modules=$modules" guest_config "$1" \
        "ramdisk = \"$WORK/agent.gz\""
    xl create "$WORK/$1.cfg"
}

# Pings without end, once they are on their way: $flight is their process.
fly() {
    "$BUILD/bin/xl" agent-ping --count=100000 guest >"$WORK/flight" 2>&1 &
    flight=$!
    wait_for flies
}
flies() { find "/proc/$flight/fd" -lname 'socket:*' | grep -q .; }

pings() { xl agent-ping --count=200 guest; }

# Each call once, and that it did what it says; $1: after what.
every_call() {
    ok "$1: 200 pings" pings
    ok "$1: 200 pings, 8 at a time" xl agent-ping --count=200 --parallel=8 guest
    ok "$1: capabilities" \
        sh -c "xl agent-capabilities guest | grep -q guest.getfile"
    ok "$1: info" sh -c "xl agent-info guest | grep -q 'Test guest'"
    is "$1: viewfile" "$(xl agent-viewfile guest /data/text)" allowed
    ok "$1: viewdmesg" \
        sh -c "xl agent-viewdmesg guest | grep -q 'Linux version'"
    rm -f "$WORK/copy"
    ok "$1: getfile" xl agent-getfile --verify guest /data/binary "$WORK/copy"
    ok "$1: the same" cmp "$WORK/copy" "$BUILD/bin/xl-agentd"
    ok "$1: putfile" xl agent-putfile guest "$BUILD/bin/xl-agentd" /data/put
    rm -f "$WORK/copy"
    ok "$1: and back" xl agent-getfile --verify guest /data/put "$WORK/copy"
    ok "$1: the same" cmp "$WORK/copy" "$BUILD/bin/xl-agentd"
    is "$1: exec" "$(xl agent-exec guest /data/say -l b)" 'said -l b'
    ok "$1: freeze" xl agent-fsfreeze --seconds=20 guest
    ok "$1: thaw" xl agent-fsthaw guest
    ok "$1: set the clock" xl agent-settime guest
}

modules=button,virtio,serial
agent_initramfs
ok "create" agent_guest guest
ok "the agent comes up" xl agent-ping --wait=120 guest
ok "info as JSON" sh -c "xl agent-info --json guest | /usr/bin/python3 -m json.tool"
every_call "at first"
ok "viewfile of /proc" \
    sh -c "xl agent-viewfile guest /proc/version | grep -q '^Linux'"
ok "getfile of nothing" xl agent-getfile guest /data/empty "$WORK/empty"
is "getfile to standard output" \
    "$(xl agent-getfile guest /data/text - 2>/dev/null)" allowed
fails "a file outside of what is allowed" 'Permission denied' \
    xl agent-viewfile guest /etc/secret
fails "a link that leads out" 'Permission denied' \
    xl agent-viewfile guest /data/link
fails "a path with .." 'without \.\.' xl agent-viewfile guest /data/../etc/secret
fails "a relative path" 'absolute' xl agent-viewfile guest data/text
fails "a directory" 'directory' xl agent-viewfile guest /data
fails "a file that is not there" 'No such file' \
    xl agent-getfile guest /data/none "$WORK/none"
ok "no half file is left" test ! -e "$WORK/none"
fails "exec is refused" 'not allowed' \
    xl agent-call guest guest.exec '{"argv":["/init"]}'
fails "an unknown call" 'no such call' xl agent-call guest guest.fly
fails "its status is told" 'ended with status 7' \
    xl agent-exec guest /data/say -fail
fails "or its signal" 'ended by signal 9' xl agent-exec guest /data/say -die
fails "another program is refused" 'not allowed' xl agent-exec guest /init
ok "putfile of standard input, over what was there" \
    sh -c "echo short | xl agent-putfile guest - /data/put"
is "that is all of it" "$(xl agent-viewfile guest /data/put)" short
ok "putfile of nothing" xl agent-putfile guest /dev/null /data/put
is "is an empty file" "$(xl agent-viewfile guest /data/put)" ''
ok "that a file is longer than what is shown is said" \
    sh -c "xl agent-viewfile guest /data/binary 2>&1 >/dev/null |
        grep -q 'agent-getfile copies all'"
fails "putfile elsewhere" 'Permission denied|not allowed' \
    xl agent-putfile guest "$WORK/copy" /etc/put
fails "putfile of what is not there" 'No such file' \
    xl agent-putfile guest "$WORK/none" /data/none
ok "freeze" xl agent-fsfreeze --seconds=20 guest
fails "freeze what is frozen" 'frozen already' xl agent-fsfreeze guest
ok "thaw" xl agent-fsthaw guest
ok "freeze" xl agent-fsfreeze -s 1 guest
ok "it thaws by itself" wait_for xl agent-fsfreeze -s 1 guest
ok "thaw" xl agent-fsthaw guest
ok "set the clock" xl agent-call guest guest.settime '{"time_ns":1800000000000000000}'
ok "it is set" sh -c "xl agent-info guest | grep -q 'time_ns.*: 18000000'"

boot=$(xl agent-info --json guest | grep boot_id)
behind() { # seconds that the guest's clock is behind ours
    echo $(($(date +%s) - $(xl agent-info --json guest |
        sed -n 's/.*"time_ns": *\([0-9]*\)[0-9]\{9\}.*/\1/p')))
}
is_right() { [ "$(behind)" -le 1 ] && [ "$(behind)" -ge -1 ]; }
ok "set the clock to this host's" xl agent-settime guest
ok "it is right" is_right
ok "save" xl save guest "$image"
sleep 4
ok "restore" xl restore "$image"
ok "the agent answers after a restore" xl agent-ping --wait=120 guest
ok "its clock was put right" wait_for is_right
is "it is the same boot" "$(xl agent-info --json guest | grep boot_id)" "$boot"
every_call "after a restore"

ok "calls are on their way" fly
ok "save, with calls on the way" xl save guest "$image.2"
wait "$flight"
ok "those fail and say why" grep -Eq 'keeper|channel|agent' "$WORK/flight"
ok "restore" xl restore "$image.2"
ok "the agent answers" xl agent-ping --wait=120 guest

keeper=$(sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' "$(dom_dir guest)/keeper")
kill -9 "$keeper"
ok "the agent answers a new keeper" xl agent-ping --wait=120 guest

ok "calls are on their way" fly
ok "migrate, with calls on the way" \
    xl migrate -s "" guest "xl migrate-receive"
wait "$flight"
ok "those fail and say why" grep -Eq 'keeper|channel|agent' "$WORK/flight"
ok "the agent answers there" xl agent-ping --wait=120 guest
every_call "after a migration"

xl pause guest
fails "a paused guest is a deadline, no hang" 'no answer|nobody' \
    xl agent-info --timeout=2 guest
xl unpause guest
ok "it answers when it goes on" xl agent-ping --wait=120 guest

gone() { [ -z "$(domid guest)" ]; }
ok "agent-shutdown" xl agent-shutdown guest
ok "the domain is gone" wait_for gone
modules=virtio,serial # no button: it can only be the agent
ok "create" agent_guest guest
ok "the agent comes up" xl agent-ping --wait=120 guest
ok "shutdown" timeout "$DEADLINE_S" xl shutdown -w guest
ok "the domain is gone" wait_for gone
done_testing
