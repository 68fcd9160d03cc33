#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The manual pages name every command, option and key that there is."""

import re

from gate import Tap, read


def words(page):
    """A page's words, its roff and its escapes taken away."""
    text = re.sub(r"\\f.|\\ ", " ", read(page)).replace("\\-", "-")
    text = re.sub(r"^\.\w+", " ", text, flags=re.M)
    return set(re.findall(r"[A-Za-z0-9_.-]+", text)) | \
        set(re.findall(r"[a-z0-9_]+", text))


def missing(page, names):
    there = words(page)
    return ["%s does not name %s" % (page, n) for n in names if n not in there]


def main():
    tap = Tap()
    commands = re.findall(r'^    \{"([a-z-]+)", xl_cmd_',
                          read("tools/xl/xl_commands.c"), re.M)
    keys = re.findall(r'^    (?:[A-Z_]+\(|\{)"([a-z0-9_]+)", ?',
                      read("tools/xl/xl_config_keys.c"), re.M)
    options = re.findall(r'"  .*?(--[a-z-]+)', read("tools/xl/xl_commands.c"))
    tap.no_faults("xl(1) names all %d commands" % len(commands),
                  missing("docs/man/xl.1", commands) +
                  ([] if len(commands) > 20 else ["few commands were found"]))
    tap.no_faults("xl(1) names all %d long options" % len(options),
                  missing("docs/man/xl.1", options))
    tap.no_faults("xl.cfg(5) names all %d keys" % len(keys),
                  missing("docs/man/xl.cfg.5", keys) +
                  ([] if len(keys) > 140 else ["few keys were found"]))
    tap.done()


main()
