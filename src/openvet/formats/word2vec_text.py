"""Word vectors in the text form of word2vec (``.vec``, ``.txt``) whose words are not UTF-8.

::

    words, dimensions: decimal digits, a space between them, a line feed behind
    each word: its bytes, then dimensions times a space and a decimal number, a line feed

Those in UTF-8 are text like any other and are read as such. This reader is for words in the encodings of old corpora (Windows and
DOS code pages, or text that was cut in the middle of a letter): numbers it is to the end, whatever the bytes of the words mean.

Reference: ``word2vec.c`` of https://github.com/tmikolov/word2vec ; ``gensim/models/keyedvectors.py``
"""

from __future__ import annotations

from openvet.core.coverage import Coverage
from openvet.core.pattern import pattern
from openvet.errors import LimitError, MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.io.source import Source

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="word2vec-text",
    title="word vectors (word2vec, text that is not UTF-8)",
    extensions=(".vec", ".txt"),
    media_types=(),
    can_tell=("how many words and dimensions, and that nothing but words and numbers follows",),
    cannot_tell=("what the words and numbers mean", "in which encoding the words are"),
)

_HEADER = pattern(rb"([1-9]\d{0,9}) ([1-9]\d{0,4}) ?\r?\n")
_NUMBER = pattern(rb"[-+.0-9][-+.0-9eE]{0,63}")  # as far as a line can tell: nothing but digits, signs and exponents
_WORD = pattern(rb"[^\x00-\x08\x0a-\x1f\x7f]{1,512}")
_LINE = 4096 + 32 * 100_000
_PROBED = 3


def probe(head: Head) -> Likeness:
    """Two numbers, and first lines that are a word and so many numbers."""
    found = _HEADER.match(head.data)
    if found is None:
        return Likeness.NO
    dimensions = int(found[2])
    if head.size < found.end() + int(found[1]) * 2 * (dimensions + 1):
        return Likeness.NO
    lines = head.data[found.end() :].split(b"\n")
    whole = lines[: min(_PROBED, int(found[1]))] if len(lines) > _PROBED or len(head.data) == head.size else lines[:-1]
    return Likeness.WEAK if whole and all(_is_line(line, dimensions) for line in whole) else Likeness.NO


def _is_line(line: bytes, dimensions: int) -> bool:
    parts = line.rstrip(b" \r").rsplit(b" ", dimensions)
    return (
        len(parts) == dimensions + 1
        and _WORD.fullmatch(parts[0]) is not None
        and all(_NUMBER.fullmatch(part) for part in parts[1:])
    )


def read(source: Source, facts: Facts) -> None:
    """Walk line by line.

    Raises:
        MalformedError: no header, a line that is no word with its numbers, or another count of lines than is said.
        LimitError: a line is too long.
    """
    found = _HEADER.match(source.upto(0, 32))
    if found is None:
        raise MalformedError("has no number of words and dimensions", offset=0)
    words, dimensions = int(found[1]), int(found[2])
    facts.note("words", words)
    facts.note("dimensions", dimensions)
    at, count, rest = found.end(), 0, b""
    for block in source.chunks(at):
        facts.budget.check_time()
        *lines, rest = (rest + block).split(b"\n")
        for line in lines:
            _check(line, dimensions, at)
            at += len(line) + 1
        count += len(lines)
        if len(rest) > _LINE:
            raise LimitError("header", _LINE, "a line is too long", offset=at)
    if rest:
        _check(rest, dimensions, at)
        count += 1
    if count != words:
        raise MalformedError(f"has {count} words instead of {words}", offset=0)
    facts.coverage = Coverage.INERT


def _check(line: bytes, dimensions: int, at: int) -> None:
    if not _is_line(line, dimensions):
        raise MalformedError("has a line that is not a word and its numbers", offset=at)
