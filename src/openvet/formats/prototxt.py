"""Caffe networks as text: ``.prototxt``.

Protocol buffers in their text form::

    name: "net"
    layer { name: "roi" type: "Python" python_param { module: "rpn.proposal" layer: "ProposalLayer" } }

A layer of the type ``Python`` names a module and a class, which Caffe imports and makes when it builds the network.

Specification: https://protobuf.dev/reference/protobuf/textformat-spec/ ; ``src/caffe/proto/caffe.proto``
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from openvet.core.pattern import pattern
from openvet.core.text import printable, shorten
from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.formats._protobuf_text import KEPT, Messages
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

#: Comments may stand between any two tokens.
_LAYER = pattern(
    rb"(?<![\w.])layers?(?:\s++|#[^\n]{0,200}+\n){0,9}+:?(?:\s++|#[^\n]{0,200}+\n){0,9}+\[?(?:\s++|#[^\n]{0,200}+\n){0,9}+[{<]"
)


def probe(head: Head) -> Likeness:
    """Text in which a layer is opened, by itself or in a list of them."""
    from openvet.formats._decode import is_text

    named = head.suffix in FORMAT.extensions
    return Likeness.WEAK if named and _LAYER.search(head.data) and is_text(head) else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk every token; keep the types of the layers and what they call.

    Raises:
        MalformedError: is no text of a protocol buffer.
        LimitError: longer or deeper than is read.
    """
    layers = _Layers(facts)
    layers.walk(source)
    layers.finish()


class _Layers(Messages):
    """The layers, with what their fields say so far."""

    def __init__(self, facts: Facts) -> None:
        super().__init__(facts)
        self.layers: Counter[str] = Counter()
        self.python: list[dict[str, Any]] = []
        self.frames: list[dict[str, str]] = [{}]
        self.line = 1
        self.counted = 0

    def opened(self) -> None:
        self.frames.append({})

    def value(self, text: str, *, more: bool) -> None:
        frame = self.frames[-1]
        frame[self.name] = (frame.get(self.name, "") + text)[:KEPT] if more else text

    def closed(self, kind: str, at: int) -> None:
        frame = self.frames.pop()
        if kind in {"layer", "layers"} and "type" in frame:
            self.layers[frame["type"]] += 1
        if kind == "python_param" and len(self.python) < self.facts.limits.records:
            self.line += self.text.count("\n", self.counted, at)
            self.counted = at
            texts = {key: printable(shorten(frame.get(key, ""), 200)) for key in ("module", "layer")}
            self.python.append({**texts, "line": self.line})

    def finish(self) -> None:
        """Note the kinds of layers, and what is called."""
        kinds = sorted(self.layers.items())[:5000]
        self.facts.note("layers", {printable(shorten(kind, 200)): count for kind, count in kinds})
        if self.python:
            self.facts.note("python_layers", self.python)
