"""``keras_metadata.pb``: the settings of the Keras layers of a SavedModel, as JSON texts.

A protocol buffer::

    1 objects: 2 node, 3 path, 4 identifier, 5 metadata (JSON), 6 version

Keras builds the layers again from these texts; a Lambda layer carries Python bytecode in them. The texts are handed on as
one member, a list, in their order.

Reference: https://github.com/keras-team/tf-keras/blob/master/tf_keras/protobuf/saved_metadata.proto
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.formats._format import Facts, Format, Head, Likeness
from openvet.io.source import Source

__all__ = ["FORMAT", "probe", "read"]

FORMAT = Format(
    id="keras-metadata",
    title="Keras settings of a SavedModel",
    extensions=(".pb",),
    media_types=("application/x-protobuf",),
    can_tell=("the settings of every layer, and code that they carry",),
    cannot_tell=("what layers do whose classes are somewhere else",),
)

#: Places that begin like an object and are none, up to which objects are looked for.
_MOST_FAILED = 50


def probe(head: Head) -> Likeness:
    """Objects with an identifier of Keras; other fields, which loaders pass over, do not matter."""
    if b"_tf_keras_" in head.data:
        from openvet.formats._tf_likeness import has_keras_objects

        if has_keras_objects(head):
            return Likeness.STRONG
    named = head.name.rpartition("/")[2] == "keras_metadata.pb" and not head.data.lstrip().startswith((b"{", b"["))
    return Likeness.STRONG if named and b'"class_name"' in head.data else Likeness.NO


def read(source: Source, facts: Facts) -> None:
    """Walk the objects and hand their texts on.

    Raises:
        MalformedError: a field breaks the wire format.
        LimitError: more fields than are followed.
    """
    from openvet.formats._protobuf import Walker, schema
    from openvet.formats._tf_model import settings_member

    walker = Walker(source, facts, schema("tensorflow"))
    places: list[tuple[int, int]] = []
    try:
        for part in walker.message("SavedMetadata", 0, source.size):
            for inner in walker.message("KerasSavedObject", part.at, part.end):
                if inner.name == "metadata" and inner.size:
                    places.append((inner.at, inner.size))
                elif inner.spec.type:
                    walker.sweep(inner.spec.type, inner.at, inner.end)
    finally:
        if not places or walker.unknown:  # whatever reads such a file, its settings stand somewhere in it
            places = list(_texts(source, facts)) or places
        facts.note("objects", len(places))
        settings_member(facts, walker, places)
    walker.report("tensorflow/graph-lies", "the settings of Keras")


def _texts(source: Source, facts: Facts) -> Iterator[tuple[int, int]]:
    """Where objects of JSON stand in a file that is no message of Keras."""
    import json

    if source.size > facts.limits.text:
        return
    text = source.read(0, source.size).decode("latin-1")
    decoder = json.JSONDecoder()
    at = text.find('{"')
    failed = 0
    while at >= 0 and failed < _MOST_FAILED:
        facts.budget.check_time()
        try:
            _, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            end, failed = at + 2, failed + 1
        else:
            yield at, end - at
        at = text.find('{"', end)
