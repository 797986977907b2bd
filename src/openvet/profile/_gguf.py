"""What a GGUF file's keys and tensors say about the model: no configuration beside it is needed.

Keys: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md (section "LLM"). The names of tensors are those of llama.cpp's
``gguf-py/gguf/constants.py``: ``token_embd.weight``, ``output.weight``, ``blk.N.ffn_gate_exps.weight`` ...
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from openvet.core.location import Location
from openvet.errors import MalformedError
from openvet.evidence.predicates.profile_v1 import Problem
from openvet.formats._format import Tensor
from openvet.inventory.component import Component
from openvet.profile._config import LAYERS, Config
from openvet.profile.blueprint import Blueprint, Role

__all__ = ["draw_gguf"]

#: Architectures of llama.cpp whose layers do not all look back over everything, and every how many layers one does.
_EVERY = {"gemma2": 2, "gemma3": 6, "gemma3n": 5, "gpt-oss": 2, "cohere2": 4, "llama4": 4, "olmo2": 4, "exaone4": 4}
_ENCODERS = ("bert", "nomic-bert", "jina-bert-v2", "t5encoder", "modern-bert", "clip")


def draw_gguf(components: tuple[Component, ...], problems: list[Problem]) -> Blueprint:
    """The blueprint whose weights are the tensors themselves."""
    first = min(components, key=_number_of_split)
    keys = first.metadata
    family = keys.get("general.architecture")
    family = family if isinstance(family, str) and family else "unknown"
    plan = Blueprint(family, "encoder" if family in _ENCODERS else "decoder")
    config = Config({name.removeprefix(f"{family}."): value for name, value in keys.items()})
    try:
        _describe(config, plan, family)
    except MalformedError as error:
        plan.caches.clear()
        pointer = f"{family}.{error.message.split(' ', 1)[0].removeprefix('/')}"
        problems.append(Problem(error.message.removeprefix("/"), Location(first.place, pointer=pointer)))
    chosen = (plan.facts.get("experts per token"), plan.facts.get("experts"))
    for each in _tensors(components):
        active = None
        role = Role.OTHER
        if each.name in {"token_embd.weight", "position_embd.weight", "token_types.weight"}:
            role = Role.EMBEDDING
        elif each.name == "rope_freqs.weight":
            role = Role.BUFFER
        elif "_exps." in each.name and chosen[0] and chosen[1]:
            active = chosen
        plan.add(each.name, *each.shape, role=role, active=active)  # type: ignore[arg-type] # both are numbers here
    names = {each.name for each in plan.weights}
    if plan.kind == "decoder" and "output.weight" not in names:
        plan.tied = sum(each.elements for each in plan.weights if each.name == "token_embd.weight")
        plan.facts["tied embeddings"] = True
    table = next((each for each in plan.weights if each.name == "token_embd.weight"), None)
    if table is not None and len(table.shape) == 2:
        plan.facts["vocabulary"] = table.shape[0]
    return plan


def _number_of_split(component: Component) -> int:
    value = component.metadata.get("split.no", 0)
    return value if isinstance(value, int) else 0


def _tensors(components: tuple[Component, ...]) -> Iterator[Tensor]:
    for component in components:
        yield from component.tensors


def _describe(config: Config, plan: Blueprint, family: str) -> None:
    layers = config.may("block_count", most=LAYERS)
    hidden = config.may("embedding_length")
    for name, value in (("layers", layers), ("hidden size", hidden), ("context length", config.may("context_length"))):
        if value is not None:
            plan.facts[name] = value
    experts = config.may("expert_count", most=LAYERS, least=0)
    if experts:
        plan.facts["experts"] = experts
        plan.facts["experts per token"] = config.whole("expert_used_count", most=experts)
    heads = _per_layer(config, "attention.head_count", layers)
    if not heads or layers is None:
        return
    groups = _per_layer(config, "attention.head_count_kv", layers) or heads
    widest = max(heads)
    plan.facts["attention heads"] = widest
    plan.facts["key-value heads"] = max(groups)
    width = config.may("attention.key_length") or (hidden // widest if hidden and widest else None)
    if width is None:
        return
    plan.facts["head size"] = width
    if plan.kind == "encoder":
        return
    values = config.may("attention.value_length") or width
    rank = config.may("attention.kv_lora_rank")
    if rank is not None:
        turned = config.whole("rope.dimension_count", default=64)
        plan.facts["key-value rank"] = rank
        plan.keep("latent", layers, rank + turned, flop=2 * widest * (2 * rank + turned))
        return
    window = config.may("attention.sliding_window", least=0) or None
    every = _EVERY.get(family, 1 if family not in {"llama", "mistral", "phi3"} else 0)
    for layer, (queries, shared) in enumerate(zip(heads, groups, strict=True)):
        narrow = window if window and (every == 0 or (every > 1 and (layer + 1) % every)) else None
        plan.keep("kv", 1, shared * (width + values), window=narrow, flop=2 * queries * (width + values))
    if window:
        plan.facts["sliding window"] = window
    _merge(plan)


def _merge(plan: Blueprint) -> None:
    """Layers that keep the same become one line."""
    counts: dict[tuple[str, int, int | None, int], int] = {}
    for each in plan.caches:
        key = (each.kind, each.elements, each.window, each.flop)
        counts[key] = counts.get(key, 0) + each.layers
    plan.caches.clear()
    for (kind, elements, window, flop), layers in counts.items():
        plan.keep(kind, layers, elements, window=window, flop=flop)


def _per_layer(config: Config, name: str, layers: int | None) -> list[int]:
    """A number for each layer: one for all, or an array."""
    if isinstance(config.values.get(name), list):
        found = config.wholes(name, most=LAYERS)
        if layers is not None and len(found) != layers:
            raise MalformedError(f"/{name} has {len(found)} items for {layers} layers")
        return found
    if isinstance(config.values.get(name), Mapping):  # an array that the reader has only counted
        return []
    number = config.may(name, least=0, most=LAYERS)
    return [number] * (layers or 0) if number else []
