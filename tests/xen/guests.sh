# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash disable=SC1091,SC2154
# guests.sh mixed|theirs [NAME...]: in dom0, each guest of tests/xen/guests (or
# those named) saved by our xl and restored by Debian's, and the other way round;
# then the guest that does not suspend. "theirs": Debian's xl in both roles.
. /mnt/host/lib.sh
. /mnt/host/xl.sh
make_link
mode=$1
shift
[ "$mode" = theirs ] || need_ours
names=" ${*:-$(awk '/^[^#]/ { print $2 }' /mnt/host/guests | tr '\n' ' ') stuck} "

prepare() {
    truncate -s 16M "$data/disk-file"
    truncate -s 16M "$data/disk-phy"
    losetup /dev/loop0 "$data/disk-phy"
    brctl addbr xenbr0
    ifconfig xenbr0 up
}

# What xenstore says of the guest NAME at KEY.
key_of() {
    local id
    id=$(domid "$1") && xenstore-read "/local/domain/$id/$2"
}

vcpus_online() { xl vcpu-list "$1" | awk 'NR > 1 && $5 != "--p"' | wc -l; }

answers() { # NAME COMMAND PATTERN
    type_to "$1" "$2" && says "$1" "$3"
}

has_smp() { [ "$(vcpus_online "$1")" = 2 ]; }
has_pvsmp() { has_smp "$1"; }
# What was written before the guest moved is there, and can be written to.
has_disk() {
    answers "$1" disk "^DISK $(cat /tmp/word)" && echo "word$$-$count" >/tmp/word &&
        answers "$1" "disk-write $(cat /tmp/word)" '^DISK-WRITE OK'
}
has_file() { has_disk "$1"; }
has_phy() { has_disk "$1"; }
has_vif() {
    answers "$1" net '^NET eth0 00:16:3e:00:00:01' &&
        [ "$(key_of "$1" device/vif/0/state)" = 4 ] &&
        [ -e "/sys/class/net/xenbr0/brif/vif$(domid "$1").0" ]
}
has_small() { # ballooned down
    local mib
    mib=$(xl list "$1" | awk 'NR > 1 { print $3 }')
    [ "$mib" -le 85 ] || { echo "$1 has $mib MiB"; return 1; }
}

first_smp() { :; }
first_pvsmp() { :; }
first_disk() {
    echo first >/tmp/word
    answers "$1" "disk-write first" '^DISK-WRITE OK'
}
first_file() { first_disk "$1"; }
first_phy() { first_disk "$1"; }
first_vif() { :; }
first_small() {
    local i=0
    xl mem-set "$1" 84
    until has_small "$1" || [ $i = 100 ]; do
        i=$((i + 1))
        sleep 0.2
    done
}

ready() { start_over "$1" && "first_$1" "$1" && "has_$1" "$1"; }

moves() { # NAME FROM TO
    forget_log "$1"
    by_save "$1" "$2" "$3" && "has_$1" "$1"
}

stuck_starts() { xl create -q /tmp/stuck.cfg && starts stuck; }

refuses() { # FROM
    local at
    at=$(ticks stuck)
    forget_log stuck
    if run_xl "$1" save stuck "$data/stuck.save"; then
        echo 'it was saved'
        return 1
    fi
    is_one stuck && goes_on stuck "$at" && checks stuck &&
        xen-sr log-dirty "$(domid stuck)" && [ ! -e "$data/stuck.save" ]
}

prepare
while read -r type name line; do
    case $type in '#'* | '') continue ;; esac
    case $names in *" $name "*) ;; *) continue ;; esac
    guest_config "$type" "$name" "$line"
    ok "$name: Debian's xl creates it" ready "$name" || continue
    us=ours
    [ "$mode" = mixed ] || us=theirs
    ok "$name: save by $us, received by theirs" moves "$name" $us theirs ||
        ready "$name" >/dev/null 2>&1
    ok "$name: save by theirs, received by $us" moves "$name" theirs $us
    xl destroy "$name"
done </mnt/host/guests

case $names in *' stuck '*)
    guest_config pv stuck "$(guest_arguments stuck=1)"
    ok "stuck: Debian's xl creates it" stuck_starts
    us=ours
    [ "$mode" = mixed ] || us=theirs
    ok "stuck: not saved by $us, and it goes on" refuses $us
    xl destroy stuck
    ;;
esac
done_testing
