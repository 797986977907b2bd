"""The texts of licences that are known, and the shingles by which they are found: ``data/licenses/texts.bin`` and ``texts/``.

Made by ``tools/licenses.py``; its form is said in ``tools/license_texts.py``. The index is read at once and in a moment; a text is read
when something looks like it.
"""

from __future__ import annotations

import json
import os
import struct
import sys
from array import array
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

from openvet.core.dataclass import dataclass
from openvet.core.license_ids import known_licenses
from openvet.core.tables import data_folder
from openvet.licenses.words import Words, shingles, words_of

__all__ = ["Index", "Known", "index", "keys_of_text"]

_MAGIC = b"OVL1"
#: Texts held parsed; the next one costs some milliseconds.
_HELD = 24


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of one text.

    Attributes:
        name: of its file.
        words, shingles: how many.
        titles: runs of words that have to stand where they stand: without them it is another licence.
        holes: runs of words that everybody fills in.
        optional: runs of words that are often left out.
    """

    name: str
    words: int
    shingles: int
    titles: tuple[tuple[int, int], ...]
    holes: tuple[tuple[int, int], ...]
    optional: tuple[tuple[int, int], ...]


class Index:
    """All texts, by number."""

    def __init__(self, data: bytes, folder: str) -> None:
        if data[:4] != _MAGIC:
            raise ValueError("texts.bin is no index of texts")
        (size,) = struct.unpack_from("<I", data, 4)
        header: Mapping[str, Any] = json.loads(data[8 : 8 + size])
        (count,) = struct.unpack_from("<I", data, 8 + size)
        at = 12 + size
        hashes, numbers = array("I"), array("H")
        hashes.frombytes(data[at : at + 4 * count])
        numbers.frombytes(data[at + 4 * count : at + 6 * count])
        if sys.byteorder == "big":
            hashes.byteswap()
            numbers.byteswap()
        self._number = dict(zip(hashes, numbers, strict=True))
        self._folder = folder
        self.sets: Sequence[Sequence[int]] = header["sets"]
        self.texts: Sequence[Known] = [_known(each) for each in header["texts"]]
        self.text = lru_cache(maxsize=_HELD)(self._text)
        self.shingles = lru_cache(maxsize=_HELD)(self._shingles)
        self.sets_of = lru_cache(maxsize=_HELD)(self._sets_of)

    def look_up(self, shingles: Sequence[int]) -> list[int]:
        """For each shingle the number of the set of texts that have it, -1 where none has."""
        get = self._number.get
        return [get(each, -1) for each in shingles]

    def _text(self, number: int) -> Words:
        """The words of one text."""
        with open(os.path.join(self._folder, f"{self.texts[number].name}.txt"), "rb", buffering=0) as file:
            return words_of(file.read().decode())

    def _shingles(self, number: int) -> list[int]:
        """Its shingles, in order."""
        return shingles(self.text(number).words)

    def _sets_of(self, number: int) -> frozenset[int]:
        """The sets that it belongs to."""
        return frozenset(at for at, each in enumerate(self.sets) if number in each)


def _known(each: Mapping[str, Any]) -> Known:
    return Known(
        each["name"],
        each["words"],
        each["shingles"],
        *(tuple((start, end) for start, end in each[name]) for name in ("titles", "holes", "optional")),
    )


@cache
def index() -> Index:
    """The index, read when the first text is looked at."""
    folder = os.path.join(data_folder(), "licenses")
    with open(os.path.join(folder, "texts.bin"), "rb", buffering=0) as file:
        return Index(file.read(), os.path.join(folder, "texts"))


@cache
def _keys() -> dict[str, tuple[str, ...]]:
    out: dict[str, tuple[str, ...]] = {}
    for key, each in known_licenses().items():
        for name in each.texts:
            out[name] = (*out.get(name, ()), key)
    return out


def keys_of_text(name: str) -> tuple[str, ...]:
    """The licences that have this text."""
    return _keys().get(name, ())
