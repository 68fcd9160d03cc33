# SPDX-License-Identifier: GPL-2.0-or-later
"""xl-stream diff: which pages and which records differ."""

import os

from .commands_common import CommandError
from .open_stream import walk
from .pages_index import NOT_SENT, IndexSink, digest, page_at, pfns_of

SHOWN = 20


class Side:
    """One of the two streams."""

    def __init__(self, path):
        if path.isdigit() or not os.path.isfile(path):
            raise CommandError("%s: diff needs files" % path)
        self.path = path
        self.index = IndexSink()
        self.format, self.guest = walk(path, self.index)
        self.fd = os.open(path, os.O_RDONLY)

    def page(self, pfn):
        """Its content, or None. On a QEMU host what is not sent is zero."""
        place = self.index.get(pfn)
        if place != NOT_SENT:
            return page_at(self.fd, place)
        return bytes(4096) if self.guest.qemu_host else None

    def records(self):
        """(name, digest) of each record that is not pages."""
        return [("%s %s" % (layer, name), digest(self.fd, offset + 8, length))
                for layer, name, offset, length in self.index.others]

    def config(self):
        """The configuration, as it stands."""
        return self.index.header and self.index.header.json


class Pages:
    """PFNs in ascending order: how many, and the first ranges of them."""

    def __init__(self, title):
        self.title = title
        self.count = 0
        self.ranges = []
        self.last = None

    def add(self, pfn):
        """One more."""
        self.count += 1
        if self.last is not None and pfn == self.last + 1:
            if len(self.ranges) <= SHOWN:
                self.ranges[-1][1] = pfn
        elif len(self.ranges) <= SHOWN:
            self.ranges.append([pfn, pfn])
        self.last = pfn

    def tell(self):
        """How many, and where."""
        if not self.count:
            return
        text = ", ".join("%#x" % a if a == b else "%#x-%#x" % (a, b)
                         for a, b in self.ranges[:SHOWN])
        if len(self.ranges) > SHOWN:
            text += ", ..."
        print("%d pages %s: %s" % (self.count, self.title, text))


def diff_pages(a, b):
    """True if a page differs."""
    differ = Pages("differ")
    only_a, only_b = Pages("only in " + a.path), Pages("only in " + b.path)
    for pfn in pfns_of(a.index, b.index):
        page_a, page_b = a.page(pfn), b.page(pfn)
        if page_a == page_b:
            continue
        if page_a is None:
            only_b.add(pfn)
        elif page_b is None:
            only_a.add(pfn)
        else:
            differ.add(pfn)
    found = [differ, only_a, only_b]
    for pages in found:
        pages.tell()
    return any(pages.count for pages in found)


def diff_records(a, b):
    """True if a record other than PAGE_DATA differs."""
    left, right = a.records(), b.records()
    found = [x for x, _ in left] != [x for x, _ in right]
    if found:
        print("records: %s have %s" % (a.path, ", ".join(x for x, _ in left)))
        print("records: %s have %s" % (b.path, ", ".join(x for x, _ in right)))
        return True
    for (name, one), (_, two) in zip(left, right):
        if one != two:
            print("record differs: " + name)
            found = True
    return found


def diff_config(a, b, path, one, two):
    """True if the configurations differ; each difference on a line."""
    if isinstance(one, dict) and isinstance(two, dict):
        return any([diff_config(a, b, path + [key], one.get(key),
                                two.get(key))
                    for key in sorted(set(one) | set(two))])
    if one == two:
        return False
    print("config %s: %r, %r" % (".".join(path) or "(whole)", one, two))
    return True


def cmd_diff(opts):
    """0: the same; 1: not."""
    a, b = Side(opts.a), Side(opts.b)
    found = [diff_config(a, b, [], a.config(), b.config()),
             diff_records(a, b), diff_pages(a, b)]
    return 1 if any(found) else 0


def add_commands(sub):
    """Options."""
    p = sub.add_parser("diff", help="which pages and records differ")
    p.add_argument("a", metavar="FILE")
    p.add_argument("b", metavar="FILE")
    p.set_defaults(run=cmd_diff)
