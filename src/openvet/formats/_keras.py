"""Configurations of Keras inside JSON and YAML texts: recognising one, and handing on what it carries.

An object of Keras is a map with ``class_name`` and ``config``, and since Keras 3 with ``module`` and ``registered_name``.
A text holds base64 where an object is not text: a pickled torch module (``TorchModuleWrapper``), marshalled bytecode of a
Lambda. Pickles are handed on as members; bytecode is what ``checks/keras`` reports.

Reference: ``keras/src/saving/serialization_lib.py`` of Keras.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial
from typing import Any

from openvet.core.location import below
from openvet.core.tables import read_table
from openvet.formats._format import Facts, Head, Likeness, Member
from openvet.io.source import BytesSource

__all__ = ["decoded", "is_object", "known", "look", "objects"]

#: Values looked at in one document; the readers keep fewer.
_MOST = 2_000_000
#: Base64 of the first bytes of pickles (a protocol; without one a name or a mark) and of zips.
_PICKLED = ("gA", "Y0", "Y1", "Y2", "Y3", "KG", "UEsDB")
_SHORTEST = 12
#: Keys under which an object of Keras may be written as a text, how many of them are read, and keys of a map that has them.
_WRITTEN = frozenset(
    {
        "config",
        "model_config",
        "layer_config",
        "architecture",
        "metadata",
        "keras_config",
        "model",
        "json",
        "model_json",
    }
)
_MOST_WRITTEN = 100
_FEW = 500


@cache
def known() -> dict[str, Any]:
    """``data/keras.toml``."""
    return read_table("keras")


@cache
def names() -> frozenset[str]:
    """Every class by which an object is taken for one of Keras, also without its module."""
    data = known()
    mine = {"Lambda", "TFSMLayer", "TorchModuleWrapper", "__lambda__"}
    return frozenset({*data["classes"], *data["legacy"], *data["words"], *mine})


def is_object(value: Any) -> bool:
    """Whether ``value`` has the shape in which Keras writes an object."""
    return isinstance(value, dict) and isinstance(value.get("class_name"), str) and (
        "config" in value or "spec_name" in value
    )  # fmt: skip


def objects(document: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every map of a document with its JSON pointer, the outer ones first."""
    stack: list[tuple[str, Any]] = [("", document)]
    seen = 0
    while stack:
        pointer, value = stack.pop()
        seen += 1
        if seen > _MOST:
            return
        if isinstance(value, dict):
            yield pointer, value
            inner = [(str(key), child) for key, child in value.items() if isinstance(child, dict | list)]
        else:
            inner = [(str(index), child) for index, child in enumerate(value) if isinstance(child, dict | list)]
        for key, child in reversed(inner):
            stack.append((below(pointer, key), child))


def look(facts: Facts) -> None:
    """Note whether the document just read is a configuration of Keras, and hand on the pickles that it carries."""
    if not isinstance(facts.document, dict | list):
        return
    told = False
    written = 0
    for pointer, each in objects(facts.document):
        told = told or (is_object(each) and _tells(each))
        for key in _WRITTEN & each.keys() if len(each) <= _FEW else ():
            text = each[key]
            if (
                isinstance(text, str)
                and text.lstrip()[:1] in ("{", "[")
                and '"class_name"' in text
                and written < _MOST_WRITTEN
            ):
                written += 1
                data = text.encode("utf-8", "surrogatepass")
                name = below(pointer, key).strip("/").replace("/", ".")[-200:]
                facts.add_members([Member(f"written/{name}.json", len(data), partial(BytesSource, data))])
    if not told:
        return
    facts.note("keras", True)
    wrapped: Any = None
    for pointer, each in objects(facts.document):
        if each.get("class_name") == "TorchModuleWrapper" and isinstance(each.get("config"), dict):
            wrapped = each["config"]
        for key, value in each.items():
            texts = value if isinstance(value, list) else (value,)
            for index, text in enumerate(texts[:1000]):
                if isinstance(text, str) and len(text) >= _SHORTEST:
                    where = below(pointer, key) + (f"/{index}" if isinstance(value, list) else "")
                    if key == "module" and each is wrapped:
                        _hand_on(facts, where, text, always=True)
                    elif text.lstrip().startswith(_PICKLED):
                        _hand_on(facts, where, text)


def _tells(value: dict[str, Any]) -> bool:
    """Whether an object is without doubt one of Keras: by its class, by its module, or by its layers."""
    inner = value.get("config")
    return (
        value["class_name"].rpartition(">")[2] in names()
        or "registered_name" in value
        or isinstance(value.get("module"), str)
        or (isinstance(inner, dict) and isinstance(inner.get("layers"), list))
    )


def _hand_on(facts: Facts, where: str, text: str, *, always: bool = False) -> None:
    from openvet.formats import pickle as pickle_format

    data = decoded(text)
    if data is None:
        return
    source = BytesSource(data)
    if always or data.startswith(b"PK\x03\x04") or pickle_format.probe(Head("module", source)) is not Likeness.NO:
        name = where.strip("/").replace("/", ".")[-200:]
        facts.add_members([Member(f"base64/{name}", len(data), lambda: BytesSource(data))])


def decoded(text: str) -> bytes | None:
    """The bytes of a base64 text, with the line ends that Python's own encoder puts in; ``None`` where it is none."""
    import base64
    import binascii

    try:
        return base64.b64decode(text.encode("ascii"))
    except (UnicodeEncodeError, binascii.Error, ValueError):
        return None
