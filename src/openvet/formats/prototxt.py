"""Caffe networks as text: ``.prototxt``.

Protocol buffers in their text form::

    name: "net"
    layer { name: "roi" type: "Python" python_param { module: "rpn.proposal" layer: "ProposalLayer" } }

A layer of the type ``Python`` names a module and a class, which Caffe imports and makes when it builds the network.

Specification: https://protobuf.dev/reference/protobuf/textformat-spec/ ; ``src/caffe/proto/caffe.proto``
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from openvet.core.pattern import pattern
from openvet.core.text import printable, shorten
from openvet.errors import LimitError, MalformedError
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.io.source import Source

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="prototxt",
    title="Caffe network as text",
    extensions=(".prototxt", ".pbtxt"),
    media_types=(),
    can_tell=("every layer with its type", "classes of Python that layers name"),
    cannot_tell=("what a class of Python does", "where the data of training come from"),
    refines=("text",),
)

_PIECE = pattern(
    r"""[\s,;]+|\#[^\n]*|"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"|'[^'\\\n]*+(?:\\.[^'\\\n]*+)*+'|[A-Za-z_][A-Za-z0-9_.]*|\[[A-Za-z0-9_./]+\](?=\s*[:{<])|[-+]?[0-9.][A-Za-z0-9.+_-]*|[{}<>\[\]:-]"""
)
_KEPT = 4096
_LAYER = pattern(rb"^[^\S\n]*layers?\s*(?::\s*)?\{", re.MULTILINE)
_ESCAPE = pattern(r"\\(x[0-9a-fA-F]{1,2}|[0-7]{1,3}|.)", re.DOTALL)


def probe(head: Head) -> Likeness:
    """Text with a line that opens a layer."""
    from openvet.formats._decode import is_text

    named = head.suffix in FORMAT.extensions
    return Likeness.WEAK if named and _LAYER.search(head.data) and is_text(head) else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk every token; keep the types of the layers and what they call.

    Raises:
        MalformedError: is no text of a protocol buffer.
        LimitError: longer or deeper than is read.
    """
    from openvet.formats._decode import read_text
    from openvet.formats._encoded import EncodedPickles
    from openvet.formats._secrets import scan_text

    text = read_text(source, facts)
    scan_text(text, facts)
    EncodedPickles(facts).look(text)
    state = _Walk(text, facts)
    at = steps = 0
    while at < len(text):
        match = _PIECE.match(text, at)
        steps += 1
        if not steps % 65536:
            facts.budget.check_time()
        if match is None:
            raise MalformedError("is no text of a protocol buffer", offset=len(text[:at].encode("utf-8", "replace")))
        if not match[0][0].isspace() and match[0][0] not in "#,;":
            state.take(match[0], at)
        at = match.end()
    state.finish(source.size)


class _Walk:
    """The messages that are open, with what their fields say so far."""

    def __init__(self, text: str, facts: Facts) -> None:
        self.text = text
        self.facts = facts
        self.layers: Counter[str] = Counter()
        self.python: list[dict[str, Any]] = []
        self.path: list[str] = []
        self.frames: list[dict[str, str]] = [{}]
        self.name = ""
        self.valued = False
        self.line = 1
        self.counted = 0

    def take(self, piece: str, at: int) -> None:
        """One token that begins at ``at``."""
        if piece in {"{", "<"}:
            self.path.append(self.name)
            self.frames.append({})
            limit = self.facts.limits.nesting
            if len(self.path) > limit:
                raise LimitError("nesting", limit, "messages are nested too deeply")
            self.valued = False
        elif piece in {"}", ">"}:
            if not self.path:
                raise MalformedError("closes a message that was not opened", offset=at)
            self.close(self.path.pop(), self.frames.pop(), at)
            self.valued = False
        elif piece == ":":
            self.valued = True
        elif self.valued or piece[0] in "\"'":
            self.value(piece)
        else:
            self.name = piece

    def value(self, piece: str) -> None:
        """A value; texts that follow each other are one."""
        quoted = piece[0] in "\"'"
        value = _string(piece) if quoted else piece
        frame = self.frames[-1]
        if quoted and not self.valued:
            value = frame.get(self.name, "") + value
        frame[self.name] = value[:_KEPT]
        self.valued = piece == "["

    def close(self, kind: str, frame: dict[str, str], at: int) -> None:
        """A message ends: a layer, or what a layer calls."""
        if kind in {"layer", "layers"} and "type" in frame:
            self.layers[frame["type"]] += 1
        if kind == "python_param" and len(self.python) < self.facts.limits.records:
            self.line += self.text.count("\n", self.counted, at)
            self.counted = at
            texts = {key: printable(shorten(frame.get(key, ""), 200)) for key in ("module", "layer")}
            self.python.append({**texts, "line": self.line})

    def finish(self, end: int) -> None:
        if self.path:
            raise MalformedError("ends inside a message", offset=end)
        kinds = sorted(self.layers.items())[:5000]
        self.facts.note("layers", {printable(shorten(kind, 200)): count for kind, count in kinds})
        if self.python:
            self.facts.note("python_layers", self.python)


def _string(piece: str) -> str:
    def plain(match: re.Match[str]) -> str:
        escape = match[1]
        if escape[0] == "x":
            return chr(int(escape[1:], 16))
        if escape[0] in "01234567":
            return chr(int(escape, 8) & 255)
        return {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}.get(escape, escape)

    return _ESCAPE.sub(plain, piece[1:-1])
