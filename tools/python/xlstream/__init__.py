# SPDX-License-Identifier: GPL-2.0-or-later
"""Streams of xl: read, verify, show, convert and make them.

Written from docs/specs, apart from the C readers: a second opinion on them.
"""
