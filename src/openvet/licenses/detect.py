"""Whose text a text is: known licences in it, how much of each is there, and what was changed.

A text is claimed for a licence only where its words are there **and** nothing stands in the place of its title; words of a known licence
under another title are ``near`` to it, and the licence is not known. What cannot be told apart stays ambiguous.

These are comparisons of words, and no judgement of what they mean.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from openvet.core.dataclass import dataclass
from openvet.core.text import printable, shorten
from openvet.evidence.predicates.licenses_v1 import Change
from openvet.licenses.align import Block, Gap, align, gaps
from openvet.licenses.fillings import is_filling
from openvet.licenses.index import Index, Known, index
from openvet.licenses.words import SHINGLE, Words, shingles, words_of

__all__ = ["MOST_MATCHES", "Match", "detect"]

#: Licences looked for in one text.
MOST_MATCHES = 60
#: Shingles that have to be there before a text is looked at more closely.
_FEWEST = 20
#: Texts that are compared word by word in each round.
_CANDIDATES = 4
#: Tenths of its own shingles that a text has there, to be looked at beside another one that has more.
_COVERED = 7
#: As many more than there are others have to stand together.
_FEWEST_TOGETHER = 12
#: Times that a region may turn out to be nothing that we know before the rest is left alone.
_FAILURES = 5
#: Words around a region, and into it, where a title may be.
_AROUND, _IN = 40, 10
#: A shingle that is not of a text, between those that are.
_MISS = 0.4
#: Words of a text without a title that are there before a part of it is called so, and of one with a title.
_FEWEST_OF_PART = 30
#: Changes that are listed, characters of each, and words around one of a few words.
_CHANGES, _CHANGE_WIDTH, _CONTEXT = 40, 300, 4


@dataclass(frozen=True, slots=True)
class Match:
    """One licence's text in a text; the fields are those of :class:`~openvet.evidence.predicates.licenses_v1.Found`.

    Attributes:
        texts: names of the published texts.
        start, end: words of the file that belong to it.
    """

    texts: tuple[str, ...]
    extent: str
    matched: int
    of_text: int
    of_place: int
    start: int
    end: int
    line: int
    last_line: int
    words_added: int
    words_removed: int
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class _Place:
    """A text that is looked at: as it is, and its words, shingles and sets without what was found already."""

    file: Words
    words: list[str]
    have: list[int]
    sets: list[int]

    def take(self, start: int, end: int) -> None:
        """Look no more at the words from ``start`` to before ``end``."""
        self.words[start:end] = [""] * (end - start)
        last = min(end, len(self.sets))
        if last > start:
            self.have[start:last] = self.sets[start:last] = [-1] * (last - start)


@dataclass(frozen=True, slots=True)
class _Compared:
    """One published text compared with a region of a file."""

    number: int
    known: Known
    blocks: tuple[Block, ...]
    changes: tuple[Gap, ...]
    matched: int
    added: int
    removed: int
    #: words before the first and after the last block that are missing, without those that are often left out
    before: int
    after: int
    title: bool
    foreign_title: bool

    @property
    def quality(self) -> float:
        """Words that speak for it less those that speak against it; of a part, what follows it does not."""
        missing = 0.0 if self.extent == "part" else 0.3 * (self.before + self.after)
        return self.matched - self.added - self.removed - missing

    @property
    def extent(self) -> str | None:
        """How much is there, ``None`` where it is not enough to speak of."""
        size = self.known.words
        of_text, of_file = self.matched + self.removed, self.matched + self.added
        inner, purity = self.matched / of_text, self.matched / of_file
        missing = self.before + self.after
        enough, pure = (0.8, 0.7) if self.title else (0.9, 0.85)
        if not self.foreign_title:
            if self.known.titles and not self.title:
                # the title was left out: the rest has to be as it was published
                enough, pure = 0.95, 0.95
            if self.matched >= enough * (self.matched + self.removed + missing) and purity >= pure:
                return "whole"
            begins = self.before <= max(20, size // 33)
            titled = self.title or not self.known.titles
            if begins and titled and self.matched >= _FEWEST_OF_PART and inner >= 0.85 and purity >= 0.85:
                return "part"
        if self.matched >= max(60, min(200, size // 3)) and purity >= 0.5:
            return "near"
        return None


def detect(text: str | Words, known: Index | None = None) -> tuple[Match, ...]:
    """The licences whose texts stand in ``text``, in order; takes time in proportion to its length.

    Args:
        text: of a file, or one value; or its words.
        known: the published texts; those of this installation if left out.
    """
    texts = index() if known is None else known
    file = words_of(text) if isinstance(text, str) else text
    have = shingles(file.words)
    sets = texts.look_up(have)
    place = _Place(file, list(file.words), have, sets)
    found: list[Match] = []
    failed = 0
    while len(found) < MOST_MATCHES and failed < _FAILURES:
        hits = _hits(sets, texts)
        if not hits or hits[0][1] < _FEWEST:
            break
        best, (start, end) = _best(place, hits, texts)
        if best:
            start, end = best[0].blocks[0].file, best[0].blocks[-1].file_end
            found.append(_match(file, best, texts))
        failed += not best or found[-1].extent == "near"
        place.take(start, end)
    return tuple(sorted(found, key=lambda each: (each.start, each.end)))


def _hits(sets: Sequence[int], texts: Index) -> list[tuple[int, int]]:
    """(text, how many shingles of the file it has), the most first, the shorter text first."""
    counts: Counter[int] = Counter()
    for number, count in Counter(sets).items():
        if number >= 0:
            for each in texts.sets[number]:
                counts[each] += count
    return sorted(counts.items(), key=lambda each: (-each[1], texts.texts[each[0]].words))[:40]


def _best(place: _Place, hits: Sequence[tuple[int, int]], texts: Index) -> tuple[list[_Compared], tuple[int, int]]:
    """The texts that the best region of the file is, more than one where nothing tells them apart; and the region."""
    compared: list[_Compared] = []
    region: tuple[int, int] | None = None
    most = hits[0][1]
    for number, count in hits[:_CANDIDATES]:
        if count * 10 < most * 9 or count < _FEWEST:
            break
        start, end, dense = _region(place.sets, texts.sets_of(number))
        region = region or (start, end)
        each = _compare(place, start, end, number, texts) if dense >= _FEWEST_TOGETHER else None
        if each is None:
            continue
        compared.append(each)
        if each.extent == "whole" and not each.changes and not each.before and not each.after:
            break
    if not any(each.extent == "whole" for each in compared):
        compared += _filled_in(place, hits, {each.number for each in compared}, texts)
    region = region or (0, len(place.words))
    rank = {"whole": 3, "part": 2, "near": 1}
    most_alike = max((each.quality for each in compared), default=0.0)
    known = [
        each
        for each in compared
        # without its title a text is taken for one only where no other is more like it
        if each.extent is not None and (each.title or not each.known.titles or each.quality >= most_alike)
    ]
    if not known:
        return [], region
    known.sort(key=lambda each: (-rank[each.extent or "near"], -each.quality, each.known.words))
    first = known[0]
    if first.extent == "whole" or (first.title and first.extent == "part"):
        return [first], region
    alike = [each for each in known[1:] if each.extent == first.extent and each.matched >= first.matched - 2]
    return [first, *alike], region


def _filled_in(place: _Place, hits: Sequence[tuple[int, int]], without: set[int], texts: Index) -> list[_Compared]:
    """Short texts that are there whole, and have fewer shingles than a longer text with the same words, since their holes are filled in."""
    covered = [
        number for number, count in hits if number not in without and count * 10 >= texts.texts[number].words * _COVERED
    ]
    out = []
    for number in covered[:_CANDIDATES]:
        start, end, _ = _region(place.sets, texts.sets_of(number))
        each = _compare(place, start, end, number, texts)
        if each is not None and each.extent == "whole" and not each.before and not each.after:
            out.append(each)
            if not each.changes:
                break
    return out


def _region(sets: Sequence[int], wanted: frozenset[int]) -> tuple[int, int, float]:
    """The words between which a text is denser than it is sparse (the run of greatest sum), and how much denser."""
    best = total = 0.0
    start = 0
    out = (0, 0)
    for at, each in enumerate(sets):
        if each in wanted:
            total += 1
            if total > best:
                best, out = total, (start, at + 1)
        else:
            total -= _MISS
            if total < 0:
                total, start = 0.0, at + 1
    return out[0], out[1] + SHINGLE - 1, best


def _compare(place: _Place, start: int, end: int, number: int, texts: Index) -> _Compared | None:
    known, text, file = texts.texts[number], texts.text(number), place.file
    start, end = max(0, start - _AROUND), min(len(place.words), end + _AROUND)
    blocks = align(place.words, place.have, start, end, text.words, texts.shingles(number))
    if not blocks:
        return None
    differences = list(gaps(blocks))
    titled, foreign = _titles(known, blocks)
    if known.titles and not titled:
        foreign = foreign or _has_another_title(known, text, place, blocks[0])
    changes = [each for each in differences if not is_filling(each, file, text, known)]
    first, last = blocks[0], blocks[-1]
    return _Compared(
        number,
        known,
        tuple(blocks),
        tuple(changes),
        sum(each.length for each in blocks),
        sum(each.added for each in changes),
        sum(each.removed for each in changes),
        _without_optional(0, first.text, known),
        _without_optional(last.text_end, known.words, known),
        titled,
        foreign,
    )


def _titles(known: Known, blocks: Sequence[Block]) -> tuple[bool, bool]:
    """Whether every title is there, and whether something else stands in or instead of one."""
    there, foreign = bool(known.titles), False
    for start, end in known.titles:
        same = sum(max(0, min(each.text_end, end) - max(each.text, start)) for each in blocks)
        there &= same == end - start
        foreign |= bool(same) and start < blocks[0].text < end and blocks[0].file > 0
        for before, after in pairwise(blocks):
            inside = before.text_end < end and after.text > start and after.file > before.file_end
            if inside and not (before.text_end <= start and after.text <= start):
                foreign = True
    return there and not foreign, foreign


def _has_another_title(known: Known, text: Words, place: _Place, first: Block) -> bool:
    """Whether what stands before a text is much like its title, and is another one."""
    start = first.file - min(first.text, 10 * _AROUND) - _AROUND
    before = frozenset(place.words[max(0, start) : first.file + _IN])
    for begin, end in known.titles:
        title = frozenset(text.words[begin:end])
        if title - before and len(title & before) * 5 >= len(title) * 2:
            return True
    return False


def _without_optional(start: int, end: int, known: Known) -> int:
    """Words from ``start`` to before ``end`` that are not often left out."""
    left = end - start
    for first, last in known.optional:
        left -= max(0, min(end, last) - max(start, first))
    return max(0, left)


def _match(file: Words, best: Sequence[_Compared], texts: Index) -> Match:
    first = best[0]
    start, end = first.blocks[0].file, first.blocks[-1].file_end
    text = texts.text(first.number)
    return Match(
        tuple(each.known.name for each in best),
        first.extent or "near",
        first.matched,
        first.known.words,
        len(file.words),
        start,
        end,
        file.line(start),
        file.line(end - 1),
        first.added,
        first.removed,
        tuple(_change(each, file, text) for each in first.changes[:_CHANGES]),
    )


def _change(gap: Gap, file: Words, text: Words) -> Change:
    kind = "replaced" if gap.added and gap.removed else "added" if gap.added else "removed"
    around = _CONTEXT if kind == "replaced" and max(gap.added, gap.removed) <= _CONTEXT else 0
    return Change(
        kind,
        file.line(gap.file),
        _shown(file.between(max(0, gap.file - around), min(len(file.words), gap.file_end + around))),
        _shown(text.between(max(0, gap.text - around), min(len(text.words), gap.text_end + around))),
    )


def _shown(text: str) -> str:
    return printable(shorten(" ".join(text[: 4 * _CHANGE_WIDTH].split()), _CHANGE_WIDTH))
