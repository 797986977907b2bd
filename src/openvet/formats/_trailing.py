"""Bytes after the end that a format's own structure states, or missing before it: what every reader says of them."""

from __future__ import annotations

from functools import partial

from openvet.formats._format import Facts, Head, Likeness, Member
from openvet.io.source import Source

__all__ = [
    "BEHIND",
    "GAP",
    "account_for_rest",
    "all_zero",
    "hand_on_what_runs",
    "look_in_gap",
    "say_incomplete",
    "say_trailing",
]

#: What the member is called that stands behind the end of a file.
BEHIND = "bytes-after-the-end"
#: What the member is called that stands between two parts of a file, and how many of them are looked at.
GAP = "bytes-between"
_GAPS = 32
#: As many zero bytes may stand before what is hidden.
_PADDING = 64 * 1024
#: As many ends of lines behind a file are nothing.
_LINE_ENDS = 8


def all_zero(source: Source, start: int, end: int) -> bool:
    """Whether every byte from ``start`` up to ``end`` is zero."""
    return all(not block.strip(b"\0") for block in source.chunks(start, end - start))


def account_for_rest(source: Source, facts: Facts, end: int, what: str) -> None:
    """Say what stands after ``end``, where ``what`` ends.

    Zero bytes are padding and hide nothing, and neither do a few ends of lines, which editors and version control put there.
    Anything else is an anomaly, and nobody has read it.
    """
    rest = source.size - end
    if rest <= 0:
        return
    if all_zero(source, end, source.size) or (rest <= _LINE_ENDS and not source.read(end, rest).strip(b"\r\n")):
        facts.note("padding", rest)
        return
    say_trailing(source, facts, end, what)


def say_trailing(source: Source, facts: Facts, end: int, what: str) -> None:
    """Record bytes after ``end`` (if there are any), whatever they are, as data that nobody has read."""
    rest = source.size - end
    if rest > 0:
        message = f"{rest} bytes follow after the end of {what}"
        facts.anomaly("file/trailing-data", message, end, end=end, size=source.size)
        facts.unknown("unsupported", f"the {rest} bytes after the end of {what} were not read", end)
        hand_on_what_runs(source, facts, end)


def hand_on_what_runs(source: Source, facts: Facts, start: int, end: int | None = None, name: str = BEHIND) -> None:
    """Where the bytes from ``start`` to ``end`` begin like something that runs, what it is and does is told like that of any other file.

    Zero bytes before it are passed over, as far as a block goes: padding may stand before what is hidden. ``end`` of ``None`` is the
    end of the source.
    """
    end = source.size if end is None else end
    first = source.upto(start, min(_PADDING, end - start))
    start += len(first) - len(first.lstrip(b"\0"))
    window = source.window(start, max(end - start, 0))
    if window.size and _runs(window):
        facts.add_members([Member(name, window.size, partial(_same, window), start)])


def look_in_gap(source: Source, facts: Facts, start: int, end: int) -> None:
    """The same for bytes between two parts of a file that belong to none; the first few gaps of a file are looked at."""
    end = min(end, source.size)
    gaps = sum(member.name.startswith(GAP) for member in facts.members)
    last = source.upto(max(start, end - _PADDING), min(_PADDING, end - start)) if start < end else b""
    end -= len(last) - len(last.rstrip(b"\0"))
    if start < end and gaps < _GAPS:
        hand_on_what_runs(source, facts, start, end, f"{GAP}-{gaps + 1}" if gaps else GAP)


def _runs(source: Source) -> bool:
    """Whether the bytes begin like a pickle, a program or a script."""
    from openvet.formats import known, pickle

    head = Head(BEHIND, source)
    if head.data.startswith(b"#!") or pickle.probe(head) is not Likeness.NO:
        return True
    found = known.recognise(head)
    return found is not None and found.id in known.code_kinds()


def _same(window: Source) -> Source:
    return window


def say_incomplete(facts: Facts, expected: int, present: int) -> None:
    """Record that the file ends before its header says it does: mostly a download that was cut short."""
    percent = f"{100 * present / expected:.1f} %" if expected < 2**63 else "next to nothing"
    message = f"incomplete: expected {expected} bytes, present {present} ({percent})"
    facts.anomaly("file/incomplete", message, present, expected=str(expected), present=present)
    facts.unknown("absent", message, present)
