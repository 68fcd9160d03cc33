#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""C readers and verifier look at the same damaged streams, and must agree.

    differential.py [--count N] [--seed N] [--keep DIR]

Damages small streams of the corpus, most of them so that their structure
stays: fields get telling values, records are dropped, doubled, swapped, cut
or given another type, with lengths that fit. The C readers run on the fake
hypervisor, the verifier without --strict. Disagreements are kept in DIR.
"""

import argparse
import concurrent.futures
import os
import random
import struct
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "interop"))

from interop import BUILD, Ours, goldens  # noqa: E402

XC_READ = os.path.join(BUILD, "tests", "xc-read")
XL_READ = os.path.join(BUILD, "tests", "xl-read")
PAGES = 1 << 20
QEMU_PAGES = 256
DEADLINE_S = 60
# A sanitizer's allocator dies of what is larger than any record may be.
ENV = dict(os.environ, ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "")
           + ":max_allocation_size_mb=130:allocator_may_return_null=0")
# What the C reader says of what the verifier cannot see.
DEEPER = ("differ from what was sent before", "guest state: ",
          "pin the guest's page tables", "the new domain is",
          ", the domain has ")
TELLING = (0, 1, 2, 3, 4, 7, 8, 0x7f, 0x80, 0xff, 0xffff, 0x8000, 1022, 1024,
           0x7fffffff, 0x80000000, 0x80000001, 0xfffffff8, 0xffffffff)


class Stream:
    """A stream of the corpus, cut into pieces that mutations move around."""

    def __init__(self, golden):
        self.name, self.format = golden.name, golden.format
        self.pieces, self.fixed = [], 0
        data = golden.data()
        at = self.xl_part(data) if self.format == "xl" else 0
        if self.format != "libxc":
            at = self.take(data, at, 16)        # libxl's header
            at = self.record(data, at)          # LIBXC_CONTEXT
        at = self.take(data, at, 40)            # libxc's headers
        while at < len(data):
            at = self.record(data, at)

    def xl_part(self, data):
        """The header, its lengths and the configuration: not JSON's inside,
        which the C reader understands and the verifier does not."""
        size, = struct.unpack_from("=I", data, 44)
        at = self.take(data, 0, 52)
        self.fixed = len(self.pieces)
        return self.take(data, at, 48 + size - at)

    def take(self, data, at, size):
        """One more piece."""
        self.pieces.append(data[at:at + size])
        return at + size

    def record(self, data, at):
        """One more record."""
        length, = struct.unpack_from("<I", data, at + 4)
        return self.take(data, at, 8 + (length + 7) // 8 * 8)


def set_field(piece, rnd):
    """A 2-, 4- or 8-byte field gets a telling value, or moves by a little."""
    size = rnd.choice((1, 2, 4, 4, 4, 8))
    if len(piece) < size:
        return piece
    at = rnd.randrange(min(len(piece) - size + 1, 64)) // size * size
    old = int.from_bytes(piece[at:at + size], "little")
    new = rnd.choice((rnd.choice(TELLING), old + 1, old - 1, old ^ 1 <<
                      rnd.randrange(8 * size)))
    return piece[:at] + (new & (1 << 8 * size) - 1).to_bytes(
        size, "little") + piece[at + size:]


def flip_byte(piece, rnd):
    """Any byte gets any value."""
    at = rnd.randrange(len(piece))
    return piece[:at] + bytes([rnd.randrange(256)]) + piece[at + 1:]


def resize(piece, rnd):
    """A record's body grows or shrinks, and its length with it."""
    length, = struct.unpack_from("<I", piece, 4)
    new = max(0, length + rnd.choice((-16, -8, -4, -1, 1, 4, 8, 16, 4096)))
    body = piece[8:8 + length].ljust(new, b"\0")[:new]
    return piece[:4] + struct.pack("<I", new) + body + bytes(-new % 8)


def retype(piece, rnd):
    """A record becomes another."""
    kind = rnd.choice((rnd.randrange(0x16), 0x80000000 | rnd.randrange(32),
                       rnd.randrange(1 << 32)))
    return struct.pack("<I", kind) + piece[4:]


def within(stream, rnd, pieces):
    """Damage one piece."""
    at = rnd.randrange(len(pieces))
    if stream.fixed and at == stream.fixed:
        return
    how = rnd.choice((set_field, set_field, set_field, flip_byte, resize,
                      retype))
    if how in (resize, retype) and not is_record(pieces[at]):
        how = set_field
    pieces[at] = how(pieces[at], rnd)


def is_record(piece):
    """Does it look like one?"""
    if len(piece) < 8:
        return False
    length, = struct.unpack_from("<I", piece, 4)
    return len(piece) == 8 + (length + 7) // 8 * 8


