#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""faultlink.py CASE: a migration's link to which something happens.

Run by xl migrate in the place of ssh. CASE is a file of JSON:

    dst      state directory of the receiver, src: of the sender
    env      more environment of the receiver
    way      "in" (to the receiver) or "out"
    message  header, config, stream, go; banner, answer, ready, report, status
    at       "before", "middle", "after", or a number of bytes
    hold     "", or a journal to wait for first: "receive go", "send done", ...
    stop     "", or a role that stands still (SIGSTOP) from that place on
    do       cut, stall, corrupt, or kill
    roles    who is killed

With XL_TEST_WHOLE_LINK set it is a link like any other. What was done is
appended to CASE.did: "done" or "absent ROLE".
"""

import glob
import json
import os
import select
import signal
import subprocess
import sys
import time

XL = os.environ["XL_TEST_XL"]
HEADER, GO, READY, REPORT = 48, 44, 34, 39
STALL_S = 0.3
DEADLINE_S = 10


def read_json(path):
    try:
        with open(path) as text:
            return json.load(text)
    except (OSError, ValueError):
        return {}


def records(state, name):
    """(domid, record) of each domain there, ascending."""
    found = [(int(path.split("/")[-2]), read_json(path))
             for path in glob.glob("%s/[0-9]*/%s" % (state, name))]
    return sorted(pair for pair in found if pair[1])


def journal_says(state, wanted):
    return any("%s %s" % (j.get("verb"), j.get("step")) == wanted
               for _, j in records(state, "journal"))


def helper_of(pid):
    try:
        with open("/proc/%d/task/%d/children" % (pid, pid)) as children:
            for child in children.read().split():
                with open("/proc/%s/comm" % child) as comm:
                    if comm.read().startswith("xl-save-helper"):
                        return int(child)
    except OSError:
        pass
    return 0


class Link:
    def __init__(self, case):
        self.over = bool(os.environ.get("XL_TEST_WHOLE_LINK"))
        if self.over:
            case.update(hold="", roles=[], env={}, sender_env={})
        self.case = case
        env = {key: value for key, value in os.environ.items()
               if key not in ("XL_FAKE_HANG", "XL_FAKE_FAIL")}  # the sender's
        env.update(case["env"])
        env["XL_STATE_DIR"] = case["dst"]
        self.receiver = subprocess.Popen(
            [XL, "migrate-receive"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, bufsize=0, env=env)
        self.sender = os.getppid()
        self.went = {"in": 0, "out": 0}
        self.head = b""   # of the stream
        self.tail = b""   # what the receiver said
        self.go_at = None  # offset of GO in the stream
        self.flip = False
        self.stopped = 0
        self.end_at = None

    # ---- who is who

    def pid_of(self, role):
        case = self.case
        if role == "sender":
            return self.sender
        if role == "receiver":
            return self.receiver.pid
        if role == "sender-helper":
            return helper_of(self.sender)
        if role == "receiver-helper":
            return helper_of(self.receiver.pid)
        what, where = role.split("-")
        found = records(case[where], "keeper" if what == "keeper" else "domain")
        if case["src"] == case["dst"]:  # the source has the lower number
            found = found[:1] if where == "src" else found[1:]
        if not found:
            return 0
        key = "process" if what == "keeper" else "qemu"
        return found[-1][1].get(key, {}).get("pid", 0)

    def signal(self, role, signo):
        pid = self.pid_of(role)
        if not pid:
            self.did("absent " + role)
            return 0
        try:
            os.kill(pid, signo)
        except ProcessLookupError:
            self.did("absent " + role)
            return 0
        return pid

    def did(self, what):
        with open(sys.argv[1] + ".did", "a") as out:
            out.write(what + "\n")

    # ---- where we are

    def place(self):
        """The offset at which it is to happen; None: not known yet."""
        case, size = self.case, None
        if case["way"] == "in":
            lead = int.from_bytes(self.head[44:48], "little") \
                if len(self.head) >= HEADER else None
            base, size = {
                "header": (0, HEADER),
                "config": (HEADER, lead),
                "stream": (None if lead is None else HEADER + lead, 1 << 62),
                "go": (self.go_at, GO),
            }[case["message"]]
        else:
            line = self.tail.find(b"}\n") + 2
            banner = self.tail.find(b"\n") + 1
            ready = None if line < 2 else line
            report = None if ready is None else ready + READY
            base, size = {
                "banner": (0, 54),
                "answer": (banner or None, 30),
                "ready": (ready, READY),
                "report": (report, REPORT),
                "status": (None if report is None else report + REPORT, 1),
            }[case["message"]]
        if base is None or size is None:
            return None
        if isinstance(case["at"], int):
            return base + case["at"]
        return base + {"before": 0, "middle": size // 2,
                       "after": size}[case["at"]]

    # ---- what happens

    def fire(self):
        case = self.case
        self.over = True
        if case["do"] == "corrupt":
            self.flip = True
            self.did("done")
            return
        if case["do"] == "cut":
            self.did("done")
            sys.exit(0)
        if case["do"] == "stall":
            self.did("done")
            time.sleep(STALL_S)
            self.signal("sender", signal.SIGTERM)
            # Behind GO it does not listen.
            if not self.sender_ends(2.0):
                self.signal("sender", signal.SIGKILL)
            sys.exit(0)
        if case["stop"]:
            self.stopped = self.signal(case["stop"], signal.SIGSTOP)
        if not case["hold"]:
            self.kill()

    def sender_ends(self, seconds):
        poller = select.poll()
        poller.register(1, 0)  # nobody reads our stdout any more: POLLERR
        return bool(poller.poll(seconds * 1000))

    def kill(self):
        for role in self.case["roles"]:
            if self.signal(role, signal.SIGKILL):
                self.did("done")
        self.case["roles"] = []
        if self.stopped:
            try:
                os.kill(self.stopped, signal.SIGCONT)
            except ProcessLookupError:
                pass

    def end_the_hanging(self):
        """Who was told to hang, and not to die, would do so for ever."""
        if "XL_FAKE_HANG" in self.case["env"]:
            self.receiver.kill()
        if "XL_FAKE_HANG" in self.case["sender_env"] and \
                os.getppid() == self.sender:
            os.kill(self.sender, signal.SIGKILL)

    def look_at_hold(self):
        hold, case = self.case["hold"], self.case
        if hold and self.case["roles"] and (
                journal_says(case["src"], hold) or
                journal_says(case["dst"], hold)):
            self.kill()
            self.end_at = time.monotonic() + STALL_S

    # ---- the link

    def send(self, way, data):
        to = self.receiver.stdin.fileno() if way == "in" else 1
        if self.flip and self.case["way"] == way and data:
            data = bytes([data[0] ^ 1]) + data[1:]
            self.flip = False
        while data:
            data = data[os.write(to, data):]

    def take(self, way, data):
        if way == "out":
            self.tail += data
            if self.go_at is None and b"ready to unpause" in self.tail:
                self.go_at = self.went["in"]
        elif len(self.head) < HEADER:
            self.head += data[:HEADER - len(self.head)]
        begin, end = self.went[way], self.went[way] + len(data)
        if not self.over and self.case["way"] == way:
            at = self.place()
            after = self.case["at"] == "after"
            if at is not None and begin <= at and \
                    (at <= end if after else at < end):
                self.send(way, data[:at - begin])
                data = data[at - begin:]
                self.fire()
        self.went[way] = end
        self.send(way, data)

    def run(self):
        fds = {0: "in", self.receiver.stdout.fileno(): "out"}
        poller = select.poll()
        for fd in fds:
            poller.register(fd, select.POLLIN)
        while len(fds) == 2:
            for fd, _ in poller.poll(5 if self.case["hold"] else None):
                try:
                    data = os.read(fd, 4096 if fds[fd] == "in" else 1)
                    if not data:
                        return
                    self.take(fds[fd], data)
                except OSError:
                    return
            self.look_at_hold()
            if self.end_at and time.monotonic() > self.end_at:
                self.end_the_hanging()

    def wait_for_hold(self):
        """Behind the link's end: the journal may yet come to it."""
        end = time.monotonic() + DEADLINE_S
        while self.over and self.case["hold"] and self.case["roles"]:
            self.look_at_hold()
            if time.monotonic() > end:
                self.did("absent " + self.case["hold"])
                break
            time.sleep(0.002)


def main():
    link = Link(read_json(sys.argv[1]))
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    try:
        link.run()
    finally:
        link.wait_for_hold()
        if link.stopped:
            link.kill()
        if link.end_at:
            time.sleep(STALL_S)
            link.end_the_hanging()
        for fd in (0, 1, link.receiver.stdin.fileno(),
                   link.receiver.stdout.fileno()):
            os.close(fd)
        link.receiver.wait()


main()
