"""Recipes of mergekit: which models went into a merge, with which weights and layers.

::

    merge_method: ties            models: / slices: / experts: / modules:, base_model:, tokenizer_source:
    models:
      - model: org/name           or org/name+org/lora, or {model: {path: org/name, revision: x}, lora: {path: y}}
        parameters: {weight: 0.5, density: 0.5}
    slices:
      - sources: [{model: org/name, layer_range: [0, 24]}]

Source: mergekit's ``config.py`` and ``common.py`` (``ModelReference``), https://github.com/arcee-ai/mergekit
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from openvet.core.location import Location
from openvet.lineage.graph import Graph

__all__ = ["read_merges"]

_MOST: Final = 1_000
_DEPTH: Final = 12


def read_merges(graph: Graph, place: str, document: Mapping[str, Any], plain: Callable[[Any], Any]) -> None:
    """Put every model of a recipe into the graph.

    Args:
        plain: makes a parameter of a value, or nothing.
    """
    method = plain(document.get("merge_method"))
    for found, (pointer, value) in enumerate(_models(document, "", 0)):
        if found >= _MOST:
            graph.problem(f"more than {_MOST} models are merged", Location(place, pointer=pointer))
            return
        entry, key = value
        names = list(_names(entry[key]))
        if not names:
            graph.problem("is no name of a model", Location(place, pointer=pointer))
        parameters = entry.get("parameters")
        held = parameters if isinstance(parameters, dict) else {}
        said = {
            "method": method,
            "weight": plain(held.get("weight")),
            "density": plain(held.get("density")),
            "layers": plain(entry.get("layer_range")),
        }
        for number, (name, revision) in enumerate(names):
            kind = "model" if number == 0 else "adapter"
            graph.edge(graph.node(name, kind, revision=revision), "merge", Location(place, pointer=pointer), said)
    for name, revision in _names(document.get("base_model")):
        origin = graph.node(name, revision=revision)
        graph.edge(
            origin,
            "merge" if method else "based-on",
            Location(place, pointer="/base_model"),
            {"method": method, "role": "base"},
        )
    source = document.get("tokenizer_source")
    if isinstance(source, str) and source not in {"base", "union"} and not source.startswith("model:"):
        graph.edge(graph.node(source), "tokenizer-of", Location(place, pointer="/tokenizer_source"))


def _models(value: Any, pointer: str, depth: int) -> Iterator[tuple[str, tuple[Mapping[str, Any], str]]]:
    """Every entry that names a model, wherever in the recipe it is."""
    if depth > _DEPTH:
        return
    if isinstance(value, dict):
        for key in ("model", "source_model"):
            if value.get(key) is not None:
                yield f"{pointer}/{key}", (value, key)
        for key in ("models", "slices", "sources", "experts", "modules", "shared_experts"):
            if key in value:
                yield from _models(value[key], f"{pointer}/{key}", depth + 1)
    elif isinstance(value, list):
        for at, each in enumerate(value[: _MOST + 1]):
            yield from _models(each, f"{pointer}/{at}", depth + 1)


def _names(value: Any) -> Iterator[tuple[str, str | None]]:
    """The model of a reference, then the adapter that was put on it."""
    if isinstance(value, str):
        for each in value.split("+"):
            path, _, version = each.strip().partition("@")
            if path:
                yield path, version or None
    elif isinstance(value, dict):
        inner = value.get("model", value)
        if isinstance(inner, dict) and isinstance(inner.get("path"), str) and inner["path"].strip():
            revision = inner.get("revision")
            yield inner["path"], revision if isinstance(revision, str) else None
        elif isinstance(inner, str):
            yield from _names(inner)
        lora = value.get("lora")
        if lora is not None and inner is not value:
            yield from _names(lora if isinstance(lora, str) else {"model": lora})
