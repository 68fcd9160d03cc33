# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash disable=SC1091,SC2154
# matrix.sh mixed|theirs TYPE...: in dom0, each type of guest on each way of
# tests/xen/matrix; "theirs" puts Debian's xl in both roles, which shows what
# this bed can do at all. The images that are saved go to the host, for its
# tools.
. /mnt/host/lib.sh
. /mnt/host/xl.sh
. /mnt/host/devices.sh
make_link
mode=$1
shift
[ "$mode" = theirs ] || need_ours

keep() { # TYPE WHOSE
    [ -e "$data/$1.save" ] && cp "$data/$1.save" "/mnt/out/$1-$2.save"
}

can() { # TYPE HOW
    [ "$1-$2" != pv-migrate ] || [ -e "$share/shadow" ]
}

# An HVM guest has a disk and an interface, which go with it.
config() { # TYPE
    case $1 in
    hvm)
        make_bridge
        make_qcow2 "$data/disk-hvm"
        guest_config hvm hvm 'vif = [ "mac=00:16:3e:00:00:01,bridge=xenbr0" ]' \
            "disk = [ '$data/disk-hvm,qcow2,hda,w', ',,hdc,cdrom' ]"
        ;;
    *) guest_config "$1" "$1" ;;
    esac
}

has_all() { # TYPE
    [ "$1" != hvm ] || { has_disk hvm && has_vif hvm; }
}

created() { # TYPE
    start_over "$1" && { [ "$1" != hvm ] || write_disk hvm first; }
}

moves() { # HOW TYPE FROM TO
    local how=$1
    shift
    "by_$how" "$@" && has_all "$1"
}

way() { # TYPE HOW FROM TO
    local name="$1: $2 by $3, received by $4"
    if ! can "$1" "$2"; then
        skip "$name" "this hypervisor cannot log a PV guest's writes"
        return
    fi
    is_well "$1" || start_over "$1" >/dev/null 2>&1
    ok "$name" moves "$2" "$1" "$3" "$4" || return
    case $2-$3-$4 in save-ours-ours | save-theirs-ours) keep "$1" "$3" ;; esac
}

for type in "$@"; do
    config "$type"
    ok "$type: Debian's xl creates it" created "$type" || continue
    while read -r how from to only; do
        case $how in '#'* | '') continue ;; esac
        # such a way is for our xl alone
        [ -z "$only" ] || [ "$only-mixed" = "$type-$mode" ] || continue
        [ "$mode" = mixed ] || from=theirs to=theirs
        way "$type" "$how" "$from" "$to"
    done </mnt/host/matrix
    ok "$type: it is destroyed in the end" xl destroy "$type"
done
done_testing
