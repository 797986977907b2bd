"""The profile of a subject: for each model in it what it is and needs, where that was read, and what does not fit together.

Parameters are counted in the tensors. What cannot be counted there (which of them a token passes, what a sequence costs) is drawn from
the configuration by the rules of its family; the drawing is held against the tensors, and where they differ both stand in the profile.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable
from functools import cache
from types import ModuleType
from typing import Any

from openvet.core.location import Location
from openvet.core.registry import load_kind
from openvet.errors import MalformedError, UnsupportedError
from openvet.evidence.predicates.inventory_v1 import Fact
from openvet.evidence.predicates.profile_v1 import Comparison, ModelPart, Problem
from openvet.inventory.component import Component, Inventory
from openvet.inventory.weights import NOT_PARAMETERS, Count, total
from openvet.profile._compare import (
    Match,
    compare_dtype,
    compare_gguf,
    compare_quantization,
    compare_sentences,
    compare_shapes,
    match,
)
from openvet.profile._config import LARGEST, Config
from openvet.profile._gguf import draw_gguf
from openvet.profile._graphs import GRAPHS, graph_facts, keras_config, keras_facts
from openvet.profile._parts import Found, find_parts
from openvet.profile._pipeline import Role, find_pipelines, pipeline_part, roles
from openvet.profile._quantized import describe, is_quantized
from openvet.profile._say import Facts
from openvet.profile.blueprint import Blueprint

__all__ = ["MOST_PARTS", "profile_parts"]

#: Models of one subject that are profiled; the number of further ones is told.
MOST_PARTS = 200
#: What most configurations call these, for families that we do not know.
_USUAL = (("layers", ("num_hidden_layers", "n_layer", "num_layers", "n_layers", "decoder_layers")), ("encoder layers", ("encoder_layers",)), ("hidden size", ("hidden_size", "n_embd", "d_model", "dim")),
          ("attention heads", ("num_attention_heads", "n_head", "num_heads", "n_heads", "decoder_attention_heads")), ("key-value heads", ("num_key_value_heads",)),
          ("context length", ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length")), ("vocabulary", ("vocab_size",)),
          ("feed-forward size", ("intermediate_size", "n_inner", "ffn_dim", "d_ff", "encoder_ffn_dim")))  # fmt: skip
#: Formats in which the offset of a tensor is one in the file.
_BYTES_FOLLOW = frozenset({"safetensors", "gguf"})


@cache
def families() -> dict[str, ModuleType]:
    """``model_type`` -> the family's module, of all."""
    modules = load_kind("openvet.profile.families", ("FAMILY", "draw")).modules
    return {name: module for module in modules for name in module.FAMILY.model_types}


@cache
def family_of(kind: str) -> ModuleType | None:
    """The module of one family; only those whose source spells ``kind`` are imported, since all of them would cost each start."""
    folder = os.path.join(os.path.dirname(__file__), "families")
    spelled = f'"{kind}"'.encode("utf-8", "replace")
    try:
        names = sorted(each for each in os.listdir(folder) if each.endswith(".py") and not each.startswith("_"))
        found = [each[:-3] for each in names if _spells(os.path.join(folder, each), spelled)]
    except OSError:  # not installed as files
        return families().get(kind)
    for name in found:
        module = importlib.import_module(f"openvet.profile.families.{name}")
        if kind in module.FAMILY.model_types:
            return module
    return None


def _spells(path: str, text: bytes) -> bool:
    with open(path, "rb", buffering=0) as file:
        return text in file.read()


def profile_parts(inventory: Inventory) -> tuple[tuple[ModelPart, ...], int]:
    """The models of ``inventory`` and how many more there are; to be asked for with :meth:`Inventory.once`."""
    found = find_parts(inventory)
    parts = [_part(inventory, each) for each in found[:MOST_PARTS]]
    wholes = [pipeline_part(inventory, each, parts) for each in inventory.once(find_pipelines)[:MOST_PARTS]]
    parts = sorted([*parts, *wholes], key=lambda each: (each.name != "", each.name))
    return tuple(parts), max(0, len(found) - MOST_PARTS)


