# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash disable=SC1091,SC2154
# guests.sh mixed|theirs [NAME...]: in dom0, each guest of tests/xen/guests (or
# those named) saved by our xl and restored by Debian's, and the other way round;
# then the guest that does not suspend, and one that suspends late, reboots, and
# cannot be started again. "theirs": Debian's xl in both roles.
. /mnt/host/lib.sh
. /mnt/host/xl.sh
. /mnt/host/devices.sh
make_link
mode=$1
shift
[ "$mode" = theirs ] || need_ours
names=" ${*:-$(awk '/^[^#]/ { print $2 }' /mnt/host/guests | tr '\n' ' ') grows made hot hot-more stuck again} "
us=ours
[ "$mode" = mixed ] || us=theirs

prepare() {
    truncate -s 16M "$data/disk-file" "$data/disk-cd"
    make_qcow2 "$data/disk-qcow"
    make_qcow2 "$data/disk-hvm"
    truncate -s 16M "$data/disk-phy"
    losetup /dev/loop0 "$data/disk-phy"
    make_bridge
    make_vif_script
}

within() { # COMMAND...: until it succeeds
    local i=0
    until "$@"; do
        i=$((i + 1))
        [ $i -lt 300 ] || { echo "never: $*"; return 1; }
        sleep 0.1
    done
}

mib_of() { xl list "$1" | awk 'NR > 1 { print $3 }'; }

has_smp() {
    [ "$(xl vcpu-list "$1" | awk 'NR > 1 && $5 != "--p"' | wc -l)" = 2 ]
}

# What a device model of old keeps in xenstore moves with the guest.
physmap() { echo "/local/domain/0/device-model/$(domid "$1")/physmap/f0000000"; }

write_keys() {
    xenstore-write "$(physmap "$1")/start_addr" f0000000 &&
        xenstore-write "$(physmap "$1")/size" 800000 &&
        xenstore-write "$(physmap "$1")/name" vga.vram
}

has_keys() {
    [ "$(xenstore-read "$(physmap "$1")/size")" = 800000 ] &&
        [ "$(xenstore-read "$(physmap "$1")/name")" = vga.vram ]
}

has_less() { # it was ballooned down
    local mib
    mib=$(mib_of "$1")
    [ "$mib" -le 85 ] || { echo "$1 has $mib MiB"; return 1; }
}

has_screen() { # whose memory is part of the guest's
    local kb
    for kb in max_memkb target_memkb; do
        run_xl $us list -l "$1" | grep -q "\"$kb\": 163840," || return 1
    done
    [ "$(key_of "$1" memory/videoram)" = 16384 ]
}

has() { # NAME WHAT,...
    local what
    for what in $(echo "$2" | tr , ' '); do
        "has_$what" "$1" || { echo "$1: $what"; return 1; }
    done
}

shrink() {
    xl mem-set "$1" 84
    within has_less "$1" >/dev/null
}

ready() { # NAME WHAT,...
    start_over "$1" || return 1
    case $2 in
    *disk*) write_disk "$1" first || return 1 ;;
    less) shrink "$1" ;;
    esac
    case $2 in *keys*) write_keys "$1" || return 1 ;; esac
    has "$1" "$2"
}

moves() { # NAME FROM TO WHAT,...
    forget_log "$1"
    by_save "$1" "$2" "$3" && has "$1" "$4"
}

