"""What decoders of text have in common: attention over all tokens or a window of them, gated layers, experts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from openvet.core.dataclass import dataclass
from openvet.errors import MalformedError
from openvet.profile._config import LAYERS, Config
from openvet.profile.blueprint import Blueprint, Role

__all__ = [
    "Attention",
    "Outline",
    "attend",
    "context",
    "every_of",
    "gated",
    "head_of",
    "keep_attention",
    "kinds_of",
    "layers_of",
    "others",
    "outline",
    "route",
    "windows",
    "windows_after",
]

#: How ``layer_types`` and keys like it call layers that look back over a window only.
_NARROW = frozenset({"sliding_attention", "chunked_attention"})


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
        if config.denies("num_key_value_heads"):
            groups = None
        shared = config.whole("num_key_value_heads", "num_kv_heads", default=groups or heads, most=LAYERS)
        found = config.may("head_dim") or width
        if found is None:
            found = hidden // heads
            if found * heads != hidden:
                raise MalformedError(f"{config.pointer}/hidden_size {hidden} is no multiple of the {heads} heads")
        if heads % shared:
            raise MalformedError(
                f"{config.pointer}/num_key_value_heads is {shared}: {heads} heads cannot share {shared} keys and values"
            )
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


@dataclass(frozen=True, slots=True)
class Outline:
    """What every decoder has: the drawing so far, the width of its stream, its table and its layers."""

    plan: Blueprint
    hidden: int
    vocabulary: int
    layers: range


def outline(config: Config, kind: str, *, table: str = "model.embed_tokens", count: int | None = None) -> Outline:
    """A decoder with its table and nothing else yet; ``count`` is the number of layers where another key says it."""
    hidden, vocabulary = config.whole("hidden_size"), config.whole("vocab_size")
    layers = layers_of(config) if count is None else range(count)
    plan = Blueprint(kind, "decoder")
    plan.facts |= {"layers": len(layers), "hidden size": hidden, "vocabulary": vocabulary}
    context(config, plan)
    plan.add(f"{table}.weight", vocabulary, hidden, role=Role.EMBEDDING)
    return Outline(plan, hidden, vocabulary, layers)


def others(layers: Sequence[int], some: Sequence[int]) -> list[int]:
    """The layers that are not among ``some``."""
    apart = set(some)
    return [each for each in layers if each not in apart]


def kinds_of(config: Config, name: str, count: int, words: Mapping[str, str]) -> list[str] | None:
    """What each layer is, in words of ours; ``None`` where the configuration does not say it.

    Args:
        config: where it stands.
        name: the key of the list.
        count: layers.
        words: a word of the configuration -> ours. Any other is refused.
    """
    found = config.texts(name)
    if found is None:
        return None
    if len(found) != count:
        raise MalformedError(f"{config.pointer}/{name} has {len(found)} items for {count} layers")
    for number, each in enumerate(found):
        if each not in words:
            raise MalformedError(f"{config.pointer}/{name}/{number} is no kind of layer that this family has")
    return [words[each] for each in found]


def attend(
    plan: Blueprint,
    attention: Attention,
    hidden: int,
    layers: Sequence[int],
    *,
    place: str = "model.layers.{}.self_attn",
    bias: bool = False,
    output_bias: bool = False,
    output: str = "o_proj",
    normed: Sequence[str] = (),
    gate: bool = False,
) -> None:
    """The four matrices of grouped attention; ``gate`` makes as many gates beside the queries, ``normed`` names norms of a head."""
    over = (layers,)
    plan.linear(f"{place}.q_proj", attention.queries * (2 if gate else 1), hidden, bias=bias, over=over)
    plan.linear(f"{place}.k_proj", attention.keys, hidden, bias=bias, over=over)
    plan.linear(f"{place}.v_proj", attention.keys, hidden, bias=bias, over=over)
    plan.linear(f"{place}.{output}", hidden, attention.queries, bias=output_bias, over=over)
    for name in normed:
        plan.norm(f"{place}.{name}", attention.width, over=over)


def route(
    plan: Blueprint,
    place: str,
    hidden: int,
    width: int,
    layers: Sequence[int],
    *,
    experts: int,
    chosen: int,
    router: str = "gate",
    names: tuple[str, str, str] = ("gate_proj", "up_proj", "down_proj"),
    bias: bool = False,
) -> None:
    """A router and the gated experts that it chooses from."""
    plan.facts |= {"experts": experts, "experts per token": chosen}
    plan.linear(f"{place}.{router}", experts, hidden, over=(layers,))
    over = (layers, range(experts))
    gated(plan, f"{place}.experts.{{}}", hidden, width, over, bias=bias, active=(chosen, experts), names=names)


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
        plan.tied += vocabulary * hidden
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
    names: tuple[str, str, str] = ("gate_proj", "up_proj", "down_proj"),
) -> None:
    """``down(act(gate(x)) * up(x))``, as three matrices; ``names`` are theirs in this order: gate, up, down."""
    gate, up, down = names
    plan.linear(f"{name}.{gate}", inner, hidden, bias=bias, over=over, active=active)
    plan.linear(f"{name}.{up}", inner, hidden, bias=bias, over=over, active=active)
    plan.linear(f"{name}.{down}", hidden, inner, bias=bias, over=over, active=active)


def windows(config: Config, count: int, *, every: int | None, default: int | None = None) -> dict[int | None, int]:
    """How many layers look back over which window (``None``: over everything).

    Args:
        config: its ``layer_types`` say it layer by layer, where they are there.
        count: layers.
        every: without them, each ``every``-th layer sees everything; ``None`` means that a window holds for all layers, 0 that
            none has one.
        default: the window where the configuration has none.
    """
    kinds = config.texts("layer_types")
    window = config.may("sliding_window", "attention_chunk_size")
    if window is None and not config.denies("sliding_window"):
        window = default
    if window is None or (kinds is None and every == 0):
        return {None: count}
    if kinds is not None:
        if len(kinds) != count:
            raise MalformedError(f"{config.pointer}/layer_types has {len(kinds)} items for {count} layers")
        narrow = sum(1 for each in kinds if each in _NARROW)
    elif every is None:
        narrow = count
    else:
        narrow = count - count // every
    return {size: number for size, number in ((None, count - narrow), (window, narrow)) if number}


def windows_after(
    config: Config, count: int, *, most_wide: int, default: int | None = None, alternate: bool = False
) -> dict[int | None, int]:
    """The same as :func:`windows` for Qwen's keys: layers from ``max_window_layers`` on look back over the window only.

    Args:
        config: its ``layer_types`` count where they are there.
        count: layers.
        most_wide: the first layer with a window where the configuration does not say it.
        default: the window then.
        alternate: the other way round: every second layer before it has one.
    """
    if config.may_list("layer_types") is not None:
        return windows(config, count, every=0, default=default)
    first = config.whole("max_window_layers", default=most_wide, least=0, most=LAYERS)
    window = config.may("sliding_window")
    if window is None and not config.denies("sliding_window"):
        window = default
    if window is None:
        return {None: count}
    narrow = (min(first, count) + 1) // 2 if alternate else max(count - first, 0)
    return {size: number for size, number in ((None, count - narrow), (window, narrow)) if number}


def every_of(config: Config, default: int) -> int:
    """Each how manieth layer sees everything: a number, or as in EXAONE a letter for each of them (``LLLG``)."""
    if not isinstance(config.values.get("sliding_window_pattern"), str):
        return config.whole("sliding_window_pattern", default=default, least=0, most=LAYERS)
    letters = config.word("sliding_window_pattern")
    if len(letters) > LAYERS or letters != "L" * (len(letters) - 1) + "G":
        raise MalformedError(
            f"{config.pointer}/sliding_window_pattern is neither a number nor some letters L and then G"
        )
    return len(letters)


def keep_attention(plan: Blueprint, attention: Attention, spans: dict[int | None, int]) -> None:
    """Keys and values of every layer, and two multiplications with each that is kept."""
    for window, count in spans.items():
        plan.keep("kv", count, 2 * attention.keys, window=window, flop=4 * attention.queries)
    if any(window for window in spans):
        plan.facts["sliding window"] = next(window for window in spans if window)
