"""The command line: the only room that prints, asks, and ends the process. ``main`` is the command.

Its modules import nothing of the other rooms before a command runs, so that ``openvet --version`` is instant.
"""

from __future__ import annotations

import sys

__all__ = ["main"]

try:
    from openvet.cli.app import app as main
except KeyboardInterrupt:  # Ctrl-C before there is a command that could catch it
    sys.exit(130)
