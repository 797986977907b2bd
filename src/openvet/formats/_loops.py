"""Loops of graphs that never end, or only after an absurd count: by what is constant, and by what each turn does to what decides.

A graph or function is a :class:`Part`; a loop has a condition and a body, which are parts, or the merges of the older form that stand in
its own part. A value is a constant, what goes round in the loop with something added to it, or nothing known; so nothing is told of
a loop that anything else may leave. Calls that lead back to themselves on every way, and calls that multiply, are counted too.

Reference: ``While``, ``LoopCond``, ``Merge`` and ``PartitionedCall`` in https://www.tensorflow.org/api_docs/python/tf/raw_ops ;
``WHILE`` in ``tensorflow/lite/schema/schema.fbs``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from math import inf
from typing import Final

from openvet.core.dataclass import dataclass

__all__ = ["KEPT", "Loops", "Part", "Step"]

#: So many turns are no loop that anybody waits for; so many are for review.
_ENDLESS: Final = float(2**31 - 1)
_MANY: Final = float(2**28)
#: Nodes that the calls of functions may become.
_EXPANDED: Final = float(10**9)
#: Steps for one loop, and loops that may need them all; an honest one needs some dozens.
_STEPS: Final = 20_000
_SPENT: Final = 50
_DEEP: Final = 60
_MOST: Final = 200_000
_TOLD: Final = 20

_SAME: Final = frozenset({"Identity", "IdentityN", "Cast", "StopGradient", "Snapshot", "PreventGradient", "EnsureShape", "Reshape", "Squeeze",
                          "ExpandDims", "CAST", "RESHAPE", "SQUEEZE", "EXPAND_DIMS", "Enter", "RefEnter", "Switch", "RefSwitch",
                          "NextIteration", "LoopCond", "_Retval"})  # fmt: skip
_SUMS: Final = {"Add": 1, "AddV2": 1, "ADD": 1, "Sub": -1, "SUB": -1}
_LESS: Final = {"Less": (0, 1, 0), "LessEqual": (0, 1, 1), "Greater": (1, 0, 0), "GreaterEqual": (1, 0, 1),
                "LESS": (0, 1, 0), "LESS_EQUAL": (0, 1, 1), "GREATER": (1, 0, 0), "GREATER_EQUAL": (1, 0, 1)}  # fmt: skip
_ALL: Final = frozenset({"LogicalAnd", "LOGICAL_AND", "All"})
_ANY: Final = frozenset({"LogicalOr", "LOGICAL_OR", "Any"})
_NOT: Final = frozenset({"LogicalNot", "LOGICAL_NOT"})
_OTHER: Final = frozenset({"NotEqual", "NOT_EQUAL"})
_LOOPS: Final = frozenset({"While", "StatelessWhile", "_While", "XlaWhile", "WHILE", "STABLEHLO_WHILE"})
_CALLS: Final = frozenset(
    {"PartitionedCall", "StatefulPartitionedCall", "RemoteCall", "TPUPartitionedCall", "XlaLaunch", "SymbolicGradient"}
)
_MERGES: Final = frozenset({"Merge", "RefMerge"})
#: Operations whose nodes have to be kept.
KEPT: Final = frozenset({*_SAME, *_SUMS, *_LESS, *_ALL, *_ANY, *_NOT, *_OTHER, *_LOOPS, *_CALLS, *_MERGES})

#: A constant ``(None, number)``, or what goes round, and what was added to it.
_Value = tuple[str | None, float]


@dataclass(slots=True)
class Step:
    """A node: its operation, its inputs, what it names, and the number of a constant."""

    op: str
    inputs: tuple[str, ...] = ()
    functions: dict[str, str] = field(default_factory=dict)
    number: float | None = None
    offset: int | None = None


@dataclass(slots=True)
class Part:
    """A graph or a function: its arguments, and where each of its results comes from."""

    name: str
    arguments: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    results: dict[str, str] = field(default_factory=dict)
    steps: dict[str, Step] = field(default_factory=dict)
    nodes: int = 0

    def result(self, index: int) -> str:
        """What the result at ``index`` comes from; '' where nothing is known."""
        return self.results.get(self.outputs[index], "") if index < len(self.outputs) else ""


class Loops:
    """All parts of one file."""

    def __init__(self) -> None:
        self.parts: dict[str, Part] = {}
        self._kept = 0
        self._work = 0
        self._spent = 0

    def part(self, part: Part) -> None:
        self.parts.setdefault(part.name, part)

    def add(self, part: Part, name: str, step: Step) -> None:
        """A node of :data:`KEPT`, a small constant, or a call."""
        if self._kept < _MOST:
            self._kept += 1
            part.steps.setdefault(name, step)

    def judge(self) -> Iterator[tuple[int | None, str, bool]]:
        """Where, what, and whether no machine gets to its end."""
        told = 0
        turns: dict[str, list[tuple[str, float]]] = {}
        found: list[tuple[Part, Step, float, str]] = []
        for part in self.parts.values():
            for step in part.steps.values():
                if self._work >= _STEPS:
                    self._spent += 1
                self._work = _STEPS if self._spent > _SPENT else 0
                if step.op in _LOOPS:
                    body = step.functions.get("body", "")
                    count = self._while(part, step)
                    found.append((part, step, count or 1.0, body))
                    turns.setdefault(body, []).append((part.name, max(count or 1.0, 1.0)))
                elif step.op == "LoopCond":
                    found.append((part, step, self._older(part, step) or 1.0, ""))
                else:
                    for called in step.functions.values() or ((step.op,) if step.op in self.parts else ()):
                        turns.setdefault(called, []).append((part.name, 1.0))
        known: dict[str, float] = {}
        for part, step, count, body in found:
            outside = count if count >= _ENDLESS else count * self._turns(part.name, turns, known)
            if outside >= _MANY and told < _TOLD and (count > 1.0 or body):
                told += 1
                words = "never ends" if count == inf else "is gone through " + _power(outside) + " times"
                yield step.offset, f"a loop over constants {words}", outside >= _ENDLESS
        yield from self._calls()

    def _turns(self, name: str, turns: dict[str, list[tuple[str, float]]], known: dict[str, float]) -> float:
        """How often a part is gone through by the loops around it."""
        waiting = [(name, False)]
        while waiting:
            part, left = waiting.pop()
            outer = [each for each in turns.get(part, ()) if each[1] < _ENDLESS]
            if left:
                known[part] = max((count * known.get(each, 1.0) for each, count in outer), default=1.0)
            elif part not in known:
                known[part] = 1.0  # for those that lead back to it
                waiting += [(part, True), *((each, False) for each, _ in outer)]
        return known[name]

    def _calls(self) -> Iterator[tuple[int | None, str, bool]]:
        """Functions that always call themselves again, and calls that multiply."""
        called: dict[str, list[tuple[str, int | None]]] = {}
        for part in self.parts.values():
            for step in part.steps.values():
                if step.op in self.parts:
                    called.setdefault(part.name, []).append((step.op, step.offset))
                elif step.op in _CALLS:
                    called.setdefault(part.name, []).extend(
                        (each, step.offset) for each in step.functions.values() if each in self.parts
                    )
        size: dict[str, float] = {}
        state: dict[str, int] = {}
        for start in called:
            waiting = [(start, False)]
            while waiting:
                name, left = waiting.pop()
                if left:
                    state[name] = 2
                    size[name] = self.parts[name].nodes + sum(size.get(each, 1.0) for each, _ in called.get(name, ()))
                    if size[name] >= _EXPANDED:
                        yield (
                            called[name][0][1],
                            f"the calls of a function become {_power(size[name])} operations",
                            True,
                        )
                        return
                    continue
                if state.get(name):
                    continue
                state[name] = 1
                waiting.append((name, True))
                for each, offset in dict(called.get(name, ())).items():
                    if state.get(each) == 1:
                        yield offset, "a function calls itself, on every way", True
                        return
                    if not state.get(each):
                        waiting.append((each, False))

    # --- loops

    def _while(self, part: Part, step: Step) -> float | None:
        """The turns of a loop whose condition and body are functions."""
        condition, body = self.parts.get(step.functions.get("cond", "")), self.parts.get(step.functions.get("body", ""))
        if condition is None or body is None:
            return None
        keys = [str(index) for index in range(len(body.arguments))]
        inside: dict[str, _Value] = {name: (key, 0.0) for name, key in zip(body.arguments, keys, strict=True)}
        starts = {key: self._value(part, each, {}, 0) for key, each in zip(keys, step.inputs, strict=False)}
        steps = {key: self._value(body, body.result(index), inside, 0) for index, key in enumerate(keys[:500])}
        given = self._given(keys, starts, steps)
        if not condition.outputs:
            return None
        return self._count(
            condition,
            condition.result(0),
            dict(zip(condition.arguments, (given[key] for key in keys), strict=False)),
            starts,
            steps,
            0,
        )

    def _older(self, part: Part, step: Step) -> float | None:
        """The turns of a loop of merges, all of which stand in one part; ``step`` is its condition."""
        merges = {
            each: one.inputs
            for each, one in part.steps.items()
            if one.op in _MERGES
            and len(one.inputs) == 2
            and any(_step(part, end).op == "NextIteration" for end in one.inputs)
        }
        ahead: dict[str, _Value] = {each: (each, 0.0) for each in merges}
        starts: dict[str, _Value | None] = {}
        steps: dict[str, _Value | None] = {}
        for each, ends in list(merges.items())[:500]:
            for end in ends:
                into = steps if _step(part, end).op == "NextIteration" else starts
                into[each] = self._value(part, end, ahead, 0)
        given = self._given(list(merges), starts, steps)
        return self._count(part, step.inputs[0], given, starts, steps, 0) if step.inputs else None

    @staticmethod
    def _given(keys: list[str], starts: dict[str, _Value | None], steps: dict[str, _Value | None]) -> dict[str, _Value]:
        """What the condition is given: a constant where no turn changes it."""
        out: dict[str, _Value] = {}
        for key in keys:
            start, then = starts.get(key), steps.get(key)
            out[key] = (key, 0.0)
            if start is not None and start[0] is None and then in ((key, 0.0), start):
                out[key] = start
        return out

    def _count(
        self,
        part: Part,
        reference: str,
        given: dict[str, _Value],
        starts: dict[str, _Value | None],
        steps: dict[str, _Value | None],
        depth: int,
    ) -> float | None:
        """How often a condition is true, one turn after the other; ``None`` where that is not known."""
        value = self._value(part, reference, given, 0)
        if value is not None and value[0] is None:
            return inf if value[1] else 0.0
        step = _step(part, reference)
        self._work += 1
        if depth > _DEEP or self._work > _STEPS:
            return None
        inner = self._called(part, reference, step, given)
        if inner is not None:
            return self._count(*inner, starts, steps, depth + 1)
        if step.op in _SAME and step.inputs:
            return self._count(part, step.inputs[0], given, starts, steps, depth + 1)
        if step.op in _ALL | _ANY and len(step.inputs) > 1:
            one, other = (self._count(part, each, given, starts, steps, depth + 1) for each in step.inputs[:2])
            if step.op in _ALL:
                return 0.0 if 0.0 in (one, other) else None if one is None or other is None else min(one, other)
            return inf if inf in (one, other) else None if one is None or other is None else max(one, other)
        if step.op in _LESS and len(step.inputs) > 1:
            low, high, more = _LESS[step.op]
            return _turns(
                self._value(part, step.inputs[low], given, 0),
                self._value(part, step.inputs[high], given, 0),
                more,
                starts,
                steps,
            )
        if step.op in _OTHER and len(step.inputs) > 1:
            one_, other_ = (self._value(part, each, given, 0) for each in step.inputs[:2])
            return _differs(one_, other_, starts, steps)
        return None

    def _called(
        self, part: Part, reference: str, step: Step, given: dict[str, _Value]
    ) -> tuple[Part, str, dict[str, _Value]] | None:
        """Where a result of a call comes from inside of the function, and what that is given."""
        name = step.functions.get("f", "") if step.op in _CALLS else step.op
        inner = self.parts.get(name)
        if inner is None or not name:
            return None
        pieces = reference.split(":")
        index = int(pieces[-1]) if len(pieces) > 1 and pieces[-1].isdigit() else 0
        if step.op not in _CALLS and len(pieces) == 3 and pieces[1] in inner.outputs:
            index = inner.outputs.index(pieces[1])
        bound = {}
        for argument, each in zip(inner.arguments, step.inputs, strict=False):
            value = self._value(part, each, given, 0)
            if value is not None:
                bound[argument] = value
        return inner, inner.result(index), bound

    def _value(self, part: Part, reference: str, given: dict[str, _Value], depth: int) -> _Value | None:
        name = reference.partition(":")[0]
        self._work += 1
        if name in given:
            return given[name]
        step = part.steps.get(name)
        if step is None or depth > _DEEP or self._work > _STEPS:
            return None
        if step.number is not None:
            return None, step.number
        inner = self._called(part, reference, step, given)
        if inner is not None:
            return self._value(*inner, depth + 1)
        if not step.inputs:
            return None
        index = 0
        if step.op == "IdentityN":
            tail = reference.rpartition(":")[2]
            index = int(tail) if tail.isdigit() and int(tail) < len(step.inputs) else 0
        first = self._value(part, step.inputs[index], given, depth + 1) if step.op in KEPT else None
        if step.op in _SAME or first is None:
            return first if step.op in _SAME else None
        if step.op in _NOT:
            return (None, float(not first[1])) if first[0] is None else None
        second = self._value(part, step.inputs[1], given, depth + 1) if len(step.inputs) > 1 else None
        if second is None:
            return None
        if step.op in _SUMS:
            return _sum(first, second, _SUMS[step.op])
        if first[0] is None and second[0] is None:
            return _compared(step.op, first[1], second[1])
        return None


def _step(part: Part, reference: str) -> Step:
    return part.steps.get(reference.partition(":")[0]) or Step("")


def _sum(first: _Value, second: _Value, sign: int) -> _Value | None:
    if second[0] is None:
        return first[0], first[1] + sign * second[1]
    return (second[0], first[1] + second[1]) if first[0] is None and sign > 0 else None


def _compared(op: str, one: float, other: float) -> _Value | None:
    if op in _LESS:
        low, _, more = _LESS[op]
        small, large = (one, other) if not low else (other, one)
        return None, float(small < large or bool(more and small == large))
    if op in _ALL:
        return None, float(bool(one) and bool(other))
    if op in _ANY:
        return None, float(bool(one) or bool(other))
    return (None, float(one != other)) if op in _OTHER else None


def _turns(
    low: _Value | None,
    high: _Value | None,
    more: int,
    starts: dict[str, _Value | None],
    steps: dict[str, _Value | None],
) -> float | None:
    """Turns until ``low`` is no longer below ``high``, of which one is a constant and the other goes round by a constant step."""
    if low is None or high is None or (low[0] is None) == (high[0] is None):
        return None
    key = low[0] or high[0] or ""
    start, step = starts.get(key), steps.get(key)
    if start is None or start[0] is not None or step is None or step[0] != key:
        return None
    gap = high[1] - low[1] - start[1] if low[0] else high[1] + start[1] - low[1]
    moved = step[1] if low[0] else -step[1]
    if gap < 0 or (gap == 0 and not more):
        return 0.0
    return inf if moved <= 0 else (gap + more) / moved


def _differs(
    one: _Value | None, other: _Value | None, starts: dict[str, _Value | None], steps: dict[str, _Value | None]
) -> float | None:
    """Turns until something that goes round is a constant."""
    if one is None or other is None or (one[0] is None) == (other[0] is None):
        return None
    moving, fixed = (one, other) if one[0] is not None else (other, one)
    start, step = starts.get(moving[0] or ""), steps.get(moving[0] or "")
    if start is None or start[0] is not None or step is None or step[0] != moving[0]:
        return None
    gap = fixed[1] - moving[1] - start[1]
    if gap == 0:
        return 0.0
    turns = gap / step[1] if step[1] else inf
    return turns if turns > 0 and turns == int(min(turns, 2.0**60)) else inf


def _power(count: float) -> str:
    return f"at least 2**{max(int(count).bit_length() - 1, 0)}" if count != inf else "endlessly many"
