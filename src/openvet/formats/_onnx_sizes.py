"""Sizes that a model of ONNX or a graph of TensorFlow makes out of its own constants: a few bytes that become more than any machine holds, when the model is
run or as soon as a loader folds its constants; and loops over constants that never end.

Only what is certain counts: a lower bound of the elements of a result, from constants of the model and what follows from them by
plain arithmetic. Extents that come with the input are taken for one.

Source: https://onnx.ai/onnx/operators/ (ConstantOfShape, Expand, Loop, OneHot, Pad, RandomNormal, Range, Resize, Tile, Upsample).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import isfinite, prod
from typing import Final

from openvet.core.dataclass import dataclass
from openvet.core.text import printable, shorten

__all__ = ["SIZED", "TF_SIZED", "Sized", "Sizes"]

_MAKERS: Final = frozenset(
    {"ConstantOfShape", "Expand", "OneHot", "Pad", "RandomNormal", "RandomUniform", "Range", "Resize", "Tile", "Upsample", "Loop",
     "HannWindow", "HammingWindow", "BlackmanWindow", "MelWeightMatrix"}
)  # fmt: skip
_ARITHMETIC: Final = frozenset(
    {
        "Constant",
        "Identity",
        "Cast",
        "Concat",
        "Unsqueeze",
        "Squeeze",
        "Reshape",
        "Mul",
        "Add",
        "Pow",
        "Not",
        "Or",
        "BitShift",
    }
)
#: Operations whose nodes are remembered.
SIZED: Final = _MAKERS | _ARITHMETIC
#: Operations of TensorFlow, and those of ONNX that take the same in the same places.
TF_SIZED: Final = {
    "Fill": "ConstantOfShape", "Empty": "ConstantOfShape", "RandomUniform": "ConstantOfShape", "RandomStandardNormal": "ConstantOfShape",
    "TruncatedNormal": "ConstantOfShape", "StatelessRandomNormalV2": "ConstantOfShape", "StatelessRandomUniformV2": "ConstantOfShape",
    "StatelessRandomUniform": "ConstantOfShape", "StatelessRandomNormal": "ConstantOfShape", "RandomUniformInt": "ConstantOfShape",
    "BroadcastTo": "Expand", "Tile": "Tile", "Range": "Range", "OneHot": "OneHot", "ConcatV2": "Concat", "Pack": "Concat", "Mul": "Mul",
    "AddV2": "Add", "Add": "Add", "Pow": "Pow", "LeftShift": "BitShift", "Cast": "Cast", "Identity": "Identity", "Reshape": "Reshape",
    "ExpandDims": "Unsqueeze", "Squeeze": "Squeeze",
}  # fmt: skip
#: Elements that want a look, and elements that no machine holds: 2**35 floats are 128 GiB.
_LARGE: Final = 1 << 32
_ABSURD: Final = 1 << 35
#: Rounds of a loop that nobody sees the end of.
_ENDLESS: Final = (1 << 31) - 1
_MOST_NODES: Final = 20_000
_MOST_CONSTANTS: Final = 50_000
_MOST_TOLD: Final = 20
_ROUNDS: Final = 8
_FEW: Final = 64


@dataclass(frozen=True, slots=True)
class Sized:
    """A node that makes a size: names of what goes in and comes out, its attributes that are numbers, where the graphs in it begin."""

    op: str
    inputs: list[str]
    outputs: list[str]
    values: dict[str, list[float]]
    graphs: list[int]
    at: int | None


class Sizes:
    """The constants and such nodes of one model, by the graph that they stand in; ``shared``: a graph sees those of others."""

    __slots__ = ("_all", "_constants", "_counts", "_ends", "_nodes", "_scope", "_shared")

    def __init__(self, *, shared: bool = True) -> None:
        self._shared = shared
        self._scope = 0
        self._constants: dict[tuple[int, str], list[float]] = {}
        self._all: dict[str, list[float]] = {}
        self._nodes: list[tuple[int, Sized]] = []
        self._ends: dict[tuple[int, str], list[str]] = {}
        self._counts: dict[tuple[int, str], float] = {}

    @property
    def room(self) -> bool:
        """Whether more nodes are remembered."""
        return len(self._nodes) < _MOST_NODES

    def enter(self, at: int) -> None:
        """What is told from here on stands in the graph that begins at ``at``."""
        self._scope = at

    def constant(self, name: str, values: list[float]) -> None:
        """A tensor with a few numbers."""
        if name and values and len(self._constants) < _MOST_CONSTANTS:
            self._constants.setdefault((self._scope, name), values)
            self._all.setdefault(name, values)

    def end(self, kind: str, name: str) -> None:
        """An ``input`` or ``output`` of the graph."""
        if self._scope and len(self._ends) < _MOST_NODES:
            ends = self._ends.setdefault((self._scope, kind), [])
            if len(ends) < _FEW:
                ends.append(name)

    def node(self, node: Sized) -> None:
        """A node of :data:`SIZED`."""
        self._nodes.append((self._scope, node))

    def judge(self) -> Iterator[tuple[int | None, str, bool]]:
        """Where, what, and whether no machine can do it, of each node that makes an absurd size."""
        if not any(node.op in _MAKERS for _, node in self._nodes):
            return
        for _ in range(_ROUNDS):  # nodes stand in order; those of other graphs may come later
            before = len(self._constants)
            for scope, node in self._nodes:
                if node.op in _ARITHMETIC:
                    self._follow(scope, node)
            if len(self._constants) == before:
                break
        told = 0
        for scope, node in self._nodes:
            if node.op == "Loop":
                if self._endless(scope, node):
                    yield node.at, "a loop over constants never ends", True
                continue
            count = self._elements(scope, node) if node.op in _MAKERS else None
            if count is None:
                continue
            for name in node.outputs[:1]:
                self._counts[(scope, name)] = count
            if count >= _LARGE and told < _MOST_TOLD:
                told += 1
                power = max(int(count).bit_length() - 1, 0) if isfinite(count) else 1024
                what = f"the operation {printable(shorten(node.op, 40))} makes at least 2**{power} elements out of constants"
                yield node.at, what, count >= _ABSURD

    def _of(self, scope: int, node: Sized, index: int) -> list[float] | None:
        """The numbers of an input, from its own graph or another one; ``None`` where they are not constant."""
        name = node.inputs[index] if index < len(node.inputs) else ""
        own = self._constants.get((scope, name)) if name else None
        return own or (self._all.get(name) if name and self._shared else None)

    def _set(self, scope: int, node: Sized, values: list[float]) -> None:
        if node.outputs and len(values) <= _FEW:
            kept = self._scope
            self._scope = scope
            self.constant(node.outputs[0], values)
            self._scope = kept

    def _follow(self, scope: int, node: Sized) -> None:
        """What a node makes of constants."""
        if node.op == "Constant":
            values = next(
                (node.values[key] for key in ("value", "value_int", "value_ints") if key in node.values), None
            )
            if values is not None:
                self._set(scope, node, values)
            return
        given = [self._of(scope, node, index) for index in range(len(node.inputs))]
        first = given[0] if given else None
        if node.op == "Concat":
            parts = [each for each in given if each is not None]
            if given and len(parts) == len(given):
                self._set(scope, node, [value for part in parts for value in part])
        elif first is None:
            return
        elif node.op in _BOTH:
            second = given[1] if len(given) > 1 else None
            if second is not None and (len(first) == len(second) or 1 in (len(first), len(second))):
                pairs = zip(
                    first * (len(second) if len(first) == 1 else 1),
                    second * (len(first) if len(second) == 1 else 1),
                    strict=True,
                )
                self._set(scope, node, [_BOTH[node.op](one, other) for one, other in pairs])
        elif node.op == "Not":
            self._set(scope, node, [float(not each) for each in first])
        else:
            self._set(scope, node, first)

    def _elements(self, scope: int, node: Sized) -> float | None:
        """At least so many elements come out of ``node``; ``None`` where nothing tells."""
        held = self._counts.get((scope, node.inputs[0]), 1.0) if node.inputs else 1.0
        if node.op in ("RandomNormal", "RandomUniform"):
            return _product(node.values.get("shape"))
        if node.op == "ConstantOfShape":
            return _product(self._of(scope, node, 0))
        if node.op in ("HannWindow", "HammingWindow", "BlackmanWindow"):
            return _product((self._of(scope, node, 0) or [])[:1])
        if node.op == "MelWeightMatrix":
            return _product((self._of(scope, node, 0) or [])[:1])
        if node.op == "Expand":
            count = _product(self._of(scope, node, 1))
            return None if count is None else max(count, held)
        if node.op == "Tile":
            count = _product(self._of(scope, node, 1) or node.values.get("repeats"))
            return None if count is None else count * held
        if node.op == "OneHot":
            return _product((self._of(scope, node, 1) or [])[:1])
        if node.op == "Range":
            ends = [self._of(scope, node, index) for index in range(3)]
            if any(each is None or len(each) != 1 for each in ends):
                return None
            start, limit, step = (each[0] for each in ends if each)
            return (limit - start) / step if step and isfinite(step) and (limit - start) / step > 0 else 0.0
        if node.op == "Pad":
            pads = self._of(scope, node, 1) or node.values.get("pads")
            half = len(pads or ()) // 2
            return (
                _product([1 + max(one + other, 0) for one, other in zip(pads[:half], pads[half:], strict=False)])
                if pads
                else None
            )
        sizes = self._of(scope, node, 3)
        if sizes is not None:
            return _product(sizes)
        scales = self._of(scope, node, 2 if node.op == "Resize" else 1) or self._of(scope, node, 1)
        return None if scales is None else (_product(scales) or 0.0) * held

    def _endless(self, scope: int, node: Sized) -> bool:
        """Whether a loop goes on for ever: no count or an absurd one, a true condition, and a body that hands it on as it is."""
        count = self._of(scope, node, 0)
        given = [each for each in node.inputs[:2] if each]
        if (count is None and node.inputs[:1] != [""]) or (count is not None and count[:1] and count[0] < _ENDLESS):
            return False
        condition = self._of(scope, node, 1)
        if len(node.inputs) > 1 and node.inputs[1] in given and not (condition and condition[0]):
            return False
        for body in node.graphs:
            ends, starts = self._ends.get((body, "output"), []), self._ends.get((body, "input"), [])
            if not ends or len(starts) < 2:
                continue
            name, handed = ends[0], {starts[1]}
            for _ in range(_ROUNDS):
                handed |= {each.outputs[0] for at, each in self._nodes
                           if at == body and each.op in ("Identity", "Cast") and each.outputs and each.inputs[:1] and each.inputs[0] in handed}  # fmt: skip
            value = self._constants.get((body, name))
            if name in handed or (value is not None and bool(value[0])):
                return True
        return False


def _power(one: float, other: float) -> float:
    try:
        value = float(one) ** float(other)
    except (OverflowError, ZeroDivisionError):
        return float("inf")
    return value if isinstance(value, float) else 0.0


def _shifted(one: float, other: float) -> float:
    return _power(2.0, other) * one if 0 <= other <= 64 else 0.0


_BOTH: Final[dict[str, Callable[[float, float], float]]] = {
    "Mul": lambda one, other: one * other,
    "Add": lambda one, other: one + other,
    "Or": lambda one, other: float(bool(one) or bool(other)),
    "Pow": _power,
    "BitShift": _shifted,
}


def _product(extents: list[float] | None) -> float | None:
    """The elements of these extents; ones that come with the input (0 and -1) are taken for one."""
    if not extents or any(each != each for each in extents):
        return None
    return prod(max(each, 1.0) for each in extents)
