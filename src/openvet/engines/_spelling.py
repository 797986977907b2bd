"""The bytes that each token stands for, so that text can be written token by token, whatever comes before.

Source: Hugging Face tokenizers: the decoders ByteLevel (GPT-2's table of bytes), Metaspace and Replace (a mark in the place of a space), ByteFallback.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any, Final

from openvet.core.pattern import pattern

__all__ = ["Spelling"]

_MARK: Final = "▁"
_BYTE: Final = pattern(r"<0x([0-9A-Fa-f]{2})>\Z")


@cache
def _bytes() -> dict[str, int]:
    """GPT-2's table: which character stands for which byte."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    table = {chr(each): each for each in plain}
    others = (each for each in range(256) if each not in set(plain))
    return {**table, **{chr(256 + at): each for at, each in enumerate(others)}}


class Spelling:
    """How a tokenizer of the library ``tokenizers`` spells."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        stated = json.loads(inner.to_str())
        decoder = json.dumps(stated.get("decoder") or {}, ensure_ascii=False)
        self._level = '"ByteLevel"' in decoder
        self._marks = '"Metaspace"' in decoder or _MARK in decoder
        added = {each["id"]: each for each in stated.get("added_tokens", [])}
        self._special = frozenset(number for number, each in added.items() if each.get("special"))
        #: Control tokens, by their text.
        self.controls: dict[str, int] = {str(added[each].get("content", "")): each for each in self._special}
        self._plain = frozenset(added) - self._special
        self._found: dict[int, bytes] = {}

    def spelled(self, token: int) -> bytes:
        """The bytes of a token; none for a special one, and for a number that stands for none."""
        found = self._found.get(token)
        if found is None:
            found = self._found[token] = self._spell(token)
        return found

    def _spell(self, token: int) -> bytes:
        text = self._inner.id_to_token(token)
        if text is None or token in self._special:
            return b""
        if token in self._plain:
            return str(text).encode("utf-8", "replace")
        if self._level:
            table = _bytes()
            return bytes(table[each] for each in text) if all(each in table for each in text) else str(text).encode()
        if byte := _BYTE.match(text):
            return bytes([int(byte[1], 16)])
        if self._marks:
            return str(text).replace(_MARK, " ").encode("utf-8", "replace")
        return str(self._inner.decode([token])).encode("utf-8", "replace")
