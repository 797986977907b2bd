"""Texts that no font shows and that a model or an assistant reads: letters of Unicode's tag block, bits and bytes in characters without a width.

A run of tag letters is a text of its own in ASCII (Unicode, chapter 23.9); flags of regions have at most six of them behind a black flag.
Characters without a width stand alone between letters of Persian, Thai or emojis. Dozens in a row, of two kinds, are zeros and ones; a row of
variation selectors is a byte each. Whatever they spell is shown; a long row that spells nothing is told as well.

Sources: https://www.unicode.org/versions/Unicode16.0.0/core-spec/chapter-23/ ; Boucher et al., "Bad Characters", 2021; OWASP LLM01:2025.
"""

from __future__ import annotations

import re
from typing import Final

from openvet.core.pattern import pattern
from openvet.core.text import printable, shorten
from openvet.formats._format import Facts

__all__ = ["tell_unseen", "unseen"]

#: More than any flag has; between them what has no width itself.
_TAGS: Final = pattern(r"[\U000e0020-\U000e007e](?:[\u200b-\u200f\u2060-\u2064\ufeff]{0,3}[\U000e0020-\U000e007e]){7,}")
_TAG: Final = pattern(r"[\U000e0020-\U000e007e]")
_NO_WIDTH: Final = pattern(r"[\u200b-\u200f\u2060-\u2064\ufeff\u180e\u034f\u061c]{24,}")
_SELECTORS: Final = pattern(r"[\ufe00-\ufe0f\U000e0100-\U000e01ef]{6,}")
#: The same as JSON, Python, Jinja and HTML write them in ASCII.
_WRITTEN: Final = pattern(
    r"\\udb40\\udc([2-7][0-9a-f])|\\U000e00([2-7][0-9a-f])|\\u(200[b-f]|206[0-4]|feff)|&#x(?:000)?e00([2-7][0-9a-f]);|&#917([56]\d\d);",
    re.IGNORECASE,
)
#: A line of a text that goes on in the next one, as YAML, shells and Python write it.
_GOES_ON: Final = pattern(r"\\\n[ \t]{0,80}")
_MAY_BE_WRITTEN: Final = pattern(r"\\u(?:db40|000e00|20[06]|feff)|&#x(?:000)?e00|&#917[56]", re.IGNORECASE)
_FIRST_TAG: Final = 0xE0000
#: A row that spells nothing, of at least so many.
_LONG: Final = 64
_MOST_SPELLED: Final = 16_000


def tell_unseen(text: str, facts: Facts, first_line: int | None = 1, *, rows: bool = False) -> None:
    """Record the first text in ``text`` that nobody sees; ``rows`` where it is samples of a data set, which may hold such texts as samples."""
    if any(each.evidence.get("kind") in ("unseen", "sample") for each in facts.anomalies):
        return
    found = unseen(text)
    if found is not None:
        line = None if first_line is None else first_line + text.count("\n", 0, found[0])
        message = f"holds text that nobody sees and that an assistant or a model reads: {found[1]}"
        facts.anomaly("hub/assistant-instruction", message, line=line, kind="sample" if rows else "unseen")


def unseen(text: str) -> tuple[int, str] | None:
    """Where a text nobody sees begins, and what it says, to be shown; ``None`` where there is none."""
    found = _unseen(text) if not text.isascii() else None
    if found is None and _MAY_BE_WRITTEN.search(text) is not None:
        plain = _WRITTEN.sub(_read, _GOES_ON.sub("", text) if "\\\n" in text else text)
        if plain != text and (found := _unseen(plain)) is not None:
            # where it stands in the text as it is written: the first of its letters
            written = _WRITTEN.search(text)
            found = (0 if written is None else written.start()), found[1]
    return found


def _read(found: re.Match[str]) -> str:
    tag, long, plain, entity, number = found.groups()
    if plain:
        return chr(int(plain, 16))
    code = 917_000 + int(number) if number else _FIRST_TAG + int(tag or long or entity, 16)
    return chr(code)


def _unseen(text: str) -> tuple[int, str] | None:
    if (found := _TAGS.search(text)) is not None:
        return found.start(), _shown("".join(chr(ord(each) - _FIRST_TAG) for each in _TAG.findall(found.group())))
    if (found := _SELECTORS.search(text)) is not None:
        said = _of_bytes(bytes(map(_byte, found.group())))
        if said or len(set(found.group())) > 2:
            return found.start(), _shown(
                said
            ) if said else f"{len(found.group())} selectors of letters that are not there"
    for found in _NO_WIDTH.finditer(text):
        kinds = sorted(set(found.group()))
        if len(kinds) < 2:  # padding of tables and pages
            continue
        said = _of_bits(found.group()[:_MOST_SPELLED], kinds) if len(kinds) == 2 else ""
        if said or len(found.group()) >= _LONG:
            return found.start(), _shown(said) if said else f"{len(found.group())} characters without a width in a row"
    return None


def _byte(letter: str) -> int:
    code = ord(letter)
    return code - 0xFE00 if code < 0xE0000 else code - 0xE0100 + 16


def _of_bits(row: str, kinds: list[str]) -> str:
    """The text that a row of zeros and ones spells, whichever is which, eight or seven to a letter."""
    for zero in kinds:
        bits = "".join("0" if each == zero else "1" for each in row)
        for width in (8, 7):
            whole = len(bits) // width * width
            data = bytes(int(bits[at : at + width], 2) for at in range(0, whole, width))
            if said := _of_bytes(data):
                return said
    return ""


def _of_bytes(data: bytes) -> str:
    """Bytes as the text that they are; '' for what is none."""
    try:
        said = data.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    # a letter of each row alone may come about by chance
    plain = all(each.isprintable() or each in "\n\t\r" for each in said)
    return said if len(said) > 2 and plain and any(map(str.isalpha, said)) else ""


def _shown(said: str) -> str:
    return shorten(printable(" ".join(said.split())), 120)
