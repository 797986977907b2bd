"""What each layer of a GGUF model keeps of a sequence: keys and values, a compressed vector, or a state; as llama.cpp reads the keys.

Sources, all of llama.cpp: ``load_arch_hparams`` of each file in ``src/models/`` (before 2026 ``llama_model::load_hparams`` in
``src/llama-model.cpp``) for windows and for which layers are recurrent; ``src/llama-hparams.cpp`` for sizes (``n_embd_r``, ``n_embd_s``,
``set_swa_pattern``, ``has_kv``). What it keeps of a convolution is one input less than transformers keeps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from openvet.core.dataclass import dataclass
from openvet.errors import MalformedError
from openvet.profile._config import LARGEST, LAYERS, Config
from openvet.profile.blueprint import Blueprint

__all__ = ["keep_layers", "per_layer"]


@dataclass(frozen=True, slots=True)
class _Window:
    """Each ``every``-th layer looks back over everything (0: none does), the others over a window.

    Attributes:
        every: the period.
        usual: the window where the file has no key for it; ``None``: then there is none.
        first: the layer that sees everything is the first of each period and not the last.
        fixed: whether the key only says that there is a window, which then is the usual one.
    """

    every: int
    usual: int | None = None
    first: bool = False
    fixed: bool = False


#: Architectures whose windows llama.cpp knows. In others (``llama``, ``mistral3``, ``phi3``) it reads the key, if at all, and keeps everything.
_WINDOWS = {
    "gemma2": _Window(2, 4096),
    "gemma3": _Window(6),
    "gemma3n": _Window(5),
    "gemma4": _Window(6),
    "gpt-oss": _Window(2),
    "cohere2": _Window(4),
    "llama4": _Window(4, 8192),
    "olmo2": _Window(4),
    "exaone4": _Window(4),
    "exaone-moe": _Window(4),
    "smallthinker": _Window(4, 4096, first=True, fixed=True),
    "afmoe": _Window(4),
    "plamo3": _Window(8),
}
#: All layers are recurrent, and none attends.
_RECURRENT = frozenset({"mamba", "mamba2", "rwkv6", "rwkv6qwen2", "rwkv7", "arwkv7"})
#: All layers are both.
_BOTH = frozenset({"falcon-h1"})
#: One layer of some attends; the key says of how many.
_INTERVAL = frozenset({"qwen3next", "qwen35", "qwen35moe"})
#: A layer without keys and values that has a width of its own is neither.
_THREE_KINDS = frozenset({"nemotron_h", "nemotron_h_moe"})


def keep_layers(config: Config, plan: Blueprint, family: str, layers: int, hidden: int | None) -> None:
    """Add what the layers keep to ``plan``, equal ones together."""
    if plan.kind == "encoder":
        return
    counts: Counter[tuple[str, int, int | None, int, int | None]] = Counter(
        _layers(config, plan, family, layers, hidden)
    )
    for (kind, elements, window, flop, prompt_flop), number in counts.items():
        plan.keep(kind, number, elements, window=window, flop=flop, prompt_flop=prompt_flop)


def _layers(
    config: Config, plan: Blueprint, family: str, layers: int, hidden: int | None
) -> Iterator[tuple[str, int, int | None, int, int | None]]:
    """Kind, elements, window and operations (of a token, of a prompt), of each layer and each thing that it keeps."""
    heads = per_layer(config, "attention.head_count", layers)
    groups = per_layer(config, "attention.head_count_kv", layers) or heads
    state = _state(config, hidden, heads)
    attends, recurs = _kinds(config, family, layers, groups, recurrent=bool(state))
    rank = config.may("attention.kv_lora_rank")
    turned = config.whole("rope.dimension_count", default=64) if rank is not None else 0
    if rank is not None:
        plan.facts["key-value rank"] = rank
    narrow = _narrow(config, plan, family, layers)
    window = plan.facts.get("sliding window") if any(narrow) else None
    widths = _widths(config, hidden, heads)
    spelled = _spelled(config, widths) if rank is not None else 0
    # the last layers of some look into the cache of an earlier one, or only predict further tokens
    shared = config.whole("attention.shared_kv_layers", default=0, least=0, most=layers)
    further = config.whole("nextn_predict_layers", default=0, least=0, most=layers)
    own = min(20, layers) if family == "gemma3n" else layers - max(shared, further)
    for layer in range(layers):
        if recurs[layer] and state:
            yield "state", state, None, 0, None
        if not attends[layer] or layer >= own or not heads or not widths:
            continue
        if rank is not None:
            yield "latent", rank + turned, None, 2 * heads[layer] * (2 * rank + turned), 2 * heads[layer] * spelled
            continue
        width = widths[1] if narrow[layer] else widths[0]
        looks = window if narrow[layer] else None
        yield "kv", groups[layer] * width, looks, 2 * heads[layer] * width, None


def _widths(config: Config, hidden: int | None, heads: list[int]) -> tuple[int, int] | None:
    """Key and value of one head together: of a layer that sees everything, and of one with a window."""
    widest = max(heads, default=0)
    keys = config.may("attention.key_length") or (hidden // widest if hidden and widest else None)
    if keys is None:
        return None
    values = config.may("attention.value_length") or keys
    near_keys = config.may("attention.key_length_swa") or keys
    near_values = config.may("attention.value_length_swa") or (values if near_keys == keys else near_keys)
    return keys + values, near_keys + near_values


def _spelled(config: Config, widths: tuple[int, int] | None) -> int:
    """Key and value of one head together where a compressed vector is spelled out.

    Files that keep the vector say these widths apart (``..._mla``); older ones, which spell it out always, say no others.
    """
    keys, values = config.may("attention.key_length_mla"), config.may("attention.value_length_mla")
    if keys is not None and values is not None:
        return keys + values
    return widths[0] if widths else LARGEST


def _kinds(
    config: Config, family: str, layers: int, groups: list[int], *, recurrent: bool
) -> tuple[list[bool], list[bool]]:
    """Of each layer, whether it attends and whether it is recurrent."""
    if family in _RECURRENT:
        return [False] * layers, [True] * layers
    if family in _BOTH:
        return [True] * layers, [True] * layers
    if family in _INTERVAL:
        every = config.whole("full_attention_interval", default=4, most=LAYERS)
        attends = [(layer + 1) % every == 0 for layer in range(layers)]
        return attends, [not each for each in attends]
    attends = [each > 0 for each in groups] or [False] * layers
    if not recurrent:
        return attends, [False] * layers
    wide = per_layer(config, "feed_forward_length", layers, LARGEST) if family in _THREE_KINDS else []
    return attends, [not each and not (wide and wide[layer]) for layer, each in enumerate(attends)]


def _state(config: Config, hidden: int | None, heads: list[int]) -> int:
    """Numbers that a recurrent layer keeps; 0 where no key speaks of any."""
    inner = config.may("ssm.inner_size", least=0)
    kernel = config.whole("ssm.conv_kernel", default=1, least=0, most=LAYERS)
    if width := config.may("kda.head_dim"):
        each = max(heads, default=0) * width
        return 3 * max(kernel - 1, 0) * each + width * each
    if inner:
        size = config.whole("ssm.state_size")
        channels = inner + 2 * config.whole("ssm.group_count", default=0, least=0, most=LAYERS) * size
        return max(kernel - 1, 0) * channels + size * inner
    if hidden and (head := config.may("wkv.head_size")):
        return hidden * (config.whole("token_shift_count", default=2, most=LAYERS) + head)
    if hidden and (kept := config.may("shortconv.l_cache", most=LAYERS)):
        return hidden * (kept - 1)
    return 0


def _narrow(config: Config, plan: Blueprint, family: str, layers: int) -> list[bool]:
    """Of each layer, whether it looks back over the window only."""
    known = _WINDOWS.get(family)
    window = config.may("attention.sliding_window", least=0)
    if window is None and known is not None and not known.fixed:
        window = known.usual
    if not window:
        return [False] * layers
    if known is not None and known.fixed:
        window = known.usual
    plan.facts["sliding window"] = window
    value = config.values.get("attention.sliding_window_pattern")
    if isinstance(value, list):
        if len(value) != layers or not all(isinstance(each, bool | int) for each in value):
            raise MalformedError(f"/attention.sliding_window_pattern is no list of {layers} yes or no")
        return [bool(each) for each in value]
    if known is None and value is None:
        return [False] * layers
    every = config.whole("attention.sliding_window_pattern", default=known.every if known else 0, least=0, most=LAYERS)
    full = 0 if known is not None and known.first else every - 1
    return [every == 0 or layer % every != full for layer in range(layers)]


def per_layer(config: Config, name: str, layers: int, most: int = LAYERS) -> list[int]:
    """A number for each layer: one for all, or an array; nothing where the file does not say it."""
    if isinstance(config.values.get(name), list):
        found = config.wholes(name, most=most)
        if len(found) != layers:
            raise MalformedError(f"/{name} has {len(found)} items for {layers} layers")
        return found
    if isinstance(config.values.get(name), Mapping):  # an array that the reader has only counted
        return []
    number = config.may(name, least=0, most=most)
    return [number] * layers if number else []
