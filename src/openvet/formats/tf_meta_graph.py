"""TensorFlow meta graphs: the ``.meta`` file beside a checkpoint of the 1.x series.

One MetaGraphDef (:mod:`openvet.formats._tf_model`). ``tf.train.import_meta_graph`` builds its graph, and a session runs it.

Reference: https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/protobuf/meta_graph.proto
"""

from __future__ import annotations

from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.io.source import Source

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="tf-meta-graph",
    title="TensorFlow meta graph",
    extensions=(".meta", ".pb"),
    media_types=("application/x-protobuf",),
    can_tell=(
        "every operation, also of functions, and which files it is told to open",
        "collections, signatures, assets",
    ),
    cannot_tell=("what the numbers do", "names of files that are only known when the graph runs"),
)


def probe(head: Head) -> Likeness:
    """Meta information, then a graph; the first messages fit to two levels."""
    from openvet.formats._protobuf import looks_like, may_begin, schema
    from openvet.formats._tf_likeness import graph_inside
    from openvet.formats.tf_graph import is_graph

    if len(head.data) < 8 or not may_begin(head, 2):
        return Likeness.NO
    fits = head.data[:1] in {b"\x0a", b"\x12"}
    counts = looks_like(head, schema("tensorflow"), "MetaGraphDef") if fits else None
    plain = counts is not None and counts.get(2) == 1 and counts.get(1, 0) <= 1
    plain = plain and not graph_inside(head, "SavedModel")  # one without a version begins as this does
    return Likeness.STRONG if (plain or graph_inside(head, "MetaGraphDef")) and not is_graph(head) else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk the MetaGraphDef.

    Raises:
        MalformedError: a field breaks the wire format.
        LimitError: more nodes, tensors or nesting than is followed.
    """
    from openvet.formats._tf_graph import GraphReader
    from openvet.formats._tf_model import MetaGraphReader

    model = MetaGraphReader(GraphReader(source, facts))
    try:
        model.meta_graph(0, source.size)
    finally:
        model.finish()
