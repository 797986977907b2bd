"""What the model is, in a few facts, each with its basis and its source.

``parameters`` counts the elements of floating-point, quantized and 8-bit integer tensors; counters, masks and position
tables of wider integers are left out, and one tensor under several names counts once. Where the same weights are there in several formats, one format is counted and named.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openvet.core.coverage import Coverage
from openvet.core.location import Location
from openvet.core.text import printable
from openvet.evidence.predicates.inventory_v1 import Fact
from openvet.inventory.component import Component, Inventory
from openvet.inventory.weights import NOT_PARAMETERS, ONE_FILE, WEIGHTS, total, weights

__all__ = ["summarise"]

_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "spiece.model", "vocab.json", "vocab.txt", "merges.txt")
_NAMES = ("config.json", "model_index.json", "readme.md", "tokenizer_config.json", *_TOKENIZERS)
_LONGEST = 200


def summarise(inventory: Inventory) -> tuple[Fact, ...]:
    """The facts, in a fixed order; what the files do not say is left out."""
    facts = [
        *_from_config(inventory),
        *_from_gguf(inventory),
        *_from_card(inventory),
        *_from_weights(inventory),
        *_tokenizer(inventory),
        *_totals(inventory),
    ]
    seen: set[str] = set()
    out = []
    for fact in facts:  # the first source that states a fact wins; config.json comes before everything else
        if fact.name not in seen:
            seen.add(fact.name)
            out.append(fact)
    return tuple(out)


def _text(value: Any) -> str | None:
    return printable(value)[:_LONGEST] if isinstance(value, str) and value else None


def _declared(name: str, value: Any, component: Component, pointer: str) -> Iterator[Fact]:
    if isinstance(value, list):
        value = [text for text in map(_text, value[:20]) if text]
    elif not isinstance(value, int | float):
        value = _text(value)
    if isinstance(value, float):
        value = str(value)
    if value not in (None, []):
        yield Fact(name, value, "declared", (Location(component.place, pointer=pointer),))


def _from_config(inventory: Inventory) -> Iterator[Fact]:
    for component in _named(inventory, "config.json", "model_index.json"):
        document = component.document
        if not isinstance(document, dict):
            continue
        yield from _declared("family", document.get("model_type"), component, "/model_type")
        yield from _declared("architecture", document.get("architectures"), component, "/architectures")
        yield from _declared("family", document.get("_class_name"), component, "/_class_name")
        for key in ("torch_dtype", "dtype"):
            yield from _declared("declared dtype", document.get(key), component, f"/{key}")


def _from_gguf(inventory: Inventory) -> Iterator[Fact]:
    for component in inventory.walk():
        if component.format == "gguf":
            keys = component.metadata
            yield from _declared("family", keys.get("general.architecture"), component, "general.architecture")
            yield from _declared("name", keys.get("general.name"), component, "general.name")
            yield from _declared("license", keys.get("general.license"), component, "general.license")


def _from_card(inventory: Inventory) -> Iterator[Fact]:
    for component in _named(inventory, "readme.md"):
        if isinstance(component.document, dict):
            for name, key in (
                ("license", "license"),
                ("base model", "base_model"),
                ("task", "pipeline_tag"),
                ("library", "library_name"),
            ):
                yield from _declared(name, component.document.get(key), component, f"/{key}")


def _named(inventory: Inventory, *names: str) -> Iterator[Component]:
    """Files with these base names (compared in lower case), those nearest the top first."""
    by_name = inventory.once(_by_name)
    found = [each for name in names for each in by_name[name]]
    yield from sorted(found, key=lambda each: (each.place.count("/"), each.place))


def _by_name(inventory: Inventory) -> dict[str, list[Component]]:
    """What has a name that says something, by that name in lower case; raw storage has none."""
    out: dict[str, list[Component]] = {name: [] for name in _NAMES}
    for component in inventory.walk():
        if component.role is None and (name := component.basename.lower()) in out:
            out[name].append(component)
    return out


def _from_weights(inventory: Inventory) -> Iterator[Fact]:
    groups = inventory.once(weights)
    for name in WEIGHTS:
        components = groups.get(name)
        if not components or (len(components) > 1 and name in ONE_FILE):
            continue
        if name == "gguf":
            components = _one_gguf(components)
        counted = total(inventory, components)
        parameters = sum(each.elements for dtype, each in counted.items() if dtype not in NOT_PARAMETERS)
        dtypes = {dtype: each.tensors for dtype, each in counted.items()}
        sources = tuple(Location(each.place) for each in components[:20])
        # a number beyond 2**53 is written as text, since not every JSON reader carries it (canonical.py)
        yield Fact("parameters", parameters if parameters <= 2**53 else str(parameters), "derived", sources)
        yield Fact("dtypes", dtypes, "derived", sources)
        yield Fact("tensors", sum(len(each.tensors) for each in components), "derived", sources)
        yield Fact("weights format", name, "derived", sources)
        return


def _one_gguf(components: list[Component]) -> list[Component]:
    """All parts of a split model, or the largest file: each whole GGUF file is a model of its own."""
    parts = [each for each in components if each.metadata.get("split.count", 1) not in (0, 1)]
    return parts or [max(components, key=lambda each: (each.size, each.place))]


def _tokenizer(inventory: Inventory) -> Iterator[Fact]:
    files = [name for name in _TOKENIZERS if next(_named(inventory, name), None) is not None]
    for component in _named(inventory, "tokenizer_config.json"):
        if isinstance(component.document, dict):
            yield from _declared("tokenizer", component.document.get("tokenizer_class"), component, "/tokenizer_class")
    for component in inventory.walk():
        if component.format == "gguf":
            yield from _declared(
                "tokenizer", component.metadata.get("tokenizer.ggml.model"), component, "tokenizer.ggml.model"
            )
    if files:
        yield Fact("tokenizer", files[0], "derived")


def _totals(inventory: Inventory) -> Iterator[Fact]:
    formats: dict[str, int] = {}
    for component in inventory.files:
        key = component.format or "unknown"
        if key != "link":
            formats[key] = formats.get(key, 0) + 1
    yield Fact("formats", dict(sorted(formats.items(), key=lambda item: (-item[1], item[0]))), "derived")
    yield Fact("files", len(inventory.files), "derived")
    yield Fact("bytes", sum(each.size for each in inventory.files), "derived")
    unread = sum(1 for each in inventory.walk() if each.coverage in {Coverage.PARTIAL, Coverage.UNREAD})
    yield Fact("not read", unread, "derived")
