# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# On the host, for tests/xen/*.t: the bed, and TAP that goes on behind it.
XL_BUILD=${XL_BUILD:-build}
bed_dir=$(realpath -m "$XL_BUILD/xen")
export O=$XL_BUILD
count=0

# Boot the hypervisor with shadow paging where it can be had; without it Debian's
# own does, and what needs the other is skipped.
with_shadow() {
    if scripts/xen-shadow "$bed_dir" >&2; then
        export XEN_BED_XEN=$bed_dir/xen-shadow
    fi
}

# dom0, or the reason why there can be none.
make_dom0() {
    local rc=0
    mkdir -p "$bed_dir"
    flock "$bed_dir/.lock-dom0" scripts/xen-dom0 "$bed_dir" >&2 || rc=$?
    [ $rc != 3 ] || skip_all "cannot fetch Debian's Xen packages"
    [ $rc = 0 ] || exit 1
    export XEN_BED_KEEP=1
}

# SCRIPT WORD...: run it in dom0; its tests are the first of ours.
bed() {
    local log rc
    log=$(mktemp)
    scripts/xen-bed "$bed_dir" "$@" | tee "$log" | sed -u '/^1\.\.[1-9]/d'
    rc=${PIPESTATUS[0]}
    ! grep -q '^1\.\.0' "$log" || exit "$rc"
    count=$(grep -cE '^(not )?ok ' "$log")
    rm -f "$log"
    return "$rc"
}

ok() { # NAME COMMAND...
    local name=$1 log
    shift
    log=$(mktemp)
    count=$((count + 1))
    if "$@" >"$log" 2>&1; then
        echo "ok $count - $name"
    else
        sed 's/^/# /' "$log"
        echo "not ok $count - $name"
    fi
    rm -f "$log"
}

skip_all() { # REASON
    echo "1..0 # SKIP $1"
    exit 0
}

done_testing() { echo "1..$count"; }
