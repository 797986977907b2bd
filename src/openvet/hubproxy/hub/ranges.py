"""Which bytes of a file a request asks for: RFC 9110 section 14."""

from __future__ import annotations

from typing import Final

from openvet.core.pattern import pattern

__all__ = ["MOST", "UnsatisfiableError", "read_ranges"]

#: Ranges in one request, before they are merged. A client that wants more of them asks more than once.
MOST: Final = 16
_SPEC: Final = pattern(r"([0-9]{0,19})-([0-9]{0,19})")


class UnsatisfiableError(Exception):
    """No such bytes are there, or the header is none."""


def read_ranges(header: str, size: int) -> list[tuple[int, int]] | None:
    """The ranges, in ascending order, of which none touches another; ``None`` where the whole is asked for.

    Args:
        header: the value of ``Range``.
        size: bytes of the file.

    Returns:
        (start, stop) of each, ``stop`` not included.

    Raises:
        UnsatisfiableError: the answer is 416 (so also for what is no header at all, as 14.1.1 allows).
    """
    unit, equals, wanted = header.partition("=")
    if not equals:
        raise UnsatisfiableError("is no header of ranges")
    if unit.strip().lower() != "bytes":
        return None  # 14.2: a unit that is not understood is ignored
    parts = [each.strip() for each in wanted.split(",", MOST)]
    if len(parts) > MOST:
        raise UnsatisfiableError(f"asks for more than {MOST} ranges")
    found: list[tuple[int, int]] = []
    for part in parts:
        match = _SPEC.fullmatch(part)
        if match is None or part == "-":
            raise UnsatisfiableError("is no header of ranges")
        first, last = match[1], match[2]
        if first and last and int(first) > int(last):
            raise UnsatisfiableError("asks for a range that ends before it starts")
        start = int(first) if first else max(size - int(last), 0)
        stop = min(int(last) + 1, size) if first and last else size
        if start < stop:
            found.append((start, stop))
    if not found:
        raise UnsatisfiableError("asks for bytes that the file has not")
    found.sort()
    merged = [found[0]]
    for start, stop in found[1:]:
        if start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        else:
            merged.append((start, stop))
    return merged
