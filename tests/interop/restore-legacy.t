#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""xl restore reads a legacy stream by itself, on a host of the Xen kind."""

import glob
import os
import signal
import subprocess
import sys
import time

from interop import BUILD, Tap, run, scratch

XL = os.path.join(BUILD, "bin", "xl")
DEADLINE_S = 60
STREAM = """xl mandatory=%d config='%s' nul=%s
lg-start width=%d guest=hvm pfns=0x800
lg-batch 0-9:data 0xfeffb-0xfefff:data
lg-vcpu-info 0
lg-hvm -8 0xfefff
lg-tsc
lg-end-chunks
lg-tail-hvm ioreq=0xfeffd
lg-qemu data=%s"""
JSON = '{"c_info":{"type":"hvm","name":"old"},"b_info":{"max_memkb":8192}}'
STATE = b"state of a fake device model\n"  # what the fake host's makes


def stream(width, mandatory=1, config=JSON, nul="00"):
    """A save file of Xen 4.5."""
    from xlstream.make import make
    return make((STREAM % (mandatory, config, nul, width, STATE.hex()))
                .splitlines())


def xl(*words, data=None):
    """(exit code, output, messages)."""
    return run([XL] + list(words), data)


def domains():
    """Names of those that there are."""
    _, out, _ = xl("list")
    return [line.split()[0].decode() for line in out.splitlines()[1:]]


def readers_of(path):
    """Processes whose standard input this is."""
    for fd in glob.glob("/proc/[0-9]*/fd/0"):
        try:
            if os.path.samefile(fd, path):
                yield fd
        except OSError:
            continue


def wait_until(what):
    """Until what() is true, within the deadline."""
    end = time.monotonic() + DEADLINE_S
    while not what():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def test_restore(tap, path):
    """From files and pipes, of both widths."""
    for width in (32, 64):
        with open(path, "wb") as f:
            f.write(stream(width))
        code, _, said = xl("restore", path)
        tap.ok(code == 0 and domains() == ["old"],
               "a stream of a %d-bit toolstack" % width, said)
        xl("destroy", "old")
    code, _, said = xl("restore", "/dev/stdin", data=stream(64))
    tap.ok(code == 0 and domains() == ["old"], "from a pipe", said)
    xl("destroy", "old")
    text = "type = \"hvm\"; name = \"older\"; memory = 8"
    for nul in ("00", ""):
        code, _, said = xl("restore", "/dev/stdin",
                           data=stream(64, 0, text, nul))
        tap.ok(code == 0 and domains() == ["older"],
               "with a configuration in xl's syntax, its NUL %r" % nul, said)
        xl("destroy", "older")


def test_damaged(tap, path):
    """One failure, and nothing is left of it."""
    data = stream(64)
    for at in (200, 5000, len(data) - 100):
        with open(path, "wb") as f:
            f.write(data[:at])
        code, _, said = xl("restore", path)
        tap.ok(code == 1 and "legacy.truncated" in said and not domains(),
               "cut at %d" % at, code, said)
    with open(path, "wb") as f:
        f.write(data)
    os.environ["XL_HYPERVISOR"] = "fake"
    code, _, said = xl("restore", path)
    os.environ["XL_HYPERVISOR"] = "fake-xen"
    tap.ok(code == 1 and "Xen host" in said,
           "a QEMU host refuses it by its kind", said)


def test_interrupted(tap, path):
    """An interrupted restore takes the converter with it."""
    os.mkfifo(path)
    child = subprocess.Popen([XL, "restore", path],
                             stderr=subprocess.DEVNULL)
    with open(path, "wb", 0) as f:
        f.write(stream(64)[:9000])
        there = wait_until(lambda: any(readers_of(path)))
        child.send_signal(signal.SIGINT)
        code = child.wait(DEADLINE_S)
        gone = wait_until(lambda: not any(readers_of(path)))
    tap.ok(there and gone and code == 1 and not domains(),
           "interrupted: no guest, no converter is left", there, gone, code)


def main():
    tap = Tap()
    if not os.path.exists(XL):
        tap.skip("xl restore", "xl is not built")
        tap.done()
    with scratch() as where:
        os.environ.update(XL_HYPERVISOR="fake-xen",
                          XL_STATE_DIR=os.path.join(where, "state"))
        test_restore(tap, os.path.join(where, "old.save"))
        test_damaged(tap, os.path.join(where, "old.save"))
        test_interrupted(tap, os.path.join(where, "fifo"))
    tap.done()


sys.exit(main())
