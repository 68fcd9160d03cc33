# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash disable=SC1091,SC2154
# In dom0: a PV guest's memory and state through hv_xen, both ways between
# Debian's xl and ours.
. /mnt/host/streams.sh

# Its balloon gives memory back until no more than MIB are left.
shrinks_to() { # MIB
    local i=0
    xl mem-set guest "$1" || return 1
    while [ $i -lt 300 ]; do
        [ "$(xl list guest | awk 'NR == 2 {print $3}')" -gt "$1" ] || return 0
        sleep 0.2
        i=$((i + 1))
    done
    return 1
}

# No domain is left of a restore for which there is no memory.
too_small_is_refused() {
    ! xen-sr restore "$share/again.libxc.save" tiny 32 pv 2 2>/tmp/tiny.log &&
        grep -E 'cannot (be )?allocate' /tmp/tiny.log && gone tiny && return
    cat /tmp/tiny.log
    xl list
    return 1
}

# Where the hypervisor has shadow paging, else refused with the guest running.
save_live() {
    at=$(ticks guest)
    if save_and_wrap live 2>/tmp/live.log; then
        at=$(ticks guest)
        forget_log guest
        ok 'we save it while it runs' true
        ok 'it is destroyed' xl destroy guest
        ok "Debian's xl restores our live image" xl restore "$ours"
    else
        forget_log guest
        ok 'to save it while it runs is refused with the reason' \
            grep 'without shadow paging' /tmp/live.log
    fi
    ok "it counts on from $at, its memory right" goes_on guest "$at"
}

restore_theirs() {
    unwrap "$theirs" >"$share/theirs.libxc.save" &&
        xen-sr restore "$share/theirs.libxc.save" guest 96 pv 2
}

guest_config pv guest
sed -i 's/^vcpus.*/vcpus = 2/' /tmp/guest.cfg
ok "Debian's xl creates it" xl create -q /tmp/guest.cfg
ok 'it counts' starts guest
ok "Debian's xl saves it, and it goes on" xl save -c guest "$theirs"

ok 'we save it while it stands' save_and_wrap
at=$(ticks guest)
forget_log guest
ok 'it is destroyed' xl destroy guest
ok "Debian's xl restores our image" xl restore "$ours"
ok "it counts on from $at, its memory right" goes_on guest "$at"

save_live
ok 'it gives memory back' shrinks_to 84
ok "Debian's xl saves it" xl save guest "$theirs"
at=$(ticks guest)
forget_log guest
ok 'we restore it' restore_theirs
ok "it counts on from $at, its memory right" goes_on guest "$at"
ok 'we save what we restored' xen-sr save "$(domid guest)" "$share/again.libxc.save"
at=$(ticks guest)
forget_log guest
ok 'it is destroyed' xl destroy guest
ok 'a restore into too little memory leaves nothing' too_small_is_refused
ok 'we restore what we saved' xen-sr restore "$share/again.libxc.save" guest 96 pv 2
ok "it counts on from $at, its memory right" goes_on guest "$at"
ok 'it is destroyed in the end' xl destroy guest
done_testing
