# SPDX-License-Identifier: GPL-2.0-or-later
"""xl-stream's command line: one function a command."""

import argparse
import os
import sys

from . import extract, show_diff, show_info, show_map
from .commands_common import CommandError
from .errors import StreamError


def cmd_mk(opts):
    """Write a stream, or a corpus of them, from a description."""
    from . import corpus, make
    text = sys.stdin.read() if opts.input == "-" else read_text(opts.input)
    try:
        if opts.corpus:
            corpus.write(text, opts.output)
            return 0
        data = make.make(text.splitlines())
    except make.DescriptionError as e:
        raise CommandError("%s: %s" % (opts.input, e)) from e
    write_out(opts.output, data)
    return 0


def read_text(path):
    """A whole text file."""
    with open(path, encoding="utf-8") as f:
        return f.read()


def write_out(path, data):
    """To a file, or standard output."""
    if path == "-":
        sys.stdout.buffer.write(data)
        return
    with open(path, "wb") as f:
        f.write(data)


def add_mk(sub):
    """Options of mk."""
    p = sub.add_parser("mk", help="make a stream from a description")
    p.add_argument("input", help="description, - for standard input")
    p.add_argument("output", help="file, or directory with --corpus")
    p.add_argument("--corpus", action="store_true",
                   help="the description holds many streams")
    p.set_defaults(run=cmd_mk)


def parser():
    """The command line."""
    p = argparse.ArgumentParser(prog="xl-stream", description="Show, compare, "
                                "cut up and make streams of xl")
    sub = p.add_subparsers(metavar="COMMAND", required=True)
    for room in (show_info, show_map, show_diff, extract):
        room.add_commands(sub)
    add_mk(sub)
    return p


def main(argv):
    """0: done; 1: the stream is bad, or differs; 2: usage."""
    opts = parser().parse_args(argv)
    try:
        code = opts.run(opts)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except KeyboardInterrupt:
        return 2
    except OSError as e:
        print("xl-stream: %s: %s" % (e.filename or "read", e.strerror),
              file=sys.stderr)
    except (StreamError, CommandError) as e:
        print("xl-stream: %s" % e, file=sys.stderr)
    return 1
