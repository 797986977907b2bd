"""What a model needs wherever it runs: bytes of weights and of what is kept of a sequence, operations for a token and a prompt."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.quantity import number_text
from openvet.evidence.predicates.profile_v1 import Cache, ModelPart

__all__ = ["CACHE_TYPES", "Needs", "Workload", "cache_bytes", "kept", "needs_of", "prompt_flop", "token_flop"]

#: Bits of a number in a cache; of block types with their scales (ggml).
CACHE_TYPES: Final = {
    "f32": Fraction(32), "f16": Fraction(16), "bf16": Fraction(16), "fp8": Fraction(8), "q8_0": Fraction(17, 2), "q5_1": Fraction(6),
    "q5_0": Fraction(11, 2), "q4_1": Fraction(5), "q4_0": Fraction(9, 2), "iq4_nl": Fraction(9, 2),
}  # fmt: skip
#: A state is not what cache types are about, and no runtime keeps it in less.
_STATE_BITS: Final = 16
_BITS_OF: Final = {"float32": 32, "F32": 32, "float16": 16, "bfloat16": 16, "F16": 16, "BF16": 16, "float64": 64}
_MOST_TOKENS: Final = 10**9


@dataclass(frozen=True, slots=True)
class Workload:
    """What is asked of a device: ``batch`` sequences of ``context`` tokens each, with numbers of ``cache_type`` in the cache."""

    context: int
    batch: int = 1
    cache_type: str = "f16"

    @property
    def bits(self) -> Fraction:
        return CACHE_TYPES[self.cache_type]


@dataclass(frozen=True, slots=True)
class Needs:
    """What a model needs wherever it runs.

    Attributes:
        weight_bytes: of all weights, as they are stored.
        basis: ``derived`` from the files, ``declared`` by the configuration, or ``assumed``.
        bits: of a weight, on average.
        dtype: of most weights, or '' where nothing says so.
        parameters: how many there are, where that is known.
        multiplied: those that a token is multiplied with; ``None`` where a token's work is not known.
        head: those of them that make words out of the last layer, which a prompt needs once.
        caches: what a sequence costs.
        context: tokens that the model was made for, where that is known.
        decodes: whether it makes one token after the other; an encoder only takes a prompt.
        prompted: whether a prompt passes the same parameters as a token that is made; another part encodes it else.
        assumptions: in words.
    """

    weight_bytes: int
    basis: str
    bits: Fraction
    dtype: str
    parameters: int | None
    multiplied: int | None
    head: int
    caches: tuple[Cache, ...]
    context: int | None
    decodes: bool
    prompted: bool = True
    assumptions: tuple[str, ...] = ()

    @property
    def read_bytes(self) -> int:
        """Of weights, for a token: those that it is multiplied with."""
        if self.multiplied is None:
            return self.weight_bytes
        return min(self.weight_bytes, int(self.multiplied * self.bits / 8))

    def serve_bytes(self, work: Workload, context: int | None = None) -> int:
        """Weights, and the cache of all sequences."""
        tokens = work.context if context is None else context
        return self.weight_bytes + work.batch * cache_bytes(self.caches, tokens, work.bits)

    def to_json(self) -> dict[str, Any]:
        return {
            "weight_bytes": self.weight_bytes,
            "basis": self.basis,
            "bits_per_weight": number_text(self.bits),
            "dtype": self.dtype,
            "parameters": self.parameters,
            "multiplied_per_token": self.multiplied,
            "read_bytes_per_token": self.read_bytes,
            "context_length": self.context,
            "decodes": self.decodes,
            "assumptions": list(self.assumptions),
        }


def kept(cache: Cache, tokens: int) -> int:
    """How many times ``cache.elements`` a layer keeps of a sequence of ``tokens`` tokens."""
    if cache.kind == "state":
        return 1
    return tokens if cache.window is None else min(tokens, cache.window)


def cache_bytes(caches: Sequence[Cache], tokens: int, bits: Fraction | int = 16) -> int:
    """Bytes that ``caches`` take for one sequence of ``tokens`` tokens, with ``bits`` bits for a number."""
    sizes = (
        each.layers * each.elements * kept(each, tokens) * (max(bits, _STATE_BITS) if each.kind == "state" else bits)
        for each in caches
    )
    return -int(-sum(sizes, Fraction(0)) // 8)


def token_flop(needs: Needs, context: int) -> int:
    """Operations for one more token of a sequence of ``context`` tokens."""
    return 2 * (needs.multiplied or 0) + sum(each.layers * each.flop * kept(each, context) for each in needs.caches)


def prompt_flop(needs: Needs, tokens: int) -> int:
    """Operations for a prompt: each token looks back over those before it, and only the last one needs the head."""
    pairs = 0
    for each in needs.caches:
        most = tokens if each.window is None else min(tokens, each.window)
        looks = tokens if each.kind == "state" else most * (most + 1) // 2 + (tokens - most) * most
        pairs += each.layers * (each.flop if each.prompt_flop is None else each.prompt_flop) * looks
    multiplied = needs.multiplied or 0
    return 2 * (multiplied - needs.head) * tokens + 2 * needs.head + pairs


def needs_of(part: ModelPart) -> Needs | None:
    """What ``part`` needs, or ``None`` where neither its weights nor its parameters are known."""
    parameters, stored = part.count("parameters"), part.count("weight bytes")
    assumptions = []
    basis, dtype = "derived", _dtype(part)
    if stored is None:
        if not parameters:
            return None
        stored, basis, dtype, said = _without_weights(part, parameters)
        if said:
            assumptions.append(said)
    bits = Fraction(stored * 8, parameters) if parameters else Fraction(16)
    multiplied = part.count("parameters multiplied per token")
    if multiplied is not None and parameters and len(_types(part)) > 1:
        assumptions.append("weights of several types: those of a token are taken at the average of all")
    if part.count("active parameters") is not None:
        assumptions.append(
            "of a mixture of experts those of one token are counted: a prompt and a batch read more of them"
        )
    kind = part.fact("kind")
    decodes = kind is not None and kind.value in {"decoder", "encoder-decoder"}
    if multiplied is not None and not part.caches:
        what = "no cache is counted" if decodes else "attention between tokens is not counted"
        assumptions.append(f"what a sequence costs is not known: {what}")
    words, hidden = part.count("vocabulary"), part.count("hidden size")
    head = words * hidden if words and hidden and multiplied and words * hidden < multiplied else 0
    context = part.count("context length")
    return Needs(
        stored,
        basis,
        bits,
        dtype,
        parameters,
        multiplied,
        head,
        part.caches,
        context if context and context <= _MOST_TOKENS else None,
        decodes,
        kind is None or kind.value != "encoder-decoder",
        tuple(assumptions),
    )


def _without_weights(part: ModelPart, parameters: int) -> tuple[int, str, str, str]:
    """Bytes, their basis, the type and what was assumed, of weights of which only the configuration is there."""
    declared = part.fact("declared dtype")
    word = str(declared.value).removeprefix("torch.") if declared is not None else ""
    width = _BITS_OF.get(word)
    basis, taken = ("declared", f"{width} bits") if width else ("assumed", "16 bits")
    dtype = {"float32": "F32", "float16": "F16", "bfloat16": "BF16"}.get(word, "")
    plain = width or 16
    scheme, bits = part.fact("quantization"), part.count("quantization bits")
    if bits is not None and bits < plain:
        # tables and the matrix that makes words are what schemes leave as they are
        tables = part.count("embedding parameters") or 0
        words = (
            0 if part.fact("tied embeddings") else (part.count("vocabulary") or 0) * (part.count("hidden size") or 0)
        )
        wide = min(parameters, tables + words)
        text = (
            f"there are no weights: the {bits} bits that the quantization declares are taken for each, and {taken} for"
            " tables of embeddings and the matrix that makes words; scales are not counted"
        )
        return ((parameters - wide) * bits + wide * plain + 7) // 8, "assumed", "", text
    text = "" if width else "neither weights nor a type of numbers are there: 16 bits for each weight are taken"
    if scheme is not None and bits is None:
        text = f"the quantization {scheme.value} is declared without its bits, and there are no weights: {taken} for each weight are taken"
    return (parameters * plain + 7) // 8, basis, dtype, text


def _types(part: ModelPart) -> dict[str, int]:
    fact = part.fact("dtypes")
    if fact is None or not isinstance(fact.value, dict):
        return {}
    return {str(name): int(each["bytes"]) for name, each in fact.value.items()}


def _dtype(part: ModelPart) -> str:
    found = _types(part)
    return max(found, key=lambda name: found[name]) if found else ""
