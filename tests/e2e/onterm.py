#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""onterm.py DEADLINE_S [PATTERN KEYS]... -- COMMAND...: run a command on a
terminal; when its output matches PATTERN, type KEYS (with Python's escapes),
then wait for the next PATTERN. Prints all output; ends as the command does, or
with 99 at the deadline."""

import os
import pty
import re
import select
import sys
import time


def main():
    split = sys.argv.index("--")
    end = time.monotonic() + float(sys.argv[1])
    script = sys.argv[2:split]
    steps = [(p, k.encode().decode("unicode_escape").encode("latin1"))
             for p, k in zip(script[::2], script[1::2])]
    pid, fd = pty.fork()
    if pid == 0:
        os.execvp(sys.argv[split + 1], sys.argv[split + 1:])
    out, seen = b"", 0
    while time.monotonic() < end:
        if steps and re.search(steps[0][0].encode(), out[seen:]):
            seen = len(out)
            os.write(fd, steps.pop(0)[1])
        if not select.select([fd], [], [], 0.1)[0]:
            continue
        try:
            data = os.read(fd, 65536)
        except OSError:
            data = b""
        if not data:
            break
        out += data
    else:
        os.kill(pid, 9)
    sys.stdout.buffer.write(out)
    sys.stdout.flush()
    status = os.waitpid(pid, 0)[1]
    sys.exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 99)


main()
