#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Completion in bash: commands, options, domains, files.
export XL_HYPERVISOR=fake
. "$(dirname "$0")/lib.sh"
. "$TOP/tools/xl/xl-completion.bash"

# What is offered for a command line, its last word being typed.
offers() {
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    COMPREPLY=()
    _xl
    echo "${COMPREPLY[*]}"
}

printf 'name = "alpha"\nmemory = 16\nkernel = "/k"\n' >"$WORK/alpha.cfg"
ok "create" xl create -q "$WORK/alpha.cfg"

is "commands" "$(offers xl re)" "reboot restore recover rename"
is "commands behind global options" "$(offers xl -v dest)" "destroy"
is "global options" "$(offers xl -)" "-h -v -f -N -t -T"
is "domains" "$(offers xl pause a)" "alpha"
is "domains behind an option" "$(offers xl save -c '')" "alpha"
is "no domain for the second word of pause" "$(offers xl pause alpha '')" ""
is "long options of a command" "$(offers xl save --)" "--live --native --json --help"
is "an option that takes a value" "$(offers xl create --def)" "--defconfig"
is "short options of a command" "$(offers xl reboot -)" "-F -h --help"
is "files" "$(offers xl create "$WORK/al")" "$WORK/alpha.cfg"
is "a file behind the domain of save" "$(offers xl save alpha "$WORK/al")" \
    "$WORK/alpha.cfg"
is "triggers" "$(offers xl trigger alpha s)" "sleep s3resume"
is "ids for domname" "$(offers xl domname '')" "$(xl domid alpha)"
is "commands for help" "$(offers xl help mem)" "mem-set"
is "nothing for a command that is not there" "$(offers xl quux '')" ""

missing=
for command in $(xl help | sed -n 's/^ \([a-z][a-z-]*\) .*/\1/p'); do
    xl help "$command" | grep -q "^Usage: xl .* $command" || missing+=" $command"
    [ "$(xl "$command" -h)" = "$(xl help "$command")" ] || missing+=" $command"
done
is "every command explains itself, by help and by -h" "$missing" ""
done_testing
