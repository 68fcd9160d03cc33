# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# In dom0: TAP, and what the test guest says on its console.
share=/mnt/host
logs=/var/log/xen/console
count=0

ok() { # NAME COMMAND...: runs it
    local name=$1
    shift
    count=$((count + 1))
    if "$@" >/tmp/ok.log 2>&1; then
        echo "ok $count - $name"
    else
        sed 's/^/# /' /tmp/ok.log
        echo "not ok $count - $name"
        return 1
    fi
}

skip() { # NAME REASON
    count=$((count + 1))
    echo "ok $count - $1 # SKIP $2"
}

done_testing() { echo "1..$count"; }

# shellcheck disable=SC2120
guest_arguments() { # [ARGUMENT...]
    echo "extra = \"console=hvc0 quiet nokaslr mitigations=off" \
        "tick=200 touch=8 dirty=50 modules=xenblk,xennet $*\""
}

# What an HVM guest wants beyond: no screen, if LINES say nothing of one, and a
# serial port.
hvm_config() { # [LINE...]
    case $* in *vga*) ;; *) printf '%s\n' 'vga = "none"' 'nographic = 1' ;; esac
    cat <<EOF
sdl = 0
vnc = 0
usb = 0
serial = "pty"
xen_platform_pci = 1
EOF
}

# TYPE NAME [LINE...]: the configuration NAME.cfg, its lines last
guest_config() {
    local type=$1 name=$2 kernel=vmlinuz memory=96
    shift 2
    [ "$type" != hvm ] || { kernel=bzImage memory=128; }
    {
        cat <<EOF
name = "$name"
type = "$type"
memory = $memory
vcpus = 1
kernel = "$share/$kernel"
ramdisk = "$share/initramfs.gz"
on_crash = "preserve"
EOF
        [ "$type" != hvm ] || hvm_config "$@"
        # shellcheck disable=SC2119
        guest_arguments
        [ $# = 0 ] || printf '%s\n' "$@"
    } >"/tmp/$name.cfg"
}

# A guest that migrated here has its console's log under its name of then.
log_of() { cat "$logs/guest-$1.log" "$logs/guest-$1--incoming.log" 2>/dev/null; }

# From here on its log has what a domain that is still to come says, or what
# one that is there goes on with.
forget_log() {
    local f
    for f in "$logs/guest-$1.log" "$logs/guest-$1--incoming.log"; do
        [ ! -e "$f" ] || : >"$f"
    done
}

# How far the guest NAME has counted.
ticks() { log_of "$1" | sed -n 's/^T \([0-9]*\) [0-9a-f]*.*/\1/p' | tail -n 1; }

# NAME PATTERN: until its log has such a line; not if its memory is wrong.
says() {
    local i=0
    while [ $i -lt 900 ]; do
        ! log_of "$1" | grep BAD || return 1
        ! log_of "$1" | grep -q "$2" || return 0
        sleep 0.1
        i=$((i + 1))
    done
    echo "$1 never said $2; its last words:"
    log_of "$1" | tail -n 5
    return 1
}

# Up: it counts since it was started.
starts() { says "$1" '^T 3 '; }

# NAME N: a guest whose log was forgotten at N ticks goes on from there. One
# that started anew would say so.
goes_on() {
    local i=0 n
    while [ $i -lt 900 ]; do
        n=$(ticks "$1")
        if log_of "$1" | grep -e BAD -e READY; then
            return 1
        elif [ "${n:-0}" -gt "$2" ]; then
            return 0
        fi
        sleep 0.1
        i=$((i + 1))
    done
    echo "$1 does not count on from $2; its last words:"
    log_of "$1" | tail -n 5
    return 1
}

# NAME LINE: type it at the guest's console
type_to() {
    local id
    id=$(xl domid "$1") &&
        echo "$2" >"$(xenstore-read "/local/domain/$id/console/tty")"
}

# All of its memory is as it must be.
checks() { type_to "$1" check && says "$1" '^CHECK OK'; }

domid() { xl domid "$1"; }
gone() { ! xl domid "$1" >/dev/null 2>&1; }
