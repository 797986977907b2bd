"""Bytes after the end that a format's own structure states, or missing before it: what every reader says of them."""

from __future__ import annotations

from functools import partial

from openvet.formats._format import Facts, Head, Likeness, Member
from openvet.io.source import Source

__all__ = ["BEHIND", "account_for_rest", "all_zero", "hand_on_what_runs", "say_incomplete", "say_trailing"]

#: What the member is called that stands behind the end of a file.
BEHIND = "bytes-after-the-end"
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


def hand_on_what_runs(source: Source, facts: Facts, start: int) -> None:
    """Where the bytes from ``start`` on begin like something that runs, what it is and does is told like that of any other file."""
    window = source.window(start, source.size - start)
    if _runs(window):
        facts.add_members([Member(BEHIND, window.size, partial(_same, window), start)])


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
