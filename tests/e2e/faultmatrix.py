#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""faultmatrix.py fake|qemu WORK SHARE [SEED]: migrations whose link is cut,
stalled or corrupted at each message and at random bytes, and whose processes
are killed at each step of the journal (faultlink.py). After each case, and
after `xl recover` where one is needed, exactly one guest may be run, never two,
and a real guest finds its memory whole. Prints TAP.

SHARE: every so-many-th case of the seeded order; 1: all.
"""

import glob
import json
import os
import random
import re
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BUILD = os.environ.get("XL_BUILD", os.path.join(TOP, "build"))
XL = os.path.join(BUILD, "bin", "xl")
GUEST = os.path.join(BUILD, "guest")
LINK = os.path.join(TOP, "tests", "e2e", "faultlink.py")
HANG_S = int(os.environ.get("XL_TEST_DEADLINE", "240"))
CHECK_EACH = 10  # cases after which the guest checks all of its memory

MESSAGES = [("in", "header"), ("in", "config"), ("in", "stream"), ("in", "go"),
            ("out", "banner"), ("out", "answer"), ("out", "ready"),
            ("out", "report"), ("out", "status")]
ROLES = [["sender"], ["receiver"], ["sender-helper"], ["receiver-helper"],
         ["keeper-src"], ["keeper-dst"], ["qemu-src"], ["qemu-dst"],
         ["sender", "receiver"], ["sender", "keeper-src"],
         ["receiver", "keeper-dst"], ["sender", "receiver", "keeper-src",
                                      "keeper-dst"]]
# Where everything stands still while someone is killed: the place, and the
# journals there. "" stop: only the fake host can stand still in that step.
STEPS = [
    ("receive building", "in", "stream", 3 << 20, "", {}, {}),
    ("receive ready", "out", "ready", "before", "", {}, {}),
    ("send go", "in", "go", "before", "", {}, {}),
    ("receive go", "in", "go", "before", "qemu-dst",
     {"XL_FAKE_HANG": "unpause"}, {}),
    ("report", "out", "report", "before", "", {}, {}),
    ("send done", "out", "report", "before", "qemu-src", {},
     {"XL_FAKE_HANG": "destroy"}),
    ("receive given-up", "in", "go", "before", "",
     {"XL_FAKE_FAIL": "6", "XL_FAKE_HANG": "destroy"}, {}),
    ("send given-back", "out", "report", "before", "",
     {"XL_FAKE_FAIL": "6"}, {"XL_FAKE_HANG": "resume"}),
]
HELD = {"receive go", "send done", "receive given-up", "send given-back"}


def case(way, message, at, do, **more):
    made = {"way": way, "message": message, "at": at, "do": do, "hold": "",
            "stop": "", "roles": [], "env": {}, "sender_env": {}, "step": ""}
    made.update(more)
    return made


def name_of(c):
    where = c["step"] or "%s %s" % (c["at"], c["message"])
    return "%s%s at %s, %s" % (c["do"], "".join(" " + r for r in c["roles"]),
                               where, "one host" if c["same"] else "two hosts")


def all_cases(fake, rng, stream_bytes):
    cases = []
    for way, message in MESSAGES:
        for at in ("before", "middle", "after"):
            for do in ("cut", "stall", "corrupt"):
                if do == "corrupt" and at == "after":
                    continue
                if message == "stream" and at != "before":
                    continue
                cases.append(case(way, message, at, do))
    for number in range(200):
        # A page's data has no checksum: what is damaged there nobody sees, but
        # for a guest whose memory nobody looks at.
        do = ("cut", "stall", "corrupt" if fake else "cut")[number % 3]
        cases.append(case("in", "stream", rng.randrange(stream_bytes), do))
    for step, way, message, at, stop, env, sender_env in STEPS:
        if step in HELD and not fake and not stop:
            continue
        for roles in ROLES:
            if fake and roles[0].startswith("qemu"):
                continue
            cases.append(case(
                way, message, at, "kill", roles=roles, step=step,
                hold=step if step in HELD else "",
                stop="" if fake else stop, env=env if fake else {},
                sender_env=sender_env if fake else {}))
    for number, one in enumerate(cases):
        one["same"] = number % 2 == 0
    return cases


class Failure(Exception):
    pass


def keepers_said(states):
    said = ""
    for path in sorted(p for state in states
                       for p in glob.glob(state + "/[0-9]*/keeper.log")):
        with open(path, errors="replace") as log:
            said += "\n%s: %s" % (path, log.read()[-2000:])
    return said


class Matrix:
    def __init__(self, kind, work):
        self.kind, self.work = kind, work
        self.states = [os.path.join(work, "state.a"),
                       os.path.join(work, "state.b")]
        self.env = dict(os.environ, XL_HYPERVISOR=kind, XL_FAKE_KEEPER="1",
                        XL_TEST_XL=XL)
        self.env.pop("XL_LIBEXEC_DIR", None)
        self.home = self.states[0]
        self.boot = None
        self.ran = 0

    def xl(self, state, *args, **env):
        done = subprocess.run(
            [XL] + list(args), env=dict(self.env, XL_STATE_DIR=state, **env),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=HANG_S)
        return done.returncode, done.stdout.decode("utf-8", "replace")

    # ---- the guest

    def create(self):
        config = os.path.join(self.work, "guest.cfg")
        with open(config, "w") as out:
            out.write('name = "guest"\ntype = "hvm"\nmemory = %d\nvcpus = 1\n'
                      % (8 if self.kind == "fake" else 96))
            if self.kind == "qemu":
                out.write('kernel = "%s/vmlinuz"\nramdisk = "%s/initramfs.gz"\n'
                          'cmdline = "console=ttyS0 quiet panic=-1 tick=100 '
                          'touch=8 dirty=200"\n' % (GUEST, GUEST))
        code, said = self.xl(self.home, "create", config)
        if code:
            raise Failure("create: " + said)
        if self.kind == "qemu":
            self.wait("first tick", lambda: self.last_tick() >= 2)
            log = self.console()
            at = log.find(b"READY boot=") + 11
            self.boot = log[at:at + 16].split()[0].decode()

    def console(self):
        text = b""
        for path in sorted(glob.glob(self.home + "/[0-9]*/console-log")):
            with open(path, "rb") as log:
                text = log.read()
        return text

    def last_tick(self):
        ticks = [line for line in self.console().split(b"\n")[:-1]
                 if line.startswith(b"T ") and len(line.split()[-1]) == 8]
        return int(ticks[-1].split()[1]) if ticks else 0

    def wait(self, what, found):
        end = time.monotonic() + HANG_S
        while not found():
            if time.monotonic() > end:
                raise Failure("no " + what)
            time.sleep(0.02)

    def memory_is_right(self):
        before = self.last_tick()
        self.wait("tick", lambda: self.last_tick() >= before + 2)
        for path in glob.glob(self.home + "/[0-9]*/console-log"):
            done = subprocess.run(
                [os.path.join(TOP, "tests", "e2e", "ticks.py"), path,
                 self.boot, "gaps"], stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT)
            if done.returncode:
                raise Failure(done.stdout.decode())
        if self.ran % CHECK_EACH:
            return
        had = len(self.checks())
        asking = subprocess.Popen(
            [XL, "console", "guest"], stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env=dict(self.env, XL_STATE_DIR=self.home))
        asking.stdin.write(b"check\n")
        asking.stdin.flush()
        try:
            self.wait("check", lambda: len(self.checks()) > had)
        finally:
            asking.kill()
            asking.wait()
        if self.checks()[-1] != b"OK":
            raise Failure("the guest's memory is wrong")

    def checks(self):
        """What the guest found each time, of whole lines."""
        return re.findall(rb"CHECK (\S+)[^\n]*\n", self.console())

    # ---- what there is

    def domains(self):
        """(state directory, domid, name, runs, has a journal) of each."""
        found = []
        for state in self.states:
            _, text = self.xl(state, "list")
            for line in text.splitlines()[1:]:
                field = line.split()
                if len(field) < 6 or not field[1].isdigit():
                    continue
                found.append((
                    state, int(field[1]), field[0],
                    "r" in field[4] or "b" in field[4],
                    os.path.exists("%s/%s/journal" % (state, field[1]))))
        return found

    def recover(self):
        said = ""
        for state in self.states:
            said += self.xl(state, "recover", XL_TEST_WHOLE_LINK="1")[1]
        return said

    def settle(self, may_be_lost):
        """Until one guest is left, and nothing is open. False: it is lost,
        which a killed QEMU may be."""
        end = time.monotonic() + HANG_S
        while True:
            said = self.recover()
            found = self.domains()
            running = [d for d in found if d[3]]
            if len(running) > 1:
                raise Failure("two guests run: %s" % (running,))
            if len(running) == 1 and running[0][2] == "guest" and \
                    not running[0][4]:
                # A copy that asks: the user sees the guest run.
                for other in found:
                    if other != running[0] and other[4]:
                        self.xl(other[0], "destroy", str(other[1]))
                if len(found) == 1:
                    self.home = running[0][0]
                    return True
            if not found and may_be_lost:
                return False
            if not found:
                raise Failure("the guest is lost; recover said: " + said)
            if time.monotonic() > end:
                raise Failure("%s; recover says: %s" % (found, said))

    # ---- one case

    def run(self, c):
        self.ran += 1
        where = os.path.join(self.work, "case")
        c["src"] = self.home
        c["dst"] = self.home if c["same"] else \
            self.states[self.states[0] == self.home]
        with open(where, "w") as out:
            json.dump(c, out)
        if os.path.exists(where + ".did"):
            os.unlink(where + ".did")
        try:
            _, said = self.xl(self.home, "migrate", "-s", "", "guest",
                              "exec %s %s %s" % (sys.executable, LINK, where),
                              **c["sender_env"])
        except subprocess.TimeoutExpired:
            raise Failure("it hangs")
        did = ""
        if os.path.exists(where + ".did"):
            with open(where + ".did") as text:
                did = text.read()
        if not did:
            raise Failure("its place did not come: " + said)
        lost = any(r.startswith("qemu") for r in c["roles"])
        alive = self.settle(lost)
        if not alive:
            self.create()
        elif self.kind == "qemu":
            self.memory_is_right()
        return "" if "done" in did else "nobody to kill"

    def stream_bytes(self):
        """Of a whole migration, about: what random places are drawn from."""
        _, said = self.xl(self.home, "migrate", "--json", "-s", "", "guest",
                          "exec %s migrate-receive" % XL)
        return json.loads(said.splitlines()[-1])["bytes"]

    def destroy_all(self):
        for state, domid, _, _, _ in self.domains():
            self.xl(state, "destroy", str(domid))


def main():
    kind, work, share = sys.argv[1], sys.argv[2], int(sys.argv[3])
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    rng = random.Random(seed)
    matrix = Matrix(kind, work)
    bad = skipped = 0
    matrix.create()
    cases = all_cases(kind == "fake", rng, matrix.stream_bytes() * 9 // 10)
    total = len(cases)
    rng.shuffle(cases)
    cases = cases[::share]
    for number, c in enumerate(cases, 1):
        began = time.monotonic()
        try:
            note = matrix.run(c)
            skipped += bool(note)
            print("ok %d - %s%s" % (number, name_of(c),
                                    " # SKIP " + note if note else ""))
        except Failure as failure:
            bad += 1
            print("not ok %d - %s" % (number, name_of(c)))
            text = str(failure) + keepers_said(matrix.states)
            print("# " + text.replace("\n", "\n# "))
            matrix.destroy_all()
            matrix.create()
        if os.environ.get("XL_TEST_VERBOSE"):
            print("# %.2f s" % (time.monotonic() - began))
        sys.stdout.flush()
    matrix.destroy_all()
    print("# %d of %d cases (seed %d), %d without anyone to kill"
          % (len(cases), total, seed, skipped))
    print("1..%d" % len(cases))
    sys.exit(bad > 0)


main()
