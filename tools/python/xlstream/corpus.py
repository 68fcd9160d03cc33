# SPDX-License-Identifier: GPL-2.0-or-later
"""A corpus: many descriptions in one file, and the manifest of what they make.

`[part NAME]` is a piece that others `use`. `[good NAME FORMAT]` and
`[bad NAME FORMAT CHECK]` each make a file; CHECK is the rule that refuses it.
More words are notes for those who read the manifest, as `key=value`.
"""

import os
import shlex

from .make import DescriptionError, make


class Entry:
    """One file of the corpus."""

    def __init__(self, words):
        self.kind, self.name = words[0], words[1]
        more = words[2:]
        self.format = more.pop(0) if self.kind != "part" else None
        self.check = more.pop(0) if self.kind == "bad" else "-"
        self.notes = more
        self.lines = []

    def path(self):
        """Where it lies below the corpus."""
        return os.path.join(self.kind, self.name)


def parse(text):
    """All sections, in order."""
    entries = []
    for line in text.splitlines():
        if line.startswith("["):
            entries.append(Entry(shlex.split(line.strip("[] \n"))))
        elif entries:
            entries[-1].lines.append(line)
        elif line.strip() and not line.startswith("#"):
            raise DescriptionError("text before the first section")
    return entries


def expand(lines, parts, depth=0):
    """The lines, with every `use NAME` replaced."""
    if depth > 8:
        raise DescriptionError("parts use one another in a ring")
    for line in lines:
        words = line.split()
        if words[:1] == ["use"]:
            yield from expand(parts[words[1]].lines, parts, depth + 1)
        else:
            yield line


def build(text):
    """(entry, bytes) of each file that the corpus describes."""
    entries = parse(text)
    parts = {e.name: e for e in entries if e.kind == "part"}
    for entry in entries:
        if entry.kind != "part":
            try:
                yield entry, make(expand(entry.lines, parts))
            except DescriptionError as e:
                raise DescriptionError("%s: %s" % (entry.name, e)) from e


def write(text, directory):
    """The files and MANIFEST, below directory."""
    lines = ["# path format check-id notes; made by xl-stream mk --corpus"]
    for entry, data in build(text):
        path = os.path.join(directory, entry.path())
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(data)
        lines.append(" ".join([entry.path(), entry.format, entry.check]
                              + entry.notes))
    with open(os.path.join(directory, "MANIFEST"), "w") as f:
        f.write("\n".join(lines) + "\n")
