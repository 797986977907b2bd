"""ONNX Runtime's own form of a model: a FlatBuffer with the graph as the runtime keeps it.

::

    root offset[4], "ORTM", the buffer

Specification: ``onnxruntime/core/flatbuffers/schema/ort.fbs`` of ONNX Runtime.

A node names its operation by a domain and a type; what is not ONNX's or Microsoft's needs a library of custom code.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from openvet.errors import LimitError
from openvet.formats._format import Facts, Format, Head, Likeness, Tensor
from openvet.formats._trailing import account_for_rest
from openvet.io.source import Source

if TYPE_CHECKING:
    from openvet.formats._flatbuffers import Table, Walk

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="ort",
    title="ONNX Runtime model",
    extensions=(".ort",),
    media_types=(),
    can_tell=("every node with its domain and operation, also in the graphs inside nodes", "every initializer"),
    cannot_tell=("what a custom operation does", "what the numbers do"),
)

_NAMES = 2_000
#: Attributes of an EPContext node that name a file.
_PATHS = frozenset({"ep_cache_context", "onnx_model_filename"})


def probe(head: Head) -> Likeness:
    from openvet.formats._flatbuffers import has_identifier

    return Likeness.STRONG if has_identifier(head, b"ORTM") else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Verify the buffer, then take nodes and initializers of all graphs from it.

    Raises:
        MalformedError: an offset or a size leads out of the file.
        LimitError: more tables or tensors than are followed.
    """
    from openvet.formats._flatbuffers import Walk, schema

    walk = Walk(source, schema("ort"), facts)
    facts.note("version", walk.root.text("ort_version"))
    model = walk.root.table("model")
    if model is not None:
        facts.note("producer", f"{model.text('producer_name')} {model.text('producer_version')}".strip())
        graph = model.table("graph")
        if graph is not None:
            _graphs(graph, walk, facts)
    account_for_rest(source, facts, walk.end, "the model")


def _graphs(first: Table, walk: Walk, facts: Facts) -> None:
    used: Counter[str] = Counter()
    seen: set[int] = set()
    waiting = [first]
    while waiting:
        graph = waiting.pop()
        if graph.at in seen:
            continue
        seen.add(graph.at)
        for tensor in graph.items("initializers"):
            _tensor(tensor, walk, facts)
        for node in graph.items("nodes"):
            name = f"{node.text('domain') or 'ai.onnx'}:{node.text('op_type')}"
            used[name] += 1
            for attribute in node.items("attributes"):
                inner = attribute.table("g")
                waiting.extend(each for each in (inner, *attribute.items("graphs")) if each is not None)
                tensor_ = attribute.table("t")
                if tensor_ is not None:
                    _tensor(tensor_, walk, facts)
                if name == "com.microsoft:EPContext" and attribute.text("name") in _PATHS:
                    _context(node, attribute, facts)
    facts.note("operations", dict(sorted(used.items())[:_NAMES]))


def _context(node: Table, attribute: Table, facts: Facts) -> None:
    """A compiled model for one device: in the attribute, as where ``embed_mode`` is missing, unless that says that it is a path."""
    modes = [each.number("i") for each in node.items("attributes") if each.text("name") == "embed_mode"]
    text = attribute.text("s")
    outside = text.startswith(("/", "\\")) or text[1:2] == ":" or ".." in text.replace("\\", "/").split("/")
    embedded = modes[-1] == 1 if modes else not outside  # nobody's compiled model begins like a path that leads outside
    if attribute.text("name") == "ep_cache_context" and embedded:
        message = "a compiled model for one device is carried in the node"
        facts.anomaly("onnx/compiled-context", message, node.at, outside=False)
        facts.unknown("unsupported", f"{message}, which nothing here can read", node.at)
        return
    if not text:
        return
    where = "outside the model" if outside else "beside the model"
    message = f"a compiled model for one device is loaded from {text}, {where}"
    facts.anomaly("onnx/compiled-context", message, node.at, path=text, outside=outside)


def _tensor(tensor: Table, walk: Walk, facts: Facts) -> None:
    if len(facts.tensors) >= facts.limits.tensors:
        raise LimitError("tensors", facts.limits.tensors, "the model describes more tensors")
    types = walk.schema.enums["TensorDataType"]
    kind = tensor.number("data_type")
    dtype = types[kind] if 0 <= kind < len(types) else f"TYPE_{kind}"
    shape = tuple(max(extent, 0) for extent in tensor.numbers("dims", 64))
    start, count = tensor.vector("raw_data")
    facts.tensors.append(Tensor(tensor.text("name"), _DTYPES.get(dtype, dtype), shape, start if count else None, count))


_DTYPES = {
    "FLOAT": "F32", "UINT8": "U8", "INT8": "I8", "UINT16": "U16", "INT16": "I16", "INT32": "I32", "INT64": "I64",
    "FLOAT16": "F16", "DOUBLE": "F64", "UINT32": "U32", "UINT64": "U64", "BFLOAT16": "BF16",
}  # fmt: skip
