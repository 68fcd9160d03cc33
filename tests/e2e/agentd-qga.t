#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A client that knows nothing but qemu-ga's dialect, and xl-agentd -q. Both run
# here, over a socket.
XL_HYPERVISOR=fake
. "$(dirname "$0")/lib.sh"

mkdir -p "$WORK"
"$BUILD/bin/xl-agentd" -qv -m unix-listen -p "$WORK/qga.sock" \
    -c /dev/null 2>"$WORK/agentd.log" &
agentd=$!
trap 'kill $agentd; cleanup' EXIT

# One connection; each argument one line (@N: N times x); prints the answers.
client() {
    /usr/bin/python3 - "$WORK/qga.sock" "$@" <<'EOS'
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
for line in sys.argv[2:]:
    if line[0] == "@":
        line = "x" * int(line[1:])
    s.sendall(line.encode("latin-1").decode("unicode_escape")
              .encode("latin-1") + b"\n")
s.shutdown(socket.SHUT_WR)
s.settimeout(120)
got = b""
while True:
    piece = s.recv(65536)
    if not piece:
        break
    got += piece
sys.stdout.buffer.write(got)
EOS
}

says() { # title, regex, lines...
    local title=$1 regex=$2
    shift 2
    client "$@" >"$WORK/answer"
    ok "$title" grep -aEq -- "$regex" "$WORK/answer"
}

ok "the daemon listens" wait_for test -S "$WORK/qga.sock"
says "ping" '^\{"return": \{\}\}$' '{"execute":"guest-ping"}'
says "sync" '^\{"return": 123\}$' \
    '{"execute":"guest-sync","arguments":{"id":123}}'
says "sync-delimited, after half a command" "^$(printf '\xff')"'\{"return": 7\}$' \
    '{"execute":"guest-pi\xff{"execute":"guest-sync-delimited","arguments":{"id":7}}'
says "info names the commands" '"name": "guest-sync-delimited"' \
    '{"execute":"guest-info"}'
says "osinfo" '"kernel-release": *"'"$(uname -r)" \
    '{"execute":"guest-get-osinfo"}'
says "host name" "\"$(uname -n)\"" '{"execute":"guest-get-host-name"}'
says "interfaces" '"name": *"lo"' '{"execute":"guest-network-get-interfaces"}'
says "they are JSON" '"return"' '{"execute":"guest-network-get-interfaces"}'
ok "that a parser takes" /usr/bin/python3 -m json.tool "$WORK/answer"
says "an id goes back" '"id": *"x"' '{"execute":"guest-ping","id":"x"}'
says "an unknown command" 'CommandNotFound' '{"execute":"guest-fly"}'
says "no JSON" 'JSON parse error' 'hello'
says "no command" 'CommandNotFound' '{}'
says "a mode that there is not" 'mode: powerdown' \
    '{"execute":"guest-shutdown","arguments":{"mode":"x"}}'
says "three in a row" '^\{"return": \{\}\}$' '{"execute":"guest-ping"}' \
    '{"execute":"guest-ping"}' '{"execute":"guest-ping"}'
is "are three answers" "$(grep -c return "$WORK/answer")" 3
says "a line without end" '^\{"return": 1\}$' @200000 \
    '{"execute":"guest-sync","arguments":{"id":1}}'
ok "the daemon is still there" kill -0 "$agentd"
done_testing
