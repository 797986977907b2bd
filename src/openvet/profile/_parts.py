"""Which models a subject holds: a folder with a configuration and weights, a part of a pipeline, a GGUF file, a lone file of weights.

A folder often holds the same weights in several formats or precisions. One packaging is profiled, the others are named.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.inventory.component import Component, Inventory
from openvet.inventory.weights import ONE_FILE, WEIGHTS, weights

__all__ = ["CONFIGS", "Found", "find_parts"]

#: What says that its folder is a model.
CONFIGS = ("config.json", "adapter_config.json")
_BESIDE = frozenset({*CONFIGS, "model_index.json", "tokenizer_config.json", "generation_config.json", "preprocessor_config.json",
                     "tokenizer.json", "tokenizer.model", "spiece.model", "vocab.json", "vocab.txt", "chat_template.jinja",
                     "chat_template.json", "readme.md", "scheduler_config.json", "sentence_bert_config.json"})  # fmt: skip
#: model-00001-of-00004.safetensors, pytorch_model-00001-of-00002.bin
_SHARD = pattern(r"(.*)-(\d{5})-of-(\d{5})(\.[a-z]+)", re.ASCII)
#: The usual names, the one to choose first.
_USUAL = (
    "model",
    "pytorch_model",
    "diffusion_pytorch_model",
    "adapter_model",
    "open_clip_pytorch_model",
    "weights",
    "flax_model",
)


@dataclass(frozen=True, slots=True)
class Found:
    """One model of a subject.

    Attributes:
        name: its folder or file below the subject; '' for the subject itself.
        config: what describes it, if there is such a file.
        beside: files of its folder that say something about it, by their names in lower case.
        weights: the packaging that counts.
        others: places of further packagings of what are probably the same weights.
    """

    name: str
    config: Component | None
    beside: dict[str, Component]
    weights: tuple[Component, ...]
    others: tuple[str, ...] = ()


def find_parts(inventory: Inventory) -> list[Found]:
    """All models of ``inventory``, in order of their names."""
    folders: dict[str, dict[str, Component]] = {}
    for component in inventory.walk():
        if component.role is None and (name := component.basename.lower()) in _BESIDE:
            folders.setdefault(_folder(component.place), {}).setdefault(name, component)
    heads = {folder for folder, files in folders.items() if any(name in files for name in CONFIGS)}
    held: dict[str, list[Component]] = {}
    alone: list[Component] = []
    for kind, components in inventory.once(weights).items():
        for each in components:
            head = None if kind == "gguf" else _head(_folder(each.place), heads)
            if head is None:
                alone.append(each)
            else:
                held.setdefault(head, []).append(each)
    out = [_with_config(folder, folders[folder], held.get(folder, [])) for folder in heads]
    out = [each for each in out if each.weights or _names_a_model(each)]
    out.extend(_alone(alone, folders))
    return sorted(out, key=lambda each: (each.name != "", each.name))


def _names_a_model(found: Found) -> bool:
    """Whether a configuration without weights is that of a model, and not of a pooling layer or a program."""
    if found.config is None:
        return False
    document = found.config.document
    if document is None and found.config.unknowns:
        return True  # nobody can tell; the profile says why
    if not isinstance(document, dict):
        return not found.name  # a list may be anything, but not where a user asks for a model
    return any(key in document for key in ("model_type", "architectures", "peft_type", "_class_name"))


def _folder(place: str) -> str:
    return place.rpartition("/")[0]


def _head(folder: str, heads: set[str]) -> str | None:
    """The nearest folder from here upwards that has a configuration."""
    while folder not in heads:
        if not folder:
            return None
        folder = _folder(folder)
    return folder


def _with_config(folder: str, files: dict[str, Component], components: Sequence[Component]) -> Found:
    config = next(files[name] for name in CONFIGS if name in files)
    for kind in WEIGHTS:
        of_kind = [each for each in components if each.format == kind]
        # weights in a folder below, such as onnx/ or original/, are other packagings
        near = [each for each in of_kind if _folder(each.place) == folder] or of_kind
        if near:
            chosen = _usual(near)
            names = {each.place for each in chosen}
            others = tuple(each.place for each in components if each.place not in names)
            return Found(folder, config, files, tuple(chosen), others)
    return Found(folder, config, files, ())


def _stem(component: Component) -> tuple[str, str]:
    """Name without the number of a shard, and its ending; shards of one model have the same."""
    shard = _SHARD.fullmatch(component.basename)
    if shard is not None:
        return shard[1], shard[4]
    name, dot, ending = component.basename.rpartition(".")
    return (name, dot + ending) if dot else (ending, "")


def _usual(components: Sequence[Component]) -> list[Component]:
    """Of several groups of shards, the one with the usual name, or the largest."""
    groups: dict[tuple[str, tuple[str, str]], list[Component]] = {}
    for each in components:
        groups.setdefault((_folder(each.place), _stem(each)), []).append(each)
    for name in _USUAL:
        named = [group for (_, (stem, _)), group in groups.items() if stem == name]
        if named:
            return max(named, key=_size)
    return max(groups.values(), key=_size)


def _size(components: Sequence[Component]) -> int:
    return sum(each.size for each in components)


def _alone(components: Sequence[Component], folders: dict[str, dict[str, Component]]) -> Iterator[Found]:
    """Weights that no configuration describes: each file, or each group of shards, is a model."""
    groups: dict[tuple[str, str], list[Component]] = {}
    for each in components:
        shard = None if each.format in ONE_FILE else _SHARD.fullmatch(each.basename)
        name = f"{_folder(each.place)}/{shard[1]}-of-{shard[3]}{shard[4]}".lstrip("/") if shard else each.place
        groups.setdefault((name, str(each.format)), []).append(each)
    for (name, _), group in groups.items():
        yield Found(name, None, folders.get(_folder(group[0].place), {}), tuple(group))
