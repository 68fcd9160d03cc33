#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""bootsector.py IMAGE TEXT: a boot sector that writes TEXT to the first serial
port, and stops."""

import sys

CODE = bytes.fromhex(
    "31c0 8ed8"  # xor ax, ax; mov ds, ax
    "fc be167c"  # cld; mov si, text
    "ac 84c0 7406"  # next: lodsb; test al, al; jz stop
    "baf803 ee ebf5"  # mov dx, 0x3f8; out dx, al; jmp next
    "f4 ebfd")  # stop: hlt; jmp stop


def main(image, text):
    sector = CODE + text.encode() + b"\r\n\0"
    with open(image, "r+b") as f:
        f.write(sector.ljust(510, b"\0") + b"\x55\xaa")


main(*sys.argv[1:])
