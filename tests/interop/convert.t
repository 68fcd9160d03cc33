#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""convert-legacy-stream: against Debian's byte for byte, and beyond it."""

import itertools
import os
import random
import resource

from interop import DEBIAN, LONG, PYTHON, Ours, Tap, run, script, scratch

CONVERT = script("convert-legacy-stream")
DEBIANS = os.path.join(DEBIAN, "bin", "convert-legacy-stream")
SEED = 6
BATCH = "lg-batch 0-3:data 4:xtab 5:L1 6:xalloc 7:broken 0x0fffffff:xtab"


def describe(*lines):
    """The stream of a description."""
    from xlstream.make import make
    return make("\n".join(lines).splitlines())


def pv(width, guest=64, extras=(), batches=BATCH, mid="lg-vcpu-info 0",
       tail=""):
    """A PV guest's stream."""
    words = " ".join(extras)
    return describe(
        "lg-start width=%d guest=pv pfns=0x900" % width,
        "lg-extended-info guest=%d %s" % (guest, words), "lg-frames",
        batches, mid, "lg-end-chunks", "lg-tail-pv %s %s" % (words, tail))


def hvm(width, mid="", model="DeviceModelRecord0002", size=100):
    """An HVM guest's stream."""
    return describe(
        "lg-start width=%d guest=hvm pfns=0x900" % width,
        "lg-batch 0-3:data 4:xtab", mid, "lg-end-chunks", "lg-tail-hvm",
        "lg-qemu %s size=%d" % (model, size))


def pv_cases(w):
    """(name, stream) of what a PV stream may hold."""
    for guest in (32, 64):
        for extras in ((), ("extv",), ("xcnt=0x250",),
                       ("extv", "xcnt=0x250")):
            yield "%d-bit guest %s" % (guest, " ".join(extras)), pv(
                w, guest, extras)
    yield "all chunks", pv(w, mid="lg-verify\nlg-batch 3:data\n"
                           "lg-vcpu-info 0 2\nlg-tsc\nlg-last-checkpoint",
                           tail="vcpus=2 unmapped=3,4")
    yield "toolstack", pv(w, mid="lg-vcpu-info 0\n"
                          "lg-toolstack 0xf0:0xf1:0x10:vga")
    yield "HVM chunk", pv(w, mid="lg-vcpu-info 0\nlg-hvm -3 0x11")
    yield "invalid entries", pv(w, batches="lg-batch 0:xtab 1:data")
    yield "odd types", pv(w, batches="lg-batch 0:5 1:data 2:8")
    yield "1,024 entries", pv(w, batches="lg-batch 0-1023:xalloc")
    yield "1,025 entries", pv(w, batches="lg-batch 0-1024:xalloc")
    yield "duplicates", pv(w, batches="lg-batch 1:data 1:data")
    yield "one PFN, two types", pv(w, batches="lg-batch 1:data 1:L1")
    yield "no vCPU online", pv(w, mid="lg-vcpu-info max=3", tail="vcpus=0")
    yield "no vCPU list", pv(w, mid="", tail="vcpus=0")
    yield "vCPU 4095", pv(w, mid="lg-vcpu-info 4095")
    yield "vCPU 4096", pv(w, mid="lg-vcpu-info 4096")
    yield "two vCPU lists", pv(w, mid="lg-vcpu-info 0\nlg-vcpu-info 1",
                               tail="vcpus=2")
    yield "trailing bytes", pv(w) + b"more"


def hvm_cases(w):
    """(name, stream) of what an HVM stream may hold."""
    params = "\n".join("lg-hvm %d %d" % (i, 0x1000 - i) for i in (
        -3, -4, -8, -10, -11, -14, -15, -16, -17, -19, -20))
    yield "plain", hvm(w)
    yield "all chunks", hvm(w, params + "\nlg-tsc\nlg-vcpu-info 0 1\n"
                            "lg-verify\nlg-last-checkpoint")
    yield "a parameter twice", hvm(w, "lg-hvm -3 1\nlg-hvm -3 2\nlg-hvm -8 0")
    yield "empty device model", hvm(w, size=0)
    yield "odd device model", hvm(w, size=13)
    yield "trailing bytes", hvm(w) + b"more"
    entry = "lg-toolstack 0xf0000000:0xf1000000:0x1000:vga.vram"
    yield "toolstack", hvm(w, entry + " 1:2:3:b")
    yield "empty toolstack", hvm(w, "lg-toolstack")
    yield "two toolstacks", hvm(w, entry + "\n" + entry)
    yield "toolstack without quirk", hvm(w, entry + " quirk=0")
    yield "toolstack with quirk", hvm(w, entry + " quirk=4")
    yield "toolstack with a tail", hvm(w, entry + " more=00000000")
    yield "toolstack version 2", hvm(w, entry + " version=2")
    yield "toolstack name", hvm(w, entry + " namelen=1")
    yield "tmem", hvm(w, "raw fbffffff")
    yield "unknown chunk", hvm(w, "raw ebffffff")


