"""Names as squats make them of a known account: each kind of change, at every place of the name, in a fixed order."""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["squats_of"]

_LOOKS = {
    "a": "\u0430",
    "c": "\u0441",
    "e": "\u0435",
    "i": "\u0456",
    "o": "\u043e",
    "p": "\u0440",
    "s": "\u0455",
    "x": "\u0445",
    "y": "\u0443",
}
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_DIGITS = {"l": "1", "o": "0", "i": "1", "e": "3", "s": "5"}


def squats_of(account: str) -> Iterator[tuple[str, str]]:
    """(kind of change, name)."""
    name = account.lower()
    for at, letter in enumerate(name):
        before, after = name[:at], name[at + 1 :]
        if letter in _LOOKS:
            yield "homoglyph", f"{before}{_LOOKS[letter]}{after}"
        if letter in _DIGITS:
            yield "digit", f"{before}{_DIGITS[letter]}{after}"
        if not letter.isalpha() or at == 0:
            continue
        yield "dropped", before + after
        yield "doubled", before + letter + letter + after
        if after and after[0] != letter:
            yield "swapped", before + after[0] + letter + after[1:]
        row = next(each for each in _ROWS if letter in each)
        place = row.index(letter)
        yield "keyboard", before + row[place + 1 if place + 1 < len(row) else place - 1] + after
    if "-" in name:
        yield "separator", name.replace("-", "_")
        yield "separator", name.replace("-", "")
    else:
        yield "separator", f"{name[: len(name) // 2]}-{name[len(name) // 2 :]}"
    if "m" in name:
        yield "homoglyph", name.replace("m", "rn", 1)
    for word in ("official", "hub", "team", "models", "verified"):
        yield "affix", f"{name}-{word}"
        yield "affix", f"{name}_{word}"
        yield "affix", f"{word}-{name}"
    yield "affix", f"{name}official"
    yield "affix", f"hf-{name}"
