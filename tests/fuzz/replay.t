#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Each fuzz target over its corpus and fixed changes of it, with no fuzzer.
build=${XL_BUILD:-build}
n=0
bad=0
for replay in "$build"/tests/fuzz/replay-*; do
    [ -x "$replay" ] || continue
    name=${replay##*/replay-}
    n=$((n + 1))
    if timeout 120 "$replay" "tests/fuzz/corpus/$name" >/tmp/replay.$$ 2>&1 &&
        grep -q '^ok' /tmp/replay.$$; then
        echo "ok $n - $name: $(grep -c '^ok' /tmp/replay.$$) files"
    else
        echo "not ok $n - $name"
        tail -20 /tmp/replay.$$ | sed 's/^/#   /'
        bad=1
    fi
    rm -f /tmp/replay.$$
done
echo "1..$n"
exit $bad