def cases():
    """(name, stream, width, guest type)."""
    for w in (32, 64):
        for name, data in pv_cases(w):
            yield "PV, %d: %s" % (w, name), data, w, "pv"
        for name, data in hvm_cases(w):
            yield "HVM, %d: %s" % (w, name), data, w, "hvm"


class Bench:
    """Converts with either tool."""

    def __init__(self, where):
        self.input = os.path.join(where, "in")
        self.output = os.path.join(where, "out")

    def convert(self, command, data, *options, **more):
        """(exit code, output or None, messages)."""
        with open(self.input, "wb") as f:
            f.write(data)
        if os.path.exists(self.output):
            os.unlink(self.output)
        code, _, said = run(command + ["-i", self.input, "-o", self.output]
                            + [str(o) for o in options], **more)
        if not os.path.exists(self.output):
            return code, None, said
        with open(self.output, "rb") as f:
            return code, f.read(), said

    def ours(self, data, *options):
        """Our converter."""
        return self.convert([CONVERT], data, *options)

    def debian(self, data, *options):
        """Debian's."""
        env = dict(os.environ, PYTHONPATH=DEBIAN + "/lib/python")
        return self.convert([PYTHON, DEBIANS], data, *options, env=env)


def compare(bench, name, data, *options):
    """What is wrong with our output, next to Debian's; or None."""
    code, wanted, _ = bench.debian(data, *options)
    ours, got, said = bench.ours(data, *options)
    if code == 0 and (ours, got) != (code, wanted):
        return "%s %s: differs: %s" % (name, options, said)
    if code != 0 and ours == 0:
        return "%s %s: Debian refuses it" % (name, options)
    if ours and got is not None:
        return "%s %s: refused, but there is output" % (name, options)
    return None


def debian_faults(bench):
    """The cases in all formats."""
    for name, data, width, guest in cases():
        base = ("-w", width, "-g", guest)
        for more in (("-f", "libxc"), ("-f", "libxl"), ("--skip-qemu",)):
            yield compare(bench, name, data, *base, *more)


def mutated_faults(bench):
    """Damaged streams: what Debian's accepts, ours converts alike."""
    rnd = random.Random(SEED)
    some = list(cases())
    for _ in range(1500 if LONG else 60):
        name, data, width, guest = rnd.choice(some)
        data = bytearray(data)
        near_end = rnd.random() < 0.4
        at = rnd.randrange(min(len(data), 5400 if near_end else 120))
        at = len(data) - 1 - at if near_end else at
        data[at] = rnd.choice((0, 1, 0xff, data[at] ^ 1 << rnd.randrange(8)))
        yield compare(bench, "%s, byte %d = %d" % (name, at, data[at]),
                      bytes(data), "-w", width, "-g", guest, "-f",
                      rnd.choice(("libxc", "libxl")))


def test_debian(tap, bench):
    """Byte for byte."""
    if not os.path.exists(DEBIANS):
        tap.skip("Debian's converter", "xen-utils-4.17 is not installed")
        return
    tap.none(filter(None, debian_faults(bench)), "Debian's output is ours")
    tap.none(filter(None, mutated_faults(bench)),
             "and so for damaged streams")


def test_detection(tap, bench):
    """Width and guest type need not be told."""
    faults = []
    for name, data, width, guest in cases():
        told = bench.ours(data, "-w", width, "-g", guest)
        if bench.ours(data)[:2] != told[:2]:
            faults.append(name)
    tap.none(faults, "width and guest type are detected")


