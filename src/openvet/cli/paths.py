"""The paths that a command works on: its arguments, and with ``-`` those that come in on standard input."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import BinaryIO

from openvet.errors import UsageError

__all__ = ["expand", "read_paths"]


def expand(paths: Sequence[str]) -> list[str]:
    """``paths`` with ``-`` replaced by what standard input names.

    Raises:
        UsageError: standard input is closed or names nothing: nothing to check is not the same as nothing found.
    """
    out: list[str] = []
    for path in paths:
        if path != "-":
            out.append(path)
            continue
        if sys.stdin is None:
            raise UsageError("'-' reads paths from standard input, but it is closed; name the paths instead")
        found = read_paths(sys.stdin.buffer)
        if not found:
            raise UsageError("no path came in on standard input; write one path a line, or end each with a NUL byte")
        out.extend(found)
    return out


def read_paths(stream: BinaryIO) -> list[str]:
    """Paths that are separated by NUL bytes if there is one (``find -print0``), else by newlines; blank lines are left out."""
    data = stream.read()
    if b"\0" in data:
        return [os.fsdecode(each) for each in data.split(b"\0") if each]
    lines = [each for each in data.split(b"\n") if each.strip()]
    if lines and all(
        each.endswith(b"\r") for each in lines
    ):  # a list from Windows; one name may end so, not all of them
        lines = [each[:-1] for each in lines]
    return [os.fsdecode(each) for each in lines]
