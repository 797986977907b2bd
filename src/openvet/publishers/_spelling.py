"""How near two names are to a reader's eye and to a typist's fingers. Everything here is a heuristic.

Two names with one :func:`skeleton` look alike: characters that Unicode calls confusable (UTS #39; the Latin part of it, by hand), digits for
letters, separators, ``rn`` for ``m``. :func:`distance` counts slips of typing: a letter more, less or other, two swapped (optimal
string alignment).
"""

from __future__ import annotations

import unicodedata
from typing import Final

__all__ = ["LONGEST", "distance", "hidden", "letters", "neighbours", "skeleton", "words"]

#: Longer names are cut before they are compared; a hub allows 96 characters for each part of a name.
LONGEST: Final = 128

# Cyrillic, Greek, Armenian, Cherokee and Latin letters that show as an ASCII letter in most fonts (UTS #39, confusables.txt)
_CONFUSABLE: Final = {
    "а": "a", "ɑ": "a", "α": "a", "Ь": "b", "ƅ": "b", "с": "c", "ϲ": "c", "ᴄ": "c", "ԁ": "d", "ɗ": "d", "е": "e", "ҽ": "e", "ε": "e", "є": "e", "ſ": "f",
    "ɡ": "g", "ց": "g", "һ": "h", "հ": "h", "і": "i", "ı": "i", "ι": "i", "ӏ": "l", "ǀ": "l", "ј": "j", "ϳ": "j", "κ": "k", "к": "k", "ł": "l", "м": "m", "ո": "n", "п": "n",
    "η": "n", "о": "o", "ο": "o", "օ": "o", "σ": "o", "ø": "o", "р": "p", "ρ": "p", "ԛ": "q", "ɋ": "q", "г": "r", "ᴦ": "r", "ѕ": "s", "ꜱ": "s", "т": "t", "τ": "t", "υ": "u",
    "ս": "u", "ц": "u", "ν": "v", "ѵ": "v", "ᴠ": "v", "ԝ": "w", "ω": "w", "ѡ": "w", "х": "x", "χ": "x", "у": "y", "γ": "y", "ү": "y", "ᴢ": "z", "đ": "d",
}  # fmt: skip
_DIGITS: Final = {"0": "o", "1": "l", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "9": "g"}
_FOLD: Final = str.maketrans(
    {
        **{each: "l" if letter == "i" else letter for each, letter in _CONFUSABLE.items()},
        **_DIGITS,
        "i": "l",
        "|": "l",
        "-": "",
        "_": "",
        ".": "",
        " ": "",
        "/": "",
    }
)
_ROWS: Final = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def hidden(text: str) -> list[str]:
    """The characters of ``text`` that show nothing, or turn its direction, as ``U+202E``."""
    if text.isascii() and text.isprintable():
        return []
    return [f"U+{ord(each):04X}" for each in text[:LONGEST] if unicodedata.category(each) in ("Cf", "Cc", "Co", "Cn")]


def skeleton(text: str) -> str:
    """What is left of a name when all that a reader overlooks is taken away."""
    return letters(text).replace("rn", "m").replace("vv", "w")


def letters(text: str) -> str:
    """The same with two letters that look like one left as they are: what was typed, for counting slips."""
    text = text[:LONGEST]
    if not text.isascii():
        wide = unicodedata.normalize("NFKD", text.casefold())
        text = "".join(each for each in wide if unicodedata.category(each)[0] not in "MC")
    return text.lower().translate(_FOLD)


def words(text: str) -> list[str]:
    """The parts of a name between its separators, in lower case."""
    folded = text[:LONGEST].casefold()
    return [each for each in folded.replace("_", "-").replace(".", "-").replace(" ", "-").split("-") if each]


def distance(one: str, other: str, most: int) -> int:
    """Slips between two short names; ``most + 1`` where there are more than ``most``."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    if one == other:
        return 0
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, left in enumerate(one, 1):
        now = [row]
        for column, right in enumerate(other, 1):
            cost = min(last[column] + 1, now[column - 1] + 1, last[column - 1] + (left != right))
            if row > 1 and column > 1 and left == other[column - 2] and one[row - 2] == right:
                cost = min(cost, before[column - 2] + 1)
            now.append(cost)
        if min(now) > most:
            return most + 1
        before, last = last, now
    return min(last[-1], most + 1)


def neighbours(one: str, other: str) -> bool:
    """Whether two letters lie side by side on a keyboard (QWERTY)."""
    for upper, row in enumerate(_ROWS):
        at = row.find(one)
        if at >= 0:
            near = row[max(0, at - 1) : at + 2]
            for beside in (upper - 1, upper + 1):
                if 0 <= beside < len(_ROWS):
                    near += _ROWS[beside][max(0, at - 1) : at + 2]
            return other != "" and other in near
    return False
