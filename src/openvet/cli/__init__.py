"""The command line: the only room that prints, asks, and ends the process.

Nothing is imported here before :func:`main` runs, so that ``openvet --version`` is instant and Ctrl-C during start-up
leaves no traceback.
"""

from __future__ import annotations

import sys
from typing import NoReturn

__all__ = ["main"]


def main() -> NoReturn:
    """Run the command in ``sys.argv`` and end the process with its exit code."""
    try:
        from openvet.cli.app import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # a second Ctrl-C, or one during start-up
        code = 130
    sys.exit(code)
