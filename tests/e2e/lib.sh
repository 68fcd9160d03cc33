# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2034
#
# What the tests with real guests share. A test sources this file, calls ok,
# is and fails, and ends with done_testing. It has a state directory and a
# scratch directory of its own; both go at the end, with every guest in them,
# however the test ends.

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=${XL_BUILD:-$TOP/build}
GUEST=$BUILD/guest
LONG=${XL_TEST_LONG:-}
PATH=$BUILD/bin:$PATH
VERIFY=$TOP/tools/python/scripts/verify-stream-v2
DEADLINE_S=${XL_TEST_DEADLINE:-240} # for what hangs: a slow host is none

WORK=$(mktemp -d "${TMPDIR:-/tmp}/xl-e2e.XXXXXX")
export XL_STATE_DIR=$WORK/state XL_HYPERVISOR=${XL_HYPERVISOR:-qemu}
AS=() # the command that runs xl as another user
TESTS=0
BAD=0

# ------------------------------------------------------------- TAP

diag() { sed 's/^/#   /' >&2; }

result() { # 0|1 title
    TESTS=$((TESTS + 1))
    if [ "$1" = 0 ]; then
        echo "ok $TESTS - $2"
    else
        BAD=$((BAD + 1))
        echo "not ok $TESTS - $2"
    fi
}

# ok TITLE COMMAND...: the command ends with 0.
ok() {
    local title=$1 rc=0
    shift
    "$@" >"$WORK/out" 2>&1 || rc=$?
    result "$rc" "$title"
    [ "$rc" = 0 ] || { echo "$* gave $rc:"; tail -15 "$WORK/out"; } | diag
    return "$rc"
}

# is TITLE GOT WANTED
is() {
    local rc=0
    [ "$2" = "$3" ] || rc=1
    result "$rc" "$1"
    [ "$rc" = 0 ] || printf 'got:    %s\nwanted: %s\n' "$2" "$3" | diag
    return "$rc"
}

# fails TITLE REGEX COMMAND...: the command ends with 1, by itself and within
# the deadline, and says one thing that matches.
fails() {
    local title=$1 regex=$2 rc=0
    shift 2
    timeout "$DEADLINE_S" "$@" >"$WORK/out" 2>&1 || rc=$?
    if [ "$rc" = 1 ] && grep -Eq -- "$regex" "$WORK/out"; then
        result 0 "$title"
        return 0
    fi
    result 1 "$title"
    { echo "$* gave $rc, wanted 1 and /$regex/:"; tail -15 "$WORK/out"; } | diag
    return 1
}

skip() { # title reason
    TESTS=$((TESTS + 1))
    echo "ok $TESTS - $1 # SKIP $2"
}

skip_all() {
    echo "1..0 # SKIP $1"
    exit 0
}

done_testing() {
    echo "1..$TESTS"
    [ "$BAD" = 0 ]
    exit
}

# ------------------------------------------------------------- cleaning up

# The process that runs a domain, from its record.
qemu_pid() { # domain's directory
    sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' "$1/domain" 2>/dev/null | head -1
}

