"""Lines of a need that are about figures: points of a task, the device that it has to run on, and bounds of time, memory, size and cost.

A bound is met where the whole interval is on the right side of it. Arithmetic can exclude; it promises only that weights and cache have room.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from openvet.errors import OpenVetError
from openvet.evidence.predicates.bench_v1 import STARTS, BenchV1
from openvet.evidence.predicates.eval_v1 import EvalV1
from openvet.evidence.predicates.profile_v1 import ProfileV1
from openvet.profile.device import Device
from openvet.profile.needs import Workload, needs_of
from openvet.reports._text import bytes_for_people
from openvet.workflows.bench_says import limit_of, memory_was_short
from openvet.workflows.candidates import Candidate
from openvet.workflows.choose_evidence import bench_figure, hull, notes_on, result_of, results_of, upward
from openvet.workflows.choose_words import MET, NOT_MET, UNKNOWN, Line, Weighed, bounded, end_of, path_of
from openvet.workflows.fits import USUAL_CONTEXT, fits_of
from openvet.workflows.need import BUDGETS, Budget, Need
from openvet.workflows.told import told_of

__all__ = ["note_figure", "on_device", "quality", "within"]

_WORST: Final = (NOT_MET, MET, UNKNOWN)


def quality(need: Need, made: Weighed, tasks: Sequence[str]) -> Iterator[Line]:
    task = need.task
    if task is None:
        return
    candidate = made.candidate
    found = result_of(need, candidate)
    what = f"task {task.name}"
    if found is None:
        command = f"openvet eval {path_of(candidate)} --task {shlex.quote(task.name)}.yaml --result {shlex.quote(candidate.name)}.eval.json"
        named = [
            each
            for each in candidate.of("eval")
            if each.predicate.task.name == task.name and candidate.by_name_alone(each.predicate.model)
        ]
        why = (
            "its result knows the model by its name alone, and nothing says that it was this one"
            if named
            else "not measured"
        )
        yield Line(what, UNKNOWN, why, named[-1] if named else None, command)
        return
    if len(tasks) > 1:
        yield Line(
            what, UNKNOWN, f"{len(tasks)} tasks have this name: {', '.join(each[:12] or 'one without a digest' for each in tasks[:6])}", found,
            "say in the need which one is meant: task: {name: ..., sha256: ...}",
        )  # fmt: skip
        return
    body: EvalV1 = found.predicate
    several = results_of(need, candidate)
    value, low, high = made.figures["quality"] = hull([upward(each.predicate) for each in several])
    if not body.task.higher:
        value, low, high = -value, -high, -low
    shown = f"{value:.4g} ({end_of(low)} to {end_of(high)}){notes_on(several)}"
    told = False
    for bound, least in ((task.at_least, True), (task.at_most, False)):
        if bound is None:
            continue
        told = True
        name = f"{what} {'at least' if least else 'at most'} {bound:g}"
        yield bounded(
            name,
            shown,
            (low, high),
            bound,
            least=least,
            source=found,
            command=f"more samples: openvet eval plan {shlex.quote(task.name)}.yaml",
        )
    if not told and task.margin is None:
        yield Line(what, MET, f"measured: {shown}", found)


def on_device(need: Need, candidate: Candidate, device: Device) -> Line:
    what = f"runs on {device.label}"
    measured = _measured_on(need, what, candidate, device)
    if any(each.outcome != UNKNOWN for each in measured):
        # a device on which it once had no memory is not proven by a run that needed less
        return min(measured, key=lambda each: _WORST.index(each.outcome))
    last = candidate.last("profile")
    command = f"openvet bench {path_of(candidate)} --device {shlex.quote(need.device)} --statement -o bench.json"
    if last is None:
        return Line(what, UNKNOWN, "what it needs is not known", next=command)
    try:
        told = told_of(candidate, "profile", lambda body: _parts_in(body, need, device), _served)
    except OpenVetError as error:
        return Line(what, UNKNOWN, str(error), last, command)
    if told is None:
        return Line(what, UNKNOWN, "neither weights nor parameters are known", last, command)
    found = told.source
    if told.apart:
        return Line(what, UNKNOWN, told.apart, found, command)
    parts: tuple[_Part, ...] = told.value
    words = {each.word for each in parts}
    sizes = ", ".join(bytes_for_people(each.serve_bytes) for each in parts[:3])
    there = bytes_for_people(parts[0].available_bytes)
    why = f"arithmetic: {sizes} to serve {parts[0].context} tokens, {there} are there"
    if "no" in words:
        return Line(what, NOT_MET, why, found)
    failed = f"; {measured[-1].why}" if measured else ""
    if "tight" in words:
        return Line(what, UNKNOWN, f"{why}: tight, with buffers, the runtime and the system{failed}", found, command)
    return Line(what, UNKNOWN if failed else MET, why + failed, found, command if failed else "")


class _Part(NamedTuple):
    """What one part of a model takes of a device, as far as a choice asks."""

    word: str
    serve_bytes: int
    available_bytes: int
    context: int


def _parts_in(profile: ProfileV1, need: Need, device: Device) -> tuple[_Part, ...] | None:
    """How each part of a model fits; ``None`` where neither weights nor parameters are known."""
    fits = [each.fits[0] for each in fits_of(profile, [device], need.context or None) if each.fits]
    return tuple(_Part(each.fits, each.serve_bytes, each.available_bytes, each.work.context) for each in fits) or None


def _served(parts: Sequence[_Part]) -> str:
    return ", ".join(f"{each.serve_bytes:,} bytes to serve {each.context} tokens" for each in parts[:3])


def _measured_on(need: Need, what: str, candidate: Candidate, device: Device) -> list[Line]:
    """What benches under the device's limits say of whether it runs there; nothing where there is none."""
    out = []
    for each in candidate.of("bench"):
        body: BenchV1 = each.predicate
        size = limit_of(body, device)
        if isinstance(size, str) or body.outcome == "refused" or candidate.by_name_alone(body.model):
            continue
        if body.outcome == "measured":
            if body.certified or not need.certified:
                out.append(
                    Line(what, MET, f"it answers within {bytes_for_people(size)} of memory{_elsewhere(body)}", each)
                )
        elif memory_was_short(body, device):
            out.append(Line(what, NOT_MET, f"under its limits: {body.outcome}: {body.detail}", each))
        else:
            why = f"measured within {bytes_for_people(size)} of memory: {body.outcome}: {body.detail}, which need not be so on the device{_elsewhere(body)}"
            out.append(Line(what, UNKNOWN, why, each))
    return out


