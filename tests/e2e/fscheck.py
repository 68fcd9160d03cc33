#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""fscheck.py IMAGE CONSOLE-LOG: is the file system that the test guest made and
left (tests/guest/guest_fs.h) clean, and does each file hold what it wrote?"""

import re
import subprocess
import sys
import zlib


def main(image, log):
    text = open(log, "rb").read().decode("latin-1")
    files = re.findall(r"^FS (file\d+) ([0-9a-f]{8})\r?$", text, re.M)
    if not files or "FS DONE" not in text:
        sys.exit("the guest did not finish")
    fsck = subprocess.run(["/sbin/e2fsck", "-fn", image], capture_output=True,
                          text=True)
    if fsck.returncode:
        sys.exit("e2fsck: " + fsck.stdout + fsck.stderr)
    for name, want in files:
        data = subprocess.run(["/sbin/debugfs", "-R", "cat " + name, image],
                              capture_output=True, check=True).stdout
        got = "%08x" % zlib.crc32(data)
        if got != want:
            sys.exit("%s: the guest wrote %s, the image holds %s"
                     % (name, want, got))
    print(len(files), "files")


main(*sys.argv[1:])
