"""Makes the index by which the texts of licences are recognised; ``tools/licenses.py`` calls it.

The file, little-endian: ``OVL1``; four bytes, the size of the header; the header (JSON: one object for each text, and the sets of texts);
four bytes, how many shingles; each shingle of any text once, 32 bits, ascending; for each the number of its set, 16 bits.
"""

from __future__ import annotations

import json
import re
import struct
from array import array
from pathlib import Path
from typing import Any

from openvet.licenses.words import shingles, words_of

LONGEST_TITLE = 14
_TITLE = re.compile(
    r"licen[cs]e|agreement|terms|policy|attribution|universal|unlimited|disclaimer|open rail", re.IGNORECASE
)
_DATE = re.compile(
    r"^\W*(?:version|v\.|dated|date:|.{0,40}\b(?:release|effective) date|last (?:modified|updated)|effective|.{0,40}(?:unported|universal|international))\b",
    re.IGNORECASE,
)


def find(words: list[str], phrase: list[str], start: int = 0) -> int:
    """Where ``phrase`` stands in ``words``; -1 where it does not."""
    return next((at for at in range(start, len(words) - len(phrase) + 1) if words[at : at + len(phrase)] == phrase), -1)


def first_lines(text: str) -> str:
    """The title at the beginning of a text: its first line, and the one below it where that is a version or a date."""
    lines = [line for line in text.splitlines() if words_of(line).words][:3]
    if not lines:
        return ""
    taken = lines[:1]
    if re.match(r"\W*creative commons(?: legal code)?\W*$", lines[0], re.IGNORECASE):
        taken, lines = lines[1:2], lines[1:]
    if len(words_of(taken[0]).words) > LONGEST_TITLE or not _TITLE.search(taken[0]):
        return ""
    if len(lines) > 1 and _DATE.match(lines[1]) and len(words_of(lines[1]).words) <= LONGEST_TITLE:
        taken.append(lines[1])
    return " ".join(taken)


def describe(name: str, text: str, known: dict[str, Any]) -> dict[str, Any]:
    """What the header says of one text: words, and where titles, holes and what may be left out stand among them."""
    words = list(words_of(text).words)

    def at(phrase: str, start: int = 0) -> tuple[int, int]:
        wanted = list(words_of(phrase).words)
        place = find(words, wanted, start)
        if place < 0 or not wanted:
            raise ValueError(f"{name}: {phrase!r} does not stand in it")
        return place, place + len(wanted)

    title = first_lines(text)
    titles = [at(each) for each in known.get("titles", [title] if title else [])]
    holes = []
    for each in known.get("holes", ()):
        before, _, rest = each.partition("{")
        hole, _, after = rest.partition("}")
        start, end = at(before + hole + after)
        holes.append([start + len(words_of(before).words), end - len(words_of(after).words)])
    optional = []
    for first, last in known.get("optional", ()):
        start, end = at(first)
        optional.append([start, at(last, start)[1] if last else len(words)])
    return {
        "name": name,
        "words": len(words),
        "shingles": len(set(shingles(words))),
        "titles": [list(each) for each in titles],
        "holes": holes,
        "optional": optional,
    }


def index(folder: Path, known: dict[str, Any], leave_out: frozenset[str] = frozenset()) -> bytes:
    """The index of all texts in ``folder`` but those named."""
    paths = sorted(path for path in folder.glob("*.txt") if path.stem not in leave_out)
    if unknown := known.keys() - {path.stem for path in folder.glob("*.txt")}:
        raise ValueError(f"{', '.join(sorted(unknown))}: no such text")
    texts = []
    sets: dict[int, list[int]] = {}
    for number, path in enumerate(paths):
        text = path.read_text("utf-8")
        texts.append(describe(path.stem, text, known.get(path.stem, {})))
        for each in set(shingles(words_of(text).words)):
            sets.setdefault(each, []).append(number)
    distinct = sorted({tuple(each) for each in sets.values()})
    number_of = {each: number for number, each in enumerate(distinct)}
    hashes = sorted(sets)
    header = json.dumps({"texts": texts, "sets": distinct}, separators=(",", ":")).encode()
    return b"".join(
        [
            b"OVL1",
            struct.pack("<I", len(header)),
            header,
            struct.pack("<I", len(hashes)),
            _little("I", hashes),
            _little("H", [number_of[tuple(sets[each])] for each in hashes]),
        ]
    )


def _little(kind: str, values: list[int]) -> bytes:
    import sys

    out = array(kind, values)
    if sys.byteorder == "big":
        out.byteswap()
    return out.tobytes()
