"""What is kept of a text for those who ask which licence it is: licence files and cards whole, of other texts what stands at the head.

A reader of text looks at every byte and keeps none. Licences are read in what was read anyway, within bounds.
"""

from __future__ import annotations

import codecs
import re

from openvet.core.pattern import pattern
from openvet.formats._format import HEAD_BYTES, Head

__all__ = ["is_license_name", "is_notice_name", "kept_text"]

#: Bytes of a licence file or card, and of the head of another text.
_WHOLE, _HEAD = 512 * 1024, 4 * 1024
_FORMATS = frozenset({"text", "markdown", "python", "script", "shell", "xml", "jinja", "notebook", "toml", "yaml"})
#: Files that are called a licence, a notice or terms of use.
_LICENSE = pattern(
    r"(?:^|[-_. ])(?:un)?(?:licen[cs]es?|copying(?:lib)?|copyright|notices?|terms|eula|aup)(?:$|[-_. ])|^(?:acceptable[-_ ])?use[-_ ]polic",
    re.IGNORECASE,
)
#: Files that tell whose works lie in another one, and under which licences those are.
_NOTICE = pattern(r"^(?:third|3rd)[-_. ]?part|^notice", re.IGNORECASE)
_CARD = pattern(r"^readme(?:\.(?:md|markdown|rst|txt))?$|^metadata$|^pkg-info$", re.IGNORECASE)
_SAYS = pattern(
    rb"SPDX-License-Identifier|licen[cs]ed under|under the terms|under the [\w .-]{1,40}licen[cs]e|Redistribution and use|Permission is hereby",
    re.IGNORECASE,
)
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def is_license_name(name: str) -> bool:
    """Whether a file of this name is called a licence, a notice or terms of use."""
    return _LICENSE.search(name.rsplit("/", 1)[-1]) is not None


def is_notice_name(name: str) -> bool:
    """Whether a file of this name tells of works that are in another one: what licences it names are theirs, and not the whole's."""
    return _NOTICE.search(name.rsplit("/", 1)[-1]) is not None


def kept_text(head: Head, formats: tuple[str, ...]) -> str | None:
    """The text that is kept of a file, ``None`` where nothing is.

    Raises:
        ReadError: the file cannot be read any more.
    """
    if not formats or formats[0] not in _FORMATS:
        return None
    name = head.name.rsplit("/", 1)[-1]
    if _LICENSE.search(name) is None and _CARD.match(name) is None:
        data = head.data[:_HEAD]
        return _decoded(data) if _SAYS.search(data) else None
    data = head.data if head.size <= HEAD_BYTES else head.source.upto(0, _WHOLE)
    return _decoded(data)


def _decoded(data: bytes) -> str:
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8-sig")
    return data.decode(encoding, "replace")
