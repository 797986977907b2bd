"""Tokenizers: their vocabularies and merges, word by word.

The reader of JSON lets long vocabularies go, so that a model of any size costs little. Comparing two reads them once more, through the
same window, and keeps the words of both, up to :data:`MOST` of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.limits import Limits
from openvet.core.text import printable, shorten
from openvet.errors import UnsupportedError
from openvet.evidence.predicates.diff_v1 import WordsChange
from openvet.formats._json_stream import _ITEM_RUN, _PAIR_RUN, DROPPED, JsonStream
from openvet.io.source import Source

__all__ = ["MOST", "MOST_BYTES", "Words", "compare_words", "json_words"]

#: Words of one tokenizer that are compared, and their bytes together.
MOST: Final = 2_000_000
MOST_BYTES: Final = 64 * 1024 * 1024
_EXAMPLES: Final = 10
_WIDE: Final = 80


@dataclass(frozen=True, slots=True)
class Words:
    """A tokenizer's words: word -> number, and its merges in order of their ranks; ``place`` is the file."""

    place: str
    vocabulary: Mapping[str, int]
    merges: Sequence[str]


def json_words(source: Source, place: str, limits: Limits, check_time: Callable[[], None]) -> Words | None:
    """The words of a ``tokenizer.json`` or ``vocab.json``; ``None`` where the file has none.

    Raises:
        ReadError: it is no JSON, or holds more than is compared.
    """
    stream = _Stream(source, 3 if source.upto(0, 3) == b"\xef\xbb\xbf" else 0, limits, check_time)
    document = stream.value()
    if not isinstance(document, dict):
        return None
    model = document.get("model")
    if not isinstance(model, dict):  # vocab.json is the map itself
        found = dict(_pairs(stream.runs.get("", ()), document))
        return Words(place, found, ()) if found and len(found) == len(document) + stream.count("") else None
    vocabulary: dict[str, int] = {}
    held = model.get("vocab")
    if isinstance(held, dict):
        vocabulary.update(_pairs(stream.runs.get("model/vocab", ()), held))
    elif isinstance(held, list):
        for number, item in enumerate(_items(stream.runs.get("model/vocab", ()), held)):
            if isinstance(item, list) and item and isinstance(item[0], str):
                vocabulary[printable(item[0])] = number
    for each in document.get("added_tokens") or ():
        if isinstance(each, dict) and isinstance(each.get("content"), str) and isinstance(each.get("id"), int):
            vocabulary[printable(each["content"])] = each["id"]
    merges = model.get("merges")
    ranks = list(_merges(_items(stream.runs.get("model/merges", ()), merges))) if isinstance(merges, list) else []
    return Words(place, vocabulary, ranks) if vocabulary else None


class _Stream(JsonStream):
    """Keeps the runs that the parser lets go, by the keys that lead to them, while there is room."""

    def __init__(self, source: Source, position: int, limits: Limits, check_time: Callable[[], None]) -> None:
        super().__init__(source, position, limits, check_time)
        self.runs: dict[str, list[list[Any]]] = {}
        self._left = MOST_BYTES

    def count(self, path: str) -> int:
        return sum(map(len, self.runs.get(path, ())))

    def _skip_run(self, container: Any, stack: list[tuple[Any, str]]) -> None:
        pairs = isinstance(container, dict)
        run = _PAIR_RUN if pairs else _ITEM_RUN
        path = "/".join(key for _, key in stack[:-1])
        wanted = path in {"", "model/vocab", "model/merges"}
        taken: list[Any] = []
        met = False
        while True:
            self._fill(1024 * 1024)
            match = run.match(self._buffer, self._at)
            if match is None:
                if pairs and self._take_texts(container, stack):
                    continue
                break
            met = True
            if wanted:
                text = match.group().rstrip().rstrip(b",")
                self._left -= len(text)
                if self._left < 0:
                    raise UnsupportedError("its words are too long to be compared", offset=self.position)
                # one run of at most the window, checked by the pattern already
                taken += json.loads(b"{%s}" % text, object_pairs_hook=list) if pairs else json.loads(b"[%s]" % text)
                if len(taken) > MOST:
                    raise UnsupportedError("more words than are compared", offset=self.position)
            self._at = match.end()
        if met:
            self.dropped += 1
            if wanted:
                self.runs.setdefault(path, []).append(taken)
            if not pairs:
                container.append(DROPPED)
        else:
            self._pause = 64


def _pairs(runs: Sequence[Sequence[Any]], rest: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    for run in runs:
        for word, number in run:
            if isinstance(number, int):
                yield printable(word), number
    for word, number in rest.items():
        if isinstance(number, int) and not isinstance(number, bool):
            yield printable(word), number


def _items(runs: Sequence[Sequence[Any]], held: Sequence[Any]) -> Iterator[Any]:
    """The items of a list in order; each run stands where the parser left a mark."""
    waiting = iter(runs)
    for item in held:
        if item == DROPPED:
            yield from next(waiting, [item])
        else:
            yield item


def _merges(items: Iterator[Any]) -> Iterator[str]:
    for item in items:
        if isinstance(item, str):
            yield printable(item)
        elif isinstance(item, list):
            yield printable(" ".join(map(str, item)))


def compare_words(a: Words, b: Words) -> list[WordsChange]:
    """What differs between two tokenizers; empty where nothing does. Merges are compared where both have some."""
    out = []
    pairs: list[tuple[str, Mapping[str, int], Mapping[str, int]]] = [("vocabulary", a.vocabulary, b.vocabulary)]
    if a.merges and b.merges:
        ranks = [{merge: rank for rank, merge in enumerate(each.merges)} for each in (a, b)]
        pairs.append(("merges", ranks[0], ranks[1]))
    for what, one, other in pairs:
        if one == other:
            continue
        added = [word for word in other if word not in one]
        removed = [word for word in one if word not in other]
        moved = [word for word, number in other.items() if word in one and one[word] != number]
        examples = [
            *(f"+ {_word(each)} {other[each]}" for each in added[:_EXAMPLES]),
            *(f"- {_word(each)} {one[each]}" for each in removed[:_EXAMPLES]),
            *(f"~ {_word(each)} {one[each]} {other[each]}" for each in moved[:_EXAMPLES]),
        ]
        out.append(
            WordsChange(
                what, a.place, b.place, len(one), len(other), len(added), len(removed), len(moved), tuple(examples)
            )
        )
    return out


def _word(word: str) -> str:
    return shorten(word, _WIDE)
