#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# save -c and -p, restore -p, and memory compared from outside.
. "$(dirname "$0")/lib.sh"
image=$WORK/image

ok "create" start_guest guest
boot=$(boot_id guest)

ok "save -c" xl save -c guest "$image"
ok "the guest goes on after save -c" goes_on guest
ok "its ticks are sound" sound_ticks guest "$boot"
ok "the image is complete" "$VERIFY" -i "$image" -f xl

ok "save -p over the old image" xl save -p guest "$image"
ok "the guest is listed as paused" is_paused guest
sum=$(memory_sum guest)
ok "the image is complete" "$VERIFY" -i "$image" -f xl
ok "unpause" xl unpause guest
ok "the guest goes on" goes_on guest

ok "pause, then save -c of a paused guest" \
    sh -c "xl pause guest && xl save -c guest '$WORK/second'"
ok "it is paused as before" is_paused guest
ok "destroy" xl destroy guest

ok "restore -p" xl restore -p "$image"
ok "the guest is listed as paused" is_paused guest
is "memory is as it was at the save" "$(memory_sum guest)" "$sum"
ok "unpause" xl unpause guest
ok "the guest goes on" goes_on guest
ok "its ticks are sound" sound_ticks guest "$boot"
is "it finds its memory whole" "$(ask guest check CHECK)" "CHECK OK 8192 pages"

fails "restore of a guest that runs" 'guest' xl restore "$image"
ok "the running one is not harmed" goes_on guest
ok "save to a pipe" sh -c "xl save guest - >'$WORK/piped'"
is "it is gone after that" "$(domid guest)" ""
ok "restore from a pipe" sh -c "cat '$WORK/piped' | xl restore -"
ok "the guest goes on" goes_on guest
ok "its ticks are sound" sound_ticks guest "$boot"

ln -s "$WORK/target" "$WORK/link"
ok "save through a symlink" xl save guest "$WORK/link"
ok "the link is still one, and its target the image" \
    sh -c "test -L '$WORK/link' && test -s '$WORK/target'"
ok "restore through it" xl restore "$WORK/link"
ok "the guest goes on" goes_on guest

# Another configuration: the machine stays as it was saved.
sed 's/^name.*/name = "second"/' "$WORK/guest.cfg" >"$WORK/second.cfg"
ok "save with another configuration" \
    xl save guest "$WORK/stored" "$WORK/second.cfg"
ok "restore has it" xl restore "$WORK/stored"
ok "the guest goes on under its new name" goes_on second
ok "save" xl save second "$image"
ok "restore with another configuration" xl restore "$WORK/guest.cfg" "$image"
ok "the guest goes on under its old name" goes_on guest
ok "save" xl save guest "$image"
sed 's/^memory.*/memory = 512/' "$WORK/guest.cfg" >"$WORK/second.cfg"
fails "restore with more memory than was saved" '[Ss]ize|[Mm]emory' \
    xl restore "$WORK/second.cfg" "$image"
is "that leaves no domain" "$(xl list | wc -l)" 1
done_testing
