#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Wrong usage, wrong configurations: exit codes, and messages that help.
export XL_HYPERVISOR=fake
. "$(dirname "$0")/lib.sh"

# code TITLE CODE REGEX COMMAND...
code() {
    local title=$1 want=$2 regex=$3 rc=0
    shift 3
    "$@" >"$WORK/out" 2>&1 || rc=$?
    if [ "$rc" = "$want" ] && grep -Eq -- "$regex" "$WORK/out"; then
        result 0 "$title"
    else
        result 1 "$title"
        { echo "$* gave $rc:"; cat "$WORK/out"; } | diag
    fi
}

code "no command" 2 "^Usage:" xl
code "help" 0 "^ save " xl help
code "-h" 0 "^Usage:" xl -h
code "an unknown global option" 2 "unknown option" xl -X list
code "an unknown command" 2 "did you mean 'restore'" xl restroe
code "a command of the hypervisor's" 1 "not offered" xl dmesg
code "an unknown option" 2 "did you mean --live" xl save --lvie a b
code "an agent command's option that it does not take" 2 "unknown option --count" \
    xl agent-info --count=3 a
code "the options of a program in a guest are its own" 1 "no domain" \
    xl agent-exec a /bin/ls -l
code "an unknown short option" 2 "unknown option -x" xl pause -x a
code "an option without its value" 2 "wants a value" xl create -f
code "too few arguments" 2 "too few arguments" xl save a
code "too many arguments" 2 "too many arguments" xl pause a b
code "options that exclude each other" 2 "exclude" xl save -c -p a b
code "nothing to create" 2 "wants a configuration" xl create
code "help of an unknown command" 1 "unknown command" xl help quux
code "a command may be shortened" 0 "^Name" xl li
code "a dry run of a command" 0 "would run: xl destroy x" xl -N destroy x

code "no such domain" 1 "no domain 'nobody'" xl pause nobody
code "no such id" 1 "no domain with the id 77" xl domname 77
code "not an id" 1 "not a domain id" xl domname x
code "not an amount of memory" 1 "not an amount" xl mem-set nobody lots
code "an unknown trigger" 1 "unknown trigger" xl trigger nobody cough
code "not one letter" 1 "not one letter" xl sysrq nobody sb

echo 'memory = 64' >"$WORK/a.cfg"
code "a configuration without a name" 1 "no name" xl create "$WORK/a.cfg"
echo 'name = a' >"$WORK/a.cfg"
code "a name without quotes" 1 "a.cfg:1: a value wants quotes" \
    xl create "$WORK/a.cfg"
printf 'name = "a"\npci = ["01:00.0"]\n' >"$WORK/a.cfg"
code "a key that is refused" 1 "a.cfg:2: pci: refused" xl create "$WORK/a.cfg"
code "no such file" 1 "nosuch.cfg cannot be opened: No such file" \
    xl create "$WORK/nosuch.cfg"
code "a directory" 1 "cannot be read: Is a directory" xl create "$WORK"
code "a mistake on the command line" 1 "command line:1: .*in: x=" \
    xl create "$WORK/a.cfg" x=
code "two files" 2 "two configuration files" xl create a b
printf 'name = "a"\nmemroy = 3\n' >"$WORK/a.cfg"
code "a key that is not known" 0 "did you mean memory" \
    xl create -n "$WORK/a.cfg"
code "settings alone" 0 '"name": "b-1"' xl create -n name=b-1 memory=64
code "a configuration from stdin" 0 '"name": "a"' \
    xl create -n - <"$WORK/a.cfg"
code "stdout that is full" 1 "could not be written" \
    bash -c "'$BUILD/bin/xl' list >/dev/full"

code "restore: no such file" 1 "nosuch cannot be opened" \
    xl restore "$WORK/nosuch"
code "restore: a directory" 1 "." xl restore "$WORK"
code "restore: an empty file" 1 "." xl restore /dev/null
code "restore: something else" 1 "." xl restore "$WORK/a.cfg"
is "none of this left a domain" "$(xl list | wc -l)" 1

ok "create" xl create name=g memory=16 kernel=/k
xl save --json g "$WORK/image" >"$WORK/json" 2>&1
is "save --json writes one object a line" \
    "$(/usr/bin/python3 -c 'import json, sys
for line in sys.stdin: last = json.loads(line)
print(last["event"], last["what"], last["ok"])' <"$WORK/json")" \
    "done save True"
xl restore --json "$WORK/image" >"$WORK/json" 2>/dev/null
is "restore --json says which domain" \
    "$(tail -1 "$WORK/json" | sed 's/"domid":[0-9]*/"domid":N/')" \
    '{"event":"done","what":"restore","domid":N,"ok":true,"file":"'"$WORK/image"'"}'
ok "save to standard output" bash -c \
    "'$BUILD/bin/xl' save g - >'$WORK/image2'"
ok "restore from standard input" bash -c \
    "'$BUILD/bin/xl' restore - <'$WORK/image2'"
ok "save to a pipe" bash -c "'$BUILD/bin/xl' save g - 2>'$WORK/err' |
    cat >'$WORK/image2'"
is "it is said that the pipe's end was not checked" \
    "$(grep -c 'standard output was not checked' "$WORK/err")" 1
ok "restore from a pipe" bash -c "cat '$WORK/image2' | '$BUILD/bin/xl' restore -"
ok "destroy" xl destroy g
done_testing
