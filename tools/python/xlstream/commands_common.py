# SPDX-License-Identifier: GPL-2.0-or-later
"""What xl-stream's commands share."""


class CommandError(Exception):
    """A message that ends the command."""
