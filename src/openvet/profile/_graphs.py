"""Models that are a graph and have no configuration of ours: ONNX, TensorFlow Lite, Keras. What their readers recorded, as facts.

Nothing is read here: the readers counted operations and tensors when they walked the file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from openvet.core.text import printable, shorten
from openvet.inventory.component import Component
from openvet.inventory.weights import NOT_PARAMETERS
from openvet.profile._say import Facts

__all__ = ["GRAPHS", "graph_facts", "keras_config", "keras_facts"]

#: Formats whose graph stands in the file with its weights.
GRAPHS = frozenset({"onnx", "ort", "tflite"})
#: Kinds of operations, layers and inputs that are listed; how many more there are is told.
_LISTED = 40
#: Where Keras keeps what only training needs.
_OPTIMIZER = ("optimizer/", "/optimizer/", "optimizer_weights/", "/optimizer_weights/")


def graph_facts(facts: Facts, component: Component, missing: list[str]) -> None:
    """The facts about the graph of ``component``; what it does not say is put into ``missing``."""
    keys = component.metadata
    facts.derived("kind", "graph", [component])
    if component.format == "ort":
        missing.append("operations, inputs and outputs of an ORT file are not listed")
        return
    version = keys.get("version") if component.format == "tflite" else keys.get("ir_version")
    facts.declared("format version", version, component, "")
    facts.declared("producer", keys.get("producer"), component, "")
    facts.declared("description", keys.get("description"), component, "")
    opsets = keys.get("opsets")
    if isinstance(opsets, Mapping):
        facts.declared("operator sets", dict(opsets), component, "")
    _operations(facts, component)
    weights = {each.name for each in component.tensors}
    for name in ("inputs", "outputs"):
        values = keys.get(name)
        shown = [_value(each) for each in values if each.get("name") not in weights] if isinstance(values, list) else []
        facts.derived(f"graph {name}", shown[:_LISTED], [component])
        if not shown:
            missing.append(f"the {name} of the graph are not declared")
    outside = keys.get("external_data") or keys.get("external_files")
    if isinstance(outside, list):
        facts.declared("weights in other files", outside[:_LISTED], component, "")
    missing.append("what a graph costs is not computed: its operations have no formula here")


def _operations(facts: Facts, component: Component) -> None:
    """How often each kind of operation stands in the graphs, the most frequent first."""
    keys = component.metadata
    counted: Counter[str] = Counter()
    if component.format == "tflite":
        for group, names in (keys.get("operators") or {}).items():
            for name, count in names.items():
                counted[name if group == "builtin" else f"{group}: {name}"] = count
    else:
        for name, count in (keys.get("operations") or {}).items():
            counted[str(name).removeprefix("ai.onnx:")] = count
    facts.derived("operations", sum(counted.values()) or None, [component])
    facts.derived("kinds of operations", dict(counted.most_common(_LISTED)), [component])
    if len(counted) > _LISTED:
        facts.derived("further kinds of operations", len(counted) - _LISTED, [component])


def _value(value: Mapping[str, Any]) -> str:
    shape = value.get("shape")
    extents = "" if shape is None else f" [{', '.join(str(each) for each in shape)}]"
    return f"{value.get('name', '')} {value.get('dtype', '')}{extents}".strip()


def keras_config(components: Sequence[Component], config: Component | None) -> Component | None:
    """The document that describes a Keras model: its ``config.json``, or the attribute of its HDF5 file."""
    if config is not None and _is_model(config):
        return config
    for component in components:
        for child in component.children:
            if child.basename == "model_config.json" and _is_model(child):
                return child
    return None


def _is_model(component: Component) -> bool:
    document = component.document
    return isinstance(document, dict) and isinstance(document.get("class_name"), str) and "model_type" not in document


def keras_facts(facts: Facts, document: Component, components: Sequence[Component], missing: list[str]) -> None:
    """The facts about a Keras model whose configuration is ``document`` and whose weights are ``components``."""
    facts.declared("family", "keras", document, "")
    facts.derived("kind", "graph", [document])
    facts.declared("class", document.document.get("class_name"), document, "/class_name")
    inner = document.document.get("config")
    inner = inner if isinstance(inner, dict) else {}
    facts.declared("name", inner.get("name"), document, "/config/name")
    layers = list(_layers(inner))
    facts.declared("layers", len(layers) or None, document, "/config/layers")
    facts.declared("kinds of layers", dict(Counter(layers).most_common(_LISTED)), document, "/config/layers")
    for component in components:
        version = component.metadata.get("keras_version")
        facts.declared("framework version", version, component, "keras_version")
    optimizer = [each for part in components for each in part.tensors if each.name.startswith(_OPTIMIZER)]
    if optimizer:
        held = [each for part in components for each in part.tensors if not each.name.startswith(_OPTIMIZER)]
        for name, tensors in (("parameters", held), ("optimizer elements", optimizer)):
            kept = sum(each.elements for each in tensors if each.dtype not in NOT_PARAMETERS)
            facts.derived(name, kept, components)
    missing.append("the layers of Keras are counted and not drawn: parameters are those of the file alone")


def _layers(config: Mapping[str, Any], most: int = 100_000) -> Iterator[str]:
    """The class of every layer, also of models inside of models; wrappers and what they wrap count once each."""
    stack: list[Any] = [config]
    while stack and most > 0:
        layers = stack.pop().get("layers")
        for each in layers if isinstance(layers, list) else []:
            most -= 1
            if not isinstance(each, dict) or not isinstance(each.get("class_name"), str):
                continue
            inside = each.get("config")
            if isinstance(inside, dict) and isinstance(inside.get("layers"), list):
                stack.append(inside)
            else:
                yield printable(shorten(each["class_name"], 100))