def test_valid(tap, bench):
    """What is written, the verifier accepts."""
    ours, faults = Ours(), []
    for w, fmt in itertools.product((32, 64), ("libxc", "libxl")):
        for name, data in (("PV", pv(w, batches="lg-batch 0-3:data 4:L4")),
                           ("HVM", hvm(w))):
            code, out, said = bench.ours(data, "-f", fmt, "--skip-qemu") \
                if fmt == "libxc" else bench.ours(data, "-f", fmt)
            verdict = code or ours.data(out, fmt, "--strict")
            if verdict != (0, ""):
                faults.append("%s %d %s: %s %s" % (name, w, fmt, verdict,
                                                   said))
    tap.none(faults, "the verifier accepts what is written")


def test_xl_header(tap, bench):
    """-x keeps the header and says what follows it."""
    data = hvm(64)
    for mandatory, fmt, wanted in ((1, "libxl", 3), (1, "libxc", 1),
                                   (0, "libxl", 2)):
        header = describe("xl mandatory=%d config='{}' tail=5" % mandatory)
        new = describe("xl mandatory=%d config='{}' tail=5" % wanted)
        _, bare, _ = bench.ours(data, "-f", fmt)
        tap.equal(bench.ours(header + data, "-x", "-f", fmt),
                  (0, new + bare, ""), "-x, flags %d, %s" % (mandatory, fmt))
    code, out, said = bench.ours(describe("xl") + data, "-x")
    tap.ok(code == 1 and out is None and "not_legacy" in said,
           "-x refuses a header of a v2 stream", said)


def test_device_models(tap, bench):
    """Records that upstream's converter does not take."""
    from xlstream.make_bodies import blob
    state = (0).to_bytes(8, "little") + blob(100, 1)
    for model in ("QemuDeviceModelRecord", "RemusDeviceModelState"):
        code, out, said = bench.ours(hvm(64, model=model), "-f", "libxl")
        tap.ok(code == 0 and state in out, model, said)


def pages_of(data, where):
    """{pfn: content} of a libxc stream, as a restore leaves it."""
    path = os.path.join(where, "stream")
    pages = os.path.join(where, "pages")
    with open(path, "wb") as f:
        f.write(data)
    code, _, said = run([script("xl-stream"), "extract", "pages", path,
                         pages])
    assert code == 0, said
    with open(pages, "rb") as f:
        raw = f.read()
    return [raw[i:i + 4096] for i in range(0, len(raw), 4096)]


ROUND = """lg-batch {pfns} compressed=1
lg-compressed {pages}
lg-vcpu-info 0
lg-end-chunks
lg-tail-pv"""


def remus(*rounds, more=""):
    """A first round, then rounds of (PFN words, compressed pages)."""
    lines = ["lg-start width=64 guest=pv pfns=0x10",
             "lg-extended-info guest=64", "lg-frames", "lg-batch 0-7:data",
             "lg-vcpu-info 0", "lg-enable-compression", "lg-end-chunks",
             "lg-tail-pv"]
    for pfns, pages in rounds:
        lines += ROUND.format(pfns=pfns, pages=pages).splitlines()
    return describe(*lines) + bytes.fromhex(more)


def test_compression(tap, bench, where):
    """Rounds with compressed pages: every kind of page."""
    from xlstream.make_bodies import blob, page
    data = remus(("0-2:data 3:xtab", "full:0:9 same s100,w4,s920"),
                 ("2:data", "w2,s1022"))
    code, out, said = bench.ours(data)
    if not tap.ok(code == 0, "a Remus stream", said):
        return
    got, plain = pages_of(out, where), [page(i) for i in range(8)]
    changed = bytearray(plain[2])
    changed[400:416] = blob(16, 4)
    changed[0:8] = blob(8, 2)
    tap.equal(got[0], page(0, 9), "a page in full")
    tap.equal(got[1], plain[1], "a page that is the same")
    tap.equal(got[2], bytes(changed), "a page changed twice")
    tap.equal(got[3:8], plain[3:8], "pages that are not told again")
    tap.equal(Ours().data(out, "libxc", "--strict"), (0, ""),
              "the verifier accepts it")
    test_cut_round(tap, bench, where)
    for pages, name in (("s100", "runs that do not fill a page"),
                        ("s1000,w30", "runs beyond a page"),
                        ("same same", "more pages than PFNs")):
        code, out, _ = bench.ours(remus(("0:data", pages)))
        tap.equal((code, out), (1, None), name)
    code, out, _ = bench.ours(remus(("0-1:data", "same")))
    tap.equal((code, out), (1, None), "less pages than PFNs")
    code, _, said = run([CONVERT, "-i", "0", "-o", "/dev/null"], data)
    tap.ok(code == 2 and "file" in said, "a pipe is refused by name", said)


