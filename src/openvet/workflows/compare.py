"""compare: several models side by side, each figure with its interval and its source, and which of them none of the others is better than.

What nobody measured is not there, and is said to be so. Latencies and memory are compared only where machine, runtime, limits and work are the same; quality on
the same samples where the logs of the evaluations are at hand, and by intervals that do not touch elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field
from itertools import combinations
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.errors import UsageError
from openvet.evals.stats.pareto import Standing, by_intervals, stand
from openvet.evidence.predicates import NAMES
from openvet.workflows.candidates import Candidate
from openvet.workflows.compare_cells import Axis, Cell, cells_of
from openvet.workflows.eval_compare import compare as compare_results

__all__ = ["COMPARE_TYPE", "Axis", "Cell", "Compared", "compare", "default_axes", "paired_of"]

COMPARE_TYPE: Final = f"{NAMES}/comparison/v1"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two candidates on the same samples: the difference in favour of the first, its interval, and what may be said."""

    axis: str
    first: int
    second: int
    value: float
    low: float
    high: float
    sign: int | None
    said: str

    def to_json(self) -> dict[str, Any]:
        return {
            "axis": self.axis, "first": self.first, "second": self.second, "difference": f"{self.value:.12g}", "low": f"{self.low:.12g}",
            "high": f"{self.high:.12g}", "verdict": self.said,
        }  # fmt: skip


@dataclass(slots=True)
class Compared:
    """What came of it.

    Attributes:
        table: of each axis, what is known of each candidate.
        chosen: ids of the axes of the front.
        standings: of each candidate, where at least two axes are known of it.
        pairs: comparisons on the same samples.
        level: of intervals between two candidates, corrected for the number of pairs.
        notes: what a reader has to know.
    """

    candidates: list[Candidate]
    axes: list[Axis] = field(default_factory=list)
    table: dict[str, list[Cell | None]] = field(default_factory=dict)
    chosen: tuple[str, ...] = ()
    standings: list[Standing | None] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    level: float = 0.95
    notes: list[str] = field(default_factory=list)

    def axis(self, name: str) -> Axis:
        return next(each for each in self.axes if each.id == name)

    def to_json(self) -> dict[str, Any]:
        return {
            "type": COMPARE_TYPE,
            "candidates": [
                {
                    "name": each.name,
                    "digest": dict(each.digest),
                    "evidence": [one.to_json() for one in each.evidence],
                    "standing": None if standing is None else {"word": standing.word, "by": list(standing.by)},
                }
                for each, standing in zip(self.candidates, self.standings, strict=True)
            ],
            "axes": [
                {
                    "id": each.id, "name": each.name, "group": each.group, "unit": each.unit, "more_is_better": each.more, "under": each.under,
                    "cells": [None if cell is None else cell.to_json() for cell in self.table[each.id]],
                }
                for each in self.axes
            ],
            "front_on": list(self.chosen),
            "pairs": [each.to_json() for each in self.pairs],
            "level": f"{self.level:g}",
            "notes": list(self.notes),
        }  # fmt: skip


def compare(
    candidates: Sequence[Candidate], axes: Sequence[str] = (), *, usd_per_hour: float | None = None, level: float = 0.95
) -> Compared:
    """Put candidates side by side.

    Args:
        axes: ids of those that the front is over; none takes quality and what it costs, as far as they are known of two candidates.
        usd_per_hour: what the machine costs that was measured on, as the user says; ``None`` leaves costs out.
        level: of the intervals between two candidates, together.

    Raises:
        UsageError: there are not two candidates, or no such axis.
        VerifyError: a log is not the one that its result states.
    """
    if len(candidates) < 2:
        raise UsageError(
            "a comparison needs two models at least"
            + (f", and all that was named is about {candidates[0].name}" if candidates else "")
        )
    out = Compared(list(candidates), level=level)
    for number, each in enumerate(candidates):
        for axis, cell in cells_of(each, usd_per_hour):
            if axis.id not in out.table:
                out.axes.append(axis)
                out.table[axis.id] = [None] * len(candidates)
            out.table[axis.id][number] = cell
    out.axes.sort(key=lambda axis: _GROUPS.index(axis.group))
    out.chosen = _chosen(out, axes)
    out.pairs = paired_of(out, level)
    by_pair = {(each.axis, each.first, each.second): each.sign for each in out.pairs}

    def resolved(one: int, other: int, at: int) -> int | None:
        axis = out.axis(out.chosen[at])
        for first, second, turn in ((one, other, 1), (other, one, -1)):
            if (axis.id, first, second) in by_pair:
                sign = by_pair[axis.id, first, second]
                return None if sign is None else sign * turn
        a, b = (out.table[axis.id][each] for each in (one, other))
        if a is None or b is None or a.point is None or b.point is None:
            return None
        return by_intervals(a.point, b.point, more=bool(axis.more))

    _place(out, resolved)
    _say(out)
    return out


