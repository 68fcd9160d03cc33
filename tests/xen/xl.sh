# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash disable=SC2154
# In dom0: the two toolstacks, and a guest's way from one to the other. Each
# function prints what went wrong, and fails.
data=/data

xl_of() { # ours|theirs
    case $1 in
    ours) echo /opt/xl/bin/xl ;;
    theirs) echo /usr/lib/xen-4.17/bin/xl ;;
    esac
}

run_xl() { # WHOSE ARGUMENT...
    local xl
    xl=$(xl_of "$1")
    shift
    timeout 600 "$xl" "$@"
}

# Where xl was built without Xen there is nothing to test.
need_ours() {
    run_xl ours list >/tmp/ours.log 2>&1 && return
    sed 's/^/# /' /tmp/ours.log
    echo '1..0 # SKIP our xl does not run on Xen'
    exit 0
}

# For migrate -s: HOST names whose xl receives.
make_link() {
    cat >/tmp/link <<'EOF'
#!/bin/sh
# WHOSE xl ARGUMENT...
. /mnt/host/lib.sh
. /mnt/host/xl.sh
xl=$(xl_of "$1")
shift 2
exec "$xl" "$@"
EOF
    chmod +x /tmp/link
}

# NAME FROM TO [OPTION]: the image stays in $data/NAME.save.
by_save() {
    local at
    # shellcheck disable=SC2086
    run_xl "$2" save ${4-} "$1" "$data/$1.save" || return 1
    gone "$1" || { echo "$1 is still there"; return 1; }
    at=$(ticks "$1")
    forget_log "$1"
    run_xl "$3" restore "$data/$1.save" || return 1
    goes_on "$1" "$at" && checks "$1"
}

# NAME FROM TO: a file without the zero pages, which Debian's xl refuses.
by_native() {
    by_save "$1" "$2" "$3" --native || return 1
    ! run_xl theirs restore "$data/$1.save" >/tmp/refused.log 2>&1 || return 1
    cat /tmp/refused.log
    grep -q 'mandatory flag' /tmp/refused.log && is_one "$1"
}

by_migrate() {
    local at
    at=$(ticks "$1")
    forget_log "$1"
    run_xl "$2" migrate -s /tmp/link "$1" "$3" || return 1
    is_one "$1" && goes_on "$1" "$at" && checks "$1"
}

# One domain has the name, and none is left over.
is_one() {
    local n
    n=$(xl list | grep -c "^$1")
    [ "$n" = 1 ] && domid "$1" >/dev/null && return
    xl list
    return 1
}

# NAME: whatever was left of it is gone, and one by Debian's xl runs.
start_over() {
    local id
    for id in $(xl list | awk -v n="$1" 'index($1, n) == 1 { print $2 }'); do
        xl destroy "$id"
    done
    forget_log "$1"
    if [ -e "$data/$1.first" ]; then
        xl restore "$data/$1.first" && says "$1" '^T '
    else
        xl create -q "/tmp/$1.cfg" && starts "$1" &&
            xl save -c "$1" "$data/$1.first"
    fi
}

# NAME: it is fit for the next test.
is_well() { is_one "$1" >/dev/null && ! log_of "$1" | grep -q BAD; }