guest() { # TYPE NAME WHAT,... LINES
    echo "$4" | tr ';' '\n' >/tmp/lines
    guest_config "$1" "$2" "$(cat /tmp/lines)"
    ok "$2: Debian's xl creates it with $3" ready "$2" "$3" || return
    ok "$2: save by $us, received by theirs" moves "$2" $us theirs "$3" ||
        ready "$2" "$3" >/dev/null 2>&1
    ok "$2: save by theirs, received by $us" moves "$2" theirs $us "$3"
    xl destroy "$2"
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

# ---- memory that comes while the guest "grows" is sent ----

has_mib() { [ "$(mib_of "$1")" -ge "$2" ]; }
lacks_mib() { ! has_mib "$1" "$2"; }

grows_starts() {
    xl create -q /tmp/grows.cfg && starts grows && xl mem-set grows 100 &&
        within lacks_mib grows 105
}

given_on_its_way() {
    xl mem-set grows 190 && within has_mib grows 190 &&
        has_mib grows--incoming 8
}

# Pages that it is given are in no log.
grows_on_its_way() {
    local at sender
    at=$(ticks grows)
    forget_log grows
    run_xl ours migrate -p --bandwidth 4 -s /tmp/link grows ours >/tmp/grows 2>&1 &
    sender=$!
    if ! { within has_mib grows--incoming 8 && given_on_its_way; }; then
        kill $sender
        wait $sender
        return 1
    fi
    wait $sender || { cat /tmp/grows; return 1; }
    is_one grows && has_mib grows 190 && xl unpause grows &&
        goes_on grows "$at" && checks grows
}

grows() {
    guest_config pvh grows 'memory = 192'
    ok "grows: Debian's xl creates it, and takes memory away" grows_starts &&
        ok 'grows: memory that it is given while it migrates goes with it' \
            grows_on_its_way
    xl destroy grows
}

# ---- devices that come and go while the guest "hot" runs ----

attach() { # WHOSE DISK...
    local whose=$1 i=0
    shift
    forget_log hot
    run_xl "$whose" block-attach hot "$@" &&
        run_xl "$whose" network-attach hot bridge=xenbr0 \
            mac=00:16:3e:00:00:01 || return 1
    until [ "$(key_of hot device/vbd/51712/state)" = 4 ] &&
        [ "$(key_of hot device/vif/0/state)" = 4 ]; do
        i=$((i + 1))
        [ $i -lt 300 ] || { echo 'the guest does not take them'; return 1; }
        sleep 0.1
    done
    write_disk hot first && has hot disk,vif
}

# Another guest, or none.
alone() {
    guest_config pvh twin "disk = [ '$data/disk-hot,qcow2,xvda,w' ]"
    ! run_xl ours create -q /tmp/twin.cfg >/tmp/twin.log 2>&1 || return 1
    cat /tmp/twin.log
    grep -q 'domain [0-9]* (hot) uses /data/disk-hot' /tmp/twin.log &&
        ! xl list twin >/dev/null 2>&1 && has_disk hot
}

# Both name the same devices, in the same columns.
agree() {
    local what
    for what in block-list network-list; do
        run_xl ours $what hot >/tmp/list-ours &&
            run_xl theirs $what hot >/tmp/list-theirs || return 1
        cmp /tmp/list-ours /tmp/list-theirs || {
            cat /tmp/list-ours /tmp/list-theirs
            return 1
        }
        [ "$(wc -l </tmp/list-ours)" = "$1" ] || return 1
    done
}

detach() { # WHOSE
    run_xl "$1" block-detach hot xvda &&
        run_xl "$1" network-detach hot 00:16:3e:00:00:01 || return 1
    forget_log hot
    agree 1 && answers hot disk '^DISK ERROR' &&
        [ ! -e "/sys/class/net/vif$(domid hot).0" ] &&
        ! losetup -a | grep disk-hot
}

hot_moves() { # HOW FROM TO WHAT
    "by_$1" hot "$2" "$3" || return 1
    [ -z "$4" ] || has hot "$4"
}

hot() {
    make_qcow2 "$data/disk-hot"
    guest_config pvh hot
    ok "hot: Debian's xl creates it" hot_starts || return
    ok "hot: $us attaches a disk and an interface" \
        attach $us vdev=xvda,format=qcow2,target="$data/disk-hot"
    ok 'hot: both list them alike' agree 2
    [ "$us" = theirs ] || ok 'hot: its disk is not given to another' alone
    ok "hot: save by $us, received by theirs, with them" \
        hot_moves save $us theirs disk,vif
    ok "hot: $us detaches them" detach $us
    case $names in *' hot-more '*) hot_more ;; esac
    xl destroy hot
}

hot_more() {
    truncate -s 16M "$data/disk-hot-raw"
    ok "hot: migrate by theirs, received by $us, without them" \
        hot_moves migrate theirs $us
    ok 'hot: theirs attaches them' attach theirs "$data/disk-hot-raw" raw xvda w
    ok 'hot: both list them alike' agree 2
    ok "hot: migrate by $us, received by $us, with them" \
        hot_moves migrate $us $us disk,vif
    ok "hot: theirs detaches them" detach theirs
    ok "hot: save by $us, received by $us, without them" \
        hot_moves save $us $us
}

hot_starts() { xl create -q /tmp/hot.cfg && starts hot; }

# ---- each xl ends what the other has made ----

made() {
    run_xl "$1" create -q /tmp/made.cfg && starts made && write_disk made first
}

# Neither a QEMU nor a loop device nor a node of domain ID is left.
ended() { # WHOSE ID
    run_xl "$1" destroy made || return 1
    ! pidof xen-qemu-system-i386 && ! losetup -a | grep disk-made &&
        ! xenstore-ls -f /local/domain/0 | grep -E "backend/[a-z]*/$2/[0-9]"
}

# An image that is not what it is said to be: its QEMU runs on without it.
unopened() {
    if run_xl ours create -q /tmp/made.cfg 2>/tmp/unopened; then
        echo 'it was created'
        return 1
    fi
    grep 'disk xvda: .*disk-made-qcow' /tmp/unopened || return 1
    ! xl list made && ! pidof xen-qemu-system-i386
}

