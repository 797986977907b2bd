"""What decoders of text have in common: attention over all tokens or a window of them, gated layers, experts."""

from __future__ import annotations

from collections.abc import Sequence

from openvet.core.dataclass import dataclass
from openvet.errors import MalformedError
from openvet.profile._config import LAYERS, Config
from openvet.profile.blueprint import Blueprint

__all__ = ["Attention", "context", "gated", "head_of", "keep_attention", "layers_of", "windows"]


@dataclass(frozen=True, slots=True)
class Attention:
    """Heads of grouped attention: ``heads`` queries share ``groups`` keys and values of width ``width`` each."""

    heads: int
    groups: int
    width: int

    @classmethod
    def of(cls, config: Config, hidden: int, *, groups: int | None = None, width: int | None = None) -> Attention:
        """As most configurations spell it; ``groups`` and ``width`` are what the class takes where a key is absent."""
        heads = config.whole("num_attention_heads", "n_head", "n_heads", most=LAYERS)
        shared = config.whole("num_key_value_heads", "num_kv_heads", default=groups or heads, most=LAYERS)
        found = config.may("head_dim") or width
        if found is None:
            found = hidden // heads
            if found * heads != hidden:
                raise MalformedError(f"{config.pointer}/hidden_size {hidden} is no multiple of the {heads} heads")
        if heads % shared:
            raise MalformedError(f"{heads} heads cannot share {shared} keys and values: no multiple")
        return cls(heads, shared, found)

    @property
    def queries(self) -> int:
        return self.heads * self.width

    @property
    def keys(self) -> int:
        return self.groups * self.width

    def say(self, plan: Blueprint) -> None:
        """The facts about it."""
        plan.facts["attention heads"] = self.heads
        plan.facts["key-value heads"] = self.groups
        plan.facts["head size"] = self.width


def layers_of(config: Config, *names: str) -> range:
    """The numbers of the layers."""
    return range(config.whole(*(names or ("num_hidden_layers",)), most=LAYERS))


def context(config: Config, plan: Blueprint, *names: str) -> None:
    """How many tokens the positions are made for, as declared."""
    found = config.may(*(names or ("max_position_embeddings",)))
    if found is not None:
        plan.facts["context length"] = found


def head_of(
    config: Config,
    plan: Blueprint,
    vocabulary: int,
    hidden: int,
    *,
    tied: bool,
    name: str = "lm_head",
    bias: bool = False,
) -> None:
    """The output: a matrix of its own, or the table of the input again."""
    if config.flag("tie_word_embeddings", default=tied):
        plan.tied = vocabulary * hidden
        plan.facts["tied embeddings"] = True
    else:
        plan.linear(name, vocabulary, hidden, bias=bias)


def gated(
    plan: Blueprint,
    name: str,
    hidden: int,
    inner: int,
    over: Sequence[Sequence[int]],
    *,
    bias: bool = False,
    active: tuple[int, int] | None = None,
) -> None:
    """``down(act(gate(x)) * up(x))``, as three matrices."""
    plan.linear(f"{name}.gate_proj", inner, hidden, bias=bias, over=over, active=active)
    plan.linear(f"{name}.up_proj", inner, hidden, bias=bias, over=over, active=active)
    plan.linear(f"{name}.down_proj", hidden, inner, bias=bias, over=over, active=active)


def windows(config: Config, count: int, *, every: int | None, default: int | None = None) -> dict[int | None, int]:
    """How many layers look back over which window (``None``: over everything).

    Args:
        config: its ``layer_types`` say it layer by layer, where they are there.
        count: layers.
        every: without them, each ``every``-th layer sees everything; ``None`` means that a window holds for all layers, 0 that
            none has one.
        default: the window where the configuration has none.
    """
    kinds = config.may_list("layer_types")
    window = config.may("sliding_window", "attention_chunk_size") or default
    if window is None or (kinds is None and every == 0):
        return {None: count}
    if kinds is not None:
        if len(kinds) != count:
            raise MalformedError(f"{config.pointer}/layer_types has {len(kinds)} items for {count} layers")
        narrow = sum(1 for each in kinds if each in {"sliding_attention", "chunked_attention"})
    elif every is None:
        narrow = count
    else:
        narrow = count - count // every
    return {size: number for size, number in ((None, count - narrow), (window, narrow)) if number}


def keep_attention(plan: Blueprint, attention: Attention, spans: dict[int | None, int]) -> None:
    """Keys and values of every layer, and two multiplications with each that is kept."""
    for window, count in spans.items():
        plan.keep("kv", count, 2 * attention.keys, window=window, flop=4 * attention.queries)
    if any(window for window in spans):
        plan.facts["sliding window"] = next(window for window in spans if window)
