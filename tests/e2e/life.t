#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# How a guest ends, and what the keeper does then; the questions that people ask.
. "$(dirname "$0")/lib.sh"
image=$WORK/image

gone() { [ -z "$(domid "$1")" ]; }
rebooted() { [ "$(boot_id guest)" ] && [ "$(boot_id guest)" != "$boot" ]; }

ok "create" start_guest guest
boot=$(boot_id guest)
is "list: six columns" "$(xl list guest | awk 'NR==2 {print NF, $1, $3, $4}')" \
    "6 guest 256 1"
is "domname of domid" "$(xl domname "$(domid guest)")" guest
ok "uptime" sh -c "xl uptime guest | grep -q guest"
ok "vcpu-list" sh -c "xl vcpu-list guest | grep -q guest"
ok "list -l names the console log" \
    sh -c "xl list -l guest | grep -q '\"console_log\": \"$XL_STATE_DIR/'"
ok "rename" xl rename guest renamed
ok "it is found by the new name" wait_tick renamed 1
ok "rename back" xl rename renamed guest

ok "pause" xl pause guest
ok "it is listed as paused" is_paused guest
ok "unpause" xl unpause guest
ok "it goes on" goes_on guest

ok "save" xl save guest "$image"
ok "restore" xl restore "$image"
ok "it goes on" goes_on guest
ok "a shutdown after a restore" timeout "$DEADLINE_S" xl shutdown -w guest
ok "the domain is gone" wait_for gone guest

ok "create with on_reboot = restart" start_guest guest 'on_reboot = "restart"'
boot=$(boot_id guest)
tell guest reboot
ok "the guest that reboots is started again" wait_for rebooted
hang_up
ok "it goes on" goes_on guest
boot=$(boot_id guest)
ok "a reset from outside" xl trigger guest reset
ok "starts it again too" wait_for rebooted
ok "it goes on" goes_on guest
tell guest poweroff
ok "a guest that powers off is destroyed" wait_for gone guest
hang_up

ok "create -p" sh -c "xl create -p '$WORK/guest.cfg'"
ok "it is listed as paused" is_paused guest
is "it has not run" "$(last_tick guest)" 0
ok "unpause" xl unpause guest
ok "it ticks" wait_tick guest 1
kill -9 "$(qemu_pid "$(dom_dir guest)")"
ok "a QEMU that is killed is a guest that is gone" wait_for gone guest
is "no process is left" "$(wait_for none_left; own_processes)" ""
done_testing
