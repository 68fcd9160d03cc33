# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash disable=SC1091,SC2154
# two-hosts.sh a MODE TYPE... | b: in the dom0s of two hosts that a wire joins.
# B serves: port 9001 is our xl's receiver, 9002 Debian's, 9003 a shell. A sends
# it its guests and asks it how they are.
. /mnt/host/lib.sh
. /mnt/host/xl.sh

serve() { # PORT COMMAND...
    local port=$1
    shift
    printf '#!/bin/sh\nexec %s 2>>/mnt/out/served-%s\n' "$*" "$port" \
        >"/tmp/serve-$port"
    chmod +x "/tmp/serve-$port"
    nc -ll -p "$port" -e "/tmp/serve-$port" &
}

host_b() {
    ifconfig eth0 10.9.9.2 netmask 255.255.255.0
    serve 9001 "$(xl_of ours) migrate-receive"
    serve 9002 "$(xl_of theirs) migrate-receive"
    serve 9003 sh
    until [ -e /tmp/over ]; do sleep 0.5; done
}

# COMMAND...: on the other host; prints what it prints, and then its status.
there() {
    echo ". /mnt/host/lib.sh; . /mnt/host/xl.sh; $*; echo status \$?" |
        nc 10.9.9.2 9003 >/tmp/there
    cat /tmp/there
    grep -q '^status 0$' /tmp/there
}

until_there() {
    local i=0
    until there true >/dev/null 2>&1; do
        i=$((i + 1))
        [ $i -lt 120 ] || return 1
        sleep 1
    done
}

moves() { # NAME FROM TO
    local at
    at=$(ticks "$1")
    run_xl "$2" migrate -s /tmp/wire "$1" "$3" || return 1
    gone "$1" || { echo "$1 is still here"; return 1; }
    there "is_one $1 && goes_on $1 $at && checks $1"
}

host_a() {
    local mode=$1 type how from to
    shift
    ifconfig eth0 10.9.9.1 netmask 255.255.255.0
    until_there
    [ "$mode" = theirs ] || need_ours
    cat >/tmp/wire <<'EOF'
#!/bin/sh
[ "$1" = ours ] && exec nc 10.9.9.2 9001
exec nc 10.9.9.2 9002
EOF
    chmod +x /tmp/wire
    ok 'the other host answers' there true
    for type in "$@"; do
        guest_config "$type" "$type"
        while read -r how from to; do
            [ "$how" = migrate ] || continue
            [ "$mode" = mixed ] || from=theirs to=theirs
            start_over "$type" >/tmp/over.log 2>&1 || cat /tmp/over.log
            ok "$type: migrate to another host by $from, received by $to" \
                moves "$type" "$from" "$to"
            there "xl destroy $type; forget_log $type" >/dev/null
        done </mnt/host/matrix
    done
    done_testing
    there 'touch /tmp/over' >/dev/null
}

host=$1
shift
"host_$host" "$@"
