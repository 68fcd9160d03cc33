# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash disable=SC2154
# In dom0: disks and interfaces of test guests, and whether they still have them.

make_qcow2() { # FILE: 16 MiB, empty
    truncate -s 256K "$1"
    {
        printf 'QFI\373\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\020'
        printf '\0\0\0\0\001\0\0\0\0\0\0\0\0\0\0\001\0\0\0\0\0\003\0\0'
        printf '\0\0\0\0\0\001\0\0\0\0\0\001\0\0\0\0\0\0\0\0\0\0\0\0'
    } | dd of="$1" conv=notrunc 2>/dev/null
    printf '\0\0\0\0\0\002\0\0' |
        dd of="$1" bs=64K seek=1 conv=notrunc 2>/dev/null
    printf '\0\001\0\001\0\001\0\001' |
        dd of="$1" bs=64K seek=2 conv=notrunc 2>/dev/null
}

# A bridge that leads nowhere.
make_bridge() {
    brctl addbr xenbr0
    ifconfig xenbr0 up
}

# Xen's own, which says what it is run for.
make_vif_script() {
    cat >/etc/xen/scripts/vif-test <<'EOF'
#!/bin/sh
echo "$*" >>/tmp/vif.log
exec /etc/xen/scripts/vif-bridge "$@"
EOF
    chmod +x /etc/xen/scripts/vif-test
}

# It was run for each guest that came and for each that went; one is there.
has_script() {
    local on off
    on=$(grep -c ^online /tmp/vif.log)
    off=$(grep -c ^offline /tmp/vif.log)
    [ $((on - off)) = 1 ] || { cat /tmp/vif.log; return 1; }
}

answers() { # NAME COMMAND PATTERN
    type_to "$1" "$2" && says "$1" "$3"
}

# What xenstore says of the guest NAME at KEY.
key_of() {
    local id
    id=$(domid "$1") && xenstore-read "/local/domain/$id/$2"
}

write_disk() { # NAME WORD
    echo "$2" >"/tmp/word-$1"
    answers "$1" "disk-write $2" '^DISK-WRITE OK' &&
        answers "$1" disk "^DISK $2"
}

# What was written before the guest moved is there, and it can write.
has_disk() {
    answers "$1" disk "^DISK $(cat "/tmp/word-$1")" && write_disk "$1" "word-$count"
}

has_vif() {
    local name
    name=vif$(domid "$1").0
    name=$(xenstore-read "/local/domain/0/backend/vif/$(domid "$1")/0/vifname" \
        2>/dev/null || echo "$name")
    answers "$1" net '^NET eth0 00:16:3e:00:00:01' &&
        [ "$(key_of "$1" device/vif/0/state)" = 4 ] &&
        [ -e "/sys/class/net/xenbr0/brif/$name" ]
}
