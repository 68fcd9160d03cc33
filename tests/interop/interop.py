# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of the stream tools share.

Our verifier runs in this process where many streams are looked at; so does
Debian's, as a module loaded from its script.
"""

import contextlib
import importlib.machinery
import importlib.util
import io
import os
import shlex
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BUILD = os.environ.get("XL_BUILD", os.path.join(TOP, "build"))
GOLDEN = os.path.join(TOP, "tests", "golden")
SCRIPTS = os.path.join(TOP, "tools", "python", "scripts")
LONG = bool(os.environ.get("XL_TEST_LONG"))
DEBIAN = "/usr/lib/xen-4.17"
PYTHON = "/usr/bin/python3"

sys.path.insert(0, os.path.join(TOP, "tools", "python"))


class Tap:
    """One line a test; ends with the plan and the exit code."""

    def __init__(self):
        self.count = self.bad = 0

    def ok(self, passed, title, *details):
        """One test. Details are shown when it fails."""
        self.count += 1
        self.bad += not passed
        print("%sok %d - %s" % ("" if passed else "not ", self.count, title))
        if not passed:
            for detail in details:
                for line in str(detail).splitlines()[-20:]:
                    print("#   " + line)
        sys.stdout.flush()
        return passed

    def none(self, faults, title):
        """One test: there are no faults."""
        faults = list(faults)
        return self.ok(not faults, title, *faults[:20])

    def equal(self, got, wanted, title):
        """One test: two values."""
        return self.ok(got == wanted, title, "got    %r" % (got,),
                       "wanted %r" % (wanted,))

    def skip(self, title, reason):
        """One test that cannot run here."""
        self.count += 1
        print("ok %d - %s # SKIP %s" % (self.count, title, reason))

    def done(self):
        """The plan."""
        print("1..%d" % self.count)
        sys.exit(1 if self.bad else 0)


class Golden:
    """A line of the manifest."""

    def __init__(self, line):
        words = shlex.split(line)
        self.name, self.format, self.check = words[:3]
        self.notes = dict(w.split("=", 1) if "=" in w else (w, "")
                          for w in words[3:])
        self.path = os.path.join(GOLDEN, self.name)
        self.good = self.name.startswith("good/")
        self.options = [o for o in self.notes.get("opts", "").split(",") if o]

    def data(self):
        """The stream."""
        with open(self.path, "rb") as f:
            return f.read()


def goldens():
    """The corpus."""
    with open(os.path.join(GOLDEN, "MANIFEST"), encoding="utf-8") as f:
        return [Golden(line) for line in f if not line.startswith("#")]


def load_script(path, name):
    """A Python script as a module."""
    loader = importlib.machinery.SourceFileLoader(name, path)
    module = importlib.util.module_from_spec(
        importlib.util.spec_from_loader(name, loader))
    sys.dont_write_bytecode = True
    loader.exec_module(module)
    return module


def script(name):
    """The path of one of our tools."""
    return os.path.join(SCRIPTS, name)


def run(command, data=None, **more):
    """Run to the end: (exit code, stdout, stderr as text)."""
    done = subprocess.run(command, input=data, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=300, check=False,
                          **more)
    return (done.returncode, done.stdout,
            done.stderr.decode("utf-8", "replace"))


class Ours:
    """Our verifier, in this process."""

    def __init__(self):
        self.main = load_script(script("verify-stream-v2"), "ours").main

    def file(self, path, fmt, *options):
        """(exit code, what it said)."""
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            code = self.main(["-f", fmt, "-i", path] + list(options))
        return code, said.getvalue()

    def data(self, data, fmt, *options):
        """The same for bytes."""
        fd = os.memfd_create("stream")
        try:
            os.write(fd, data)
            os.lseek(fd, 0, os.SEEK_SET)
            return self.file(str(fd), fmt, *options)
        finally:
            os.close(fd)


class Debian:
    """Debian's verifier, in this process; None where it is not installed."""

    def __init__(self):
        sys.path.insert(0, os.path.join(DEBIAN, "lib", "python"))
        self.module = load_script(
            os.path.join(DEBIAN, "bin", "verify-stream-v2"), "debians")
        self.module.quiet = True

    def file(self, path, fmt):
        """The exit code."""
        with open(path, "rb") as f:
            self.module.fin = f
            return self.module.read_stream(fmt)


def debian():
    """Debian's verifier, or None."""
    there = os.path.exists(os.path.join(DEBIAN, "bin", "verify-stream-v2"))
    return Debian() if there else None


def scratch():
    """A directory that goes away."""
    return tempfile.TemporaryDirectory(prefix="xlstream-")


def big_streams():
    """Streams of real guests, where XL_GOLDEN_DIR has them."""
    where = os.environ.get("XL_GOLDEN_DIR")
    if not where:
        return []
    return sorted(os.path.join(where, f) for f in os.listdir(where)
                  if f.endswith((".save", ".save.zst")))
