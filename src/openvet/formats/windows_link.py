r"""Shell links of Windows (``.lnk``): where a double click leads, and what is given to it.

::

    0x4c[4], CLSID 00021401-0000-0000-C000-000000000046[16], flags[4], attributes[4], times[24], size[4], icon[4], window[4], key[2], 10
    list of items: size[2] and as many bytes                         where flag 0 says so
    place: size[4] with itself and as many bytes                     flag 1
    name, relative path, folder, arguments, icon's place             flags 2 to 6: characters[2], UTF-16 where flag 7 says so
    blocks: size[4], signature[4], data; 0[4]

A link that is given arguments starts a program with them, and Windows fetches the icon as soon as the folder is shown, also from
another machine. No model needs one.

Specification: [MS-SHLLINK], https://learn.microsoft.com/openspecs/windows_protocols/ms-shllink/
"""

from __future__ import annotations

import re
from typing import Final

from openvet.core.pattern import pattern
from openvet.core.text import printable, shorten
from openvet.errors import MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.io.source import Source

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="windows-link",
    title="shell link of Windows",
    extensions=(".lnk",),
    media_types=("application/x-ms-shortcut",),
    can_tell=("where the link leads, what is given to it, and where its icon lies",),
    cannot_tell=("what the place is to which a list of items leads, beyond the texts in it",),
)

_MAGIC: Final = bytes.fromhex("4c0000000114020000000000c000000000000046")
_START: Final = 76
_ITEMS, _PLACE, _UNICODE = 1, 2, 0x80
_TEXTS: Final = ((4, "name"), (8, "path"), (16, "folder"), (32, "arguments"), (64, "icon"))
_MOST: Final = 1024 * 1024
_ELSEWHERE: Final = pattern(r"^\s*(?:\\\\|file:[/\\]{2,5}|https?://)([\w.-]{1,200})")
_PROGRAM: Final = pattern(
    r"\b(?:cmd|powershell|pwsh|mshta|wscript|cscript|rundll32|regsvr32|certutil|bitsadmin|msiexec|conhost|forfiles|pcalua|bash|wsl|python\w?|curl|explorer)(?:\.exe)?\b",
    re.IGNORECASE,
)


def probe(head: Head) -> Likeness:
    """The size of the header and the class."""
    return Likeness.STRONG if head.data.startswith(_MAGIC) else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Read the texts and what the list of items spells, and say what the link is for."""
    flags = int.from_bytes(source.read(20, 4), "little")
    at, items, place = _START, b"", b""
    if flags & _ITEMS:
        size = int.from_bytes(source.read(at, 2), "little")
        items, at = source.read(at + 2, size), at + 2 + size
    if flags & _PLACE:
        size = int.from_bytes(source.read(at, 4), "little")
        if size < 4 or size > _MOST:
            raise MalformedError("the place of the link has no such size", offset=at)
        place, at = source.read(at, size), at + size
    told: dict[str, str] = {}
    for flag, key in _TEXTS:
        if flags & flag:
            count = int.from_bytes(source.read(at, 2), "little")
            raw = source.read(at + 2, count * (2 if flags & _UNICODE else 1))
            at += 2 + len(raw)
            told[key] = raw.decode("utf-16-le" if flags & _UNICODE else "latin-1", "replace")
    blocks = source.upto(at, _MOST)  # blocks of more texts, and what belongs to nothing
    for key, text in told.items():
        facts.note(key, shorten(printable(text), 400))
    spelled = " ".join(
        raw.decode("latin-1") + " " + raw.decode("utf-16-le", "ignore") for raw in (items, place, blocks)
    ).replace("\0", "")
    _judge(told, spelled, facts)


def _judge(told: dict[str, str], spelled: str, facts: Facts) -> None:
    for key in ("icon", "path", "folder", "arguments"):
        if key != "arguments" and (found := _ELSEWHERE.match(told.get(key, ""))):
            message = f"makes Windows ask {printable(found[1])} for something as soon as the folder is shown"
            facts.anomaly("hub/tool-command", message, kind="shown")
            return
    program = _PROGRAM.search(f"{told.get('path', '')} {spelled}")
    arguments = told.get("arguments", "").strip()
    if arguments or program is not None:
        what = f"starts {printable(program.group()) if program else 'a program'} by a double click"
        message = f"{what} with {shorten(printable(arguments), 120)}" if arguments else what
        facts.anomaly("hub/shell-command", message, kind="hidden")
    else:
        message = "is a link that leads out of the model, which Windows follows by a double click"
        facts.anomaly("hub/tool-command", message, kind="start")
