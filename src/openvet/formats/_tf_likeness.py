"""Graphs of TensorFlow that another field than theirs stands in: loaders pass over it, and so must a probe.

What is left to tell them by is their inside: nodes with a name and an operation, or functions with a signature and such nodes. Fields
that the message does not have, also in front of all others, are passed over; one with another wire type is such a field.
"""

from __future__ import annotations

from openvet.core.pattern import pattern
from openvet.errors import ReadError
from openvet.formats._format import Head
from openvet.formats._protobuf import Field, Walker, may_begin, probing, schema

__all__ = ["graph_inside", "has_keras_objects"]

_OPERATION = pattern(r"[A-Za-z_][\w>./-]{0,199}")
_NAME = pattern(r"[A-Za-z0-9_.^][\w>./^:{}\[\]()-]{0,999}")
#: Fields that are looked through: as many may stand in front of what tells.
_LOOKED_THROUGH = 4096
_NODES = 3
_IDENTIFIER = b"_tf_keras_"


def graph_inside(head: Head, kind: str) -> bool:
    """Whether a message of this kind (``GraphDef``, ``MetaGraphDef``, ``SavedModel``) has a graph with nodes."""
    walker = probing(head, schema("tensorflow"))
    try:
        return {"GraphDef": _graph, "MetaGraphDef": _meta_graph, "SavedModel": _saved_model}[kind](walker, 0, head.size)
    except ReadError:
        return False


def _messages(walker: Walker, kind: str, at: int, end: int, name: str) -> list[Field]:
    """The first fields of this name, as many as are looked at."""
    found: list[Field] = []
    for field in walker.first(kind, at, end, _LOOKED_THROUGH):
        if field.name == name:
            found.append(field)
            if len(found) >= _NODES:
                break
    return found


def _graph(walker: Walker, at: int, end: int) -> bool:
    nodes = _messages(walker, "GraphDef", at, end, "node")
    if nodes:
        return all(_is_node(walker, node) for node in nodes)
    for library in _messages(walker, "GraphDef", at, end, "library")[:1]:
        functions = _messages(walker, "FunctionDefLibrary", library.at, library.end, "function")[:1]
        for function in functions:
            inner = _messages(walker, "FunctionDef", function.at, function.end, "node_def")
            return bool(inner) and all(_is_node(walker, node) for node in inner)
    return False


def _is_node(walker: Walker, node: Field) -> bool:
    texts = {
        part.name: walker.text(part, 1000)
        for part in walker.first("NodeDef", node.at, node.end, _LOOKED_THROUGH)
        if part.name in {"name", "op"}
    }
    return bool(_OPERATION.fullmatch(texts.get("op", "")) and _NAME.fullmatch(texts.get("name", "")))


def _meta_graph(walker: Walker, at: int, end: int) -> bool:
    return any(_graph(walker, each.at, each.end) for each in _messages(walker, "MetaGraphDef", at, end, "graph_def"))


def _saved_model(walker: Walker, at: int, end: int) -> bool:
    return any(
        _meta_graph(walker, each.at, each.end) for each in _messages(walker, "SavedModel", at, end, "meta_graphs")
    )


def has_keras_objects(head: Head) -> bool:
    """Whether a SavedMetadata has an object with an identifier of Keras."""
    if _IDENTIFIER not in head.data or not may_begin(head, 1):
        return False
    walker = probing(head, schema("tensorflow"))
    try:
        for node in _messages(walker, "SavedMetadata", 0, head.size, "nodes"):
            for part in walker.first("KerasSavedObject", node.at, node.end, _LOOKED_THROUGH):
                if part.name == "identifier" and walker.bytes(part.at, min(part.size, 10)) == _IDENTIFIER:
                    return True
    except ReadError:
        pass
    return False
