#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""verify-stream-v2: its command line, its input, and damaged streams."""

import json
import os
import random
import resource
import subprocess
import threading

from interop import (LONG, Ours, Tap, big_streams, goldens, run,
                     script, scratch)

VERIFY = script("verify-stream-v2")
CUTS = 200
SEED = 20


def golden(name):
    """One stream of the corpus."""
    return next(g for g in goldens() if g.name == name)


def limited():
    """For a child: memory of 32 MiB, and no more."""
    resource.setrlimit(resource.RLIMIT_DATA, (32 << 20, 32 << 20))


def feed(fd, data, step):
    """Write in small pieces, as a slow sender does."""
    with os.fdopen(fd, "wb", 0) as f:
        for at in range(0, len(data), step):
            f.write(data[at:at + step])


def through_pipe(data, fmt, step):
    """Exit code when the stream comes in pieces."""
    r, w = os.pipe()
    with subprocess.Popen([VERIFY, "-f", fmt], stdin=r,
                          stderr=subprocess.DEVNULL) as child:
        os.close(r)
        writer = threading.Thread(target=feed, args=(w, data, step))
        writer.start()
        code = child.wait(timeout=60)
        writer.join()
    return code


def test_input(tap):
    """File, standard input, pipe, descriptor."""
    g = golden("good/xl-hvm")
    data = g.data()
    tap.equal(run([VERIFY, "-f", "xl", "-i", g.path]), (0, b"", ""), "a file")
    tap.equal(run([VERIFY, "-f", "xl"], data)[0], 0, "standard input")
    tap.equal(through_pipe(data, "xl", 7), 0, "a pipe, 7 bytes at a time")
    with open(g.path, "rb") as f:
        tap.equal(run([VERIFY, "-f", "xl", "-i", str(f.fileno())],
                      pass_fds=[f.fileno()])[0], 0, "a descriptor")
    code, _, said = run([VERIFY, "-i", "/no/such/file"])
    tap.ok(code == 1 and "/no/such/file" in said, "a missing file", said)
    tap.equal(run([VERIFY, "-f", "libxc"], golden("good/xc-hvm").data())[0],
              0, "a bare libxc stream")
    tap.equal(run([VERIFY], golden("good/xc-hvm").data())[0], 0,
              "libxc is the default")


def test_options(tap):
    """Verbose, quiet, JSON, strict, trailing data."""
    g, bad = golden("good/xl-hvm"), golden("bad/lx-trailing")
    _, out, _ = run([VERIFY, "-v", "-f", "xl", "-i", g.path])
    tap.ok(b"EMULATOR_CONTEXT" in out and b"x86 HVM" in out,
           "-v tells what is there", out)
    tap.equal(run([VERIFY, "-q", "-f", "libxl", "-i", bad.path]),
              (1, b"", ""), "-q tells nothing")
    tap.equal(run([VERIFY, "-f", "libxl", "--allow-trailing", "-i",
                   bad.path])[0], 0, "--allow-trailing")
    tap.equal(run([VERIFY, "-f", "nonsense"])[0], 2, "a wrong format")
    code, out, _ = run([VERIFY, "--json", "-f", "xl", "-i", g.path])
    lines = [json.loads(line) for line in out.splitlines()]
    names = [line.get("name") for line in lines]
    tap.ok(code == 0 and "PAGE_DATA" in names
           and lines[-1] == {"result": "ok"}, "--json", out)
    at = next(line for line in lines if line.get("name") == "PAGE_DATA")
    tap.equal(g.data()[at["offset"]:at["offset"] + 4], b"\1\0\0\0",
              "--json's offsets are those of the input")
    strict = golden("bad/xc-padding")
    tap.equal(run([VERIFY, "-q", "-i", strict.path])[0], 0,
              "padding is not looked at")
    tap.equal(run([VERIFY, "-q", "--strict", "-i", strict.path])[0], 1,
              "with --strict it is")


def test_end(tap):
    """What lies behind END belongs to somebody else."""
    g = golden("good/xl-hvm")
    r, w = os.pipe()
    os.write(w, golden("good/xl-hvm").data() + b"handshake")
    code = run([VERIFY, "-f", "xl", "--allow-trailing", "-i", str(r)],
               pass_fds=[r])[0]
    tap.equal((code, os.read(r, 100)), (0, b"handshake"),
              "nothing behind END is read")
    code, _, said = run([VERIFY, "-f", "xl"], g.data() + b"x")
    tap.ok(code == 1 and "[xl.trailing]" in said, "trailing data", said)


