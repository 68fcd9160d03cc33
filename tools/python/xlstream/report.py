# SPDX-License-Identifier: GPL-2.0-or-later
"""How the verifier speaks: to people, to syslog, or to programs."""

import sys

from . import consts as c
from .sink import Sink


class TextReport(Sink):
    """Sentences; the records only when asked for."""

    def __init__(self, strict, verbose, say, complain):
        super().__init__()
        self.is_strict = strict
        self.verbose = verbose
        self.say = say
        self.complain = complain
        self.failed = False
        self.batches = 0

    def xl_header(self, header):
        if self.verbose:
            self.say("xl header: mandatory flags 0x%x, optional flags 0x%x, "
                     "configuration of %d bytes, made on a %s host"
                     % (header.mandatory, header.optional,
                        len(header.config or b""),
                        "QEMU" if header.qemu_host else "Xen"))

    def libxl_header(self, options):
        super().libxl_header(options)
        if self.verbose:
            self.say("libxl header: version 2, little endian%s"
                     % (", converted" if options & c.LIBXL_CONVERTED else ""))

    def libxc_headers(self, guest):
        if self.verbose:
            self.say("libxc header: version %d, little endian\n"
                     "domain header: %s, written by %d.%d"
                     % ((guest.version, c.GUEST_NAMES[guest.type])
                        + guest.xen))

    def record(self, rec):
        if self.is_strict:
            for error in rec.findings:
                self.finding(error)
        if not self.verbose:
            return
        if rec.layer == "libxc" and rec.type == c.XC_PAGE_DATA:
            self.batches += 1
            return
        self.flush()
        self.say("%s record %d: %s, length %d"
                 % (rec.layer, rec.index, rec.name, rec.length))
        for note in rec.notes:
            self.say("  " + note)

    def flush(self):
        """Batches of pages are told together."""
        if self.batches:
            self.say("libxc: %d PAGE_DATA records" % self.batches)
            self.batches = 0

    def finding(self, error):
        if self.is_strict:
            self.complain("Stream Error: %s" % error)
            self.failed = True

    def note(self, text):
        if self.verbose:
            self.say(text)

    def error(self, error):
        """The rule that ended the reading."""
        self.flush()
        self.complain("Stream Error: %s" % error)

    def end(self, ok):
        """The verdict."""
        if ok and self.verbose:
            self.say("ok")


class JsonReport(Sink):
    """One JSON object a line: each record, then the verdict."""

    def __init__(self, strict):
        super().__init__()
        import json
        self.dumps = json.dumps
        self.is_strict = strict
        self.failed = False

    def line(self, **fields):
        """Write one object."""
        sys.stdout.write(self.dumps(fields) + "\n")

    def xl_header(self, header):
        self.line(layer="xl", mandatory=header.mandatory,
                  optional=header.optional, offset=0,
                  config_length=len(header.config or b""))

    def libxc_headers(self, guest):
        self.line(layer="libxc", version=guest.version,
                  guest=c.GUEST_NAMES[guest.type], xen=list(guest.xen))

    def record(self, rec):
        findings = rec.findings if self.is_strict else ()
        self.failed = self.failed or bool(findings)
        self.line(layer=rec.layer, index=rec.index, type=rec.type,
                  name=rec.name, offset=rec.offset, length=rec.length,
                  notes=rec.notes,
                  findings=[{"check": e.check, "text": e.text}
                            for e in findings])

    def finding(self, error):
        if self.is_strict:
            self.failed = True
            self.line(layer=error.layer, offset=error.offset,
                      findings=[{"check": error.check, "text": error.text}])

    def note(self, text):
        self.line(note=text)

    def error(self, error):
        """The rule that ended the reading."""
        self.line(layer=error.layer, record=error.record,
                  offset=error.offset,
                  findings=[{"check": error.check, "text": error.text}])

    def end(self, ok):
        """The verdict."""
        self.line(result="ok" if ok else "refused")
