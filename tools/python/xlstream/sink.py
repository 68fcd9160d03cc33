# SPDX-License-Identifier: GPL-2.0-or-later
"""What a reader tells while it walks a stream. Each tool overrides its part."""


class Sink:
    """Hears of headers, records, pages and findings; keeps nothing."""

    is_strict = False  # are rules that only --strict enforces looked at?

    def __init__(self):
        self.in_libxl = False  # libxc records stand within a libxl stream

    def xl_header(self, header):
        """An xl.XlHeader."""

    def libxl_header(self, options):
        """The libxl layer begins."""
        self.in_libxl = True

    def libxc_headers(self, guest):
        """Both of libxc's headers were read into guest."""

    def record(self, rec):
        """A record was read and checked, up to its end."""

    def pages(self, rec, entries, count):
        """PAGE_DATA's array; count pages follow. May read them by rec."""

    def emulator(self, rec, index):
        """Emulator state follows. May read it by rec."""

    def finding(self, error):
        """A rule is broken that ends nothing."""

    def note(self, text):
        """Something that people may want to know."""
