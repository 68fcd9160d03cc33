# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash disable=SC1091,SC2154
# bench.sh PAIRS TYPE...: in dom0, the same guest saved, restored and migrated
# on the spot by our xl and by Debian's, in turns. A line for each:
# TYPE WHAT WHOSE SECONDS [KIB-ON-DISK]
. /mnt/host/lib.sh
. /mnt/host/xl.sh
make_link
need_ours
pairs=$1
shift

now() { cut -d' ' -f1 /proc/uptime; }

took() { # TYPE WHAT WHOSE COMMAND...
    local line="$1 $2 $3" from to
    shift 3
    sync
    from=$(now)
    "$@" >/tmp/took.log 2>&1 || { cat /tmp/took.log; return 1; }
    to=$(now)
    echo "$line $from $to" | awk '{ printf "%s %s %s %.2f", $1, $2, $3, $5 - $4 }'
}

round() { # TYPE WHOSE
    local at
    at=$(ticks "$1")
    took "$1" save "$2" run_xl "$2" save "$1" "$data/image" || return 1
    sync
    echo " $(du -k "$data/image" | cut -f1)"
    forget_log "$1"
    took "$1" restore "$2" run_xl "$2" restore "$data/image" || return 1
    echo
    goes_on "$1" "$at" || return 1
    forget_log "$1"
    took "$1" migrate "$2" run_xl "$2" migrate -s /tmp/link "$1" "$2" || return 1
    echo
    goes_on "$1" "$at" || return 1
    rm -f "$data/image"
}

for type in "$@"; do
    # Half of it free: the kernel has 90 MiB.
    guest_config "$type" "$type" 'memory = 192'
    start_over "$type" >/tmp/over.log 2>&1 || cat /tmp/over.log
    i=0
    while [ $i -lt "$pairs" ]; do
        for whose in ours theirs; do
            round "$type" "$whose" || start_over "$type" >/tmp/over.log 2>&1
        done
        i=$((i + 1))
    done
    xl destroy "$type"
done
