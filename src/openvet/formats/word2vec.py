"""Word vectors in the binary form of word2vec (``.bin``), which gensim, fastText and word2vec itself write.

::

    words, dimensions: decimal digits, a space between them, a line feed behind
    each word: its bytes, a space, dimensions x float32 [, a line feed]

Specification: ``word2vec.c`` of https://github.com/tmikolov/word2vec ; ``gensim/models/keyedvectors.py``
"""

from __future__ import annotations

import struct

from openvet.core.pattern import pattern
from openvet.errors import LimitError, MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.io.source import Source

__all__ = ["FORMAT", "STARTS", "probe", "read"]

FORMAT = Format(
    id="word2vec",
    title="word vectors (word2vec, binary)",
    extensions=(".bin", ".w2v"),
    media_types=(),
    can_tell=("how many words and dimensions, and that nothing but words and numbers follows",),
    cannot_tell=("what the words and numbers mean",),
)

_HEADER = pattern(rb"([1-9]\d{0,9}) ([1-9]\d{0,4})\n")
_WORD = 4096
_LARGEST = 1e9
_PROBED = 3
#: What its bytes begin with.
STARTS = tuple(b"%d" % digit for digit in range(1, 10))


def probe(head: Head) -> Likeness:
    """Two numbers, a size that may hold so many words, and first words with numbers that vectors may have."""
    found = _HEADER.match(head.data)
    if found is None:
        return Likeness.NO
    words, dimensions = int(found[1]), int(found[2])
    at = found.end()
    rest = head.size - at
    if not words * (4 * dimensions + 2) <= rest <= words * (4 * dimensions + 2 + _WORD):
        return Likeness.NO
    for _ in range(min(words, _PROBED)):
        end = head.data.find(b" ", at, at + _WORD)
        vector = head.data[end + 1 : end + 1 + 4 * dimensions]
        if end < 0 or (len(vector) < 4 * dimensions and at == found.end()):
            return Likeness.NO
        if len(vector) < 4 * dimensions:
            break
        if not _is_word(head.data[at:end].lstrip(b"\n")):
            return Likeness.NO
        numbers = struct.unpack(f"<{dimensions}f", vector)
        if not all(abs(number) < _LARGEST for number in numbers):
            return Likeness.NO
        at = end + 1 + 4 * dimensions
    return Likeness.WEAK


def _is_word(word: bytes) -> bool:
    try:
        text = word.decode()
    except UnicodeDecodeError:
        return False
    return bool(text) and text.isprintable()


def read(source: Source, facts: Facts) -> None:
    """Walk word by word.

    Raises:
        MalformedError: no header, or it breaks off.
        LimitError: a word is too long.
    """
    from openvet.formats._trailing import account_for_rest

    found = _HEADER.match(source.upto(0, 32))
    if found is None:
        raise MalformedError("has no number of words and dimensions", offset=0)
    words, dimensions = int(found[1]), int(found[2])
    facts.note("words", words)
    facts.note("dimensions", dimensions)
    cursor = source.cursor(found.end())
    for index in range(words):
        if not index % 4096:
            facts.budget.check_time()
        size = 64
        while (length := (data := cursor.peek(size)).find(b" ")) < 0:
            if size >= _WORD:
                raise LimitError("header", _WORD, "a word is too long", offset=cursor.position)
            if len(data) < size:
                raise MalformedError("ends in the middle of a word", offset=cursor.position)
            size = min(size * 8, _WORD)
        cursor.skip(length + 1 + 4 * dimensions)
    if cursor.peek(1) == b"\n":
        cursor.skip(1)
    account_for_rest(source, facts, cursor.position, "the word vectors")
