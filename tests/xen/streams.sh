# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash disable=SC1091,SC2154
# In dom0: xl's images and the libxc streams in them, which xen-sr reads and
# writes. Images lie on the share: dom0 has little memory.
. /mnt/host/lib.sh
export LD_LIBRARY_PATH=/opt/xl/lib
ours=$share/ours.save theirs=$share/theirs.save

# An image as xl reads it: the head of one of its own, our libxc stream, END.
wrap() {
    xen-sr cut "$theirs" /tmp/head >/dev/null || return 1
    cat /tmp/head "$1"
    dd if=/dev/zero bs=8 count=1 2>/dev/null
}

# An image's libxc stream, without what precedes it.
unwrap() {
    local head
    head=$(xen-sr cut "$1" /tmp/head) || return 1
    tail -c +$((head + 1)) "$1"
}

save_and_wrap() { # [live]
    xen-sr save "$(domid guest)" "$share"/ours.libxc.save "$@" &&
        wrap "$share/ours.libxc.save" >"$ours"
}
