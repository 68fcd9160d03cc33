# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash disable=SC1091,SC2154
# faults.sh TYPE...: in dom0, what goes wrong while a guest is saved, restored
# or migrated by our xl. Afterwards it runs where it was, nothing logs its
# writes, and nothing half-built is left.
. /mnt/host/lib.sh
. /mnt/host/xl.sh
make_link
need_ours

# A link whose receiver is cut off after so many bytes.
cat >/tmp/cut <<'EOF'
#!/bin/sh
head -c 20000000 | /tmp/link "$@"
EOF
chmod +x /tmp/cut

# Until a process of that name runs; then its ids.
await() {
    local i=0
    until pidof "$1"; do
        i=$((i + 1))
        [ $i -lt 300 ] || return 1
        sleep 0.1
    done
}

# NAME: it goes on as if nothing had been, and is the only one.
unharmed() {
    local at
    is_one "$1" || return 1
    at=$(ticks "$1")
    goes_on "$1" "${at:-0}" && checks "$1" &&
        xen-sr log-dirty "$(domid "$1")" && no_leftovers "$1"
}

no_leftovers() { # NAME
    if [ -n "$(find "$data/faults" /tmp/tiny -type f 2>/dev/null)" ]; then
        echo 'a file is left'
        return 1
    fi
    if pidof xl-save-helper; then
        echo 'a helper is left'
        return 1
    fi
}

# COMMAND... must fail
fails() {
    if "$@"; then
        echo "succeeded: $*"
        return 1
    fi
}

helper_killed_saving() { # NAME
    forget_log "$1"
    run_xl ours save "$1" "$data/faults/$1" &
    # shellcheck disable=SC2046
    kill -9 $(await xl-save-helper)
    fails wait $! && unharmed "$1"
}

helper_killed_migrating() {
    forget_log "$1"
    run_xl ours migrate -s /tmp/link "$1" ours &
    # shellcheck disable=SC2046
    kill -9 $(await xl-save-helper)
    fails wait $! && unharmed "$1"
}

helper_killed_restoring() {
    forget_log "$1"
    run_xl ours save -c "$1" "$data/$1.copy" || return 1
    sed "s/^name = .*/name = \"$1-copy\"/" "/tmp/$1.cfg" >/tmp/copy.cfg
    run_xl ours restore /tmp/copy.cfg "$data/$1.copy" &
    # shellcheck disable=SC2046
    kill -9 $(await xl-save-helper)
    fails wait $! && unharmed "$1"
}

stream_cut() {
    forget_log "$1"
    fails run_xl ours migrate -s /tmp/cut "$1" ours && unharmed "$1"
}

# Another domain takes all memory but a little.
target_out_of_memory() {
    local free
    forget_log "$1"
    free=$(xl info free_memory)
    guest_config pvh hog "memory = $((free - 40))"
    xl create -q -p /tmp/hog.cfg || return 1
    fails run_xl ours migrate -s /tmp/link "$1" ours && unharmed "$1"
    set -- $?
    xl destroy hog
    return "$1"
}

xenstored_slow() {
    local pid store
    forget_log "$1"
    store=$(pidof xenstored)
    run_xl ours save -c "$1" "$data/$1.slow" &
    pid=$!
    await xl-save-helper
    # shellcheck disable=SC2086
    kill -STOP $store
    sleep 8
    # shellcheck disable=SC2086
    kill -CONT $store
    wait $pid
    unharmed "$1"
}

no_space() {
    forget_log "$1"
    mkdir -p /tmp/tiny
    mount -t tmpfs -o size=20m tiny /tmp/tiny
    fails run_xl ours save "$1" /tmp/tiny/image && unharmed "$1"
    set -- $?
    umount /tmp/tiny
    return "$1"
}

interrupted() {
    forget_log "$1"
    /opt/xl/bin/xl save "$1" "$data/faults/$1" &
    await xl-save-helper
    kill -TERM $!
    fails wait $! && unharmed "$1"
}

# Linux in an HVM guest resets its machine when it has crashed.
has_crashed() { # NAME
    local how=sc
    [ "$1" != hvm ] || how='s[cr]'
    xl list "$1" |
        awk -v how="$how" 'NR > 1 && $5 ~ how { found = 1 } END { exit !found }'
}

# It stays as its on_crash (or on_reboot) says, saved it cannot be.
guest_crashes() {
    forget_log "$1"
    run_xl ours migrate -s /tmp/link "$1" ours &
    await xl-save-helper
    type_to "$1" crash
    fails wait $! || return 1
    is_one "$1" && no_leftovers "$1" && xen-sr log-dirty "$(domid "$1")" &&
        has_crashed "$1"
}

# Of an image whose processor state nobody made: it is read up to its end, and
# refused there by the record's name. No domain stays.
bad_image() {
    fails run_xl ours restore "$share/legacy.save" 2>/tmp/legacy.log ||
        return 1
    cat /tmp/legacy.log
    grep -q 'the domain refuses its HVM_CONTEXT (xen)' /tmp/legacy.log &&
        ! xl list | grep -q legacy && no_leftovers legacy
}

mkdir -p "$data/faults"
for type in "$@"; do
    guest_config "$type" "$type" 'on_reboot = "preserve"'
    for fault in helper_killed_saving helper_killed_migrating \
        helper_killed_restoring stream_cut target_out_of_memory xenstored_slow \
        no_space interrupted guest_crashes; do
        is_well "$type" || start_over "$type" >/tmp/over.log 2>&1 ||
            cat /tmp/over.log
        ok "$type: $(echo $fault | tr _ ' ')" $fault "$type"
    done
    xl destroy "$type"
done
[ ! -e "$share/legacy.save" ] ||
    ok 'a converted image is refused by the name of what the hypervisor refuses' \
        bad_image
done_testing
