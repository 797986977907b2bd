"""Caffe networks with their weights: ``.caffemodel``.

A protocol buffer (NetParameter)::

    1 name     3 4 8 inputs     100 layers: name 1, type 2, blobs 7, parameters by kind     2 layers of the years before 2015

A layer of the type ``Python`` names a module and a class, which Caffe imports and makes when it builds the network.

Specification: ``src/caffe/proto/caffe.proto`` of https://github.com/BVLC/caffe
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from openvet.core.text import printable, shorten
from openvet.errors import LimitError, ReadError
from openvet.formats._format import Facts, Format, Head, Likeness, Tensor
from openvet.formats._protobuf import Field, Walker, probing, schema
from openvet.io.source import Source

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="caffe",
    title="Caffe network",
    extensions=(".caffemodel", ".binaryproto"),
    media_types=(),
    can_tell=("every layer with its type and its weights", "classes of Python that layers name"),
    cannot_tell=("what the numbers do", "parameters of layers that only a fork of Caffe has"),
)

_RULE = "caffe/structure-lies"
_NAMES = 5_000
#: Fields that are looked through for a layer.
_LOOKED_THROUGH = 4096


def probe(head: Head) -> Likeness:
    """Layers with a name and a type; where other fields stand among them, texts that can be a name and a type."""
    from openvet.formats._protobuf import looks_like, may_begin

    if head.size < 8 or not may_begin(head, 2, 100):
        return Likeness.NO

    if head.data[:1] not in {b"\x0a", b"\x12", b"\x1a", b"\x22", b"\xa2"}:
        return Likeness.STRONG if _has_layer(head) else Likeness.NO
    counts = looks_like(head, schema("caffe"), "NetParameter", depth=0)
    if counts is None:
        return Likeness.STRONG if _has_layer(head) else Likeness.NO
    if counts.get(1, 0) > 1 or not (counts.get(100) or counts.get(2)):
        return Likeness.NO
    number = 100 if counts.get(100) else 2
    walker = probing(head, schema("caffe"))
    layer = next(field for field in walker.message("NetParameter", 0, head.size) if field.number == number)
    seen = {field.number: field.wire for field in walker.message(layer.spec.type, layer.at, layer.end)}
    typed = seen.get(1) == 2 and seen.get(2) == 2 if number == 100 else seen.get(4) == 2 and seen.get(5) == 0
    return Likeness.STRONG if typed else Likeness.NO


def _has_layer(head: Head) -> bool:
    """Whether the first layer has a name and a type, and a connection or weights, whatever stands around it."""
    walker = probing(head, schema("caffe"))
    try:
        for field in walker.first("NetParameter", 0, head.size, _LOOKED_THROUGH):
            if field.name == "layer":
                inside = walker.first(field.spec.type, field.at, field.end, _LOOKED_THROUGH)
                parts = {each.name: each for each in inside}
                texts = [walker.text(parts[name], 200) if name in parts else "" for name in ("name", "type")]
                linked = {"bottom", "top", "blobs"} & parts.keys()
                return bool(linked and texts[0].isprintable() and texts[0] and re.fullmatch(r"[A-Z]\w*", texts[1]))
    except ReadError:
        pass
    return False


def read(source: Source, facts: Facts) -> None:
    """Walk every layer.

    Raises:
        MalformedError: a field breaks the wire format.
        LimitError: more kinds of layers or weights than are read.
    """
    reader = _Reader(source, facts)
    try:
        reader.walk()
    finally:
        reader.put()


class _Reader:
    def __init__(self, source: Source, facts: Facts) -> None:
        self.source = source
        self.facts = facts
        self.walker = Walker(source, facts, schema("caffe"))
        self.layers: Counter[str] = Counter()
        self.python: list[dict[str, Any]] = []

    def walk(self) -> None:
        for field in self.walker.message("NetParameter", 0, self.source.size):
            if field.name in {"layer", "layers"}:
                self.layer(field)
            elif field.name == "name":
                self.facts.metadata.setdefault("name", printable(self.walker.text(field, 200)))
            elif field.spec.type:
                self.walker.sweep(field.spec.type, field.at, field.end)

    def layer(self, whole: Field) -> None:
        name = ""
        blobs: list[Field] = []
        for field in self.walker.message(whole.spec.type, whole.at, whole.end):
            if field.name == "type":
                kind = printable(self.walker.text(field, 200)) if field.wire == 2 else f"number {field.value}"
                self.layers[kind] += 1
                if len(self.layers) > _NAMES:
                    raise LimitError("records", _NAMES, "more kinds of layers than are read", offset=whole.at)
            elif field.name == "name":
                name = printable(shorten(self.walker.text(field, 400), 200))
            elif field.name == "blobs":
                blobs.append(field)
            elif field.name == "python_param":
                self.call(field)
            elif field.spec.type:
                self.walker.sweep(field.spec.type, field.at, field.end)
        for index, blob in enumerate(blobs):
            self.blob(blob, f"{name}.{index}")

    def call(self, whole: Field) -> None:
        """A class of Python."""
        parts = {field.name: field for field in self.walker.message("PythonParameter", whole.at, whole.end)}
        texts: dict[str, Any] = {
            key: printable(self.walker.text(parts[key], 200)) for key in ("module", "layer") if key in parts
        }
        if len(self.python) < self.facts.limits.records:
            self.python.append({"module": "", "layer": "", **texts, "offset": whole.tag_at})

    def blob(self, whole: Field, name: str) -> None:
        """The weights of one blob; every writer packs them."""
        for field in self.walker.message("BlobProto", whole.at, whole.end):
            if field.name in {"data", "double_data"} and field.packed:
                width = 4 if field.name == "data" else 8
                if len(self.facts.tensors) >= self.facts.limits.tensors:
                    raise LimitError(
                        "tensors", self.facts.limits.tensors, "more weights than are listed", offset=whole.at
                    )
                shape = (field.size // width,)
                self.facts.tensors.append(Tensor(name, "F32" if width == 4 else "F64", shape, field.at, field.size))
            elif field.spec.type:
                self.walker.sweep(field.spec.type, field.at, field.end)

    def put(self) -> None:
        self.facts.note("layers", dict(sorted(self.layers.items())))
        if self.python:
            self.facts.note("python_layers", self.python)
        self.walker.report(_RULE, "a network of Caffe")
