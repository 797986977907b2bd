"""TensorFlow SavedModels: ``saved_model.pb``, the graph of a model in a folder with its variables and assets.

A protocol buffer::

    1 schema version (1)     2 MetaGraphDefs, one for each set of tags (``serve``, ``train``, ``tpu``)

Loading restores the variables, runs the initialisers and makes every function callable; the operations run in the process
of the loader with its rights. The folder's other files are read as what they are: ``variables/variables.index``, the shards
that it describes, ``keras_metadata.pb``, ``fingerprint.pb``, ``assets/``.

Reference: https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/protobuf/saved_model.proto
"""

from __future__ import annotations

from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.io.source import Source

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="tf-saved-model",
    title="TensorFlow SavedModel graph",
    extensions=(".pb",),
    media_types=("application/x-protobuf",),
    can_tell=(
        "every operation, also of functions and of graphs inside constants, and which files it is told to open",
        "signatures, tags and the names of assets",
        "the settings of Keras layers, and code that they carry",
    ),
    cannot_tell=("what the numbers do", "names of files that are only known when the graph runs"),
)


def probe(head: Head) -> Likeness:
    """A schema version and MetaGraphDefs, in any order; where another field stands among them, a graph that has nodes."""
    from openvet.formats._protobuf import looks_like, may_begin, schema
    from openvet.formats._tf_likeness import graph_inside

    if not may_begin(head, 2):
        return Likeness.NO
    fits = head.data[:1] in {b"\x08", b"\x12"}
    counts = looks_like(head, schema("tensorflow"), "SavedModel") if fits else None
    if counts is not None and counts.get(2):
        told = counts.get(1) == 1 or graph_inside(head, "SavedModel")
        return Likeness.STRONG if told else Likeness.WEAK
    return Likeness.STRONG if graph_inside(head, "SavedModel") else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk every MetaGraphDef.

    Raises:
        MalformedError: a field breaks the wire format.
        LimitError: more nodes, tensors or nesting than is followed.
    """
    from openvet.formats._tf_graph import GraphReader
    from openvet.formats._tf_model import MetaGraphReader

    reader = GraphReader(source, facts)
    model = MetaGraphReader(reader)
    try:
        for part in reader.walker.message("SavedModel", 0, source.size):
            if part.name == "meta_graphs":
                model.meta_graph(part.at, part.end)
            else:
                facts.note("schema_version", part.value)
    finally:
        model.finish()
