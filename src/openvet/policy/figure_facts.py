"""Facts of what was measured of a model: evaluations, benches, and what a step that made it did to it. Of these every statement counts, and not the last alone.

Where several say different things of the same, what is there holds by all of them: the widest interval, the worst outcome. What one of them leaves open stays open, so
that a figure that nobody measured, whose interval has no end, or that might be of another task or device has no value, and a rule about it is unknown.

Source of the intervals: the spec pages ``eval_v1.md``, ``bench_v1.md`` and ``derivation_v1.md``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.evidence.predicates.bench_v1 import OUTCOMES, BenchV1
from openvet.evidence.predicates.derivation_v1 import DerivationV1
from openvet.evidence.predicates.eval_v1 import EvalV1
from openvet.evidence.statement import Predicate

__all__ = ["MANY", "Said", "figure_facts", "is_about"]

#: Where no device's limits were kept.
HERE: Final = "here"
_BY_DIGEST: Final = "sha256:"
#: Verdicts on a step that were asked for, the worst first.
_WORST: Final = ("worse", "unresolved", "as-good")


@dataclass(frozen=True, slots=True)
class Said:
    """A statement, and who signed it: the SHA-256 of a key, '' where nobody did."""

    predicate: Predicate
    by: str = ""


def is_about(predicate: Predicate, digests: Mapping[str, str]) -> bool:
    """Whether the body of an evaluation or bench names these bytes too: by a name alone it may be another model of that name."""
    if not isinstance(predicate, EvalV1 | BenchV1):
        return True
    named = predicate.model.digest or {}
    shared = named.keys() & digests.keys()
    return bool(shared) and all(named[each] == digests[each] for each in shared)


def _evals(said: Sequence[Said]) -> dict[str, Any]:
    """By task: its name, where one task alone has it, and ``sha256:`` with its digest."""
    found: dict[str, list[tuple[EvalV1, str]]] = {}
    digests: dict[str, set[str]] = {}
    for each in said:
        body = each.predicate
        # that this model gave the answers is else a claim of whoever ran it
        if isinstance(body, EvalV1) and body.backend.attests and not body.task.name.startswith(_BY_DIGEST):
            task = body.task
            digests.setdefault(task.name, set()).add(task.sha256)
            for key in (task.name, *([f"{_BY_DIGEST}{task.sha256}"] if task.sha256 else [])):
                found.setdefault(key, []).append((body, each.by))
    for name, several in digests.items():
        if len(several) > 1:  # results of two tasks say nothing of each other
            del found[name]
    spans = {key: [_span_of(body) for body, _ in each] for key, each in found.items()}
    values = {key: [float(body.figure.value) for body, _ in each] for key, each in found.items()}
    better = {key: each[0][0].task.higher for key, each in found.items()}
    return {
        "eval.tasks": sorted({*digests, *(each for each in found if each.startswith(_BY_DIGEST))}),
        "eval.value": {key: min(each) if better[key] else max(each) for key, each in values.items()},
        **_ends("eval", spans),
        "eval.samples": {key: float(min(body.figure.n for body, _ in each)) for key, each in found.items()},
        "eval.metric": {key: each[0][0].task.metric for key, each in found.items()},
        "eval.signer": _signers({key: [by for _, by in each] for key, each in found.items()}),
    }


def _span_of(body: EvalV1) -> tuple[float, float]:
    """The interval of a figure; without ends where samples that gave no answer are not in it."""
    figure, whole = body.figure, not body.run.failed
    low = float(figure.low) if figure.low is not None and whole else -math.inf
    high = float(figure.high) if figure.high is not None and whole else math.inf
    return low, high


def _benches(said: Sequence[Said]) -> dict[str, Any]:
    """By device, and by device and figure; certified ones alone have figures."""
    outcomes: dict[str, list[str]] = {}
    signers: dict[str, list[str]] = {}
    certified: set[str] = set()
    spans: dict[str, list[tuple[float, float]]] = {}
    values: dict[str, set[float]] = {}
    for each in said:
        body = each.predicate
        if not isinstance(body, BenchV1):
            continue
        device = _device(body)
        outcomes.setdefault(device, []).append(body.outcome)
        if not body.certified:
            continue
        certified.add(device)
        signers.setdefault(device, []).append(each.by)
        for figure in body.figures:
            key = f"{device}/{figure.name}"
            spans.setdefault(key, []).append(figure.span)
            values.setdefault(key, set()).add(float(figure.value))
    return {
        "bench.devices": sorted(outcomes),
        "bench.outcome": {key: max(each, key=OUTCOMES.index) for key, each in outcomes.items()},
        "bench.certified": sorted(certified),
        "bench.value": {key: next(iter(each)) for key, each in values.items() if len(each) == 1},
        **_ends("bench", spans),
        "bench.signer": _signers(signers),
    }


def _device(body: BenchV1) -> str:
    """A device of the table that ships by its name; one of a file with the file's digest, since anybody can give it any name."""
    if body.device is None:
        return HERE
    return f"{body.device.id}@{body.device.file}" if body.device.file else body.device.id


def _derivations(said: Sequence[Said]) -> dict[str, Any]:
    bodies = [(each.predicate, each.by) for each in said if isinstance(each.predicate, DerivationV1)]
    verdicts = {body.verdict for body, _ in bodies}
    losses = [float(body.loss) for body, _ in bodies if body.loss is not None and body.verdict in _WORST]
    out: dict[str, Any] = {
        "derivation.kinds": sorted({body.kind for body, _ in bodies}),
        "derivation.methods": sorted({body.method for body, _ in bodies}),
        "derivation.parents": sorted({f"{kind}:{each}" for body, _ in bodies for kind, each in body.parent.digest.items()}),
        "derivation.signers": sorted({by for _, by in bodies if by}),
        "derivation.verdict": next((each for each in _WORST if each in verdicts), "not-asked"),
    }  # fmt: skip
    return {**out, "derivation.loss": max(losses)} if losses else out


def _ends(kind: str, spans: Mapping[str, Collection[tuple[float, float]]]) -> dict[str, dict[str, float]]:
    """The ends that hold all intervals; one that is not bounded is left out."""
    lows = {key: min(low for low, _ in each) for key, each in spans.items()}
    highs = {key: max(high for _, high in each) for key, each in spans.items()}
    return {
        f"{kind}.low": {key: each for key, each in lows.items() if math.isfinite(each)},
        f"{kind}.high": {key: each for key, each in highs.items() if math.isfinite(each)},
    }


def _signers(by: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Who signed; left out where somebody else did, too, or nobody."""
    found = {key: set(each) for key, each in by.items()}
    return {key: next(iter(each)) for key, each in found.items() if len(each) == 1 and "" not in each}


#: Kinds of which every statement counts -> what they say to conditions together.
MANY: Final[Mapping[str, Callable[[Sequence[Said]], dict[str, Any]]]] = {
    "eval": _evals,
    "bench": _benches,
    "derivation": _derivations,
}


def figure_facts(kind: str, said: Sequence[Said]) -> dict[str, Any]:
    """Values by name, of all statements of one kind of :data:`MANY`."""
    return MANY[kind](said)
