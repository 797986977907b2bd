"""Word vectors: fastText of the first releases, and word2vec's text in encodings of its own."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Literal

from openvet.testing.case import Case

__all__ = ["CASES", "old_fasttext", "vectors"]


def old_fasttext(words: tuple[bytes, ...] = (b"the", b"zd\xa7", b"of"), *, dim: int = 2, loss: int = 2) -> bytes:
    """A model as fastText wrote it before it had a mark."""
    arguments = struct.pack("<12id", dim, 5, 5, 5, 5, 1, loss, 2, 4, 3, 6, 10_000, 0.0001)
    counts = struct.pack("<3iq", len(words), len(words), 0, 100)
    listed = b"".join(word + b"\0" + struct.pack("<qb", 9, 0) for word in words)
    rows = (len(words) + 4, len(words))
    return (
        arguments + counts + listed + b"".join(struct.pack("<2q", each, dim) + bytes(4 * each * dim) for each in rows)
    )


def vectors(*lines: bytes, words: int = 2) -> bytes:
    """Word vectors as text."""
    return b"%d 3\n" % words + b"".join(line + b"\n" for line in lines)


#: Cut in the middle of a letter, and with too many bytes that no encoding of eight bits has for it to be text.
_CUT = b"\xe3\x81\x81" * 3 + b"\xe3\x83 0.6 0.6 -1e-3"
_WHOLE = b"\xe3\x81\x82 0.1 0.2 0.3"


def _case(
    word: str,
    technique: str,
    forge: Callable[[], bytes],
    decision: Literal["admit", "review", "reject"],
    *rules: str,
    name: str = "model.bin",
    formats: tuple[str, ...] = (),
) -> Case:
    return Case(f"vectors/{word}", technique, forge, decision, frozenset(rules), formats, (), name)


CASES: tuple[Case, ...] = (
    _case("fasttext-old", "a fastText model of the first releases", old_fasttext, "admit", formats=("fasttext",)),
    _case("fasttext-old-behind", "the same with bytes behind it", lambda: old_fasttext() + b"more of it", "review", "file/trailing-data"),
    _case("fasttext-old-cut-off", "the same, cut off", lambda: old_fasttext()[:-5], "review", "file/malformed"),
    _case("fasttext-old-loss", "arguments that no fastText model has", lambda: old_fasttext(loss=9), "review"),
    _case("text-of-another-encoding", "word vectors as text whose words are cut in the middle of a letter",
          lambda: vectors(_CUT, _WHOLE), "admit", name="model.vec", formats=("word2vec-text",)),
    _case("text-and-more", "the same with a line that is not a word and numbers", lambda: vectors(_CUT, _WHOLE, _CUT, b"\xff\xfe forged", words=4),
          "review", "file/malformed", name="model.vec"),
    _case("text-of-fewer", "the same with fewer words than it says", lambda: vectors(_CUT, words=2), "review", name="model.vec"),
)  # fmt: skip
