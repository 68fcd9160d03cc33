# SPDX-License-Identifier: GPL-2.0-or-later
"""What can be wrong with a stream."""


class StreamError(Exception):
    """A broken rule of docs/specs.

    check is the rule's stable name there; offset counts from the first byte
    of the input; record is "12 (PAGE_DATA)" or None outside of records.
    """

    def __init__(self, check, text, layer=None, record=None, offset=None):
        super().__init__(text)
        self.check = check
        self.text = text
        self.layer = layer or check.split(".")[0]
        self.record = record
        self.offset = offset

    def __str__(self):
        where = self.layer
        if self.record:
            where += " record " + self.record
        if self.offset is not None:
            where += " at offset %d (0x%x)" % (self.offset, self.offset)
        return "%s: %s [%s]" % (where, self.text, self.check)


class Truncated(StreamError):
    """The input ended where more was promised."""
