"""Safe text and numbers for people: what every report and every command prints with, apart from any scan."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = [
    "DEEPEST",
    "LONGEST",
    "bytes_for_people",
    "clean",
    "columns",
    "count_for_people",
    "cut",
    "plural",
    "short",
    "visible",
]

_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
#: Levels of nested values that a report shows.
DEEPEST = 300
#: For every set of characters that is kept somewhere: the table that takes them out.
_WITHOUT = {keep: str.maketrans("", "", keep) for keep in ("\n", "\n\t")}
#: Columns of one message in a report for people; the JSON report has it whole.
LONGEST = 500
#: RFC 8785, section 3.2.2.3: beyond it not every JSON reader carries an integer exactly.
_EXACT = 2**53


def visible(text: str, keep: str = "") -> str:
    """``text`` with every character escaped that does not show as itself, but for those in ``keep``.

    Unlike :func:`openvet.core.text.printable` it leaves a backslash alone, so that text that is printable already stays as
    it is. The last line of defence: whatever a plug-in puts into a message, no report carries a terminal's commands.
    """
    if text.isascii() and (text.isprintable() or (keep and text.translate(_WITHOUT[keep]).isprintable())):
        return text
    return "".join(
        char if char in keep or unicodedata.category(char) not in _HIDDEN else _escape(char) for char in text
    )


def _escape(char: str) -> str:
    code = ord(char)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def clean(value: Any, depth: int = 0) -> Any:
    """``value`` as something that every JSON reader takes: valid Unicode, numbers that it can carry, text keys.

    An integer beyond 2**53 and a floating-point number that is none become text.
    """
    if isinstance(value, str):
        return visible(value, keep="\n\t")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value) if -_EXACT <= value <= _EXACT else _long(value)
    if isinstance(value, float):
        return value if value - value == 0 else str(value)
    if depth > DEEPEST:
        return "(nested too deeply to be shown)"
    if isinstance(value, Mapping):
        return {visible(str(key), keep="\n\t"): clean(each, depth + 1) for key, each in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, bytes):
        return [clean(each, depth + 1) for each in value]
    return visible(str(value))


def _long(value: int) -> str:
    return str(value) if value.bit_length() <= 4096 else f"({value.bit_length()} bits)"


def columns(text: str) -> int:
    """How many columns of a terminal ``text`` takes."""
    if text.isascii():
        return len(text)
    wide = sum(1 for char in text if unicodedata.east_asian_width(char) in "WF")
    return len(text) + wide - sum(1 for char in text if unicodedata.combining(char))


def cut(text: str, width: int) -> str:
    """``text`` cut at its end to at most ``width`` columns, with an ellipsis where it was cut."""
    if columns(text) <= width:
        return text
    out = ""
    for char in text:
        if columns(out) + columns(char) > width - 1:
            break
        out += char
    return out.rstrip() + "…"


def short(text: str) -> str:
    """``text`` safe to show, and not longer than a person reads."""
    return cut(visible(text[: 2 * LONGEST]), LONGEST)


def plural(count: int, word: str) -> str:
    """``1 file``, ``2 files``."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def count_for_people(value: int) -> str:
    """``22.7 M``; exact below a thousand."""
    return _scaled(value, 1000, ("", " K", " M", " B", " T"))


def bytes_for_people(value: int) -> str:
    """``90.9 MB``, in powers of ten as disks and hubs count."""
    return _scaled(value, 1000, (" bytes", " kB", " MB", " GB", " TB", " PB"))


def _scaled(value: int, step: int, units: tuple[str, ...]) -> str:
    scaled, power = float(min(value, 10**30)), 0
    while power < len(units) - 1 and round(scaled, 1) >= step:
        scaled /= step
        power += 1
    text = str(value) if power == 0 else f"{scaled:.1f}"
    return "1 byte" if value == 1 and units[0] else text + units[power]