def between(stream, rnd, pieces):
    """Drop, double, swap or insert records."""
    first = next((i for i, p in enumerate(pieces)
                  if i > stream.fixed and is_record(p)), len(pieces) - 1)
    a = rnd.randrange(first, len(pieces))
    b = rnd.randrange(first, len(pieces))
    how = rnd.randrange(4)
    if how == 0 and len(pieces) > 2:
        del pieces[a]
    elif how == 1:
        pieces.insert(b, pieces[a])
    elif how == 2:
        pieces[a], pieces[b] = pieces[b], pieces[a]
    else:
        body = bytes(rnd.choice((0, 1, 8, 24)))
        pieces.insert(a, struct.pack(
            "<II", rnd.choice((0x80000001, 0x13, 4, 0x0d)), len(body)) + body
            + bytes(-len(body) % 8))


def mutate(stream, rnd):
    """A damaged copy."""
    pieces = list(stream.pieces)
    for _ in range(rnd.choice((1, 1, 1, 2, 3))):
        rnd.choice((within, within, between))(stream, rnd, pieces)
    data = b"".join(pieces)
    if rnd.random() < 0.08:
        data = data[:rnd.randrange(len(data))]
    if rnd.random() < 0.03:
        data += bytes(rnd.randrange(1, 20))
    return data


def legacy_flag(data):
    """xl hands such a stream to the converter, not to its reader."""
    return len(data) >= 40 and not data[36] & 2


def commands(name, fmt, data):
    """(C reader's command, verifier's options)."""
    if fmt == "libxc":
        kind = "pv" if "pv" in name else "hvm"
        return ([XC_READ, "--pages", str(PAGES), "--type", kind],
                ["--host", "xen", "--pages", str(PAGES), "--plain",
                 "--allow-trailing"])
    if fmt == "libxl":
        return ([XL_READ, "-f", "libxl", "-x", "-m", "4096"],
                ["--host", "xen", "--pages", str(PAGES), "--plain"])
    qemu = len(data) >= 40 and data[39] & 0x40
    pages = QEMU_PAGES if qemu else PAGES
    return ([XL_READ, "-m", str(pages // 256)],
            ["--pages", str(pages), "--plain"])


def judge_c(command, data):
    """(exit code, message) of the C reader."""
    try:
        done = subprocess.run(command, input=data, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, timeout=DEADLINE_S,
                              check=False, env=ENV)
    except subprocess.TimeoutExpired:
        return None, "no end within %d s" % DEADLINE_S
    return done.returncode, done.stderr.decode("utf-8", "replace").strip()


def disagreement(c, python):
    """What is wrong with two verdicts, or None.

    Behind VERIFY the C reader compares pages; the verifier never does. Nor
    does it look at a PV guest's page tables and registers, or know what kind
    of guest the new domain is for.
    """
    if c[0] == 1 and any(words in c[1] for words in DEEPER):
        c = (python[0], c[1])
    if c[0] not in (0, 1) or "Sanitizer" in c[1]:
        return "the C reader died: %s %s" % c
    if c[0] != python[0]:
        return "C: %d %s; verifier: %d %s" % (c + python)
    if c[0] == 1 and not c[1]:
        return "the C reader refuses without a word"
    return None


def plain(golden):
    """Small, for a restore, and of a guest that the C reader makes."""
    apart = {"strict", "checkpointed", "verifier", "opts"}
    return golden.good and not apart & set(golden.notes) \
        and not ("pv" in golden.name and golden.format != "libxc") \
        and "verify" not in golden.name \
        and os.path.getsize(golden.path) < 64 << 10


def cases(count, seed):
    """(name, format, stream), the same for the same seed."""
    rnd = random.Random(seed)
    streams = [Stream(g) for g in goldens() if plain(g)]
    while count:
        stream = rnd.choice(streams)
        data = mutate(stream, rnd)
        if stream.format == "xl" and legacy_flag(data):
            continue
        count -= 1
        yield stream.name, stream.format, data


def run(count, seed, keep):
    """Compare all; returns (accepted, disagreements)."""
    ours, accepted, faults = Ours(), 0, []
    jobs = os.cpu_count() or 1
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        waiting = []
        for number, (name, fmt, data) in enumerate(cases(count, seed)):
            command, options = commands(name, fmt, data)
            waiting.append((number, name, fmt, data, options,
                            pool.submit(judge_c, command, data)))
            if len(waiting) < 4 * jobs and number + 1 < count:
                continue
            for at, title, layer, stream, opts, c in waiting:
                code, said = ours.data(stream, layer, *opts)
                wrong = disagreement(c.result(), (code, said.strip()))
                accepted += code == 0
                if wrong:
                    faults.append("case %d of seed %d (%s): %s"
                                  % (at, seed, title, wrong))
                    save(keep, at, layer, stream)
            waiting = []
    return accepted, faults


def save(keep, number, fmt, data):
    """For whoever looks into it."""
    if keep:
        os.makedirs(keep, exist_ok=True)
        with open(os.path.join(keep, "%d.%s" % (number, fmt)), "wb") as f:
            f.write(data)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--count", type=int, default=10000)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--keep", help="directory for what they disagree on")
    opts = p.parse_args()
    accepted, faults = run(opts.count, opts.seed, opts.keep)
    for fault in faults:
        print(fault)
    print("%d streams, %d of them accepted, %d disagreements"
          % (opts.count, accepted, len(faults)))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
