"""Self-extracting scripts (makeself's ``.run``, installers of models): a script, and behind its last line the bytes that it unpacks.

::

    "#!" interpreter, lines of text        a shell or Perl reads it line by line and stops at `exit`
    bytes that are no text                 `tail`, `sed` or `dd` of the script cut them out: an archive, weights, a program

Both are handed over: the script as a script, and what stands behind it as a file. Where the text ends is where the first line begins
that holds a byte which no text holds; a payload that begins with lines of text has those read with the script.

Reference: https://makeself.io
"""

from __future__ import annotations

from functools import partial

from openvet.core.pattern import pattern
from openvet.errors import LimitError
from openvet.formats._decode import is_text
from openvet.formats._format import Facts, Format, Head, Likeness, Member
from openvet.io.source import Source

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="self-extracting",
    title="self-extracting script",
    extensions=(".run", ".bsx"),
    media_types=("application/x-makeself",),
    can_tell=("what the script does, as of any other script", "what stands behind it, as of any other file"),
    cannot_tell=("which part of it the script cuts out, and how",),
)

_FIRST = pattern(rb"#![^\n]{0,80}?[/ ](?:(?:ba|z|da|k|fi|a)?sh|perl|python[\d.]*)\b[^\n]{0,200}\n")
#: A script is this long at most; makeself writes some 20 kB.
_SCRIPT = 1024 * 1024
_CONTROLS = frozenset(range(32)) - frozenset(b"\t\n\v\f\r\b\x1b")
_ENDINGS = {b"perl": "pl", b"pyth": "py"}


def probe(head: Head) -> Likeness:
    """WEAK: a first line that names an interpreter, and bytes that are no text. An archive is found by its end before this is asked."""
    found = _FIRST.match(head.data[:400])
    named = head.suffix in FORMAT.extensions and _text_before(head.data) > 0
    return Likeness.WEAK if (found is not None or named) and not is_text(head) else Likeness.NO


def _text_before(data: bytes) -> int:
    """Where the first line begins that is no text."""
    try:
        data.decode("utf-8")
        broken = len(data)
    except UnicodeDecodeError as error:
        broken = error.start
    broken = min(next((at for at, byte in enumerate(data[:broken]) if byte in _CONTROLS), broken), broken)
    return data.rfind(b"\n", 0, broken) + 1


def read(source: Source, facts: Facts) -> None:
    """Hand over the script and what stands behind it.

    Raises:
        LimitError: the script is longer than any that is known.
    """
    data = source.upto(0, _SCRIPT)
    end = _text_before(data)
    if not end:
        raise LimitError("text", _SCRIPT, "the first line of the script does not end", offset=0)
    first = _FIRST.match(data[:400])
    facts.note("interpreter", "sh" if first is None else first[0][2:].strip().decode("ascii", "replace")[:80])
    ending = next((each for word, each in _ENDINGS.items() if first is not None and word in first[0]), "sh")
    facts.add_members(
        [
            Member(f"script.{ending}", end, partial(source.window, 0, end), 0),
            Member("unpacked", source.size - end, partial(source.window, end, source.size - end), end),
        ]
    )
