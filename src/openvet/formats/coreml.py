"""Core ML models: ``.mlmodel``, alone or inside a package (``.mlpackage``).

A protocol buffer::

    1 specification version     2 description: inputs, outputs, metadata
    200 ... 3000 what the model is: one of neural networks, trees, pipelines of models, an ML program ...

A layer of a neural network may be custom code, which the application brings under a class name; a whole model may be that as
well, or may lie in another file (linked). The weights of an ML program lie in files beside it, which constants name by path and
offset (``@model_path/weights/weight.bin``, 64).

Specification: https://github.com/apple/coremltools/tree/main/mlmodel/format
"""

from __future__ import annotations

from collections import Counter
from functools import partial

from openvet.core.text import printable, shorten
from openvet.errors import LimitError, ReadError
from openvet.formats._format import Facts, Format, Head, Likeness, Member, Tensor
from openvet.formats._protobuf import Field, Walker, may_begin, probing, schema
from openvet.io.source import Source

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="coreml",
    title="Core ML model",
    extensions=(".mlmodel",),
    media_types=("application/x-coreml",),
    can_tell=(
        "every layer and operation, also of models inside pipelines",
        "code that the application has to bring, and models that lie in other files",
        "which bytes of which files are weights",
    ),
    cannot_tell=(
        "what the numbers do",
        "what custom code does",
        "data of Apple's own text models, which are handed on",
    ),
)

_RULE = "coreml/structure-lies"
_MODEL_TYPES = 200
_NAMES = 2_000
#: Characters that are kept of a text about the model.
_TOLD = 8_192
_PROBED = 64
_WEIGHTS = {"floatValue": ("F32", 4), "float16Value": ("F16", 2), "rawValue": ("U8", 1), "int8RawValue": ("I8", 1)}
_OPAQUE = {"SerializedModel": "model", "CoreMLModels-Gazetteer": "modelParameterData",
           "CoreMLModels-TextClassifier": "modelParameterData", "CoreMLModels-WordEmbedding": "modelParameterData",
           "CoreMLModels-WordTagger": "modelParameterData", "CustomModel-CustomModelParamValue": "bytesValue"}  # fmt: skip


