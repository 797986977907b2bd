"""The lineage that a model's files declare: the card, configurations, adapters' settings, keys of GGUF and safetensors, recipes of merges.

Nothing is concluded from names that look alike, and nothing is looked up. What is read, and where it comes from:

* the card's ``base_model``, ``base_model_relation``, ``datasets`` and ``model-index`` (hub documentation, "Model Cards");
* ``_name_or_path`` of ``config.json`` and ``name_or_path`` of ``tokenizer_config.json`` (transformers writes what it loaded);
* ``base_model_name_or_path`` of ``adapter_config.json`` (PEFT);
* ``general.base_model.*``, ``general.source.*`` and ``general.dataset.*`` (llama.cpp, ``gguf-py/gguf/constants.py``);
* ``mergekit_config.yml`` (mergekit, ``docs/merge_methods.md``), ``axolotl_config.yaml`` and the like;
* ``modelspec.*``, ``ss_*`` and ``sd_merge_*`` of safetensors' metadata (Stability-AI/ModelSpec; kohya-ss/sd-scripts; AUTOMATIC1111).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from openvet.core.location import Location, below
from openvet.core.text import printable, shorten
from openvet.evidence.predicates.card_v1 import CardV1
from openvet.evidence.predicates.lineage_v1 import LineageV1
from openvet.evidence.predicates.tool import Tool
from openvet.inventory.component import Component, Inventory
from openvet.lineage.graph import Graph
from openvet.lineage.merges import read_merges

__all__ = ["declare"]

_RELATIONS: Final = ("finetune", "adapter", "quantized", "merge")
_RECIPES: Final = ("mergekit_config.yml", "mergekit_config.yaml", "mergekit_moe_config.yml", "mergekit_moe_config.yaml")
_TRAINING: Final = ("axolotl_config.yaml", "axolotl_config.yml", "axolotl.yaml", "axolotl.yml")
#: Numbers in a row that GGUF keys count.
_MOST: Final = 256
#: What a saved configuration says of where it was loaded from that is no name of anything.
_NOTHING: Final = frozenset({"", ".", "./", "..", "none", "None", "null"})


def declare(inventory: Inventory, card: CardV1 | None, name: str, digest: Mapping[str, str], tool: Tool) -> LineageV1:
    """What the files say of where the model comes from.

    Args:
        card: what the room of cards read, if it did.
        name, digest: of the subject.
    """
    graph = Graph(printable(name), digest)
    adapters = [each for each in inventory.walk() if each.basename == "adapter_config.json"]
    if adapters and isinstance(adapters[0].document, dict) and not _has_full_weights(inventory):
        graph.be("adapter")
    _card(graph, card)
    for component in inventory.walk():
        reader = _READERS.get(component.basename)
        if reader is not None and isinstance(component.document, dict):
            reader(graph, component, component.document)
        elif component.format == "gguf":
            _gguf(graph, component, component.metadata)
        elif component.format == "safetensors":
            noted = component.metadata.get("metadata")
            if isinstance(noted, dict):
                _noted(graph, component, noted)
    return graph.made(tool)


def _has_full_weights(inventory: Inventory) -> bool:
    return any(
        each.tensors and not each.basename.startswith("adapter_") and each.format in {"safetensors", "torch-zip", "torch-legacy"}
        and not any("lora" in tensor.name for tensor in each.tensors[:50])
        for each in inventory.walk()
    )  # fmt: skip


def _texts(value: Any) -> Iterator[str]:
    """A name, or a list of names."""
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, str) and each.strip():
            yield each


def _plain(value: Any) -> Any:
    """A parameter as it is told: short text, a number, a yes or no, or a short list of these; else nothing."""
    if isinstance(value, str):
        return printable(shorten(value, 200))
    if isinstance(value, bool) or (isinstance(value, int) and abs(value) < 2**53):
        return value
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list) and len(value) <= 50 and all(isinstance(each, str | int) for each in value):
        return [_plain(each) for each in value]
    return None


# --- the card ---


def _card(graph: Graph, card: CardV1 | None) -> None:
    for document in card.documents if card is not None else ():
        if document.kind == "dataset-card":
            graph.be("dataset")
        if document.kind != "model-card":
            continue
        relation = document.fact("base_model_relation")
        word = relation.value if relation is not None and relation.value in _RELATIONS else "based-on"
        for fact in document.facts:
            if fact.source.place != document.place:
                continue  # of another file, which is read below with all that it says
            if fact.name == "base_model":
                for text in _texts(fact.value):
                    graph.edge(graph.node(text), word, fact.source)
            elif fact.name == "datasets":
                for text in _texts(fact.value):
                    graph.edge(graph.node(text, "dataset"), "trained-on", fact.source)
            elif fact.name == "model-index" and isinstance(fact.value, Mapping):
                for text in _texts(fact.value.get("dataset")):
                    graph.edge(graph.node(text, "dataset"), "evaluated-on", fact.source)


# --- files of settings ---


def _config(graph: Graph, component: Component, document: Mapping[str, Any]) -> None:
    _loaded(graph, component, document, "_name_or_path", "loaded-from")


def _tokenizer(graph: Graph, component: Component, document: Mapping[str, Any]) -> None:
    _loaded(graph, component, document, "name_or_path", "tokenizer-of")


def _loaded(graph: Graph, component: Component, document: Mapping[str, Any], key: str, relation: str) -> None:
    value = document.get(key)
    if isinstance(value, str) and value.strip() not in _NOTHING:
        graph.edge(graph.node(value), relation, Location(component.place, pointer=below("", key)))


def _adapter(graph: Graph, component: Component, document: Mapping[str, Any]) -> None:
    value = document.get("base_model_name_or_path")
    where = Location(component.place, pointer="/base_model_name_or_path")
    if value is None or (isinstance(value, str) and value.strip() in _NOTHING):
        return
    if not isinstance(value, str):
        graph.problem("base_model_name_or_path is no text", where)
        return
    names = {"peft_type": "method", "r": "rank", "lora_alpha": "alpha", "target_modules": "target modules"}
    said = {word: _plain(document.get(key)) for key, word in names.items()}
    revision = document.get("revision")
    origin = graph.node(value, revision=revision if isinstance(revision, str) else None)
    graph.edge(origin, "adapter", where, said)


def _training(graph: Graph, component: Component, document: Mapping[str, Any]) -> None:
    """A recipe of axolotl: the model that was trained further, and on what."""
    method = document.get("adapter")
    said = {"method": _plain(method), "rank": _plain(document.get("lora_r"))}
    for text in _texts(document.get("base_model")):
        graph.edge(
            graph.node(text),
            "adapter" if method else "finetune",
            Location(component.place, pointer="/base_model"),
            said,
        )
    sets = document.get("datasets")
    for at, each in enumerate(sets[:_MOST] if isinstance(sets, list) else ()):
        if isinstance(each, dict):
            for text in _texts(each.get("path")):
                graph.edge(
                    graph.node(text, "dataset"), "trained-on", Location(component.place, pointer=f"/datasets/{at}/path")
                )


def _recipe(graph: Graph, component: Component, document: Mapping[str, Any]) -> None:
    read_merges(graph, component.place, document, _plain)


# --- keys of headers ---


def _gguf(graph: Graph, component: Component, keys: Mapping[str, Any]) -> None:
    if keys.get("general.type") == "adapter":
        graph.be("adapter")
    relation = "adapter" if keys.get("general.type") == "adapter" else "based-on"
    for kind, prefix, word in (("model", "general.base_model", relation), ("dataset", "general.dataset", "trained-on")):
        for number in range(_count(keys.get(f"{prefix}.count"))):
            _numbered(graph, component, keys, f"{prefix}.{number}", kind, word)
    for key in ("general.source.huggingface.repository", "general.source.repo_url", "general.source.url"):
        value = keys.get(key)
        if isinstance(value, str) and value.strip():
            quantized = any(tensor.dtype.startswith(("Q", "IQ", "TQ", "MXFP")) for tensor in component.tensors)
            graph.edge(
                graph.node(value), "quantized" if quantized else "converted", Location(component.place, pointer=key)
            )
            break
    for text in _texts(keys.get("general.datasets")):
        graph.edge(graph.node(text, "dataset"), "trained-on", Location(component.place, pointer="general.datasets"))


def _count(value: Any) -> int:
    return min(value, _MOST) if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _numbered(
    graph: Graph, component: Component, keys: Mapping[str, Any], prefix: str, kind: str, relation: str
) -> None:
    """One of several models or data sets that a GGUF file names by parts: a link, or organisation and name."""

    def text(key: str) -> str:
        value = keys.get(f"{prefix}.{key}")
        return value.strip() if isinstance(value, str) else ""

    link = text("repo_url") or text("url")
    name = text("name") or link or text("doi")
    if not name:
        graph.problem("counts something that has no name", Location(component.place, pointer=f"{prefix}.name"))
        return
    key = "repo_url" if text("repo_url") else "name"
    origin = graph.node(link or name, kind, uri=link, revision=text("version"))
    graph.edge(
        origin,
        relation,
        Location(component.place, pointer=f"{prefix}.{key}"),
        {"organization": text("organization") or None},
    )


def _noted(graph: Graph, component: Component, noted: Mapping[str, Any]) -> None:
    """What safetensors files of image models say of themselves."""
    place = component.place
    for key, relation in (
        ("modelspec.merged_from", "merge"),
        ("ss_sd_model_name", "finetune"),
        ("ss_base_model", "based-on"),
    ):
        value = noted.get(key)
        if isinstance(value, str) and value.strip() not in _NOTHING:
            adapter = key == "ss_sd_model_name" and str(noted.get("ss_network_module", "")).startswith(
                ("networks.", "lycoris")
            )
            for text in value.split(",") if relation == "merge" else [value]:
                digest = {"sha256": str(noted["ss_new_sd_model_hash"])} if key == "ss_sd_model_name" and "ss_new_sd_model_hash" in noted else {}  # fmt: skip
                said = {name: _plain(value) for name, value in digest.items()}
                graph.edge(graph.node(text), "adapter" if adapter else relation, Location(place, pointer=key), said)
            if adapter:
                graph.be("adapter")
    models = noted.get("sd_merge_models")
    if isinstance(models, str) and len(models) < 1_000_000:
        try:
            found = json.loads(models)
        except (ValueError, RecursionError):
            graph.problem("sd_merge_models is no JSON", Location(place, pointer="sd_merge_models"))
            return
        for digest, each in list(found.items())[:_MOST] if isinstance(found, dict) else ():
            if isinstance(each, dict) and isinstance(each.get("name"), str) and each["name"].strip():
                graph.edge(
                    graph.node(each["name"]),
                    "merge",
                    Location(place, pointer="sd_merge_models"),
                    {"sha256": _plain(digest)},
                )


_READERS: Final = {
    "config.json": _config,
    "model_index.json": _config,
    "tokenizer_config.json": _tokenizer,
    "adapter_config.json": _adapter,
    **dict.fromkeys(_RECIPES, _recipe),
    **dict.fromkeys(_TRAINING, _training),
}