class _Part:
    """One model while it is being profiled."""

    def __init__(self, inventory: Inventory, found: Found) -> None:
        self.found = found
        self.role: Role | None = inventory.once(roles).get(found.name)
        self.facts = Facts()
        self.counted: dict[str, Count] = total(inventory, found.weights)
        self.comparisons: list[Comparison] = []
        self.problems: list[Problem] = []
        self.missing: list[str] = []
        self.plan: Blueprint | None = None
        self.match: Match | None = None
        self.bits: int | None = None

    def keep(self, each: Comparison | Problem) -> None:
        (self.comparisons if isinstance(each, Comparison) else self.problems).append(each)  # type: ignore[arg-type] # mypy joins the two


def _part(inventory: Inventory, found: Found) -> ModelPart:
    part = _Part(inventory, found)
    config = found.config
    if config is not None and config.basename.lower() == "adapter_config.json":
        _adapter(part, config)
    elif (described := keras_config(found.weights, config)) is not None:
        keras_facts(part.facts, described, found.weights, part.missing)
    elif config is not None:
        _configured(part, config)
    elif found.weights and found.weights[0].format == "gguf":
        _gguf(part)
    elif not (found.weights and found.weights[0].format in GRAPHS):
        part.missing.append(
            "no configuration describes these weights: family, layers and memory for a sequence are not known"
        )
    if found.weights and found.weights[0].format in GRAPHS:
        graph_facts(part.facts, found.weights[0], part.missing)
    _weights(part)
    _tokenizer(part)
    if found.others:
        part.facts.derived("further packagings", list(found.others), ())
    plan = part.plan
    return ModelPart(
        found.name,
        part.facts.in_order(),
        tuple(plan.caches) if plan else (),
        tuple(part.comparisons),
        tuple(part.problems),
        (*(plan.notes if plan else ()), *part.missing),
    )


def _configured(part: _Part, component: Component) -> None:
    document = component.document
    if not isinstance(document, dict):
        unread = [Problem(each.message, each.location) for each in component.unknowns]
        part.problems.extend(unread or [Problem("the configuration is no JSON object", Location(component.place))])
        return
    config = Config(document)
    facts = part.facts
    kind = document.get("model_type", document.get("_class_name"))
    key = "model_type" if "model_type" in document else "_class_name"
    facts.declared("family", kind if isinstance(kind, str) else None, component, f"/{key}")
    declared = facts.declared("class", document.get("architectures"), component, "/architectures")
    if part.role is not None:
        facts.add("class in the pipeline", part.role.shown, "declared", [part.role.location])
        different = part.role.compare(declared or facts.by_name.get("family"))
        if different is not None:
            part.keep(different)
        if part.role.library == "transformers":  # it is loaded as that, whatever its own configuration says
            config = Config({**document, "architectures": [part.role.cls]})
    for name in ("dtype", "torch_dtype"):
        value = document.get(name)
        facts.declared("declared dtype", value if isinstance(value, str) else None, component, f"/{name}")
    for name in ("quantization_config", "compression_config"):
        quantized = document.get(name)
        if isinstance(quantized, dict):
            facts.declared("quantization", _quantization(part, quantized), component, f"/{name}")
            facts.declared("quantization bits", part.bits, component, f"/{name}")
    module = family_of(kind) if isinstance(kind, str) else None
    if module is None:
        said = f"the family {facts.by_name['family'].value}" if "family" in facts.by_name else "the family"
        part.missing.append(f"{said} is not known: active parameters and memory for a sequence are not computed")
        _usual(part, config, component)
        return
    try:
        part.plan = module.draw(config)
    except MalformedError as error:
        part.problems.append(_wrong(error, component))
        _usual(part, config, component)  # what of the rest makes sense, and what else does not
        return
    except UnsupportedError as error:
        part.missing.append(f"{error.message}: active parameters and memory for a sequence are not computed")
        _usual(part, config, component)
        return
    _drawn(part, part.plan, component)


def _wrong(error: MalformedError, component: Component) -> Problem:
    """A value that no model can have, at the pointer that its message begins with."""
    pointer = error.message.split(" ", 1)[0]
    return Problem(error.message, Location(component.place, pointer=pointer if pointer.startswith("/") else None))


def _quantization(part: _Part, quantized: dict[str, Any]) -> str | None:
    method, part.bits = describe(quantized)
    if method is None:
        return None
    return method if part.bits is None or str(part.bits) in method else f"{method}, {part.bits} bits"


def _usual(part: _Part, config: Config, component: Component) -> None:
    """What nearly every configuration names in one of a few ways."""
    for name, keys in _USUAL:
        try:
            value = config.may(*keys)
        except MalformedError as error:
            problem = _wrong(error, component)
            if problem not in part.problems:
                part.problems.append(problem)
            continue
        if value is not None:
            key = next(each for each in keys if each in config.read)
            part.facts.declared(name, value, component, config.read[key])