def probe(head: Head) -> Likeness:
    """A version, a description, and one of the kinds of model, wherever they stand; fields that are unknown do not matter, up to a number."""
    if len(head.data) < 8 or not may_begin(head, 2):
        return Likeness.NO
    specs = schema("coreml")["Model"]
    walker = probing(head, schema("coreml"))
    seen: Counter[int] = Counter()
    unknown = 0
    broken = False
    try:
        for field in walker.fields(0, head.size):
            spec = specs.get(field.number)
            if spec is not None and spec.wire == field.wire:
                seen[field.number] += 1
                if field.number == 1 and not 1 <= field.value <= 100:
                    return Likeness.NO
            else:
                unknown += 1
            if unknown > _PROBED or seen.total() > _PROBED:
                break
    except ReadError:
        # a download that was cut short; what is left of it is too little to be sure without the name
        broken = head.suffix in FORMAT.extensions
    whole = seen[1] and seen[2] and unknown <= _PROBED and (broken or any(number >= _MODEL_TYPES for number in seen))
    return Likeness.STRONG if whole else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk every message of the model.

    Raises:
        MalformedError: a field breaks the wire format.
        LimitError: more layers, tensors or nesting than is followed.
    """
    reader = _Reader(source, facts)
    try:
        reader.walk()
    finally:
        reader.put()


class _Reader:
    """Walks the tree of messages without recursion and keeps what matters."""

    def __init__(self, source: Source, facts: Facts) -> None:
        self.source = source
        self.facts = facts
        self.walker = Walker(source, facts, schema("coreml"))
        self.types: Counter[str] = Counter()
        self.layers: Counter[str] = Counter()
        self.operations: Counter[str] = Counter()
        self.custom: dict[str, None] = {}
        self.linked: dict[str, None] = {}
        self.opsets: dict[str, None] = {}
        self.blobs: dict[str, set[int]] = {}
        #: what the maker says of the model under keys of their own
        self.told: dict[str, str] = {}
        self.key = ""

    def walk(self) -> None:
        limit = self.facts.limits.nesting
        waiting = [("Model", 0, self.source.size, 0)]
        while waiting:
            kind, at, end, depth = waiting.pop()
            if depth > limit:
                raise LimitError("nesting", limit, "messages are nested too deeply", offset=at)
            if kind == "MILSpec-Value-BlobFileValue":
                self.blob(at, end)
                continue
            if kind == "LinkedModelFile":
                self.link(at, end)
                continue
            model = 0
            inner = []
            for field in self.walker.message(kind, at, end):
                if kind == "Model":
                    model += field.number >= _MODEL_TYPES
                self.see(kind, field)
                if field.spec.type:
                    inner.append((field.spec.type, field.at, field.end, depth + 1))
            if model > 1:
                self.facts.anomaly(_RULE, f"is {model} kinds of model at once: readers differ in which one counts", at)
            waiting.extend(reversed(inner))

    def see(self, kind: str, field: Field) -> None:
        """Keep what one field says."""
        if kind == "WeightParams":
            self.weights(field)
        elif kind == "Model" and field.number >= _MODEL_TYPES:
            self.types[field.name] += 1
        elif kind == "Model" and field.number == 1:
            self.facts.metadata.setdefault("specification_version", field.value)
        elif kind == "NeuralNetworkLayer" and field.spec.type and field.number >= 100:
            self.layers[field.name] += 1
        elif kind == "MILSpec-Operation" and field.number == 1:
            self.operations[printable(self.walker.text(field, 200))] += 1
            if len(self.operations) > _NAMES:
                raise LimitError("records", _NAMES, "more operations than are read", offset=field.at)
        elif kind == "Metadata-UserDefinedEntry" and len(self.told) < _NAMES:
            text = printable(self.walker.text(field, _TOLD))
            self.key = text if field.name == "key" else self.key
            self.told |= {} if field.name == "key" else {self.key: text}
        elif field.name == "className" and len(self.custom) < _NAMES:
            self.custom[printable(self.walker.text(field, 200)) or "without a name"] = None
        elif kind == "MILSpec-Function" and field.name == "opset" and len(self.opsets) < _NAMES:
            self.opsets[printable(self.walker.text(field, 100))] = None
        elif _OPAQUE.get(kind) == field.name and field.size:
            window = partial(self.source.window, field.at, field.size)
            self.facts.add_members([Member(f"{field.name}-{field.at}", field.size, window, field.at)])

    def weights(self, field: Field) -> None:
        word, width = _WEIGHTS.get(field.name, ("", 0))
        if not word or not field.size or (field.name == "floatValue" and not field.packed):
            return
        tensors = self.facts.tensors
        if len(tensors) >= self.facts.limits.tensors:
            raise LimitError("tensors", self.facts.limits.tensors, "more weights than are listed", offset=field.at)
        tensors.append(Tensor(f"weights {len(tensors)}", word, (field.size // width,), field.at, field.size))

    def blob(self, at: int, end: int) -> None:
        """A constant in a file beside the model."""
        name, offset = "", 0
        for field in self.walker.message("MILSpec-Value-BlobFileValue", at, end):
            if field.name == "fileName":
                name = self.walker.text(field)
                blob_path(self.facts, name, field.at)
            else:
                offset = field.value
        if name in self.blobs or len(self.blobs) < _NAMES:
            self.blobs.setdefault(name, set()).add(offset)

    def link(self, at: int, end: int) -> None:
        """A model in another file: its name, and where it is looked for."""
        from openvet.formats._tf_program import is_outside

        for field in self.walker.message("LinkedModelFile", at, end):
            for part in self.walker.message(field.spec.type, field.at, field.end):
                if part.name != "defaultValue":
                    continue
                text = self.walker.text(part)
                shown = printable(shorten(text, 300))
                if field.name == "linkedModelFileName" and len(self.linked) < _NAMES:
                    self.linked[shown] = None
                paths = text.split(":") if field.name == "linkedModelSearchPath" and "://" not in text else [text]
                if any(is_outside(path) for path in paths):
                    message = f"takes another model from {shown}, which is not in its own folder"
                    self.facts.anomaly("coreml/outside-path", message, part.at, path=shown)

    def put(self) -> None:
        for key, counts in (("model_types", self.types), ("layers", self.layers), ("operations", self.operations)):
            if counts:
                self.facts.note(key, dict(sorted(counts.items())))
        for key, names in (("custom_code", self.custom), ("linked_models", self.linked), ("opsets", self.opsets)):
            if names:
                self.facts.note(key, list(names))
        if self.told:
            self.facts.note("user_defined", self.told)
        put_blobs(self.facts, self.blobs)
        self.walker.report(_RULE, "a Core ML model")


def blob_path(facts: Facts, name: str, at: int) -> None:
    """Say so where a file of weights is not in the model's own folder."""
    from openvet.formats._tf_program import is_outside

    inside = name.removeprefix("@model_path/")
    if not inside or is_outside(inside):
        shown = printable(shorten(name, 300))
        facts.anomaly(
            "coreml/outside-path", f"takes weights from {shown}, which is not in its own folder", at, path=shown
        )


def put_blobs(facts: Facts, blobs: dict[str, set[int]]) -> None:
    """Note which places of which files are weights, for the rule that looks there."""
    if blobs:
        facts.note(
            "blob_files", {printable(shorten(name, 300)): sorted(places)[:100_000] for name, places in blobs.items()}
        )
