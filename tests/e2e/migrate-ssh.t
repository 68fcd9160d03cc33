#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A migration over ssh, with a sshd of its own, between two network namespaces
# and two state directories: two hosts that share a file system.
. "$(dirname "$0")/lib.sh"

[ "$(id -u)" = 0 ] || skip_all "network namespaces need root"
sshd=$(command -v sshd) || skip_all "no sshd: run make deps"
command -v ip >/dev/null || skip_all "no ip: run make deps"
ns_a=xl-a-$$ ns_b=xl-b-$$
A=10.97.0.1 B=10.97.0.2

undo() {
    [ ! -e "$WORK/sshd.pid" ] || kill "$(cat "$WORK/sshd.pid")" 2>/dev/null
    ip netns del "$ns_a" 2>/dev/null
    ip netns del "$ns_b" 2>/dev/null
    cleanup
}
trap undo EXIT

network() {
    ip netns add "$ns_a" && ip netns add "$ns_b" &&
        ip link add veth-a netns "$ns_a" type veth peer name veth-b \
            netns "$ns_b" &&
        ip -n "$ns_a" addr add "$A/24" dev veth-a &&
        ip -n "$ns_b" addr add "$B/24" dev veth-b &&
        ip -n "$ns_a" link set veth-a up && ip -n "$ns_b" link set veth-b up &&
        ip -n "$ns_a" link set lo up && ip -n "$ns_b" link set lo up
}
network >"$WORK/out" 2>&1 || skip_all "no network namespaces: $(tail -1 "$WORK/out")"

# The receiving host: its sshd, its state directory, our xl in front.
mkdir -p "$WORK/ssh" "$WORK/state.b" /run/sshd
chmod 700 "$WORK/ssh" "$WORK/state.b"
ssh-keygen -q -t ed25519 -N '' -f "$WORK/ssh/host"
ssh-keygen -q -t ed25519 -N '' -f "$WORK/ssh/user"
cp "$WORK/ssh/user.pub" "$WORK/ssh/authorized"
cat >"$WORK/ssh/sshd_config" <<EOF2
ListenAddress $B
Port 22
HostKey $WORK/ssh/host
PidFile $WORK/sshd.pid
AuthorizedKeysFile $WORK/ssh/authorized
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
SetEnv XL_STATE_DIR=$WORK/state.b XL_HYPERVISOR=$XL_HYPERVISOR PATH=$PATH
EOF2
ok "sshd starts" ip netns exec "$ns_b" "$sshd" -f "$WORK/ssh/sshd_config" \
    -E "$WORK/sshd.log"
wait_for test -s "$WORK/sshd.pid"
SSH="ssh -i $WORK/ssh/user -o StrictHostKeyChecking=no -o BatchMode=yes \
-o UserKnownHostsFile=$WORK/ssh/known"

there() { XL_STATE_DIR=$WORK/state.b "$@"; }
names() { xl list | tail -n +2 | awk '{print $1}'; }
runs_there() { there goes_on guest && there sound_ticks guest "$boot"; }

GUEST_ARGS="touch=64 dirty=500"
ok "create a guest on the first host" start_guest guest
boot=$(boot_id guest)
ok "migrate over ssh" ip netns exec "$ns_a" "$BUILD/bin/xl" migrate \
    -s "$SSH" guest "$B"
is "it is gone here" "$(names)" ""
is "it is there" "$(there names)" guest
ok "it goes on there" runs_there
is "it finds its memory whole" \
    "$(there ask guest check CHECK)" "CHECK OK 16384 pages"
fails "a host that does not answer" "ended before its banner" \
    ip netns exec "$ns_a" env "XL_STATE_DIR=$WORK/state.b" \
    "$BUILD/bin/xl" migrate -s "$SSH -o ConnectTimeout=1 -p 23" guest "$B"
ok "it goes on there" runs_there
ok "destroy" there xl destroy guest
is "no process is left" "$(wait_for none_left; own_processes)" ""
done_testing