_GROUPS: Final = ("quality", "agreement", "latency", "memory", "size", "cost", "rights", "safety")


def _place(out: Compared, resolved: Callable[[int, int, int], int | None]) -> None:
    """The standing of each candidate of which every chosen axis is known."""
    out.standings = [None] * len(out.candidates)
    if not out.chosen:
        return
    rows = [
        [cell.point if (cell := out.table[axis][each]) else None for axis in out.chosen]
        for each in range(len(out.candidates))
    ]
    whole = [each for each, row in enumerate(rows) if all(point is not None for point in row)]
    found = stand(
        [rows[each] for each in whole],
        [bool(out.axis(axis).more) for axis in out.chosen],
        lambda a, b, at: resolved(whole[a], whole[b], at),
    )
    for place, standing in zip(whole, found, strict=True):
        out.standings[place] = Standing(standing.word, tuple(whole[each] for each in standing.by))


def _chosen(out: Compared, asked: Sequence[str]) -> tuple[str, ...]:
    numbers = [each.id for each in out.axes if each.more is not None]
    for each in asked:
        if each not in numbers:
            raise UsageError(f"there is no axis {each!r} here; there are {', '.join(numbers) or 'none'}")
    return tuple(dict.fromkeys(asked)) or default_axes(out)


def default_axes(out: Compared) -> tuple[str, ...]:
    """Quality, and the first of latency, memory, size and cost, that are known of two candidates at least."""

    def common(group: str) -> str:
        found = [
            (sum(cell is not None and cell.value is not None for cell in out.table[each.id]), each.id)
            for each in out.axes
            if each.group == group and each.more is not None
        ]
        most = max((count for count, _ in found), default=0)
        return next((name for count, name in found if count == most), "") if most > 1 else ""

    cost = next(filter(None, map(common, ("latency", "memory", "size", "cost"))), "")
    return tuple(filter(None, (common("quality"), cost)))


# --- two by two ---


def paired_of(out: Compared, level: float) -> list[Pair]:
    """Every two candidates with results of one task whose logs are at hand, on the same samples; corrected for the number of pairs (Bonferroni)."""
    wanted: list[tuple[str, int, int, str, str]] = []
    for axis in out.axes:
        if axis.group != "quality":
            continue
        cells = out.table[axis.id]
        for one, other in combinations(range(len(cells)), 2):
            a, b = cells[one], cells[other]
            if a is None or b is None or not (a.resolves and b.resolves):
                continue
            if a.source.path and b.source.path:
                wanted.append((axis.id, one, other, a.source.path, b.source.path))
    if not wanted:
        return []
    alpha = (1.0 - level) / len(wanted)
    found = []
    for axis_id, one, other, first, second in wanted:
        try:
            (task,) = compare_results(first, second, alpha=alpha).tasks
        except UsageError as error:
            out.notes.append(
                f"{out.candidates[one].name} and {out.candidates[other].name} are not compared on the same samples: {error}"
            )
            continue
        difference = task.pairing.found.difference
        sign = 1 if difference.low > 0 else -1 if difference.high < 0 else None
        flips = task.pairing.found.flips
        turned = "" if flips is None else f"; {flips.first + flips.second} of {difference.n} answers flip"
        word = {1: "better", -1: "worse", None: "cannot be resolved"}[sign]
        found.append(
            Pair(axis_id, one, other, difference.value, difference.low, difference.high, sign, f"{word}{turned}")
        )
    return found


def _say(out: Compared) -> None:
    by_name: dict[str, list[Axis]] = {}
    for each in out.axes:
        if each.under and each.group in ("latency", "memory", "cost"):
            by_name.setdefault(each.name, []).append(each)
    for name, axes in by_name.items():
        if len(axes) > 1:
            out.notes.append(
                f"{name} was measured under {len(axes)} conditions, which are not compared with each other"
            )
    if not out.chosen:
        out.notes.append("no axis is known of two models: nothing can be said of which is better")
    if any(each.source.basis == "not verified" for cells in out.table.values() for each in cells if each is not None):
        out.notes.append("statements were taken as they are: without --key nobody's signature was verified")
