"""What is known of one model on each axis: figures with their intervals and sources, out of statements alone."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.evals.stats.pareto import Point
from openvet.evidence.predicates.bench_v1 import BenchV1, LimitSet
from openvet.evidence.predicates.derivation_v1 import DerivationV1
from openvet.evidence.predicates.eval_v1 import EvalV1
from openvet.evidence.predicates.profile_v1 import ProfileV1
from openvet.evidence.predicates.rights_v1 import RightsV1
from openvet.profile.needs import Workload, needs_of
from openvet.workflows.candidates import Candidate, Evidence
from openvet.workflows.told import apart

__all__ = ["Axis", "Cell", "cells_of", "conditions"]

_CONTEXT: Final = 4096
#: Figures of a bench that are axes: name, what it is called, its unit, whether more is better.
_BENCHED: Final = (
    ("request-p50", "latency p50", "s", False), ("request-p90", "latency p90", "s", False), ("first-token-p90", "first token p90", "s", False),
    ("decode-rate", "writing", "token/s", True), ("read-rate", "reading", "token/s", True), ("real-time-factor", "time for a second of audio", "", False),
    ("cold-start", "cold start", "s", False), ("peak-resident", "peak memory", "byte", False),
)  # fmt: skip


#: Measures of agreement with a parent, and whether more is better.
_AGREES: Final = {
    "kl": False,
    "same-top-1": True,
    "cosine": True,
    "similarity-correlation": True,
    "flips": False,
    "perplexity": False,
    "max-difference": False,
    "same-text": True,
    "text-difference": False,
    "character-errors": False,
}


@dataclass(frozen=True, slots=True)
class Axis:
    """What candidates are compared on.

    Attributes:
        id: such as ``quality:capitals``, ``latency-p90``, ``memory`` or ``size``.
        name: for people.
        group: ``quality``, ``agreement`` (with a parent), ``latency``, ``memory``, ``size``, ``cost``, ``rights`` or ``safety``.
        unit: '' for words and plain numbers.
        more: whether more is better; ``None`` where it is no number.
        under: under which conditions it was measured; figures of others are on an axis of their own.
    """

    id: str
    name: str
    group: str
    unit: str = ""
    more: bool | None = None
    under: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """What is known of one candidate on one axis: a number with its interval, or a word; where from, and what to know about it.

    Attributes:
        resolves: whether its interval may decide that one is better; not of a measurement that is not certified, nor of the least and most of a few.
    """

    value: float | None
    low: float | None
    high: float | None
    word: str
    interval: str
    source: Evidence
    note: str = ""
    resolves: bool = True

    @property
    def point(self) -> Point | None:
        """As a point on the axis; an end that nothing bounds is infinite."""
        if self.value is None:
            return None
        if not self.resolves:
            return Point(self.value, -math.inf, math.inf)
        if self.interval == "exact":
            return Point(self.value, self.value, self.value)
        return Point(
            self.value, -math.inf if self.low is None else self.low, math.inf if self.high is None else self.high
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "value": None if self.value is None else f"{self.value:.12g}",
            "low": None if self.low is None else f"{self.low:.12g}",
            "high": None if self.high is None else f"{self.high:.12g}",
            "word": self.word,
            "interval": self.interval,
            "source": self.source.to_json(),
            "note": self.note,
        }


def cells_of(candidate: Candidate, usd_per_hour: float | None) -> list[tuple[Axis, Cell]]:
    """All of one candidate; ``usd_per_hour`` is what the machine costs that was measured on, ``None`` where nobody says."""
    return [
        *_of_evals(candidate), *_of_benches(candidate, usd_per_hour), *_agreed(candidate, "profile", _of_profile), *_agreed(candidate, "derivation", _of_derivation),
        *_agreed(candidate, "rights", _of_rights), *_of_scan(candidate),
    ]  # fmt: skip


def _once(found: Sequence[Evidence]) -> list[Evidence]:
    """Each statement once, however often it was given."""
    return list({each.sha256: each for each in found}.values())


def _of_evals(candidate: Candidate) -> list[tuple[Axis, Cell]]:
    out: dict[str, tuple[Axis, Cell]] = {}
    for each in _once(candidate.of("eval")):
        body: EvalV1 = each.predicate
        task, figure = body.task, body.figure
        name = f"quality:{task.name}{f'@{task.sha256[:8]}' if task.sha256 else ''}"
        axis = Axis(name, f"{task.name}: {task.label}", "quality", "", task.higher)
        note = []
        if body.model.digest is None:
            note.append("the model is known by its name alone")
        elif not body.backend.attests:
            note.append("that this model gave the answers is a claim of whoever ran it")
        if body.run.failed:
            note.append(f"{body.run.failed} samples were not answered")
        resolves = not candidate.by_name_alone(body.model)
        if name in out:
            before = out[name][1]
            same = before.source.predicate.root == body.root and before.source.predicate.figure == figure
            resolves = resolves and before.resolves and same
            note.append(
                "there are several results of this task that say the same"
                if same and before.resolves
                else "there are several results of this task: the last is shown, and none of them decides"
            )
        bounded = figure.low is not None and figure.high is not None
        interval = f"{100 * float(figure.level):g} % {figure.method}, {figure.n} samples" if bounded else "none"
        out[name] = (
            axis,
            Cell(
                float(figure.value), _may(figure.low), _may(figure.high), "", interval, each, "; ".join(note), resolves
            ),
        )
    return list(out.values())


def _agreed(
    candidate: Candidate, kind: str, cells: Callable[[Evidence], list[tuple[Axis, Cell]]]
) -> list[tuple[Axis, Cell]]:
    """What the statements of one kind agree about; what they contradict each other about is unknown, with all of them named."""
    found: dict[tuple[str, str], list[tuple[Axis, Cell]]] = {}
    for each in candidate.told(kind):
        for axis, cell in cells(each):
            found.setdefault((axis.id, axis.name), []).append((axis, cell))
    out = []
    for several in found.values():
        axis, last = several[-1]
        if len({(cell.value, cell.low, cell.high, cell.word) for _, cell in several}) > 1:
            said = [(cell.source, _said(cell, axis.unit)) for _, cell in several]
            last = Cell(None, None, None, "unknown", "none", last.source, apart(said))
        out.append((axis, last))
    return out


def _said(cell: Cell, unit: str) -> str:
    if cell.value is None:
        return cell.word
    ends = "" if cell.low is None and cell.high is None else f" ({_end(cell.low)} to {_end(cell.high)})"
    return f"{cell.value:.12g}{ends} {unit}".rstrip()


def _end(value: float | None) -> str:
    return "?" if value is None else f"{value:.6g}"


def _of_derivation(found: Evidence) -> list[tuple[Axis, Cell]]:
    """What a certificate says of a model beside its parent. Models of two parents are on axes of their own: they agree with something else."""
    body: DerivationV1 = found.predicate
    parent = next(iter(body.parent.digest.values()), "")[:8] or body.parent.name
    out = []
    for each in body.agreement:
        more = _AGREES.get(each.measure)
        if more is None:
            continue
        axis = Axis(
            f"agreement:{each.measure}@{parent}",
            f"{each.measure} against its parent",
            "agreement",
            "",
            more,
            f"parent {body.parent.name} ({parent})",
        )
        bounded = each.low is not None and each.high is not None
        interval = f"{each.n} of {each.of}" if bounded else "none"
        note = f"{body.kind} by {body.method}"
        out.append((axis, Cell(float(each.value), _may(each.low), _may(each.high), "", interval, found, note)))
    bits = Axis("bits-per-weight", "bits for each weight", "size", "", False)
    mix = ", ".join(f"{each.type} {each.tensors}" for each in body.after.mix[:6])
    out.append((bits, Cell(float(body.after.bits), None, None, "", "exact", found, f"tensors: {mix}")))
    return out


def _may(text: str | None) -> float | None:
    return None if text is None else float(text)


def _of_benches(candidate: Candidate, usd_per_hour: float | None) -> list[tuple[Axis, Cell]]:
    out: dict[str, tuple[Axis, Cell]] = {}
    seen: set[str] = set()
    for each in _once(candidate.of("bench")):
        body: BenchV1 = each.predicate
        under = conditions(body)
        mark = hashlib.sha256(under.encode()).hexdigest()[:6]
        note = "" if body.certified else f"not certified: {'; '.join(body.reasons)}"
        vouched = body.certified and not candidate.by_name_alone(body.model)
        if candidate.by_name_alone(body.model):
            note = "; ".join(filter(None, ("the model is known by its name alone", note)))
        if under in seen:
            vouched = False
            note = "; ".join(
                filter(
                    None,
                    (
                        "there are several measurements under these conditions: the last is shown, and none of them decides",
                        note,
                    ),
                )
            )
        seen.add(under)
        for name, title, unit, more in _BENCHED:
            figure = body.figure(name)
            if figure is None:
                continue
            group = "memory" if unit == "byte" else "latency"
            axis = Axis(f"{name}@{mark}", title, group, unit, more, under)
            interval = {"none": "none", "range": f"least and most of {figure.n} starts"}.get(
                figure.method, f"{100 * float(figure.level or 0):g} % {figure.method}, {figure.n}"
            )
            out[axis.id] = (
                axis,
                Cell(
                    float(figure.value), _may(figure.low), _may(figure.high), "", interval, each, note,
                    vouched and figure.bounded,
                ),
            )  # fmt: skip
        rate = body.figure("written-rate")
        if usd_per_hour is not None and rate is not None and float(rate.value) > 0:
            axis = Axis(f"cost@{mark}", "cost of a million tokens", "cost", "USD", False, under)
            value, low, high = (
                None if text is None or not float(text) > 0 else usd_per_hour / 3600 * 1e6 / float(text)
                for text in (rate.value, rate.high, rate.low)
            )
            how = f"{usd_per_hour:g} USD an hour, as the user says, one request at a time{f'; {note}' if note else ''}"
            interval = "none" if rate.level is None else f"{100 * float(rate.level):g} % of the rate, {rate.n}"
            out[axis.id] = (axis, Cell(value, low, high, "", interval, each, how, vouched and rate.bounded))
    return list(out.values())


def conditions(body: BenchV1) -> str:
    """Under which a latency counts: only the same ones are compared."""
    limits = ", ".join(f"{_limit(each)}{'' if each.enforced else ' (not kept)'}" for each in body.limits) or "no limit"
    machine, runtime, work = body.machine, body.runtime, body.work
    engine = f"{runtime.engine} ({runtime.version})" if runtime.version else runtime.engine
    settings = "".join(f", {name} {value}" for name, value in sorted(runtime.settings.items()))
    return (
        f"{machine.cpu}, {machine.cores} cores, {engine or 'a runtime that is not named'}, {runtime.threads} thread{'' if runtime.threads == 1 else 's'}{settings}; {limits}; {work.kind}"
        f"{f' {work.tokens} tokens' if work.tokens else ''} ({work.sha256[:8]})"
    )


def _limit(each: LimitSet) -> str:
    """A limit to the last byte, since other limits are other conditions."""
    return f"memory {float(each.asked):,.0f} bytes" if each.what == "memory" else f"{each.what} {each.asked}"


def _of_profile(found: Evidence) -> list[tuple[Axis, Cell]]:
    body: ProfileV1 = found.predicate
    parts = [(part, needs) for part in body.parts if (needs := needs_of(part)) is not None]
    if len(parts) != 1:
        return []  # of several models in one it is not said here which is meant
    (_, needs) = parts[0]
    context = min(_CONTEXT, needs.context or _CONTEXT)
    exact = "exact" if needs.basis == "derived" else "none"
    note = "" if needs.basis == "derived" else f"{needs.basis}: {'; '.join(needs.assumptions)[:200]}"
    size = Axis("size", "weights", "size", "byte", False)
    memory = Axis(
        "memory-to-serve", f"memory to serve {context} tokens", "memory", "byte", False, f"arithmetic, {context} tokens"
    )
    return [
        (size, Cell(float(needs.weight_bytes), None, None, "", exact, found, note)),
        (
            memory,
            Cell(
                float(needs.serve_bytes(Workload(context))), None, None, "", exact, found,
                "; ".join(filter(None, (note, "weights and cache, without buffers and the runtime"))),
            ),
        ),
    ]  # fmt: skip


def _of_rights(found: Evidence) -> list[tuple[Axis, Cell]]:
    body: RightsV1 = found.predicate
    own = body.work("this")
    licence = f" ({own.expression})" if own is not None and own.expression else ""
    axis = Axis("rights", f"may be used: {', '.join(body.asked)}", "rights")
    return [(axis, Cell(None, None, None, f"{body.verdict}{licence}", "none", found))]


def _of_scan(candidate: Candidate) -> list[tuple[Axis, Cell]]:
    found = candidate.safety()
    if found is None:
        return []
    source, decision, note = found
    reasons = "; ".join(filter(None, (", ".join(each.code for each in decision.reasons[:3]), note)))
    return [
        (
            Axis("safety", "safe to load", "safety"),
            Cell(None, None, None, str(decision.verdict), "none", source, reasons),
        )
    ]