def _drawn(part: _Part, plan: Blueprint, component: Component) -> None:
    """The facts of a drawing. They are declared: only the configuration supports them; the tensors may confirm it."""
    found = part.match = match(plan, part.found.weights, part.bits) if part.found.weights else None
    confirmed = found is not None and found.fits
    basis = "derived" if confirmed else "declared"
    sources = [Location(component.place)]
    if confirmed:
        sources += [Location(each.place) for each in part.found.weights]
    facts = part.facts
    facts.add("kind", plan.kind, "derived", [Location(component.place, pointer="/model_type")])
    facts.add("input", list(plan.modalities[0]), "derived", [Location(component.place, pointer="/model_type")])
    facts.add("output", list(plan.modalities[1]), "derived", [Location(component.place, pointer="/model_type")])
    for name, value in plan.facts.items():
        facts.add(name, value, "declared", [Location(component.place, pointer=_where(component.document, name, value))])
    width, pointer = _feed_forward(component.document)
    if width is not None:
        facts.add("feed-forward size", width, "declared", [Location(component.place, pointer=pointer)])
    _counted(part, plan, basis, sources)
    if not part.found.weights:
        facts.add("parameters", plan.parameters, "declared", [Location(component.place)])
        return
    if found is not None:
        for each in compare_shapes(found, component, part.found.weights):
            part.keep(each)
    if _is_quantized(part):
        # the stored elements are words of packed numbers, and scales; the type declared is that of the arithmetic
        facts.add("parameters", plan.parameters, basis, sources)
        return
    for each in compare_dtype(facts.by_name.get("declared dtype"), part.counted, part.found.weights):
        part.keep(each)
    there = _parameters(part)
    if found is not None and not found.known and there != plan.parameters:
        one = Fact("parameters", there, "derived", tuple(Location(each.place) for each in part.found.weights[:20]))
        other = Fact("parameters", plan.parameters, "declared", (Location(component.place),))
        note = f"the tensors have {there:,} elements, and the configuration draws {plan.parameters:,}"
        part.comparisons.append(Comparison("parameters", one, other, agree=False, note=note))


def _where(document: Any, name: str, value: Any) -> str | None:
    """The pointer of the key that has this value under one of the usual names; ``None`` where it was computed, or is a default."""
    for pointer, below in (("", document), ("/text_config", _below(document, "text_config"))):
        for key in _KEYS.get(name, ()):
            if isinstance(below, dict) and type(below.get(key)) is type(value) and below[key] == value:
                return f"{pointer}/{key}"
    return None


def _feed_forward(document: Any) -> tuple[int | None, str | None]:
    """The width of the feed-forward layers and its pointer, where the configuration names one that is a whole number."""
    for key in _KEYS["feed-forward size"]:
        value = _below(document, key)
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= LARGEST:
            return value, f"/{key}"
    return None, None


def _below(document: Any, key: str) -> Any:
    return document.get(key) if isinstance(document, dict) else None


_KEYS = dict(_USUAL)


def _counted(part: _Part, plan: Blueprint, basis: str, sources: Iterable[Location]) -> None:
    sources = tuple(sources)
    part.facts.add("embedding parameters", plan.embeddings, basis, sources)
    if plan.active != plan.parameters:
        part.facts.add("active parameters", plan.active, basis, sources)
    if plan.encoded and plan.kind != "encoder":
        part.facts.add("encoder parameters", plan.encoded, basis, sources)
    if plan.kind in {"decoder", "encoder-decoder"} or (plan.kind == "encoder" and "text" in plan.modalities[0]):
        part.facts.add("parameters multiplied per token", plan.multiplied, basis, sources)


def _parameters(part: _Part) -> int:
    return sum(each.elements for dtype, each in part.counted.items() if dtype not in NOT_PARAMETERS)


def _is_quantized(part: _Part) -> bool:
    """Whether the elements of the tensors are not the parameters: words that hold several numbers each, and scales."""
    return any(is_quantized(each.tensors) for each in part.found.weights)


