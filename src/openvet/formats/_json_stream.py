"""A JSON parser for long texts that keeps what a check can use and nothing else.

A tokenizer's vocabulary is a map of some hundred thousand texts to numbers, its merges a list as long. Parsed as a
whole they take many times the file's size in memory. Here the text passes through a window; long runs of plain pairs
(``"text": number``) and of plain items (texts, numbers, short lists of those) are checked against the grammar and let
go. Everything else becomes a value, within a budget.

The grammar is that of RFC 8259, with ``NaN`` and ``Infinity`` as Python reads them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from openvet.core.limits import Limits
from openvet.core.pattern import pattern
from openvet.errors import LimitError, MalformedError
from openvet.io.source import Source

__all__ = ["DROPPED", "JsonStream", "number", "plain_letters"]

_WINDOW = 4 * 1024 * 1024
#: Items in one run from which it is let go.
_RUN = 256
#: Values and bytes of text kept of one document.
_MOST_VALUES = 500_000
_MOST_TEXT = 16 * 1024 * 1024
#: Stands in a list for a run that was let go.
DROPPED = "…"

# possessive repetition throughout: nothing to backtrack into, so matching is linear and keeps no stack
_WS = rb"[ \t\n\r]*+"
_STRING = rb'"[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+"'
_NUMBER = rb"-?+(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][+-]?+[0-9]++)?+"
_PLAIN = rb"(?:" + _STRING + rb"|" + _NUMBER + rb"|true|false|null)"
_SHORT_LIST = rb"\[" + _WS + _PLAIN + rb"(?:" + _WS + rb"," + _WS + _PLAIN + rb"){0,3}+" + _WS + rb"\]"

_SPACE = pattern(_WS)
_TEXT = pattern(_STRING)
_OPEN_TEXT = pattern(rb'"[^"\\\x00-\x1f]*+(?:\\.[^"\\\x00-\x1f]*+)*+\\?', re.DOTALL)
_WORD = pattern(rb"-?+(?:Infinity)|NaN|true|false|null|" + _NUMBER)
_PAIR_RUN = pattern(
    rb"(?:"
    + _WS
    + _STRING
    + _WS
    + rb":"
    + _WS
    + _NUMBER
    + _WS
    + rb",(?="
    + _WS
    + rb'")){'
    + str(_RUN).encode()
    + rb",}+"
)
#: Pairs of texts, as in the index of a model of many shards: they are kept, and taken together.
_TEXT_RUN = pattern(rb"(?:" + _WS + _STRING + _WS + rb":" + _WS + _STRING + _WS + rb",(?=" + _WS + rb'")){32,4096}+')
_ITEM_RUN = pattern(
    rb"(?:"
    + _WS
    + rb"(?:"
    + _PLAIN
    + rb"|"
    + _SHORT_LIST
    + rb")"
    + _WS
    + rb",(?="
    + _WS
    + rb'[\["0-9tfn-])){'
    + str(_RUN).encode()
    + rb",}+"
)
_WORDS: dict[bytes, Any] = {b"true": True, b"false": False, b"null": None, b"NaN": float("nan"), b"Infinity": float("inf"),
                            b"-Infinity": float("-inf")}  # fmt: skip
#: Longest token; a string longer than this is a limit, as is a window full of white space.
_LONGEST = 16 * _WINDOW


def number(text: str) -> Any:
    """A JSON number; an integer of more digits than anybody needs stays text."""
    if len(text) > 400:
        return text
    try:
        return int(text)
    except ValueError:
        return float(text)


class JsonStream:
    """Parses one value at a time from ``source``.

    Attributes:
        dropped: runs that were let go.
        odd: words that RFC 8259 does not have (``NaN``), as they were met.
        duplicates: (key, JSON pointer) of keys that an object has twice with different values.
    """

    def __init__(self, source: Source, position: int, limits: Limits, check_time: Callable[[], None]) -> None:
        self._source = source
        self._start = position
        self._buffer = b""
        self._at = 0
        self._limits = limits
        self._check_time = check_time
        self._values = 0
        self._text = 0
        self._pause = 0
        self.dropped = 0
        self.odd: list[str] = []
        self.duplicates: list[tuple[str, str]] = []

    @property
    def position(self) -> int:
        """Offset in the source of the next byte."""
        return self._start + self._at

    def forget(self) -> None:
        """Begin the budget of kept values anew: the caller has let go of the values so far."""
        self._values = 0
        self._text = 0

    def at_end(self) -> bool:
        """Skip white space and say whether nothing follows."""
        return self._peek() == b""

    def value(self) -> Any:
        """The next value.

        Raises:
            MalformedError: it is no JSON.
            LimitError: nested too deeply, or more of it would have to be kept than is allowed.
        """
        # each frame: the container, and for an object the key that waits for its value
        stack: list[tuple[Any, str]] = []
        while True:
            closed, value = self._begin(stack)
            if not closed:
                continue
            while stack:
                container, key = stack[-1]
                self._put(stack, container, key, value)
                if self._next(stack, container):
                    break
                value = container
                stack.pop()
            else:
                return value

    def _begin(self, stack: list[tuple[Any, str]]) -> tuple[bool, Any]:
        """Read a scalar or an empty container (then it is complete), or enter a container."""
        first = self._peek()
        if first == b"{" or first == b"[":
            self._at += 1
            if len(stack) >= self._limits.nesting:
                raise LimitError("nesting", self._limits.nesting, "values are nested too deeply", offset=self.position)
            self._count(0)
            container: Any = {} if first == b"{" else []
            closing = b"}" if first == b"{" else b"]"
            self._skip_run(container, [*stack, (container, "")])
            self._pause = 0
            if self._peek() == closing:
                self._at += 1
                return True, container
            stack.append((container, self._key() if first == b"{" else ""))
            return False, None
        return True, self._scalar(first)

    def _put(self, stack: list[tuple[Any, str]], container: Any, key: str, value: Any) -> None:
        if isinstance(container, list):
            container.append(value)
            return
        if key in container and container[key] != value and len(self.duplicates) < 100:
            above = [each[1] if isinstance(each[0], dict) else str(len(each[0])) for each in stack[:-1]]
            self.duplicates.append((key, "".join(f"/{_escaped(part)}" for part in [*above, key])))
        container[key] = value

    def _next(self, stack: list[tuple[Any, str]], container: Any) -> bool:
        """After a value in ``container``: true when another one follows."""
        first = self._peek()
        is_object = isinstance(container, dict)
        self._at += 1
        if first == b",":
            if self._pause:
                self._pause -= 1
            else:
                self._skip_run(container, stack)
            if is_object:
                stack[-1] = (container, self._key())
            return True
        if first != (b"}" if is_object else b"]"):
            self._at -= 1
            raise self._broken()
        return False

    def _skip_run(self, container: Any, stack: list[tuple[Any, str]]) -> None:
        """Let go of a long run of plain members. A run always leaves the last member, which is parsed as others are."""
        run = _PAIR_RUN if isinstance(container, dict) else _ITEM_RUN
        met = False
        while True:
            self._fill(1024 * 1024)
            match = run.match(self._buffer, self._at)
            if match is None:
                if isinstance(container, dict) and self._take_texts(container, stack):
                    continue
                break
            met = True
            self._at = match.end()
        if met:
            self.dropped += 1
            if isinstance(container, list):
                container.append(DROPPED)
        else:  # what was looked through in vain is not looked through again for every member
            self._pause = 64

    def _take_texts(self, container: dict[str, Any], stack: list[tuple[Any, str]]) -> bool:
        """Keep a run of pairs of texts, which the standard parser reads together; whether there is one. ``stack`` ends with it."""
        match = _TEXT_RUN.match(self._buffer, self._at)
        if match is None:
            return False
        try:
            text = match.group().decode("utf-8").rstrip()
        except UnicodeDecodeError:
            return False  # one by one, to tell where
        pairs = json.loads(f"{{{text[:-1]}}}", object_pairs_hook=list)
        self._values += 2 * len(pairs) - 1
        self._count(sum(len(key) + len(value) + 4 for key, value in pairs))
        self._at = match.end()
        new = dict(pairs)
        if len(new) == len(pairs) and new.keys().isdisjoint(container):
            container.update(new)
        else:
            for key, value in pairs:
                self._put(stack, container, key, value)
        return True

    def _key(self) -> str:
        if self._peek() != b'"':
            raise self._broken()
        key = self._string()
        if self._peek() != b":":
            raise self._broken()
        self._at += 1
        return key

    def _scalar(self, first: bytes) -> Any:
        if first == b'"':
            return self._string()
        self._fill(1024)
        match = _WORD.match(self._buffer, self._at)
        if match is None or match.end() == self._at:
            raise self._broken()
        while match.end() == len(self._buffer) and self._grow():  # a number may go on behind the window
            match = _WORD.match(self._buffer, self._at) or match
        word = match.group()
        self._at = match.end()
        self._count(8)
        if word in _WORDS:
            if not word.islower() and len(self.odd) < 100:
                self.odd.append(word.decode("ascii"))
            return _WORDS[word]
        return number(word.decode("ascii"))

    def _string(self) -> str:
        self._fill(64 * 1024)
        match = _TEXT.match(self._buffer, self._at)
        while match is None and self._unclosed() and self._grow():
            match = _TEXT.match(self._buffer, self._at)
        if match is None:
            raise self._broken()
        raw = match.group()
        self._at = match.end()
        self._count(len(raw))
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise MalformedError("is not UTF-8 text", offset=self._start + match.start() + error.start) from None
        return json.loads(text) if "\\" in text else text[1:-1]

    def _unclosed(self) -> bool:
        """Whether the text that begins here could still close behind the window."""
        part = _OPEN_TEXT.match(self._buffer, self._at)
        return part is not None and part.end() == len(self._buffer)

    def _peek(self) -> bytes:
        """The next byte that is no white space, not taken; empty at the end."""
        while True:
            match = _SPACE.match(self._buffer, self._at)
            self._at = self._at if match is None else match.end()
            if self._at < len(self._buffer):
                return self._buffer[self._at : self._at + 1]
            if not self._grow():
                return b""

    def _fill(self, wanted: int) -> None:
        if len(self._buffer) - self._at < wanted:
            self._grow()

    def _grow(self) -> bool:
        """Move the window on: drop what was taken, add what follows. False at the end of the source."""
        end = self._start + len(self._buffer)
        if end >= self._source.size:
            return False
        self._check_time()
        kept = self._buffer[self._at :]
        if len(kept) > _LONGEST:
            raise LimitError("text", _LONGEST, "one text is too long", offset=self.position)
        self._start += self._at
        self._at = 0
        # a token longer than the window doubles it, so that a long one is not searched again and again
        self._buffer = kept + self._source.upto(end, max(_WINDOW, len(kept)))
        return True

    def _count(self, text: int) -> None:
        self._values += 1
        self._text += text
        if self._values > _MOST_VALUES or self._text > _MOST_TEXT:
            raise LimitError("text", self._limits.text, "the text holds too many values to keep", offset=self.position)

    def _broken(self) -> MalformedError:
        here = self._peek()
        what = "ends in the middle of a value" if not here else "is not well-formed JSON"
        return MalformedError(f"{what}", offset=self.position)


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


_ESCAPED_ASCII = pattern(rb"\\u00([2-7][0-9a-fA-F])")


def plain_letters(data: bytes) -> bytes:
    """Keys as a parser gives them, where somebody wrote ASCII letters as escapes: for probes that look for one in raw bytes."""
    return _ESCAPED_ASCII.sub(lambda match: bytes([int(match[1], 16)]), data) if b"\\u00" in data else data
