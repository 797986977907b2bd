"""Holding statements against each other: the configuration against the tensors, labels against what is there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from openvet.core.location import Location
from openvet.core.pattern import pattern
from openvet.evidence.predicates.inventory_v1 import Fact
from openvet.evidence.predicates.profile_v1 import Comparison, Problem
from openvet.inventory.component import Component
from openvet.inventory.weights import NOT_PARAMETERS, Count
from openvet.profile._quantized import is_packed, unpack
from openvet.profile._say import carried
from openvet.profile.blueprint import Blueprint, Role

__all__ = [
    "Match",
    "compare_dtype",
    "compare_gguf",
    "compare_quantization",
    "compare_sentences",
    "compare_shapes",
    "match",
]

#: Tensors that are held against a configuration by name; more than any published model has.
_MOST_NAMES = 500_000
#: From this part of the names on, a checkpoint uses the names of the drawing, and what is missing is missing.
_ENOUGH = 0.5
_LISTED = 10
_FIRST_WORDS = 4
_SAMPLE = 20
#: Endings of names in older releases of transformers and of PyTorch's ``weight_norm``.
_OLD = {".LayerNorm.gamma": ".LayerNorm.weight", ".LayerNorm.beta": ".LayerNorm.bias",
        ".weight_g": ".parametrizations.weight.original0", ".weight_v": ".parametrizations.weight.original1"}  # fmt: skip
_OLD_ENDINGS = tuple(_OLD)
#: Attention in the middle of an autoencoder, up to diffusers 0.15.
_OLD_ATTENTION = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}
_DTYPES = {"float32": "F32", "float": "F32", "float16": "F16", "half": "F16", "bfloat16": "BF16", "float64": "F64",
           "float8_e4m3fn": "F8_E4M3"}  # fmt: skip
#: Types of numbers as they are trained: none of them is what quantization leaves.
_PLAIN = frozenset({"F32", "F16", "BF16", "F64"})
_PLAIN_BITS = 16
_LABEL = pattern(r"(?:(\d{1,4})x)?(\d{1,4}(?:\.\d{1,3})?)([KMBT])")
_UNITS = {"K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}
#: general.file_type -> the type of tensors that it is named after (llama.h, ``llama_ftype``).
_FILE_TYPES = {0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K", 12: "Q3_K", 13: "Q3_K",
               14: "Q4_K", 15: "Q4_K", 16: "Q5_K", 17: "Q5_K", 18: "Q6_K", 19: "IQ2_XXS", 20: "IQ2_XS", 21: "Q2_K", 22: "IQ3_XS",
               23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL", 26: "IQ3_S", 28: "IQ2_S", 30: "IQ4_XS", 31: "IQ1_M", 32: "BF16"}  # fmt: skip


class Match:
    """How the names and shapes of a drawing fit the tensors that are there.

    Attributes:
        known: whether the checkpoint uses the names of the drawing at all.
        missing: names that are drawn and not there; ``wrong``: name -> (shape drawn, shape there).
        further: how many tensors are there that are not drawn.
    """

    def __init__(self, drawn: Mapping[str, tuple[int, ...]], there: Mapping[str, tuple[int, ...]]) -> None:
        self.drawn = len(drawn)
        self.missing = [name for name in drawn if name not in there]
        self.known = bool(drawn) and len(self.missing) <= len(drawn) * _ENOUGH
        self.wrong = {name: (shape, there[name]) for name, shape in drawn.items() if there.get(name, shape) != shape}
        self.further = len(there) - (len(drawn) - len(self.missing))

    @property
    def fits(self) -> bool:
        """Every tensor that is drawn is there with that shape."""
        return self.known and not self.missing and not self.wrong


def match(plan: Blueprint, components: Sequence[Component], bits: int | None = None) -> Match:
    """Hold ``plan`` against the tensors of ``components``.

    A common first word of all names, such as ``model.`` or ``bert.``, may be absent or be there in addition, and names of older
    releases stand for the newer ones. ``bits`` are those of packed numbers, where the configuration says them.
    """
    tensors = {_newer(each.name): each for component in components for each in component.tensors}
    drawn = _drawn(plan)
    packed = is_packed(tensors.values())
    there = {name: each.shape for name, each in tensors.items()}
    if packed:
        there = unpack(tensors, drawn, bits)
    drawn = _renamed(plan, drawn, there)
    if packed:  # some that were packed may be known by their new names only
        there = unpack(tensors, drawn, bits)
    found = Match(drawn, there)
    if not found.known:
        for cut, put in _renamings(drawn, there):
            renamed = {put + name.removeprefix(cut): shape for name, shape in drawn.items() if name.startswith(cut)}
            other = Match(renamed, there)
            if other.known:
                return other
    return found


def _drawn(plan: Blueprint) -> dict[str, tuple[int, ...]]:
    """Name -> shape of what has to be there; nothing where there are more than any model has."""
    weights = [each for each in plan.weights if each.role != Role.BUFFER]
    if sum(each.copies for each in weights) > _MOST_NAMES:
        return {}
    return {name: each.shape for each in weights for name in each.names()}


def _renamed(
    plan: Blueprint, drawn: Mapping[str, tuple[int, ...]], there: Mapping[str, tuple[int, ...]]
) -> dict[str, tuple[int, ...]]:
    """The drawing with the names that published files have in place of the class's, where they are there."""
    out = {}
    for name, shape in drawn.items():
        others = (put + name.removeprefix(cut) for cut, put in plan.renamed if name.startswith(cut))
        out[name if name in there else next((each for each in others if each in there), name)] = shape
    return out


