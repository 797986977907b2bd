"""Protocol buffers in their text form, token by token: what Caffe's and TensorFlow's networks as text have in common.

Specification: https://protobuf.dev/reference/protobuf/textformat-spec/
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod

from openvet.core.pattern import pattern
from openvet.errors import LimitError, MalformedError
from openvet.formats._format import Facts
from openvet.io.source import Source

__all__ = ["KEPT", "Messages"]

_PIECE = pattern(
    r"""[\s,;]+|\#[^\n]*|"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"|'[^'\\\n]*+(?:\\.[^'\\\n]*+)*+'|[A-Za-z_][A-Za-z0-9_.]*|\[[A-Za-z0-9_./]+\](?=\s*[:{<])|[-+]?[0-9.][A-Za-z0-9.+_-]*|[{}<>\[\]:-]"""
)
#: Characters of a text that are looked at.
KEPT = 4096
_ESCAPE = pattern(r"\\(x[0-9a-fA-F]{1,2}|[0-7]{1,3}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


class Messages(ABC):
    """The messages that are open. Who refines it says what their fields mean.

    Attributes:
        facts: where to put what was found.
        text: all of it.
        path: the names of the messages that are open, the outermost first.
        name: of the field that was named last.
    """

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.text = ""
        self.path: list[str] = []
        self.name = ""
        self._valued = False  # a value comes next
        self._listed = [False]  # whether what is open is a list, for the whole and for each message

    @abstractmethod
    def opened(self) -> None:
        """A message that is called :attr:`name` begins."""

    @abstractmethod
    def closed(self, kind: str, at: int) -> None:
        """The message called ``kind`` ends at the character ``at``."""

    @abstractmethod
    def value(self, text: str, *, more: bool) -> None:
        """A value of the field :attr:`name`, its first :data:`KEPT` characters; ``more`` of a text that was begun before."""

    def walk(self, source: Source) -> None:
        """Take every token.

        Raises:
            MalformedError: is no text of a protocol buffer.
            LimitError: longer or deeper than is read.
        """
        from openvet.formats._decode import read_text
        from openvet.formats._encoded import EncodedPickles
        from openvet.formats._secrets import scan_text

        self.text = text = read_text(source, self.facts)
        scan_text(text, self.facts)
        EncodedPickles(self.facts).look(text)
        at = steps = 0
        while at < len(text):
            match = _PIECE.match(text, at)
            steps += 1
            if not steps % 65536:
                self.facts.budget.check_time()
            if match is None:
                raise MalformedError("is no text of a protocol buffer", offset=self._offset(at))
            if not match[0][0].isspace() and match[0][0] not in "#,;":
                self._take(match[0], at)
            elif self._listed[-1] and "," in match[0] and match[0][0] != "#":
                self._valued = True
            at = match.end()
        if self.path:
            raise MalformedError("ends inside a message", offset=source.size)

    def _offset(self, at: int) -> int:
        return len(self.text[:at].encode("utf-8", "replace"))

    def _take(self, piece: str, at: int) -> None:
        if piece in {"{", "<"}:
            self.path.append(self.name)
            limit = self.facts.limits.nesting
            if len(self.path) > limit:
                raise LimitError("nesting", limit, "messages are nested too deeply", offset=self._offset(at))
            self._listed.append(False)
            self.opened()
            self._valued = False
        elif piece in {"}", ">"}:
            if not self.path:
                raise MalformedError("closes a message that was not opened", offset=self._offset(at))
            self._listed.pop()
            self.name = self.path.pop()  # the next one of a list has no name before it
            self.closed(self.name, at)
            self._valued = False
        elif piece == ":":
            self._valued = True
        elif piece in {"[", "]"}:
            self._listed[-1] = self._valued = piece == "["
        elif piece[0] in "\"'":  # texts that follow each other are one
            more, self._valued = not self._valued, False
            self.value(_plain(piece)[:KEPT], more=more)
        elif self._valued:
            self._valued = False
            self.value(piece, more=False)
        else:
            self.name = piece


def _plain(piece: str) -> str:
    """A quoted text without its quotes and escapes."""

    def plain(match: re.Match[str]) -> str:
        escape = match[1]
        if escape[0] == "x":
            return chr(int(escape[1:], 16))
        if escape[0] in "01234567":
            return chr(int(escape, 8) & 255)
        return _ESCAPES.get(escape, escape)

    return _ESCAPE.sub(plain, piece[1:-1])
