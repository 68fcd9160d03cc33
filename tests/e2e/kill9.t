#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# kill -9 of xl, the helper, the keeper, or several, at random moments of a save
# and of a restore: the guest runs again or still, by the keeper or after
# `xl recover`, and no file claims to be complete when it is not.
. "$(dirname "$0")/lib.sh"
image=$WORK/image
MOMENTS=25 # of each
[ -z "$LONG" ] || MOMENTS=50
RANDOM=${XL_TEST_SEED:-1}

pids() { own_processes | awk -v name="$1" '$2 ~ name {print $1}'; }

# Which processes of an operation by xl process $1 are to die this time.
victims() { # xl's pid, a number
    case $(($2 % 6)) in
    0) echo "$1" ;;
    1) pids xl-save-helper ;;
    2) pids xl-keeper ;;
    3) echo "$1"; pids xl-save-helper ;;
    4) echo "$1"; pids xl-keeper ;;
    5) echo "$1"; pids xl-save-helper; pids xl-keeper ;;
    esac
}

# A process that is being killed is still there for a moment: the next command
# would take a dying keeper for a living one.
dead_all() {
    local p
    while read -r p; do
        grep -qs '^State:[[:space:]]*[^ZX]' "/proc/$p/status" && return 1
    done <"$WORK/victims"
    return 0
}

# Run an operation and kill a part of it after up to $1 ms.
strike() { # ms command...
    local ms=$((RANDOM % $1)) which=$RANDOM pid
    shift
    "$@" >"$WORK/struck.out" 2>&1 &
    pid=$!
    sleep "$(printf '0.%03d' $ms)"
    victims $pid "$which" >"$WORK/victims"
    # shellcheck disable=SC2046
    kill -9 $(cat "$WORK/victims") 2>/dev/null
    wait $pid 2>/dev/null
    wait_for dead_all
    struck="$* after $ms ms, victims $((which % 6))"
}

runs() { case $(state_of guest) in r* | -b*) true ;; *) false ;; esac; }
at_rest() { runs || [ -z "$(domid guest)" ]; }

# A keeper that lives settles everything by itself, but for a guest that was
# only half built, or not unpaused yet. Without one it is for `xl recover`.
settle() { # save|restore
    if [ "$1" = save ] && [ -n "$(pids xl-keeper)" ]; then
        wait_for at_rest
        return
    fi
    timeout "$DEADLINE_S" xl recover >"$WORK/recover.out" 2>&1 || {
        cat "$WORK/recover.out"
        return 1
    }
}

after_save() {
    settle save || return 1
    if [ -n "$(domid guest)" ]; then
        stayed=$((stayed + 1))
        [ ! -e "$image" ] || { echo "guest and image are both there"; return 1; }
        goes_on guest || { xl list; return 1; }
    else
        "$VERIFY" -f xl -i "$image" || return 1
        xl restore "$image" || return 1
        rm -f "$image"
        goes_on guest || return 1
    fi
    sound_ticks guest "$boot" gaps
}

after_restore() {
    settle restore || return 1
    if [ -n "$(domid guest)" ]; then
        restored=$((restored + 1))
    else
        xl restore "$image" || return 1
    fi
    is_paused guest && { xl unpause guest || return 1; }
    [ "$(xl list | grep -c '^guest ')" = 1 ] || { xl list; return 1; }
    goes_on guest || { xl list; return 1; }
    sound_ticks guest "$boot" gaps
}

ok "create" start_guest guest
boot=$(boot_id guest)

stayed=0 restored=0
fault=
for n in $(seq "$MOMENTS"); do
    rm -f "$image"
    strike 400 "$BUILD/bin/xl" save guest "$image"
    after_save >"$WORK/out" 2>&1 || { fault="$n: $struck"; break; }
done
echo "# after $stayed saves the guest was still there, after the others the image"
is "a save, killed at $MOMENTS moments" "$fault" "" || diag <"$WORK/out"
ok "no temporary file is left" \
    sh -c "! find '$WORK' -maxdepth 1 -name '.*image*' -o -maxdepth 1 \
        -name 'image.*' | grep ."

fault=
for n in $(seq "$MOMENTS"); do
    if [ -n "$(domid guest)" ]; then
        rm -f "$image"
        xl save guest "$image" >"$WORK/out" 2>&1 || { fault="$n: save"; break; }
    fi
    strike 300 "$BUILD/bin/xl" restore "$image"
    after_restore >"$WORK/out" 2>&1 || { fault="$n: $struck"; break; }
done
echo "# $restored restores were done all the same, the others begun anew"
is "a restore, killed at $MOMENTS moments" "$fault" "" || diag <"$WORK/out"

is "the guest finds its memory whole" "$(ask guest check CHECK)" \
    "CHECK OK 8192 pages"
is "one QEMU is left" "$(pids qemu-system | wc -l)" 1
ok "destroy" xl destroy guest
is "nothing is left" "$(wait_for none_left; own_processes)" ""
done_testing