def _newer(name: str) -> str:
    """The name that newer releases give to what ``name`` was in older ones."""
    if name.endswith(_OLD_ENDINGS):
        old = next(each for each in _OLD_ENDINGS if name.endswith(each))
        return name.removesuffix(old) + _OLD[old]
    if ".mid_block.attentions." in name:
        place, _, last = name.rpartition(".")
        place, _, kind = place.rpartition(".")
        return f"{place}.{_OLD_ATTENTION.get(kind, kind)}.{last}"
    return name


def _renamings(drawn: Mapping[str, object], there: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """First words to take off the names of ``drawn`` and to put before them, of which a few names say that they may fit."""
    cuts, puts = (
        ["", *(f"{word}." for word, _ in Counter(name.partition(".")[0] for name in names).most_common(_FIRST_WORDS))]
        for names in (drawn, there)
    )
    for cut, put in product(cuts, puts):
        held = [name for name in drawn if name.startswith(cut)]
        some = held[:: len(held) // _SAMPLE + 1]
        if sum(put + name.removeprefix(cut) in there for name in some) > len(some) * _ENOUGH:
            yield cut, put


def compare_shapes(found: Match, config: Component, components: Sequence[Component]) -> Iterator[Comparison | Problem]:
    """Where the configuration draws another tensor than is there, or one that is in no file."""
    if not found.known:
        return
    for name, (drawn, there) in list(found.wrong.items())[:_LISTED]:
        place = _place(components, name)
        yield Comparison(
            f"shape of {carried(name)}",
            Fact("shape", list(there), "derived", (Location(place, pointer=name),)),
            Fact("shape", list(drawn), "declared", (Location(config.place),)),
            agree=False,
            note=_more(f"the file has {list(there)}, and the configuration asks for {list(drawn)}", len(found.wrong)),
        )
    if found.missing:
        first = ", ".join(str(carried(each)) for each in found.missing[:3])
        text = f"{len(found.missing)} of {found.drawn} tensors that the configuration asks for are in no file: {first}"
        yield Problem(text + (" ..." if len(found.missing) > 3 else ""), Location(config.place))


def _place(components: Sequence[Component], name: str) -> str:
    """The file with the tensor ``name``, or with what is stored in its place."""
    for start in (name, name.removesuffix("weight")):
        for each in components:
            if any(
                tensor.name == start or (start != name and tensor.name.startswith(start)) for tensor in each.tensors
            ):
                return each.place
    return components[0].place


def _more(text: str, count: int) -> str:
    return text if count <= _LISTED else f"{text}; {count} tensors differ in all"


def compare_dtype(
    declared: Fact | None, counted: Mapping[str, Count], components: Sequence[Component]
) -> Iterator[Comparison]:
    """The type of number that the configuration names against the one that most elements have."""
    if declared is None or not isinstance(declared.value, str):
        return
    elements = {dtype: each.elements for dtype, each in counted.items() if dtype not in NOT_PARAMETERS}
    wanted = _DTYPES.get(declared.value.removeprefix("torch."))
    if not elements or wanted is None:
        return
    most = max(elements, key=lambda each: elements[each])
    if most == wanted:
        return
    fact = Fact("dtypes", most, "derived", tuple(Location(each.place) for each in components[:_LISTED]))
    yield Comparison("dtype", fact, declared, agree=False, note=f"most elements are {most}, and {wanted} is declared")


def compare_quantization(
    declared: Fact | None, bits: int | None, counted: Mapping[str, Count], components: Sequence[Component]
) -> Iterator[Comparison]:
    """Numbers of few bits that the configuration declares, where every element has as many as before any quantization.

    A scheme without bits (one that only the program applies, one of the cache alone) says nothing of what is stored.
    """
    elements = {dtype: each.elements for dtype, each in counted.items() if each.elements}
    if declared is None or bits is None or bits >= _PLAIN_BITS or not elements or not set(elements) <= _PLAIN:
        return
    most = max(elements, key=lambda each: elements[each])
    fact = Fact("dtypes", most, "derived", tuple(Location(each.place) for each in components[:_LISTED]))
    kinds = ", ".join(sorted(elements))
    note = f"all elements are {kinds}, which is not quantized, and {declared.value} is declared"
    yield Comparison("quantization", fact, declared, agree=False, note=note)


def compare_sentences(context: Fact | None, taken: Fact | None) -> Iterator[Comparison]:
    """The tokens that sentence-transformers takes of a text against those that the model was made for: fewer are a choice."""
    if context is None or taken is None or not isinstance(context.value, int) or not isinstance(taken.value, int):
        return
    if taken.value != context.value:
        note = f"sentence-transformers takes {taken.value:,} tokens of a text, and the model was made for {context.value:,}"
        yield Comparison("context length", context, taken, taken.value < context.value, note)


def compare_gguf(first: Component, parameters: int, counted: Mapping[str, Count]) -> Iterator[Comparison]:
    """What a GGUF file calls itself against its tensors: number of parameters, size label, type of file."""
    keys = first.metadata
    here = (Location(first.place),)
    counted_fact = Fact("parameters", carried(parameters), "derived", here)
    number = keys.get("general.parameter_count")
    if isinstance(number, int) and not isinstance(number, bool):
        fact = Fact(
            "parameters", carried(number), "declared", (Location(first.place, pointer="general.parameter_count"),)
        )
        yield Comparison(
            "parameters",
            counted_fact,
            fact,
            number == parameters,
            f"the tensors have {parameters:,}, and {number:,} are declared",
        )
    label = keys.get("general.size_label")
    found = _LABEL.fullmatch(label) if isinstance(label, str) else None
    if found is not None:
        size = float(found[2]) * _UNITS[found[3]] * int(found[1] or 1)
        fact = Fact("parameters", label, "declared", (Location(first.place, pointer="general.size_label"),))
        # a label is rounded, and of experts that share layers it names only the parts
        agree = 0.5 * size <= parameters <= 1.5 * size
        yield Comparison(
            "parameters",
            counted_fact,
            fact,
            agree,
            f"the tensors have {parameters:,}, and the label is {carried(label)}",
        )
    kind = keys.get("general.file_type")
    named = _FILE_TYPES.get(kind) if isinstance(kind, int) and not isinstance(kind, bool) else None
    if named is None or not counted:
        return
    elements = {dtype: each.elements for dtype, each in counted.items()}
    most = max(elements, key=lambda each: elements[each])
    part = elements.get(named, 0) * 100 // max(sum(elements.values()), 1)
    fact = Fact("file type", named, "declared", (Location(first.place, pointer="general.file_type"),))
    note = f"{part} % of the elements are {named}, after which the file is named" + (
        "" if most == named else f"; most are {most}"
    )
    yield Comparison("file type", Fact("dtypes", most, "derived", here), fact, agree=part > 0, note=note)
