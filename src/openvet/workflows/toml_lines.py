"""On which line each key of a TOML text stands, which ``tomllib`` does not tell.

Only for messages: it walks over a text that ``tomllib`` has read already, believes nothing and never fails. What it cannot
place has the line of the nearest thing around it. Source: TOML 1.0.0.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right

from openvet.core.pattern import pattern

__all__ = ["Path", "key_lines", "nearest"]

Path = tuple[str | int, ...]

_BLANK = pattern(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = pattern(r"[ \t]*")
_BARE = pattern(r"[A-Za-z0-9_-]+")
_STRING = pattern(r'"""(?:[^\\]|\\.)*?"""+|\'\'\'.*?\'\'\'+|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'', re.DOTALL)
_SCALAR = pattern(r"[^\s,\]}#]+")
_REST = pattern(r"[^\n]*")
_DEEPEST = 20


class _LostError(Exception):
    """The walk does not understand the text; what it has so far stays."""


def key_lines(text: str) -> dict[Path, int]:
    """The line (from 1) of every key, table and element of an array."""
    walk = _Walk(text)
    try:
        walk.document()
    except _LostError:
        pass
    return walk.lines


def nearest(lines: dict[Path, int], path: Path) -> int:
    """The line of ``path``, or of the nearest thing around it; 1 where nothing is known."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


class _Walk:
    def __init__(self, text: str) -> None:
        self.lines: dict[Path, int] = {}
        self._text = text
        self._at = 0
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._counts: dict[Path, int] = {}

    def document(self) -> None:
        table: Path = ()
        while True:
            self._skip(_BLANK)
            if self._at >= len(self._text):
                return
            if self._text.startswith("[", self._at):
                table = self._header()
            else:
                start = self._at
                path = table + self._key()
                self._mark(path, start)
                self._expect("=")
                self._value(path, 0)
            self._skip(_REST)

    def _header(self) -> Path:
        start = self._at
        many = self._text.startswith("[[", start)
        self._at += 2 if many else 1
        key = self._key()
        self._expect("]]" if many else "]")
        path: Path = ()
        for index, part in enumerate(key):
            path = (*path, part)
            if path in self._counts and not (many and index == len(key) - 1):
                path = (*path, self._counts[path] - 1)
        if many:
            count = self._counts[path] = self._counts.get(path, 0) + 1
            path = (*path, count - 1)
        self._mark(path, start)
        return path

    def _key(self) -> Path:
        out: list[str | int] = []
        while True:
            self._skip(_SPACE)
            quoted = _STRING.match(self._text, self._at)
            found = quoted or _BARE.match(self._text, self._at)
            if found is None:
                raise _LostError
            self._at = found.end()
            out.append(_unquoted(found[0]) if quoted else found[0])
            self._skip(_SPACE)
            if not self._text.startswith(".", self._at):
                return tuple(out)
            self._at += 1

    def _value(self, path: Path, depth: int) -> None:
        if depth > _DEEPEST:
            raise _LostError
        self._skip(_SPACE)
        if self._text.startswith("[", self._at):
            self._array(path, depth)
        elif self._text.startswith("{", self._at):
            self._inline(path, depth)
        else:
            found = _STRING.match(self._text, self._at) or _SCALAR.match(self._text, self._at)
            if found is None:
                raise _LostError
            self._at = found.end()

    def _array(self, path: Path, depth: int) -> None:
        self._at += 1
        index = 0
        while not self._ends("]"):
            self._mark((*path, index), self._at)
            self._value((*path, index), depth + 1)
            self._comma()
            index += 1

    def _inline(self, path: Path, depth: int) -> None:
        self._at += 1
        while not self._ends("}"):
            start = self._at
            inner = path + self._key()
            self._mark(inner, start)
            self._expect("=")
            self._value(inner, depth + 1)
            self._comma()

    def _ends(self, sign: str) -> bool:
        self._skip(_BLANK)
        if self._at >= len(self._text):
            raise _LostError
        if not self._text.startswith(sign, self._at):
            return False
        self._at += 1
        return True

    def _comma(self) -> None:
        self._skip(_BLANK)
        if self._text.startswith(",", self._at):
            self._at += 1
        elif self._text[self._at : self._at + 1] not in ("]", "}"):
            raise _LostError

    def _expect(self, sign: str) -> None:
        self._skip(_SPACE)
        if not self._text.startswith(sign, self._at):
            raise _LostError
        self._at += len(sign)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self._text, self._at)
        if found is not None:
            self._at = found.end()

    def _mark(self, path: Path, at: int) -> None:
        self.lines.setdefault(path, bisect_right(self._starts, at))


def _unquoted(text: str) -> str:
    try:
        return str(tomllib.loads(f"x = {text}")["x"])
    except tomllib.TOMLDecodeError:
        raise _LostError from None
