"""The tensors of one model beside those of another: which belong together, what became of each, and the same by layer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.text import printable
from openvet.errors import ReadError
from openvet.evidence.predicates.diff_v1 import KINDS, STATUSES, ModelChange, NotCompared, TensorChange, TensorGroup
from openvet.inventory.compare.ggml import BLOCKS
from openvet.inventory.compare.names import EXPERTS, kind_of, layer_of, pair
from openvet.inventory.compare.numbers import Measured, Run, Stored, Turn, compare_numbers
from openvet.inventory.compare.swept import Sweep

__all__ = ["LISTED", "Heads", "Matched", "compare_models", "heads_of", "match", "split_experts"]

#: Tensors of one pair of models that are listed; all are counted.
LISTED: Final = 20_000
_EXPERTS: Final = 1_024
_NOTES_OF_UNREAD: Final = 50
_NOTHING: Final[Mapping[tuple[str, str], Sweep]] = {}


@dataclass(frozen=True, slots=True)
class Heads:
    """What llama.cpp's converter does to tensors of an architecture, by the keys of a GGUF file.

    Attributes:
        queries, keys: how many heads; 0 where their rows stay as they are.
        plus: what is added to the weights of norms.
    """

    queries: int = 0
    keys: int = 0
    plus: int = 0

    def turn_of(self, name: str) -> Turn:
        """What was done to the tensor that llama.cpp calls ``name``."""
        if self.queries and name.endswith((".attn_q.weight", ".attn_q.bias")):
            return Turn(heads=self.queries)
        if self.keys and name.endswith((".attn_k.weight", ".attn_k.bias")):
            return Turn(heads=self.keys)
        return Turn(plus=self.plus) if self.plus and name.endswith("norm.weight") else Turn()


@dataclass(frozen=True, slots=True, eq=False)
class Matched:
    """Two tensors that belong together, or one that has no counterpart."""

    a: Stored | None
    b: Stored | None

    @property
    def name(self) -> str:
        return (self.b or self.a).name  # type: ignore[union-attr] # one of them is there


def split_experts(tensors: Sequence[Stored]) -> list[Stored]:
    """``tensors`` of a GGUF file with those apart that hold all experts of a layer: each expert has a name in other packagings."""
    out: list[Stored] = []
    for each in tensors:
        inner = each.name.split(".")[2] if each.name.startswith("blk.") and each.name.count(".") == 3 else ""
        if inner not in EXPERTS or len(each.shape) != 3 or not 0 < each.shape[0] <= _EXPERTS:
            out.append(each)
            continue
        count, *rest = each.shape
        out.extend(
            Stored(
                f"{each.name}[{number}]",
                each.dtype,
                tuple(rest),
                each.place,
                each.ggml,
                _part(each, number),
                each.why,
            )
            for number in range(count)
        )
    return out


def _part(whole: Stored, number: int) -> Callable[[], Run] | None:
    begin = whole.run
    if begin is None:
        return None

    def start() -> Run:
        block, size = BLOCKS.get(whole.dtype, (1, 0))
        from openvet.inventory.compare.dtypes import WIDTHS

        nbytes = whole.elements // whole.shape[0] // block * (size or WIDTHS.get(whole.dtype, 0))
        run = begin()
        run.skip(number * nbytes)
        return run

    return start


def match(a: Sequence[Stored], b: Sequence[Stored]) -> list[Matched]:
    """What belongs together, in the order of B; what only A has comes last. Of tensors with one name, the first counts."""
    if any(each.ggml for each in a) != any(each.ggml for each in b):
        a, b = (split_experts(side) if any(each.ggml for each in side) else side for side in (a, b))
    by_a, by_b = ({each.name: each for each in reversed(side)} for side in (a, b))
    names_a, names_b = (
        [each.name for each in side if held[each.name] is each] for side, held in ((a, by_a), (b, by_b))
    )
    paired = pair(names_a, names_b, ggml_a=any(each.ggml for each in a), ggml_b=any(each.ggml for each in b))
    turned = {of_b: of_a for of_a, of_b in paired.items()}
    out = [Matched(by_a[turned[name]] if name in turned else None, by_b[name]) for name in names_b]
    out += [Matched(by_a[name], None) for name in names_a if name not in paired]
    return out


def compare_models(
    name_a: str,
    name_b: str,
    matched: Sequence[Matched],
    heads: Heads,
    np: Any,
    *,
    spread: Callable[[Callable[[Matched], Any], Sequence[Matched]], Iterable[Any]],
    done: Callable[[Matched], object] = lambda _: None,
    known: Mapping[tuple[str, str], Sweep] = _NOTHING,
) -> tuple[ModelChange, list[NotCompared]]:
    """Compare every tensor of two models.

    Args:
        heads: what a GGUF file's converter did, where one side is such a file.
        np: NumPy, or a function that loads it where it is needed; or ``None``.
        spread: gives the results of a function for all items, in order (a pool of threads, or ``map``).
        done: is called for each pair.
        known: what was found of pairs that went by already, by the keys of both.
    """
    groups: dict[tuple[int, int], _Group] = {}
    listed: list[TensorChange] = []
    unread: dict[str, list[str]] = {}
    left_off = 0

    def one(each: Matched) -> tuple[str, TensorChange | None, Measured | None]:
        return _compare(each, heads, np, known)

    for each, (status, change, measured) in zip(matched, spread(one, matched), strict=True):
        done(each)
        layer, kind = layer_of(each.name), kind_of(each.name)
        key = (-1 if layer is None else layer, KINDS.index(kind))
        groups.setdefault(key, _Group()).add(status, measured, each)
        if status == "unread" and change is not None:
            unread.setdefault(change.note, []).append(each.name)
        if change is not None:
            if len(listed) < LISTED:
                listed.append(change)
            else:
                left_off += 1
    made = tuple(groups[key].frozen(None if key[0] < 0 else key[0], KINDS[key[1]]) for key in sorted(groups))
    notes = [
        NotCompared(
            "", name_b or name_a, f"{len(names)} {'tensor' if len(names) == 1 else 'tensors'} ({names[0]} …): {reason}"
        )
        if len(names) > 1
        else NotCompared("", name_b or name_a, f"the tensor {names[0]}: {reason}")
        for reason, names in list(unread.items())[:_NOTES_OF_UNREAD]
    ]
    return ModelChange(name_a, name_b, made, tuple(listed), left_off), notes


class _Group:
    """Tensors of one layer and kind, being added up."""

    __slots__ = ("changed", "difference", "norm", "statuses", "values")

    def __init__(self) -> None:
        self.statuses: dict[str, int] = {}
        self.values = 0
        self.changed = 0
        self.norm = 0.0
        self.difference = 0.0

    def add(self, status: str, measured: Measured | None, each: Matched) -> None:
        self.statuses[status] = self.statuses.get(status, 0) + 1
        if measured is None:
            return
        self.values += each.b.elements if each.b is not None else 0
        self.changed += max(measured.changed, 0)
        if measured.measured:
            share = measured.values / measured.measured
            self.norm += measured.norm_a**2 * share
            self.difference += measured.difference**2 * share

    def frozen(self, layer: int | None, kind: str) -> TensorGroup:
        relative = (self.difference / self.norm) ** 0.5 if self.norm else None
        return TensorGroup(
            layer,
            kind,
            {status: self.statuses[status] for status in STATUSES if status in self.statuses},
            self.values,
            self.changed,
            None if relative is None else number(relative),
        )


def number(value: float) -> str:
    """Decimal text of four digits."""
    return f"{value:.4g}"


def _compare(
    each: Matched, heads: Heads, np: Any, known: Mapping[tuple[str, str], Sweep]
) -> tuple[str, TensorChange | None, Measured | None]:
    a, b = each.a, each.b
    if a is None or b is None:
        only = b or a
        if only is None:
            raise AssertionError("a pair without tensors")
        side = (
            {"dtype_b": only.dtype, "shape_b": only.shape}
            if a is None
            else {"dtype_a": only.dtype, "shape_a": only.shape}
        )
        status = "added" if a is None else "removed"
        return status, TensorChange(status, only.name, **side), None  # type: ignore[arg-type] # mypy cannot follow the two keys
    if a.key and a.key == b.key and (a.dtype, a.shape) == (b.dtype, b.shape):
        return "equal", None, None  # of files with one digest
    turn = Turn()
    if a.ggml != b.ggml:
        turn = heads.turn_of(a.name if a.ggml else b.name)
    try:
        if a.shape != b.shape:
            return _reshaped(a, b, np)
        found = _known(known.get((a.key, b.key)), a, b, turn)
        if found is None:
            found = compare_numbers(a, b, np, turn)
    except ReadError as error:
        return "unread", _change("unread", a, b, note=printable(error.message)), None
    if found.status == "equal" and a.name == b.name:
        return "equal", None, found
    note = _turned(turn) if found.status != "equal" else ""
    if found.status == "equal":
        return "equal", None, found
    return (
        found.status,
        _change(found.status, a, b, measured=found, note=", ".join(filter(None, (found.how, note)))),
        found,
    )


def _known(sweep: Sweep | None, a: Stored, b: Stored, turn: Turn) -> Measured | None:
    """What went by, if it is what was to be compared: a key says only where it began."""
    if sweep is None or (sweep.a, sweep.b, sweep.values) != (a.dtype, b.dtype, a.elements) or turn != Turn():
        return None
    return sweep.judged()


def _turned(turn: Turn) -> str:
    if turn.heads:
        return "the rows of its heads are in llama.cpp's order"
    return f"llama.cpp adds {turn.plus} to it" if turn.plus else ""


def _reshaped(a: Stored, b: Stored, np: Any) -> tuple[str, TensorChange, Measured | None]:
    """Another shape: of as many values, or of more rows, of which those that both have can be compared."""
    note = ""
    found: Measured | None = None
    if a.run is None or b.run is None:
        note = a.why or b.why
    elif a.elements == b.elements and a.dtype not in BLOCKS and b.dtype not in BLOCKS:
        found = compare_numbers(_as(a, a.shape), _as(b, a.shape), np)
        note = "the values are equal, in the same order" if found.status == "equal" else "the values differ too"
    elif a.shape[1:] == b.shape[1:] and a.shape and b.shape:
        rows = min(a.shape[0], b.shape[0])
        shape = (rows, *a.shape[1:])
        found = compare_numbers(_as(a, shape), _as(b, shape), np)
        note = f"the first {rows} rows are {'equal' if found.status == 'equal' else found.status}"
    return "reshaped", _change("reshaped", a, b, measured=found, note=note), found


def _as(stored: Stored, shape: tuple[int, ...]) -> Stored:
    return Stored(stored.name, stored.dtype, shape, stored.place, stored.ggml, stored.run, stored.why)


def _change(status: str, a: Stored, b: Stored, *, measured: Measured | None = None, note: str = "") -> TensorChange:
    more: dict[str, Any] = {}
    if measured is not None:
        more = {
            "original": measured.original,
            "values": measured.values,
            "changed": None if measured.changed < 0 else measured.changed,
        }
        if measured.measured:
            more |= {
                "measured": measured.measured,
                "norm_a": number(measured.norm_a),
                "norm_b": number(measured.norm_b),
                "difference": number(measured.difference),
                "largest": number(measured.largest),
                "relative": None if measured.relative is None else number(measured.relative),
            }
        if measured.steps is not None:
            more |= {"steps": number(measured.steps), "outside": measured.outside}
        if any(measured.not_finite):
            more["not_finite"] = measured.not_finite
    return TensorChange(
        status,
        b.name,
        None if a.name == b.name else a.name,
        a.dtype,
        b.dtype,
        a.shape,
        b.shape,
        note=note,
        **more,
    )


def heads_of(keys: Mapping[str, Any]) -> Heads:
    """What the converter did, by the keys of a GGUF file; what the keys do not say is nothing.

    Source: ``LlamaModel.permute`` and ``norm_shift`` in llama.cpp's ``convert_hf_to_gguf.py``.
    """
    family = keys.get("general.architecture")
    if family in _PLUS_ONE:
        return Heads(plus=1)
    if family not in _TURNED:
        return Heads()
    queries = _whole(keys.get(f"{family}.attention.head_count"))
    return Heads(queries, _whole(keys.get(f"{family}.attention.head_count_kv")) or queries)


_TURNED: Final = frozenset({"llama", "minicpm", "granite", "granitemoe", "baichuan", "internlm2", "orion", "llama4"})
_PLUS_ONE: Final = frozenset({"gemma", "gemma2", "gemma3", "nemotron"})


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**20 else 0
