"""eval compare: two models on the same samples, task by task, corrected for their number."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.text import printable
from openvet.errors import UsageError, VerifyError
from openvet.evals.log import Log, number
from openvet.evals.metrics import MetricError, Pairing, pair_up
from openvet.evals.stats.correction import CORRECTIONS
from openvet.evals.stats.estimate import Estimate
from openvet.evals.stats.verdict import VERDICTS, Verdict, judge, p_not_inferior
from openvet.evidence.keys import PublicKey
from openvet.evidence.predicates import NAMES
from openvet.evidence.predicates.eval_v1 import EvalV1
from openvet.workflows.eval_files import ReadResult, log_path, open_log, read_result

__all__ = ["COMPARISON_TYPE", "Compared", "Comparison", "compare", "held_log"]

COMPARISON_TYPE: Final = f"{NAMES}/eval-comparison/v1"


@dataclass(frozen=True, slots=True)
class Compared:
    """One task: both results, their samples side by side, p adjusted for the number of tasks, and what may be said."""

    first: EvalV1
    second: EvalV1
    pairing: Pairing
    adjusted: float
    verdict: Verdict

    def to_json(self) -> dict[str, Any]:
        found = self.pairing.found
        flips = found.flips
        return {
            "task": self.first.task.to_json(),
            "first": {"model": self.first.model.to_json(), **_estimate(self.pairing.first)},
            "second": {"model": self.second.model.to_json(), **_estimate(self.pairing.second)},
            "difference": _estimate(found.difference),
            "p": number(found.p),
            "p_adjusted": number(self.adjusted),
            "flips": None
            if flips is None
            else {"both": flips.both, "first": flips.first, "second": flips.second, "neither": flips.neither},
            "unpaired_se": None if found.unpaired_se is None else number(found.unpaired_se),
            "correlation": None if found.correlation is None else number(found.correlation),
            "left_out": self.pairing.left_out,
            "verdict": self.verdict.word,
            "why": self.verdict.why,
            "samples_needed": self.verdict.needed,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """All tasks that both did."""

    tasks: tuple[Compared, ...]
    margin: float | None
    alpha: float
    correction: str
    verified: bool

    @property
    def verdict(self) -> str:
        """The worst."""
        return max((each.verdict.word for each in self.tasks), key=VERDICTS.index)

    def to_json(self) -> dict[str, Any]:
        return {
            "type": COMPARISON_TYPE,
            "verdict": self.verdict,
            "verified": self.verified,
            "alpha": number(self.alpha),
            "margin": None if self.margin is None else number(self.margin),
            "correction": self.correction,
            "tasks": [each.to_json() for each in self.tasks],
        }


def _estimate(found: Estimate) -> dict[str, Any]:
    bounded = abs(found.low) < float("inf") and abs(found.high) < float("inf")
    return {
        "value": number(found.value),
        "low": number(found.low) if bounded else None,
        "high": number(found.high) if bounded else None,
        "level": number(found.level),
        "samples": found.n,
        "clusters": found.clusters,
        "method": found.method,
    }


def held_log(path: str, result: ReadResult, log: str | None = None) -> Log:
    """The log of a result, held against the root that the result states.

    Raises:
        LogError: it is not there, or none.
        VerifyError: ``tampered``: it is not the log that the result states.
    """
    where = log or log_path(path)
    found = open_log(where)
    if found.tree.size != result.body.run.done or found.tree.root().hex() != result.body.root:
        raise VerifyError(
            "tampered",
            f"{printable(where)} has {found.tree.size} samples and another root than the {result.body.run.done} samples that "
            f"{printable(path)} states: a line was changed, added or taken away after the result was made",
        )
    return found


def compare(
    first: str,
    second: str,
    *,
    margin: float | None = None,
    alpha: float = 0.05,
    correction: str = "holm",
    key: PublicKey | None = None,
) -> Comparison:
    """Compare two results, or two folders of results; a positive difference is in favour of ``first``.

    Raises:
        UsageError: they have no task in common, or cannot be compared.
        VerifyError: a result is not signed by ``key``, or a log is not the one that its result states.
    """
    one, other = _results(first, key), _results(second, key)
    common = [each for each in one if each in other]
    if not common:
        raise UsageError(
            f"{printable(first)} and {printable(second)} are not of one task: {_tasks(one)} and {_tasks(other)}"
        )
    pairings = []
    for each in common:
        (path_a, a), (path_b, b) = one[each], other[each]
        try:
            pairing = pair_up(
                held_log(path_a, a).samples,
                held_log(path_b, b).samples,
                a.body.task.metric,
                1.0 - alpha,
                higher=a.body.task.higher,
            )
        except MetricError as error:
            raise UsageError(f"{printable(a.body.task.name)}: {error}") from error
        pairings.append((a.body, b.body, pairing))
    correct = CORRECTIONS[correction]
    adjusted = correct([pairing.found.p for _, _, pairing in pairings])
    several = len(pairings) > 1
    by_margin: Sequence[float | None] = [None] * len(pairings)
    if margin is not None and several:
        by_margin = correct([p_not_inferior(pairing.found, margin) for _, _, pairing in pairings])
    return Comparison(
        tuple(
            Compared(a, b, pairing, p, judge(pairing.found, margin, p=p, p_margin=p_margin, alpha=alpha))
            for (a, b, pairing), p, p_margin in zip(pairings, adjusted, by_margin, strict=True)
        ),
        margin,
        alpha,
        correction if several else "none",
        key is not None,
    )


def _results(path: str, key: PublicKey | None) -> dict[tuple[str, str], tuple[str, ReadResult]]:
    paths = [path]
    if os.path.isdir(path):
        paths = sorted(os.path.join(path, name) for name in os.listdir(path) if name.endswith(".json"))
        if not paths:
            raise UsageError(f"{printable(path)} holds no result: a file that ends in .json")
    out: dict[tuple[str, str], tuple[str, ReadResult]] = {}
    for each in paths:
        found = read_result(each, key)
        task = found.body.task
        # a task of another tool has no digest of ours: then its name, version and tool have to do
        told = task.sha256 or f"{task.version} {found.body.imported and found.body.imported.tool}"
        name = (task.name, told)
        if name in out:
            raise UsageError(f"{printable(each)} and {printable(out[name][0])} are of one task; name one of both")
        out[name] = (each, found)
    return out


def _tasks(found: dict[tuple[str, str], tuple[str, ReadResult]]) -> str:
    return ", ".join(f"{printable(name)} ({told[:12]})" for name, told in list(found)[:5])
