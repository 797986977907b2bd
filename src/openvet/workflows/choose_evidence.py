"""What results and benches of one candidate say together: nothing that depends on the order in which they were named, nothing of other tasks, and the worst of what differs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from openvet.core.dataclass import dataclass
from openvet.evidence.predicates.bench_v1 import BenchV1
from openvet.evidence.predicates.eval_v1 import EvalV1
from openvet.profile.device import Device
from openvet.workflows.bench_says import limit_of
from openvet.workflows.candidates import Candidate, Evidence
from openvet.workflows.compare_cells import conditions
from openvet.workflows.need import BUDGETS, Need

__all__ = ["BenchedFigure", "bench_figure", "hull", "notes_on", "result_of", "results_of", "tasks_of", "upward"]

#: Budget -> the figure of a bench that it is about.
_BENCHED: Final = {
    "latency-p50": "request-p50", "latency-p90": "request-p90", "first-token-p90": "first-token-p90", "cold-start": "cold-start",
    "tokens-per-second": "decode-rate", "real-time-factor": "real-time-factor", "memory": "peak-resident", "usd-per-million-tokens": "written-rate",
}  # fmt: skip


def results_of(need: Need, candidate: Candidate) -> list[Evidence]:
    """The results of the need's task that are about this model and no other of its name, each once; two runs that came to the same count as one."""
    task = need.task
    if task is None:
        return []
    found: dict[tuple[object, ...], Evidence] = {}
    for each in candidate.of("eval"):
        body: EvalV1 = each.predicate
        if (
            body.task.name == task.name
            and body.task.sha256.startswith(task.sha256)
            and not candidate.by_name_alone(body.model)
        ):
            found[body.task.sha256, body.root, body.figure, body.run.failed] = each
    return list(found.values())


def result_of(need: Need, candidate: Candidate) -> Evidence | None:
    """The worst result of the need's task, however they were ordered."""
    found = results_of(need, candidate)
    return min(found, key=lambda each: (upward(each.predicate)[0], each.sha256), default=None)


def tasks_of(need: Need, candidates: Sequence[Candidate]) -> tuple[str, ...]:
    """The digests of all tasks that the need may mean: results of two of them say nothing of each other."""
    return tuple(
        sorted({each.predicate.task.sha256 for candidate in candidates for each in results_of(need, candidate)})
    )


def upward(body: EvalV1) -> tuple[float, float, float]:
    """The figure (value, low, high), turned so that more is better; unbounded where samples without an answer are not in it."""
    figure = body.figure
    value = float(figure.value)
    low = -math.inf if figure.low is None or body.run.failed else float(figure.low)
    high = math.inf if figure.high is None or body.run.failed else float(figure.high)
    return (value, low, high) if body.task.higher else (-value, -high, -low)


def hull(spans: Sequence[tuple[float, float, float]]) -> tuple[float, float, float]:
    """The worst value, and the ends that hold all of several intervals, where more is better: what is said has to hold by each of them."""
    return min(each[0] for each in spans), min(each[1] for each in spans), max(each[2] for each in spans)


def notes_on(several: Sequence[Evidence]) -> str:
    """What to know about results."""
    out = []
    if len(several) > 1:
        out.append(f"of {len(several)} results that differ: the worst, and what holds by all of them")
    for each in several:
        body: EvalV1 = each.predicate
        if body.run.failed:
            out.append(f"{body.run.failed} of {body.run.done} samples were not answered and are not in the figure")
        if not body.backend.attests:
            out.append("that this model gave the answers is a claim of whoever ran it")
    return "".join(f"; {each}" for each in dict.fromkeys(out))


@dataclass(frozen=True, slots=True)
class BenchedFigure:
    """A figure of all benches that count: the worst value, what holds by all of them, the bench it is from, and under which conditions they were made."""

    source: Evidence
    value: float
    low: float
    high: float
    count: int
    under: frozenset[str]


def bench_figure(name: str, need: Need, candidate: Candidate, device: Device | None) -> BenchedFigure | str:
    """What benches that count say of a figure; or why none does."""
    why = "not measured"
    found: dict[tuple[float, float, float], Evidence] = {}
    under = set()
    more = BUDGETS[name][2]
    for each in candidate.of("bench"):
        body: BenchV1 = each.predicate
        if device is not None and isinstance(apart := limit_of(body, device), str):
            why = apart
            continue
        figure = body.figure(_BENCHED[name])
        if figure is None:
            continue
        if candidate.by_name_alone(body.model):
            why = "measured of a model that is known by its name alone"
            continue
        if need.certified and not body.certified:
            why = f"measured and not certified: {'; '.join(body.reasons)[:200]}"
            continue
        span = (float(figure.value), *figure.span)
        if name == "usd-per-million-tokens":
            if not span[0] > 0:
                continue
            span = _cost((need.usd_per_hour or 0.0) / 3600 * 1e6, *span)
        value, low, high = span
        found[(value, low, high) if more else (-value, -high, -low)] = each
        under.add(conditions(body))
    if not found:
        return why
    value, low, high = hull(list(found))
    if not more:
        value, low, high = -value, -high, -low
    return BenchedFigure(found[min(found)], value, low, high, len(found), frozenset(under))


def _cost(price: float, value: float, low: float, high: float) -> tuple[float, float, float]:
    """USD by tokens a second, where a million at one a second costs ``price``; a rate that may be nothing may cost anything."""
    return price / value, price / high if high > 0 else 0.0, price / low if low > 0 else math.inf