def _elsewhere(body: BenchV1) -> str:
    return f"; the processor was {body.machine.cpu or 'another'}, not the device's"


def within(budget: Budget, need: Need, made: Weighed, device: Device | None) -> Line:
    title, unit, least = BUDGETS[budget.name]
    name = f"{title} {'at least' if least else 'at most'} {_shown(budget.bound, unit)}"
    candidate = made.candidate
    where = f" --device {shlex.quote(need.device)}" if need.device else ""
    command = f"openvet bench {path_of(candidate)}{where} --statement -o bench.json"
    if budget.name == "size":
        found = told_of(candidate, "profile", _weight_bytes, _bytes)
        if found is None or found.apart:
            why = "how large it is, is not known" if found is None else found.apart
            source = None if found is None else found.source
            return Line(name, UNKNOWN, why, source, f"openvet profile --digests {path_of(candidate)}")
        size = (found.value, found.value)
        return bounded(
            name, _shown(found.value, unit), size, budget.bound, least=False, source=found.source, command=""
        )
    measured = bench_figure(budget.name, need, candidate, device)
    if isinstance(measured, str):
        least_memory = None
        if budget.name == "memory":
            least_memory = told_of(candidate, "profile", lambda body: _arithmetic_memory(body, need), _bytes)
        if least_memory is not None and least_memory.apart:
            return Line(name, UNKNOWN, f"{measured}; {least_memory.apart}", least_memory.source, command)
        if least_memory is not None:
            there = f"arithmetic: {_shown(least_memory.value, unit)} at least"
            if least_memory.value > budget.bound:
                return Line(name, NOT_MET, f"{there}, for weights and cache", least_memory.source)
            return Line(name, UNKNOWN, f"{measured}; {there}", least_memory.source, command)
        return Line(name, UNKNOWN, measured, next=command)
    source, value, low, high = measured.source, measured.value, measured.low, measured.high
    shown = _shown(value, unit)
    if low != high:
        shown += f" ({_shown(low, unit)} to {_shown(high, unit)})"
    note = "" if source.predicate.certified else "; not certified"
    if measured.count > 1:
        note += f"; of {measured.count} measurements that differ: the worst, and what holds by all of them"
    if device is not None and budget.name != "memory":
        note += _elsewhere(source.predicate)
    more = f"--starts {STARTS}, or more: " if budget.name == "cold-start" else "more requests: "
    return bounded(
        name,
        shown,
        (low, high),
        budget.bound,
        least=least,
        source=source,
        command=f"{more}{command}",
        note=note,
    )


def _shown(value: float, unit: str) -> str:
    if math.isinf(value):
        return "?"
    return bytes_for_people(round(value)) if unit == "byte" else f"{value:.4g} {unit}".strip()


def _bytes(value: float) -> str:
    """To the last byte: two that are a byte apart are two."""
    return f"{value:,.0f} bytes"


def _weight_bytes(profile: ProfileV1) -> float | None:
    needs = [each for part in profile.parts if (each := needs_of(part)) is not None and each.basis == "derived"]
    return float(sum(each.weight_bytes for each in needs)) if needs else None


def _arithmetic_memory(profile: ProfileV1, need: Need) -> float | None:
    needs = [each for part in profile.parts if (each := needs_of(part)) is not None]
    if len(needs) != 1:
        return None
    context = need.context or min(USUAL_CONTEXT, needs[0].context or USUAL_CONTEXT)
    return float(needs[0].serve_bytes(Workload(context)))


def note_figure(name: str, need: Need, made: Weighed, device: Device | None) -> None:
    """What the preferences rank by, where it is known; turned so that more is better."""
    if name == "size":
        size = told_of(made.candidate, "profile", _weight_bytes)
        found = None if size is None or size.apart else (size.value, size.value, size.value)
    else:
        if name == "cost" and need.usd_per_hour is None:
            return
        about = {"latency": "latency-p50", "memory": "memory", "cost": "usd-per-million-tokens"}[name]
        measured = bench_figure(about, need, made.candidate, device)
        found = None if isinstance(measured, str) else (measured.value, measured.low, measured.high)
        if not isinstance(measured, str):
            made.under[name] = measured.under
    if found is not None:
        made.figures[name] = (-found[0], -found[2], -found[1])
