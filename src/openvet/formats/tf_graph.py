"""TensorFlow graphs: a GraphDef in a file of its own (``frozen_inference_graph.pb``).

A protocol buffer::

    1 nodes (1 name, 2 operation, 3 inputs, 4 device, 5 attributes)   2 library of functions   3, 4 versions   5 origins

The weights of a frozen graph are its constants.

Reference: https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/framework/graph.proto
"""

from __future__ import annotations

from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.io.source import Source

__all__ = ["FORMAT", "is_graph", "probe", "read"]

FORMAT = Format(
    id="tf-graph",
    title="TensorFlow graph",
    extensions=(".pb",),
    media_types=("application/x-protobuf",),
    can_tell=(
        "every operation, also of functions and of graphs inside constants, and which files it is told to open",
        "constants with their name, type, shape and place",
    ),
    cannot_tell=("what the numbers do", "names of files that are only known when the graph runs"),
)


def probe(head: Head) -> Likeness:
    """STRONG where the first fields are those of a graph with a node whose operation is a name."""
    return Likeness.STRONG if is_graph(head) else Likeness.NO


def is_graph(head: Head) -> bool:
    """Whether the first messages are those of a GraphDef that has a node."""
    from openvet.formats._protobuf import looks_like, may_begin, schema
    from openvet.formats._tf_likeness import graph_inside

    if len(head.data) < 6 or not may_begin(head, 1, 2):
        return False
    fits = head.data[0] in {0x0A, 0x12, 0x18, 0x22}
    counts = looks_like(head, schema("tensorflow"), "GraphDef") if fits else None
    if counts is not None:
        return bool(counts.get(1) or counts.get(2)) and _has_operation(head)
    return graph_inside(head, "GraphDef")


def _has_operation(head: Head) -> bool:
    """Whether the first node has an operation, or the first function a signature."""
    import re

    from openvet.errors import ReadError
    from openvet.formats._protobuf import probing, schema

    walker = probing(head, schema("tensorflow"))
    try:
        for part in walker.message("GraphDef", 0, head.size):
            if part.name == "node":
                ops = [each for each in walker.message("NodeDef", part.at, part.end) if each.name == "op"]
                return any(re.fullmatch(r"[A-Za-z_][\w>./-]*", walker.text(each, 200)) for each in ops)
            if part.name == "library":
                return any(each.name == "function" for each in walker.message("FunctionDefLibrary", part.at, part.end))
    except ReadError:
        pass
    return False


def read(source: Source, facts: Facts) -> None:
    """Walk the graph.

    Raises:
        MalformedError: a field breaks the wire format.
        LimitError: more nodes, tensors or nesting than is followed.
    """
    from openvet.formats._tf_graph import GraphReader

    reader = GraphReader(source, facts)
    try:
        reader.graph(0, source.size)
    finally:
        facts.programs.append(reader.finish())