def cut_places(size, rnd):
    """Where to cut: anywhere, and at the ends."""
    some = {rnd.randrange(size) for _ in range(CUTS - 4)}
    return sorted(some | {0, 1, size // 2, size - 1})


def test_cuts(tap, ours):
    """A stream that is cut anywhere is refused, by a rule's name."""
    rnd = random.Random(SEED)
    for name in ("good/xl-hvm", "good/lx-pv", "good/xc-hvm", "good/xl-qemu"):
        g = golden(name)
        data = g.data()
        faults = []
        for at in cut_places(len(data), rnd):
            code, said = ours.data(data[:at], g.format)
            if code != 1 or ".truncated]" not in said:
                faults.append("%d: %d %s" % (at, code, said))
        tap.none(faults, "%s cut at %d places" % (name, CUTS))


def test_mutations(tap, ours):
    """A damaged stream is accepted or refused: never a traceback."""
    rnd = random.Random(SEED)
    faults = []
    some = [g for g in goldens() if g.good and "opts" not in g.notes]
    for _ in range(20000 if LONG else 2000):
        g = rnd.choice(some)
        data = bytearray(g.data())
        for _ in range(rnd.choice((1, 1, 2, 4))):
            at = rnd.randrange(min(len(data), 400)) if rnd.random() < 0.7 \
                else rnd.randrange(len(data))
            data[at] = rnd.choice((0, 1, 0x80, 0xff, rnd.randrange(256)))
        try:
            code, said = ours.data(bytes(data), g.format)
        except Exception as e:  # the very thing that is looked for
            faults.append("%s: %r" % (g.name, e))
            continue
        if code not in (0, 1) or code == 1 and "[" not in said:
            faults.append("%s: exit %d: %s" % (g.name, code, said))
    tap.none(faults, "damaged streams get an answer")


def make_large(path):
    """200 MiB of records, each as large as it may be."""
    from xlstream.make import make
    head = make(["libxc", "xc STATIC_DATA_END"])
    tail = make(["xc HVM_CONTEXT size=64", "xc END"])
    with open(path, "wb") as f:
        f.write(head)
        f.write((1).to_bytes(4, "little") + (8 + 8 * 24000 + 24000 * 4096)
                .to_bytes(4, "little") + (24000).to_bytes(4, "little")
                + bytes(4))
        f.write(b"".join(i.to_bytes(8, "little") for i in range(24000)))
        f.seek(24000 * 4096, 1)
        f.write((0x80000005).to_bytes(4, "little")
                + (128 << 20).to_bytes(4, "little"))
        f.seek(128 << 20, 1)
        f.write(tail)


def test_memory(tap):
    """Memory does not grow with the stream."""
    with scratch() as where:
        path = os.path.join(where, "large")
        make_large(path)
        code, _, said = run([VERIFY, "--strict", "-i", path],
                            preexec_fn=limited)
    tap.ok(code == 0, "records of 100 MiB in 32 MiB of memory", said)


def unpacked(path, where):
    """The stream as a file; packed ones are unpacked."""
    if not path.endswith(".zst"):
        return path
    plain = os.path.join(where, os.path.basename(path)[:-4])
    subprocess.run(["zstd", "-qdf", path, "-o", plain], check=True)
    return plain


def test_real(tap, ours):
    """Streams of real guests, where XL_GOLDEN_DIR names some."""
    for packed in big_streams():
        with scratch() as where:
            path = unpacked(packed, where)
            name = os.path.basename(path)
            tap.equal(run([VERIFY, "--strict", "-f", "xl", "-i", path],
                          preexec_fn=limited), (0, b"", ""), name)
            with open(path, "rb") as f:
                cat = subprocess.Popen(["cat"], stdin=f,
                                       stdout=subprocess.PIPE)
                code = subprocess.call([VERIFY, "-f", "xl"],
                                       stdin=cat.stdout)
                cat.stdout.close()
                cat.wait()
            tap.equal(code, 0, name + " through a pipe")
            tap.none(real_cuts(path, ours), name + " cut at 200 places")


def real_cuts(path, ours):
    """The same file, made shorter and shorter."""
    rnd = random.Random(SEED)
    for at in sorted(cut_places(os.path.getsize(path), rnd), reverse=True):
        os.truncate(path, at)
        code, said = ours.file(path, "xl")
        if code != 1 or ".truncated]" not in said:
            yield "%d: %d %s" % (at, code, said)


def main():
    tap = Tap()
    ours = Ours()
    test_input(tap)
    test_options(tap)
    test_end(tap)
    test_cuts(tap, ours)
    test_mutations(tap, ours)
    test_memory(tap)
    test_real(tap, ours)
    tap.done()


main()
