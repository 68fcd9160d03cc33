#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The whole cycle as an ordinary user, in a home that is deep enough to make
# socket paths too long.
. "$(dirname "$0")/lib.sh"

if [ "$(id -u)" = 0 ]; then
    home=$WORK/home/$(printf 'd%.0s' $(seq 60))/$(printf 'e%.0s' $(seq 60))
    mkdir -p "$home"
    chmod 711 "$WORK" "$WORK/home"
    chown -R nobody "$WORK/home"
    AS=(setpriv --reuid=nobody --regid=nogroup --clear-groups --no-new-privs)
    # The build may lie where only root can go.
    "${AS[@]}" test -x "$BUILD/bin/xl" -a -r "$GUEST/vmlinuz" ||
        skip_all "an ordinary user cannot read $BUILD"
else
    home=$WORK/home
    mkdir -p "$home"
fi
AS+=(env -u XL_STATE_DIR -u XDG_STATE_HOME "HOME=$home")
state=$home/.local/state/xl
image=$home/image
# From here on the functions of lib.sh look where the user's domains are.
XL_STATE_DIR=$state

guest_config guest
chmod 644 "$WORK/guest.cfg"
ok "create" xl create "$WORK/guest.cfg"
ok "the guest ticks" wait_tick guest 2
boot=$(boot_id guest)
is "the state directory is the user's alone" "$(stat -c %a "$state")" 700
ok "save" xl save guest "$image"
is "the guest is gone" "$(domid guest)" ""
ok "the image is complete" "$VERIFY" -f xl -i "$image"
ok "restore" xl restore "$image"
ok "the guest goes on" goes_on guest
ok "its ticks are sound" sound_ticks guest "$boot"
is "it finds its memory whole" "$(ask guest check CHECK)" "CHECK OK 8192 pages"
ok "info says where the state is" \
    sh -c "grep -q '$state' <<EOF
$(xl info)
EOF"
ok "destroy" xl destroy guest
is "no domain is left" \
    "$(find "$state" -mindepth 1 -maxdepth 1 -name "[0-9]*")" ""
done_testing