def test_cut_round(tap, bench, where):
    """A checkpoint that is not complete never was."""
    from xlstream.make_bodies import page
    whole = remus(("0:data", "full:0:9"))
    for cut in (1, 4096, 9000, 11000):
        code, out, said = bench.ours(whole[:-cut])
        if code:
            tap.ok(False, "cut by %d" % cut, said)
        else:
            tap.equal(pages_of(out, where)[0], page(0),
                      "a last checkpoint cut by %d is left out" % cut)


def limited():
    """For a child: memory of 32 MiB, and no more."""
    resource.setrlimit(resource.RLIMIT_DATA, (32 << 20, 32 << 20))


def test_memory(tap, where):
    """Memory does not grow with what the stream holds."""
    path, out = os.path.join(where, "large"), os.path.join(where, "new")
    size, state = 100 << 20, 20 << 20
    with open(path, "wb") as f:
        f.write(describe("lg-start guest=hvm", "lg-batch 0:data",
                         "lg-end-chunks",
                         "lg-tail-hvm context=0 length=%d" % size))
        f.seek(size, os.SEEK_CUR)
        f.write(b"QemuDeviceModelRecord")
        f.truncate(f.tell() + state)
    code, _, said = run([CONVERT, "-f", "libxl", "-i", path, "-o", out],
                        preexec_fn=limited)
    tap.ok(code == 0 and os.path.getsize(out) > size + state,
           "records of 100 MiB in 32 MiB of memory", said)


def test_damage(tap):
    """A damaged stream is converted or refused: never a traceback."""
    from xlstream.convert import Converter, Settings
    from xlstream.errors import StreamError
    from xlstream.legacy import Legacy
    from xlstream.output import Output
    from xlstream.source import Source
    rnd, faults = random.Random(SEED), []
    some = [(name, data, w, g) for name, data, w, g in cases()]
    some += [("Remus", remus(("0-2:data", "full:0:9 same s100,w4,s920"),
                             ("2:data", "w2,s1022")), 64, "pv")] * 20
    null = os.open(os.devnull, os.O_WRONLY)
    for _ in range(20000 if LONG else 2000):
        name, data, width, guest = rnd.choice(some)
        data = bytearray(data)
        for _ in range(rnd.choice((1, 2, 5))):
            at = rnd.randrange(len(data))
            data[at] = rnd.choice((0, 1, 0x7f, 0xff, rnd.randrange(256)))
        fd = os.memfd_create("stream")
        os.write(fd, data)
        os.lseek(fd, 0, os.SEEK_SET)
        try:
            Converter(Legacy(Source(fd), width), Output(null), Settings(
                guest == "pv", rnd.random() < 0.5)).run()
        except StreamError:
            pass
        except Exception as e:  # the very thing that is looked for
            faults.append("%s: %r" % (name, e))
        os.close(fd)
    tap.none(faults, "damaged streams get an answer")


def test_failures(tap, bench):
    """A failed conversion leaves nothing behind."""
    data = pv(64)
    for cut in (0, 7, 100, len(data) // 2, len(data) - 1):
        code, out, said = bench.ours(data[:cut])
        tap.ok(code == 1 and out is None and "truncated" in said,
               "cut at %d" % cut, code, said)
    with open(bench.output, "wb") as f:
        f.write(b"precious")
    run([CONVERT, "-i", bench.input, "-o", bench.output])
    with open(bench.output, "rb") as f:
        tap.equal(f.read(), b"precious",
                  "a failure leaves an older file alone")
    tap.equal(run([CONVERT, "-i", "0", "-o", "1", "-w", "64", "-g", "hvm"],
                  hvm(64))[:2], bench.ours(hvm(64))[:2], "descriptors")
    tap.equal(run([CONVERT])[0], 2, "usage")
    tap.equal(run([CONVERT, "--version"])[1].strip(), b"1", "--version")


def main():
    tap = Tap()
    with scratch() as where:
        bench = Bench(where)
        test_debian(tap, bench)
        test_detection(tap, bench)
        test_valid(tap, bench)
        test_xl_header(tap, bench)
        test_device_models(tap, bench)
        test_compression(tap, bench, where)
        test_failures(tap, bench)
        test_memory(tap, where)
    test_damage(tap)
    tap.done()


main()
