"""A text as the words by which licences are compared.

What says nothing about a licence is not seen: case, punctuation, wrapping, comment signs, the marks of Markdown and HTML, addresses, and
the numbers and letters of enumerations. Spellings that SPDX holds to be the same word are one (``licence``, ``sub-license``).

Source: SPDX License List Matching Guidelines, https://spdx.github.io/spdx-spec/v3.0.1/annexes/license-matching-guidelines-and-templates/
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from itertools import islice
from zlib import crc32

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern

__all__ = ["SHINGLE", "Words", "phrase", "shingles", "words_of"]

#: Words in one shingle.
SHINGLE = 5
#: A text is compared up to this many words; what follows is counted as not looked at.
MOST_WORDS = 60_000
_CJK = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
#: Tags and comments, addresses (of links in Markdown too), character references, and the marks of enumerations.
_UNSEEN = pattern(
    r"<[^<>]{1,400}>|(?i:https?://|www\.)[^\s<>()\[\]\"']{1,400}|\]\([^()\s]{0,400}\)|&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,8}\d?);"
    r"|(?<![^\s*>])\(?(?:\d{1,2}|[A-Za-z]|[ivxIVX]{1,4})[.)](?![^\s*])"
)
#: Where none of these is, nothing is unseen.
_WORD = pattern(rf"[{_CJK}]|[^\W_{_CJK}]+(?:[*_`]{{0,3}}[-'’‐‑\u00ad][*_`]{{0,3}}[^\W_{_CJK}]+)*(?:\.\d+)*")
_JOINTS = str.maketrans("", "", "-'’‐‑\u00ad*_`")
#: Words of one meaning, most of them from SPDX's guidelines.
_SAME = {
    "licence": "license", "licences": "licenses", "licenced": "licensed", "licencee": "licensee", "sublicence": "sublicense",
    "acknowledgement": "acknowledgment", "acknowledgements": "acknowledgments", "organisation": "organization",
    "organisations": "organizations", "judgement": "judgment", "favour": "favor", "merchantibility": "merchantability",
    "whilst": "while", "per": "per", "artefact": "artifact", "artefacts": "artifacts", "centre": "center", "programme": "program",
    "initialise": "initialize", "recognise": "recognize", "authorisation": "authorization", "authorised": "authorized",
    "utilisation": "utilization", "copyrightholder": "copyrightholder", "analogue": "analog", "fulfil": "fulfill",
}  # fmt: skip
_P = 0x9E3779B97F4A7C15
_P5 = pow(_P, SHINGLE, 1 << 64)
_MIX = 0xD6E8FEB86659FD93
_MASK = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a text in their normal form, and where each stands in it.

    Attributes:
        text: as it was read.
        words: normal forms.
        starts, ends: offsets into ``text``.
        cut: whether there were more than :data:`MOST_WORDS`.
    """

    text: str
    words: Sequence[str]
    starts: Sequence[int]
    ends: Sequence[int]
    lines: Sequence[int]
    cut: bool = False

    def line(self, at: int) -> int:
        """The line of the word at ``at``, from 1; behind the last one its line."""
        if not self.starts:
            return 1
        return bisect_right(self.lines, self.starts[min(at, len(self.starts) - 1)]) + 1

    def between(self, start: int, end: int) -> str:
        """What stands in the text from word ``start`` to before word ``end``."""
        return self.text[self.starts[start] : self.ends[end - 1]] if start < end else ""


def words_of(text: str) -> Words:
    """The words of ``text``; in linear time, whatever it holds."""
    found = _WORD.finditer(_UNSEEN.sub(_blank, text))
    matches = list(islice(found, MOST_WORDS))
    raw = [each[0] for each in matches]
    normal = {each: _normal(each) for each in set(raw)}
    words = [normal[each] for each in raw]
    starts = [each.start() for each in matches]
    ends = [each.end() for each in matches]
    lines = [each.start() for each in re.finditer("\n", text)]
    return Words(text, words, starts, ends, lines, next(found, None) is not None)


def _normal(raw: str) -> str:
    word = raw.lower().translate(_JOINTS)
    return _SAME.get(word, word)


def _blank(found: re.Match[str]) -> str:
    return " " * (found.end() - found.start())


def phrase(text: str) -> str:
    """``text`` as one line of words, with a space before and after, to be looked for in another such line."""
    return f" {' '.join(words_of(text).words)} "


def shingles(words: Sequence[str]) -> list[int]:
    """A number of 32 bits for each run of :data:`SHINGLE` words; the same words give the same number on every machine."""
    if len(words) < SHINGLE:
        return []
    known = {each: crc32(each.encode("utf-8", "replace")) | 1 << 32 for each in set(words)}
    values = [known[each] for each in words]
    rolled = 0
    for value in values[: SHINGLE - 1]:
        rolled = (rolled * _P + value) & _MASK
    out: list[int] = []
    add = out.append
    for first, last in zip([0, *values], values[SHINGLE - 1 :], strict=False):
        rolled = (rolled * _P + last - first * _P5) & _MASK
        add((rolled * _MIX & _MASK) >> 32)  # the last words are in the low bits alone until they are spread
    return out