# Processes that know this test's directory: "PID COMMAND LINE" each. The
# toolstack's and QEMU's; the test's own shells are not meant.
own_processes() {
    local environ pid line
    grep -laF "=$WORK" /proc/[0-9]*/environ 2>/dev/null |
        while read -r environ; do
            pid=${environ#/proc/}
            pid=${pid%/environ}
            line=$(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline") || continue
            case $line in
            *qemu-system* | xl\ * | */xl\ * | *xl-save-helper* | *xl-keeper*)
                echo "$pid $line"
                ;;
            esac
        done
}

none_left() { [ -z "$(own_processes)" ]; }

# The keeper of a domain that has gone ends a moment after it.
one_guests_processes() { [ "$(own_processes | wc -l)" = 2 ]; }

cleanup() {
    local dir pid
    trap - EXIT
    for dir in "$WORK"/state*/*/; do
        pid=$(qemu_pid "$dir")
        if [ -n "$pid" ] && grep -q qemu "/proc/$pid/comm" 2>/dev/null; then
            kill -9 "$pid" 2>/dev/null
        fi
    done
    own_processes | while read -r pid _; do
        kill -9 "$pid" 2>/dev/null
    done
    for dir in "$WORK"/mnt*/; do
        mountpoint -q "$dir" 2>/dev/null && umount "$dir"
    done
    rm -rf "$WORK"
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP

# ------------------------------------------------------------- guests

xl() { "${AS[@]}" "$BUILD/bin/xl" "$@"; }

[ "$XL_HYPERVISOR" != qemu ] || [ -e "$GUEST/initramfs.gz" ] ||
    skip_all "no test guest: run make guest"
[ -x "$BUILD/bin/xl" ] || skip_all "no xl: run make"

# guest_config NAME [KEY=VALUE...]: write $WORK/NAME.cfg. Arguments for the
# guest's kernel: $GUEST_ARGS.
guest_config() {
    local name=$1 line
    shift
    cat >"$WORK/$name.cfg" <<EOF
name = "$name"
type = "hvm"
memory = ${GUEST_MEMORY:-256}
vcpus = 1
kernel = "$GUEST/vmlinuz"
ramdisk = "$GUEST/initramfs.gz"
cmdline = "console=ttyS0 quiet panic=-1 tick=100 ${GUEST_ARGS:-touch=32}"
EOF
    for line in "$@"; do
        sed -i "/^${line%%[ =]*} *=/d" "$WORK/$name.cfg"
        echo "$line" >>"$WORK/$name.cfg"
    done
}

domid() { xl domid "$1" 2>/dev/null; }

dom_dir() {
    local id
    id=$(domid "$1") && [ -n "$id" ] && echo "$XL_STATE_DIR/$id"
}

console_log() {
    local dir
    dir=$(dom_dir "$1") && echo "$dir/console-log"
}

# wait_for COMMAND...: until it succeeds; fails at the deadline.
wait_for() {
    local end=$((SECONDS + DEADLINE_S))
    until "$@" 2>/dev/null; do
        [ "$SECONDS" -lt "$end" ] || { echo "deadline: $*" | diag; return 1; }
        sleep 0.05
    done
}

prints() { [ "$("${@:2}")" = "$1" ]; }

# comes_to TITLE WANTED COMMAND...: what it prints is that, or becomes it.
comes_to() {
    local title=$1 wanted=$2
    shift 2
    wait_for prints "$wanted" "$@"
    is "$title" "$("$@")" "$wanted"
}

# The number of the last tick in a guest's console log; 0 if none.
last_tick() {
    local log n
    log=$(console_log "$1") || { echo 0; return; }
    n=$(grep -a '^T [0-9]* [0-9a-f]\{8\}' "$log" 2>/dev/null | tail -1 |
        cut -d' ' -f2)
    echo "${n:-0}"
}

ticked_to() { [ "$(last_tick "$1")" -ge "$2" ]; }
wait_tick() { wait_for ticked_to "$1" "$2"; }

# The guest goes on: two more ticks than now.
goes_on() { wait_tick "$1" $(($(last_tick "$1") + 2)); }

boot_id() {
    sed -n 's/.*READY boot=\([0-9a-f]*\).*/\1/p' "$(console_log "$1")" |
        tail -1
}

# Every tick in the log is the next one, with the word of this boot.
sound_ticks() { # name boot-id [gaps]
    "$TOP/tests/e2e/ticks.py" "$(console_log "$1")" "${@:2}"
}

# start_guest NAME [KEY=VALUE...]: create it and wait for its first ticks.
start_guest() {
    guest_config "$@"
    xl create "$WORK/$1.cfg" >"$WORK/create.out" 2>&1 ||
        { diag <"$WORK/create.out"; return 1; }
    wait_tick "$1" 2
}

# LOG ANSWER: the whole lines that begin with it; the last may be half there.
answered() {
    { cat "$1" && echo .; } | sed '$d' | tr -d '\r' | grep -a "^$2"
}

answers() { [ "$(answered "$1" "$2" | wc -l)" -gt "$3" ]; }

# tell NAME LINE: write a line to the guest's console. xl console stays for what
# the guest has to say: $console is its pid.
tell() {
    printf '%s\n' "$2" | timeout "$DEADLINE_S" "${AS[@]}" "$BUILD/bin/xl" \
        console "$1" >/dev/null 2>&1 &
    console=$!
}

hang_up() {
    kill "$console" 2>/dev/null
    wait "$console" 2>/dev/null
}

# ask NAME LINE ANSWER: tell it; print the line beginning with ANSWER that the
# guest gives.
ask() {
    local log had rc=0
    log=$(console_log "$1") || return 1
    had=$(answered "$log" "$3" | wc -l)
    tell "$1" "$2"
    wait_for answers "$log" "$3" "$had" || rc=1
    hang_up
    [ "$rc" != 0 ] || answered "$log" "$3" | tail -1
    return "$rc"
}

state_of() { xl list "$1" 2>/dev/null | awk 'NR==2 {print $5}'; }

is_paused() { case $(state_of "$1") in *p*) true ;; *) false ;; esac; }

# What the guest's memory holds, seen from outside: pause it first.
memory_sum() { "$TOP/tests/e2e/memsum.py" "$(dom_dir "$1")"; }

# Debian's verifier, if it is there: /usr/lib/xen-*/bin/verify-stream-v2.
debian_verify() {
    local root
    root=$(find /usr/lib -maxdepth 1 -name 'xen-4.*' | sort -V | tail -1)
    [ -e "$root/bin/verify-stream-v2" ] || return 2
    PYTHONPATH=$root/lib/python /usr/bin/python3 \
        "$root/bin/verify-stream-v2" -i "$1" -f xl
}

no_leftovers() { # directory that held the save file
    ! find "$1" "$XL_STATE_DIR" -name '*.part*' -o -name '*.tmp*' \
        2>/dev/null | grep .
}
