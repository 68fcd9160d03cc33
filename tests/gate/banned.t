#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Functions and idioms that no file of ours uses."""

import re

from gate import Tap, c_files, code_lines, tree_files, read

CALLS = {
    "strcpy": "no bound", "strcat": "no bound", "strncpy": "no final NUL",
    "sprintf": "no bound", "vsprintf": "no bound", "gets": "no bound",
    "scanf": "no bound", "sscanf": "overflow is undefined",
    "atoi": "no error", "atol": "no error", "atoll": "no error",
    "atof": "no error",
    "strtok": "hidden state", "tmpnam": "race", "mktemp": "race",
    "tempnam": "race", "system": "a shell", "popen": "a shell",
    "alloca": "unbounded stack", "signal": "use sigaction",
    "asctime": "hidden state", "ctime": "hidden state",
    "gmtime": "hidden state", "localtime": "hidden state",
    "setjmp": "no", "longjmp": "no", "select": "fds above 1023",
}
CALL = re.compile(r"(?<![\w.>])(%s)[ \t]*\(" % "|".join(CALLS))
# The definitions of the two container macros, and one getter per embedding.
CONTAINER = re.compile(r"\bCONTAINER_OF\b|\bcontainer_of\b")
HIDING = re.compile(r"\b(return|goto)\b")


def banned_calls(files):
    for path in files:
        for number, line in code_lines(path):
            for match in CALL.finditer(line):
                name = match.group(1)
                yield "%s:%d: %s (%s)" % (path, number, name, CALLS[name])


def macros(path):
    """(first line's number, name, whole text) of each function-like macro."""
    lines = [text for _, text in code_lines(path)]
    i = 0
    while i < len(lines):
        match = re.match(r"[ \t]*#[ \t]*define[ \t]+(\w+)\(", lines[i])
        start, text = i, lines[i]
        while lines[i].endswith("\\") and i + 1 < len(lines):
            i += 1
            text += "\n" + lines[i]
        if match:
            yield start + 1, match.group(1), text
        i += 1


def hiding_macros(files):
    for path in files:
        for number, name, text in macros(path):
            if HIDING.search(text):
                yield "%s:%d: %s returns or jumps" % (path, number, name)


def repeated_container_of(files):
    """One checked getter per embedding: one use of each member, in one file."""
    seen = {}
    for path in files:
        for number, line in code_lines(path):
            if CONTAINER.search(line) and "#" not in line:
                place = "%s:%d" % (path, number)
                key = line.split("CONTAINER_OF")[-1].strip()
                member = (path, key)
                if member in seen:
                    yield "%s repeats %s" % (place, seen[member])
                seen[member] = place


def unfinished():
    word = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
    for path in tree_files("tools", "tests", "scripts", "docs", "Makefile"):
        if "/golden/" in path or "/corpus/" in path:
            continue
        for number, line in enumerate(read(path).splitlines(), 1):
            if word.search(line):
                yield "%s:%d: %s" % (path, number, line.strip()[:60])


def main():
    tap = Tap()
    ours = c_files("tools")
    tap.no_faults("no banned function", banned_calls(ours))
    tap.no_faults("no macro returns or jumps", hiding_macros(ours))
    tap.no_faults("CONTAINER_OF once an embedding", repeated_container_of(ours))
    tap.no_faults("nothing is marked unfinished", unfinished())
    tap.done()


main()
