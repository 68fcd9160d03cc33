# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash disable=SC1091,SC2154
# In dom0: a PVH guest's memory and state through hv_xen, both ways between
# Debian's xl and ours.
. /mnt/host/streams.sh

# An odd number: its memory ends in the middle of a piece of 2 MiB.
mib=129

restore_theirs() {
    unwrap "$theirs" >"$share/theirs.libxc.save" &&
        xen-sr restore "$share/theirs.libxc.save" guest $mib
}

guest_config pvh guest "memory = $mib"
ok "Debian's xl creates it" xl create -q /tmp/guest.cfg
ok 'it counts' starts guest
ok "Debian's xl saves it, and it goes on" xl save -c guest "$theirs"

ok 'we save it while it stands' save_and_wrap
at=$(ticks guest)
forget_log guest
ok 'it is destroyed' xl destroy guest
ok "Debian's xl restores our image" xl restore "$ours"
ok "it counts on from $at, its memory right" goes_on guest "$at"

ok 'we save it while it runs' save_and_wrap live
at=$(ticks guest)
forget_log guest
ok 'it is destroyed' xl destroy guest
ok "Debian's xl restores our live image" xl restore "$ours"
ok "it counts on from $at, its memory right" goes_on guest "$at"

ok "Debian's xl saves it" xl save guest "$theirs"
at=$(ticks guest)
forget_log guest
ok 'we restore it' restore_theirs
ok "it counts on from $at, its memory right" goes_on guest "$at"
ok 'we save what we restored' xen-sr save "$(domid guest)" "$share/again.libxc.save" live
at=$(ticks guest)
forget_log guest
ok 'it is destroyed' xl destroy guest
ok 'we restore what we saved' xen-sr restore "$share/again.libxc.save" guest $mib
ok "it counts on from $at, its memory right" goes_on guest "$at"
ok 'it is destroyed in the end' xl destroy guest
done_testing