def _gguf(part: _Part) -> None:
    components = part.found.weights
    plan = part.plan = draw_gguf(components, part.problems)
    first = components[0]
    facts = part.facts
    facts.declared("family", first.metadata.get("general.architecture"), first, "general.architecture")
    facts.declared("name", first.metadata.get("general.name"), first, "general.name")
    facts.add("kind", plan.kind, "derived", [Location(first.place, pointer="general.architecture")])
    for name, value in plan.facts.items():
        derived = name in {"vocabulary", "tied embeddings"}
        facts.add(name, value, "derived" if derived else "declared", [Location(first.place)])
    _counted(part, plan, "derived", [Location(each.place) for each in components])
    for each in compare_gguf(first, plan.parameters, part.counted):
        part.keep(each)
    declared = first.metadata.get("split.count", 1)
    if isinstance(declared, int) and declared > 1 and declared != len(components):
        text = f"{len(components)} of {declared} parts are there: the figures are of these alone"
        part.problems.append(Problem(text, Location(first.place, pointer="split.count")))


def _adapter(part: _Part, component: Component) -> None:
    document = component.document if isinstance(component.document, dict) else {}
    facts = part.facts
    facts.add("kind", "adapter", "derived", [Location(component.place)])
    for name, key in (("method", "peft_type"), ("base model", "base_model_name_or_path"), ("task", "task_type"), ("rank", "r"),
                      ("alpha", "lora_alpha"), ("target modules", "target_modules")):  # fmt: skip
        facts.declared(name, document.get(key), component, f"/{key}")
    part.missing.append("an adapter needs its base model, which is not profiled here")


def _weights(part: _Part) -> None:
    """What the tensors say, whatever the configuration says."""
    components, facts = part.found.weights, part.facts
    if not components:
        part.missing.append("there are no weights: what is said comes from the configuration alone")
        return
    parameters = _parameters(part)
    if not _is_quantized(part) or (part.plan is None and "quantization" not in facts.by_name):
        facts.derived("parameters", parameters, components)
    dtypes = {
        dtype: {"tensors": each.tensors, "elements": each.elements, "bytes": each.size}
        for dtype, each in part.counted.items()
    }
    facts.derived("dtypes", dtypes, components)
    size = sum(each.size for each in part.counted.values())
    facts.derived("weight bytes", size, components)
    facts.derived("weights format", components[0].format, components)
    if not _is_quantized(part):  # scales beside plain numbers are those of a rehearsal, and known to be
        for difference in compare_quantization(facts.by_name.get("quantization"), part.bits, part.counted, components):
            part.keep(difference)
    counted = facts.by_name.get("parameters")
    if counted is not None and size and str(counted.value).isdigit() and int(counted.value):
        hundredths = (size * 800 + int(counted.value) // 2) // int(counted.value)
        facts.derived("bits per weight", f"{hundredths // 100}.{hundredths % 100:02d}", components)
    for each in components:
        end = max(((tensor.offset or 0) + (tensor.nbytes or 0) for tensor in each.tensors), default=0)
        if each.format in _BYTES_FOLLOW and end > each.size:
            text = (
                f"{each.size:,} of {end:,} bytes are there ({each.size * 1000 // end / 10} %): the file was cut short"
            )
            part.problems.append(Problem(text, Location(each.place)))
    if any(each.unknowns for each in components):
        part.missing.append("not every byte of the weights was read; see openvet check")


def _tokenizer(part: _Part) -> None:
    facts, beside = part.facts, part.found.beside
    config = beside.get("tokenizer_config.json")
    if config is not None and isinstance(config.document, dict):
        facts.declared("tokenizer", config.document.get("tokenizer_class"), config, "/tokenizer_class")
    sentences = beside.get("sentence_bert_config.json")
    if sentences is not None and isinstance(sentences.document, dict):
        most = sentences.document.get("max_seq_length")
        if isinstance(most, int) and not isinstance(most, bool) and most > 0:
            taken = facts.declared("tokens taken", most, sentences, "/max_seq_length")
            for each in compare_sentences(facts.by_name.get("context length"), taken):
                part.keep(each)
    for name in ("tokenizer.json", "tokenizer.model", "spiece.model", "vocab.json", "vocab.txt"):
        if name in beside:
            facts.derived("tokenizer file", name, [beside[name]])
            break
    for component in [*part.found.weights[:1], *beside.values()]:
        template = next((each for each in component.programs if each.kind == "jinja"), None)
        if template is not None:
            facts.add("chat template", True, "derived", [template.location])
            break
    if part.found.weights and part.found.weights[0].format == "gguf":
        first = part.found.weights[0]
        facts.declared("tokenizer", first.metadata.get("tokenizer.ggml.model"), first, "tokenizer.ggml.model")