made_and_ended() {
    truncate -s 16M "$data/disk-made" "$data/disk-made-qcow"
    guest_config pv made "disk = [ '$data/disk-made-qcow,qcow2,xvda,w' ]"
    [ $us = theirs ] ||
        ok 'made: not by ours with a disk that cannot be opened' unopened
    make_qcow2 "$data/disk-made-qcow"
    ok "made: $us creates it, with a file" made $us
    ok 'made: theirs destroys it, and all of it' ended theirs "$(domid made)"
    guest_config pv made "disk = [ '$data/disk-made,raw,xvda,w' ]"
    forget_log made
    ok 'made: theirs creates it, with a file' made theirs
    ok "made: $us destroys it, and all of it" ended $us "$(domid made)"
}

# ---- our keeper's: one that suspends late, reboots, cannot start again ----

again_starts() {
    cp "$share/vmlinuz" /tmp/again-kernel
    run_xl ours create -q /tmp/again.cfg && starts again
}

word_of_again() { echo "/local/domain/$(domid again)/control/shutdown"; }

# As a save leaves it that was given up after the guest had heard of it: with
# its mark, but for when somebody has asked the guest for something since.
note_late() {
    cat >"/run/xl/$(domid again)/journal" <<EOF
{"format": 1, "verb": "save", "step": "late", "owner": {"boot_id":
"$(cat /proc/sys/kernel/random/boot_id)", "pid": 2, "start_time": 1},
"was_running": true, "then": "destroy", "file_dev": 0, "file_ino": 0}
EOF
}

is_suspended() { xl list again | awk 'NR > 1 { exit $5 !~ /s/ }'; }

suspend_it() { xenstore-write "$(word_of_again)" suspend && within is_suspended; }
no_journal() { [ ! -e "/run/xl/$(domid again)/journal" ]; }

resumed_by_keeper() {
    local at
    xenstore-write "$(word_of_again)" late
    note_late
    at=$(ticks again)
    forget_log again
    # until it suspends nothing happens, however often its keeper looks
    goes_on again $((at + 20)) || return 1
    ! no_journal && rm "/run/xl/$(domid again)/journal" || return 1
    suspend_it && xenstore-write "$(word_of_again)" late || return 1
    note_late
    within no_journal || return 1
    at=$(ticks again)
    goes_on again "$at" && checks again
}

# Another toolstack has suspended it, and may be saving it.
left_suspended() {
    note_late
    suspend_it && within no_journal && is_suspended
}

resumed_by_unpause() {
    local at
    at=$(ticks again)
    run_xl ours unpause again && goes_on again "$at" && checks again
}

reboots() {
    local id
    id=$(domid again)
    forget_log again
    if type_to again reboot && starts again && [ "$(domid again)" = "$id" ]; then
        return
    fi
    cat "/run/xl/$id/keeper.log"
    return 1
}

# There is no domain, half or whole; the list has it all the same.
is_ended() {
    gone again && run_xl ours list |
        awk '$1 == "again" && $5 ~ /s/ { n++ } END { exit n != 1 }'
}

stays_ended() {
    rm /tmp/again-kernel
    type_to again reboot && within is_ended &&
        run_xl ours destroy again && ! run_xl ours list | grep again
}

again() {
    guest_config pv again 'on_reboot = "restart"'
    sed -i 's|^kernel.*|kernel = "/tmp/again-kernel"|' /tmp/again.cfg
    ok 'again: our xl creates it' again_starts || return
    ok 'again: its keeper resumes it when it suspends late' resumed_by_keeper
    ok 'again: its keeper does not resume it when another suspends it' left_suspended
    ok 'again: unpause resumes it when it was left suspended' resumed_by_unpause
    ok 'again: it reboots, and is started again' reboots
    ok 'again: without its kernel it stays, as shut down' stays_ended
}

prepare
while read -r type name what lines; do
    case $type in '#'* | '') continue ;; esac
    case $names in *" $name "*) guest "$type" "$name" "$what" "$lines" ;; esac
done </mnt/host/guests

case $names in *' grows '*) [ $us = theirs ] || grows ;; esac
case $names in *' made '*) made_and_ended ;; esac
case $names in *' hot '*) hot ;; esac
case $names in *' stuck '*)
    guest_config pv stuck "$(guest_arguments stuck=1)"
    ok "stuck: Debian's xl creates it" stuck_starts
    ok "stuck: not saved by $us, and it goes on" refuses $us
    xl destroy stuck
    ;;
esac
case $names in *' again '*) [ $us = theirs ] || again ;; esac
done_testing
