# SPDX-License-Identifier: GPL-2.0-or-later
"""Command lines of the tools whose start-up time counts.

A table instead of argparse, which takes longer to load than a small stream
takes to verify.
"""

import sys


class Option:
    """One option: names, help, and a value's name, choices or type."""

    def __init__(self, names, text, value=None, default=None, choices=None,
                 convert=str):
        self.names = names.split()
        self.key = self.names[-1].lstrip("-").replace("-", "_")
        self.text = text
        self.value = value
        self.default = default if value else False
        self.choices = choices
        self.convert = convert

    def left(self):
        """Its column in the help."""
        return ", ".join(self.names) + (" " + self.value if self.value
                                        else "")

    def take(self, text):
        """The value; ValueError says what is wrong."""
        try:
            value = self.convert(text)
        except ValueError:
            raise ValueError("%s: %r is not a %s" % (
                self.names[-1], text, self.value)) from None
        if self.choices and value not in self.choices:
            raise ValueError("%s: %r is none of %s" % (
                self.names[-1], text, ", ".join(map(str, self.choices))))
        return value


class Options:
    """The values, as attributes."""

    def __init__(self, program, about, table):
        self._program = program
        self._about = about
        self._table = table + [Option("-h --help", "show this text")]
        for option in self._table:
            setattr(self, option.key, option.default)

    def fail(self, text):
        """Wrong usage."""
        sys.stderr.write("usage: %s [options]\n%s: %s\n" % (
            self._program, self._program, text))
        sys.exit(2)

    def show_help(self):
        """Show the options."""
        print("usage: %s [options]\n\n%s\n" % (self._program, self._about))
        width = max(len(o.left()) for o in self._table) + 4
        for option in self._table:
            print(("  " + option.left()).ljust(width) + option.text)
        sys.exit(0)

    def find(self, name):
        """The option of this name, or of a beginning that only it has."""
        exact = [o for o in self._table if name in o.names]
        if exact or not name.startswith("--"):
            found = exact
        else:
            found = [o for o in self._table if o.names[-1].startswith(name)]
        if len(found) != 1:
            self.fail("unknown option " + name)
        return found[0]

    def parse(self, argv):
        """Read the command line."""
        left = list(argv)
        while left:
            word = left.pop(0)
            if word[:2] == "--" and "=" in word:
                word, _, value = word.partition("=")
                left.insert(0, value)
                self.one(self.find(word), left, True)
            elif word[:1] == "-" and word[1:2] != "-" and len(word) > 2:
                option = self.find(word[:2])
                left.insert(0, word[2:] if option.value else "-" + word[2:])
                self.one(option, left, False)
            elif word[:1] == "-":
                self.one(self.find(word), left, False)
            else:
                self.fail("unexpected argument " + word)
        if self.help:
            self.show_help()
        return self

    def one(self, option, left, joined):
        """Set one option, with its value from left."""
        if not option.value:
            if joined:
                self.fail("%s takes no value" % option.names[-1])
            setattr(self, option.key, True)
            return
        if not left:
            self.fail("%s needs a value" % option.names[-1])
        try:
            setattr(self, option.key, option.take(left.pop(0)))
        except ValueError as e:
            self.fail(str(e))
