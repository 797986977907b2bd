"""Which words of a published text stand in a file, in their order, and what is different between them.

Runs of words that both have are found by their shingles and chained; what lies between two links of the chain is compared word by word
where it is small. All of it is bounded, so that no file makes it slow.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from openvet.core.dataclass import dataclass
from openvet.licenses.words import SHINGLE

__all__ = ["Block", "Gap", "align", "gaps"]

#: Places of one shingle in a published text that are looked at, runs that are chained, and words of a gap that are compared one by one.
_PLACES, _RUNS, _SMALL = 4, 160, 64
#: Runs that are looked for; a text that is not made for it has some dozens.
_MOST_RUNS = 4000
#: Words of all gaps of one text that are compared one by one.
_ALL_SMALL = 4000
#: What a word between two links costs, in a file and in a published text.
_IN_FILE, _IN_TEXT = 0.05, 0.01


@dataclass(frozen=True, slots=True)
class Block:
    """``length`` words that are the same from ``file`` on in a file and from ``text`` on in a published text."""

    file: int
    text: int
    length: int

    @property
    def file_end(self) -> int:
        return self.file + self.length

    @property
    def text_end(self) -> int:
        return self.text + self.length


@dataclass(frozen=True, slots=True)
class Gap:
    """Between two blocks: words that only the file has, and words that only the published text has; one of both may be none."""

    file: int
    file_end: int
    text: int
    text_end: int

    @property
    def added(self) -> int:
        return self.file_end - self.file

    @property
    def removed(self) -> int:
        return self.text_end - self.text


def align(
    words: Sequence[str], have: Sequence[int], start: int, end: int, text: Sequence[str], wanted: Sequence[int]
) -> list[Block]:
    """The blocks of ``text`` in the words from ``start`` to before ``end``, in order in both.

    Args:
        words, have: of the file, and its shingles.
        text, wanted: of the published text, and its shingles.
    """
    chained = _chain(_runs(have, start, max(start, end - SHINGLE + 1), wanted))
    if not chained:
        return []
    out: list[Block] = []
    left = _ALL_SMALL
    first = chained[0]
    head = min(first.text, first.file - start, _SMALL)
    if 0 < first.text <= _SMALL:  # the beginning, where a title may be another one
        out += _beginning(words, first.file - min(head + SHINGLE, first.file - start), first, text)
    for before, after in zip(chained, [*chained[1:], None], strict=True):
        out.append(before)
        if after is None:
            tail = min(len(text) - before.text_end, _SMALL)
            out += _ending(words, before, min(end, before.file_end + tail + SHINGLE), text, tail)
            continue
        size = (after.file - before.file_end) + (after.text - before.text_end)
        if after.file > before.file_end and after.text > before.text_end and size <= 2 * _SMALL and size <= left:
            left -= size
            out += _compare(words, before.file_end, after.file, text, before.text_end, after.text)
    return out


def gaps(blocks: Sequence[Block]) -> Iterator[Gap]:
    """What is different between the first and the last block; a word or two that are the same between two differences join them."""
    found: list[Gap] = []
    for before, after in pairwise(blocks):
        gap = Gap(before.file_end, after.file, before.text_end, after.text)
        if not gap.added and not gap.removed:
            continue
        if found and before.length <= 2 and found[-1].file_end == before.file and found[-1].text_end == before.text:
            gap = Gap(found[-1].file, gap.file_end, found[-1].text, gap.text_end)
            found.pop()
        found.append(gap)
    yield from found


def _runs(have: Sequence[int], start: int, end: int, wanted: Sequence[int]) -> list[Block]:
    """The longest runs of shingles that both have."""
    places: dict[int, list[int]] = {}
    for at, each in enumerate(wanted):
        places.setdefault(each, []).append(at)
    count = len(wanted)
    out: list[Block] = []
    at = start
    while at < end and len(out) < _MOST_RUNS:
        found = places.get(have[at])
        if found is None:
            at += 1
            continue
        longest = 1
        for place in found[:_PLACES]:
            length = _same(have, at, wanted, place, min(end - at, count - place))
            out.append(Block(at, place, length + SHINGLE - 1))
            longest = max(longest, length)
        at += longest
    if len(out) > _RUNS:
        out = sorted(out, key=lambda each: (-each.length, each.file, each.text))[:_RUNS]
    return sorted(out, key=lambda each: (each.file, each.text))


def _same(have: Sequence[int], at: int, wanted: Sequence[int], place: int, most: int) -> int:
    """How many shingles are the same from there on, at most ``most``; by slices, which are compared as fast as memory."""
    length, step = 0, 8
    while length < most and step:
        step = min(step, most - length)
        if have[at + length : at + length + step] == wanted[place + length : place + length + step]:
            length += step
            step *= 2
        else:
            most = length + step - 1  # one of these differs
            step //= 2
    return length


def _chain(runs: Sequence[Block]) -> list[Block]:
    """The runs that follow one another in both and have the most words, those that overlap cut."""
    best: list[float] = []
    most: list[float] = []  # of all before, so that nobody looks where nothing can be better
    came: list[int] = []
    for at, each in enumerate(runs):
        length, file, text = each.length, each.file, each.text
        value, source = float(length), -1
        for other in range(at - 1, -1, -1):
            if most[other] + length < value:
                break
            before = runs[other]
            if best[other] + length < value or before.file >= file or before.text >= text:
                continue
            between, skipped = file - before.file - before.length, text - before.text - before.length
            over = max(0, -between, -skipped)
            if over >= length:
                continue
            lost = _IN_FILE * max(0, between) + _IN_TEXT * max(0, skipped)
            with_it = best[other] + length - over - min(lost, best[other])
            if with_it > value or (with_it == value and source >= 0):  # of equals the first
                value, source = with_it, other
        best.append(value)
        most.append(max(value, most[-1]) if most else value)
        came.append(source)
    if not best:
        return []
    at = max(range(len(best)), key=best.__getitem__)
    chain: list[Block] = []
    while at >= 0:
        chain.append(runs[at])
        at = came[at]
    chain.reverse()
    out = chain[:1]
    for each in chain[1:]:
        over = max(0, out[-1].file_end - each.file, out[-1].text_end - each.text)
        out.append(Block(each.file + over, each.text + over, each.length - over))
    return out


def _compare(
    words: Sequence[str], start: int, end: int, text: Sequence[str], text_start: int, text_end: int
) -> list[Block]:
    from difflib import SequenceMatcher

    found = SequenceMatcher(None, words[start:end], text[text_start:text_end], autojunk=False).get_matching_blocks()
    return [Block(start + each.a, text_start + each.b, each.size) for each in found if each.size]


def _beginning(words: Sequence[str], start: int, first: Block, text: Sequence[str]) -> list[Block]:
    """Blocks before the first one, where as many words are the same as make it likely that the text begins there."""
    found = _compare(words, start, first.file, text, 0, first.text)
    return found if sum(each.length for each in found) * 5 >= first.text * 2 else []


def _ending(words: Sequence[str], last: Block, end: int, text: Sequence[str], tail: int) -> list[Block]:
    if not tail or end <= last.file_end:
        return []
    found = _compare(words, last.file_end, end, text, last.text_end, last.text_end + tail)
    whole = last.text_end + tail == len(text)
    return found if whole and sum(each.length for each in found) * 5 >= tail * 2 else []
