"""MetaGraphDefs: a graph with what belongs to it, in a SavedModel or a checkpoint's ``.meta`` file.

::

    1 meta information   2 graph   3 saver   4 collections   5 signatures   6 files of assets   7 objects

Names of assets are joined to a folder by the loader and must stay in it. Objects carry the settings of Keras layers as
JSON, which are handed on as one member.
"""

from __future__ import annotations

from openvet.core.text import printable, shorten
from openvet.formats._format import Facts, Member
from openvet.formats._protobuf import Field, Walker
from openvet.formats._tf_graph import GraphReader
from openvet.formats._tf_program import is_outside
from openvet.io.source import BytesSource

__all__ = ["MetaGraphReader", "settings_member"]

_ASSET_TYPE = b"type.googleapis.com/tensorflow.AssetFileDef"
_NAMES_KEPT = 50


class MetaGraphReader:
    """Reads the MetaGraphDefs of one file."""

    def __init__(self, reader: GraphReader) -> None:
        self.reader = reader
        self.walker: Walker = reader.walker
        self.facts: Facts = reader.facts
        self.settings: list[tuple[int, int]] = []
        self.signatures: list[str] = []
        self.tags: list[str] = []
        self.assets: list[str] = []

    def meta_graph(self, at: int, end: int) -> None:
        walker = self.walker
        for part in walker.message("MetaGraphDef", at, end):
            if part.name == "graph_def":
                self.reader.graph(part.at, part.end)
            elif part.name == "meta_info_def":
                self.information(part)
            elif part.name == "collection_def":
                self.collection(part)
            elif part.name == "signature_def":
                self.signature(part)
            elif part.name == "asset_file_def":
                self.asset(part.at, part.end)
            elif part.name == "object_graph_def":
                self.objects(part)
            elif part.spec.type:
                walker.sweep(part.spec.type, part.at, part.end)

    def information(self, whole: Field) -> None:
        for part in self.walker.message("MetaGraphDef-MetaInfoDef", whole.at, whole.end):
            if part.name == "tags" and len(self.tags) < _NAMES_KEPT:
                self.tags.append(printable(self.walker.text(part, 100)))
            elif part.name == "tensorflow_version":
                self.facts.note("tensorflow_version", self.walker.text(part, 100))
            elif part.spec.type:
                self.walker.sweep(part.spec.type, part.at, part.end)

    def signature(self, entry: Field) -> None:
        for part in self.walker.message("MetaGraphDef-SignatureDefEntry", entry.at, entry.end):
            if part.name == "key" and len(self.signatures) < _NAMES_KEPT:
                self.signatures.append(printable(self.walker.text(part, 200)))
            elif part.spec.type:
                self.walker.sweep(part.spec.type, part.at, part.end)

    def asset(self, at: int, end: int) -> None:
        """An AssetFileDef: the file's name must stay in the folder of assets."""
        for part in self.walker.message("AssetFileDef", at, end):
            if part.name == "filename":
                name = self.walker.text(part)
                shown = printable(shorten(name, 300))
                if len(self.assets) < _NAMES_KEPT:
                    self.assets.append(shown)
                if is_outside(name):
                    message = f"the asset {shown} is not in the model's own folder"
                    self.facts.anomaly("tensorflow/asset-path", message, part.tag_at, path=shown)
            elif part.name == "tensor_info":
                for inner in self.walker.message("TensorInfo", part.at, part.end):
                    if inner.name == "name":
                        self.reader.assets.add(self.walker.text(inner).partition(":")[0])
                    elif inner.spec.type:
                        self.walker.sweep(inner.spec.type, inner.at, inner.end)
            elif part.spec.type:
                self.walker.sweep(part.spec.type, part.at, part.end)

    def collection(self, entry: Field) -> None:
        """A collection: names of nodes, numbers, serialized messages. Assets of the 1.x series stand in one."""
        walker = self.walker
        for part in walker.message("MetaGraphDef-CollectionDefEntry", entry.at, entry.end):
            if part.name != "value":
                continue
            for inner in walker.message("CollectionDef", part.at, part.end):
                if inner.name != "any_list":
                    walker.sweep(inner.spec.type, inner.at, inner.end)
                    continue
                for each in walker.message("CollectionDef-AnyList", inner.at, inner.end):
                    self.any(each)

    def any(self, whole: Field) -> None:
        parts = list(self.walker.message("Any", whole.at, whole.end))
        urls = [self.walker.bytes(part.at, min(part.size, 200)) for part in parts if part.name == "type_url"]
        if _ASSET_TYPE in urls:
            for part in parts:
                if part.name == "value":
                    self.asset(part.at, part.end)

    def objects(self, whole: Field) -> None:
        """A SavedObjectGraph; the settings of its Keras objects are put aside."""
        walker = self.walker
        for part in walker.message("SavedObjectGraph", whole.at, whole.end):
            if part.name != "nodes":
                walker.sweep(part.spec.type, part.at, part.end)
                continue
            for inner in walker.message("SavedObject", part.at, part.end):
                if inner.name == "user_object":
                    for each in walker.message("SavedUserObject", inner.at, inner.end):
                        if each.name == "metadata" and each.size > 2:
                            self.settings.append((each.at, each.size))
                        elif each.spec.type:
                            walker.sweep(each.spec.type, each.at, each.end)
                elif inner.spec.type:
                    walker.sweep(inner.spec.type, inner.at, inner.end)

    def finish(self) -> None:
        """Put down the program and what belongs to it."""
        facts = self.facts
        facts.programs.append(self.reader.finish())
        for key, names in (("tags", self.tags), ("signatures", self.signatures), ("assets", self.assets)):
            if names:
                facts.note(key, sorted(set(names)))
        settings_member(facts, self.walker, self.settings)


def settings_member(facts: Facts, walker: Walker, places: list[tuple[int, int]]) -> None:
    """Hand the JSON texts at ``places`` on as one list, so that the rules for JSON and Keras see them."""
    total = 0
    texts: list[bytes] = []
    for at, size in places:
        total += size + 2
        if total > facts.limits.text:
            facts.unknown("limit", "the settings of the Keras layers are longer than is read", at)
            break
        texts.append(walker.bytes(at, size))
    if texts:
        data = b"[" + b",\n".join(texts) + b"]"
        facts.add_members([Member("keras_metadata.json", len(data), lambda: BytesSource(data), places[0][0])])
