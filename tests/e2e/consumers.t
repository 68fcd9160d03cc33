#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What Ganeti, Pacemaker, xendomains and OpenNebula make of xl's output, with
# the commands that they themselves use on it.
export XL_HYPERVISOR=fake
. "$(dirname "$0")/lib.sh"

cat >"$WORK/web.cfg" <<EOF
name = "web"
memory = 64
vcpus = 2
kernel = "/k"
disk = [ '/srv/web.img,raw,xvda,w' ]
vif = [ 'mac=00:16:3e:00:00:01' ]
EOF

# --- xendomains

rdname() {
    xl create --quiet --dryrun --defconfig "$1" |
        sed -n 's/^.*(name \(.*\))$/\1/p;s/^.*"name": "\(.*\)",$/\1/p'
}
is "xendomains: the name in a configuration" "$(rdname "$WORK/web.cfg")" web
is "a dry run creates nothing" "$(xl list | wc -l)" 1
is "a quiet dry run says nothing else" \
    "$(xl create --quiet --dryrun --defconfig "$WORK/web.cfg" 2>&1 >/dev/null)" ""

ok "xendomains: create" xl create --quiet --defconfig "$WORK/web.cfg"
LIST_GREP='(domain\|(domid\|(name\|^    {$\|"name":\|^        "domid":'
is "xendomains: list -l" "$(xl list -l | grep "$LIST_GREP")" \
    '    {
        "domid": '"$(xl domid web)"',
                "name": "web",'
is "xendomains: list finds the domain" \
    "$(xl list | grep -c '^web ')" 1

# --- Pacemaker

ok "Pacemaker: list NAME" xl list web
fails "Pacemaker: list NAME without it" 'nobody' xl list nobody
is "Pacemaker: vcpus and memory" "$(xl list web | awk 'NR==2 {print $4, $3}')" \
    "2 64"
is "Pacemaker: names" \
    "$(xl list | grep -v -e Name -e Domain-0 | awk '{print $1}')" "web"
ok "Pacemaker: list --long NAME" xl list --long web
is "Pacemaker: total memory" \
    "$(xl info | grep '^total_memory' | awk '{print $3}' | grep -c '^[0-9]*$')" 1
sed 's/web/other/' "$WORK/web.cfg" >"$WORK/other.cfg"
ok "Pacemaker: create with a name" xl create "$WORK/other.cfg" name=\"db\"
ok "the name is the given one" xl domid db
ok "Pacemaker: destroy" xl destroy db

# --- Ganeti

is "Ganeti: six fields a line" \
    "$(xl list | tail -n +2 | awk '{print NF}' | sort -u)" 6
is "Ganeti: the state" \
    "$(xl list web | awk 'NR==2 {print $5}' | grep -c '^[r-][b-][p-][s-][srcwS-][d-]$')" 1
for key in total_memory free_memory nr_cpus nr_nodes cores_per_socket \
    threads_per_core; do
    is "Ganeti: info has $key" \
        "$(xl info | grep -c "^$key *: [0-9][0-9]*\$")" 1
done
ok "Ganeti: create -p" xl create -p "$WORK/other.cfg"
is "Ganeti: it is paused" "$(xl list other | awk 'NR==2 {print $5}')" "--p---"
is "Ganeti: it has used no time" \
    "$(xl list other | awk 'NR==2 {print $6}')" "0.0"
ok "Ganeti: unpause" xl unpause other
ok "Ganeti: rename" xl rename other third
fails "the old name is gone" 'other' xl list other
ok "Ganeti: destroy" xl destroy third

# --- OpenNebula

json() { # an expression on the list d
    xl list -l | /usr/bin/python3 -c "import json, sys
d = json.load(sys.stdin)
print($1)"
}
is "OpenNebula: the fields that it reads" \
    "$(json '[(e["config"]["c_info"]["name"], e["config"]["b_info"]["max_vcpus"], e["config"]["b_info"]["max_memkb"], [x["pdev_path"] for x in e["config"]["disks"]]) for e in d]')" \
    "[('web', 2, 65536, ['/srv/web.img'])]"
is "the console's log is named" \
    "$(json 'd[0]["console_log"].endswith("/console-log")')" True
ok "OpenNebula: save" xl save web "$WORK/web.image"
is "no domain is an empty list" "$(json 'd')" "[]"
ok "OpenNebula: restore" xl restore "$WORK/web.image"
is "it is there again" "$(xl list | awk 'NR==2 {print $1, $4, $3}')" "web 2 64"
is "uptime counts from its creation" \
    "$(xl uptime web | awk 'NR==2 {print $1, $3}' | grep -c '^web 0:0[01]:')" 1
done_testing
