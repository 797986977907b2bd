"""What a GGUF file's keys and tensors say about the model: no configuration beside it is needed.

Keys: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md (section "LLM"). The names of tensors are those of llama.cpp's
``gguf-py/gguf/constants.py``: ``token_embd.weight``, ``output.weight``, ``blk.N.ffn_gate_exps.weight`` ...
"""

from __future__ import annotations

from collections.abc import Iterator

from openvet.core.location import Location
from openvet.errors import MalformedError
from openvet.evidence.predicates.profile_v1 import Problem
from openvet.formats._format import Tensor
from openvet.inventory.component import Component
from openvet.profile._config import LAYERS, Config
from openvet.profile._gguf_layers import keep_layers, per_layer
from openvet.profile.blueprint import Blueprint, Role

__all__ = ["draw_gguf"]

_ENCODERS = ("bert", "nomic-bert", "jina-bert-v2", "t5encoder", "modern-bert", "neo-bert", "gemma-embedding", "clip")
_TABLES = frozenset({"token_embd.weight", "position_embd.weight", "token_types.weight", "per_layer_token_embd.weight"})


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
        if each.name in _TABLES:
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
    if layers is None:
        return
    heads = per_layer(config, "attention.head_count", layers)
    groups = per_layer(config, "attention.head_count_kv", layers) or heads
    widest = max(heads, default=0)
    width = config.may("attention.key_length") or (hidden // widest if hidden and widest else None)
    # a layer without keys and values has 0
    for name, value in (("attention heads", widest), ("key-value heads", max(groups, default=0)), ("head size", width)):
        if value:
            plan.facts[name] = value
    if size := config.may("ssm.state_size"):
        plan.facts["state size"] = size
    keep_layers(config, plan, family, layers, hidden)
