# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Completion of xl's command line in bash: commands, their options, domains and
# files. What there is to choose from is asked of xl itself, so that this file
# knows no list that could grow old.

# The words that begin with what has been typed.
_xl_offer() {
    mapfile -t COMPREPLY < <(compgen -W "$*" -- "$cur")
}

_xl_files() {
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
    compopt -o filenames 2>/dev/null
}

_xl_commands() {
    "$xl" help 2>/dev/null | sed -n 's/^ \([a-z][a-z-]*\) .*/\1/p'
}

_xl_options() { # command
    "$xl" help "$1" 2>/dev/null | sed -n 's/^  \(-[^ ].*\)/\1/p' |
        sed 's/  .*//; s/[=, ]/\n/g' | grep '^-'
    echo -h --help
}

_xl_domains() {
    "$xl" list 2>/dev/null | awk 'NR > 1 && $1 != "(unnamed)" { print $1 }'
}

_xl_ids() {
    "$xl" list 2>/dev/null | awk 'NR > 1 { print $2 }'
}

_xl_disks() { # domain
    "$xl" block-list --json "$1" 2>/dev/null |
        sed -n 's/.*"vdev": "\(.*\)".*/\1/p'
}

# The place of the word under the cursor among the command's arguments, options
# and their values not counted: 1, 2, ...
_xl_place() { # index of the command's word
    local i place=1
    for ((i = $1 + 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        -t | -n) [ "${COMP_WORDS[$1]}" = console ] && i=$((i + 1)) ;;
        -C | -s) [ "${COMP_WORDS[$1]}" = migrate ] && i=$((i + 1)) ;;
        -*) ;;
        *) place=$((place + 1)) ;;
        esac
    done
    echo "$place"
}

_xl_argument() { # command, place
    case $1:$2 in
    create:* | save:[23] | restore:*) _xl_files ;;
    list:* | vcpu-list:* | uptime:* | block-list:* | network-list:*) _xl_offer "$(_xl_domains)" ;;
    trigger:2) _xl_offer power sleep nmi init reset s3resume ;;
    block-detach:2) _xl_offer "$(_xl_disks "${COMP_WORDS[COMP_CWORD - 1]}")" ;;
    domname:1) _xl_offer "$(_xl_ids)" ;;
    agent-getfile:3) _xl_files ;;
    migrate:2) mapfile -t COMPREPLY < <(compgen -A hostname -- "$cur") ;;
    help:1) _xl_offer "$(_xl_commands)" ;;
    destroy:1 | shutdown:1 | reboot:1 | pause:1 | unpause:1 | save:1 | \
        recover:1 | console:1 | rename:1 | domid:1 | mem-set:1 | trigger:1 | \
        sysrq:1 | migrate:1 | agent-*:1 | block-attach:1 | block-detach:1 | \
        network-attach:1 | network-detach:1)
        _xl_offer "$(_xl_domains)"
        ;;
    esac
}

_xl() {
    local xl=${COMP_WORDS[0]} cur=${COMP_WORDS[COMP_CWORD]} i=1
    COMPREPLY=()
    while [ "$i" -lt "$COMP_CWORD" ] && [[ ${COMP_WORDS[i]} == -* ]]; do
        i=$((i + 1))
    done
    if [ "$i" -ge "$COMP_CWORD" ]; then
        case $cur in
        -*) _xl_offer -h -v -f -N -t -T ;;
        *) _xl_offer "$(_xl_commands)" ;;
        esac
        return
    fi
    case $cur in
    -*) _xl_offer "$(_xl_options "${COMP_WORDS[i]}")" ;;
    *) _xl_argument "${COMP_WORDS[i]}" "$(_xl_place "$i")" ;;
    esac
}

complete -F _xl xl
