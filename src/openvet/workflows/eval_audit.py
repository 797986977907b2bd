"""eval audit: a result held against its log, its log against the task, and a random part of it against the model again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from openvet.core.canonical import canonical_json
from openvet.core.dataclass import dataclass
from openvet.core.progress import Progress
from openvet.core.text import printable
from openvet.errors import UsageError, VerifyError
from openvet.evals.asking import line_of
from openvet.evals.audit import most_altered
from openvet.evals.backends._backend import Backend, Usage
from openvet.evals.log import LONGEST, number, record_line
from openvet.evals.metrics import estimate
from openvet.evals.scorers import Output, score
from openvet.evals.task import Task, draw_order, order_of
from openvet.evidence.predicates import NAMES
from openvet.evidence.predicates.eval_v1 import EvalV1, Run
from openvet.evidence.statement import ResourceDescriptor
from openvet.workflows.eval_compare import held_log
from openvet.workflows.eval_files import ReadResult, log_path, task_ref
from openvet.workflows.eval_run import interval_of

__all__ = ["AUDIT_TYPE", "Audited", "audit", "same_bytes"]

AUDIT_TYPE: Final = f"{NAMES}/eval-audit/v1"
_LISTED: Final = 20


@dataclass(frozen=True, slots=True)
class Audited:
    """What an audit found.

    Attributes:
        signed: by the key that the auditor named.
        rescored: samples whose prompts and scores were made again of the task and the outputs; 0 where no task was given.
        wrong: of those, ids whose line says something else.
        drawn: samples that the model was asked again.
        differing: of those, ids whose output is another one, each with whether the score is, too.
        bound: the most outputs of the log that can be other than the model gives, at 95 %; ``None`` where none was asked again.
    """

    body: EvalV1
    signed: bool
    rescored: int
    wrong: tuple[str, ...]
    figure_follows: bool
    drawn: int
    seed: str
    differing: tuple[tuple[str, bool], ...]
    bound: int | None

    @property
    def verdict(self) -> str:
        """``agrees``, ``differs`` (asked again, it answers otherwise) or ``wrong`` (the log contradicts itself or its task)."""
        if self.wrong or not self.figure_follows:
            return "wrong"
        return "differs" if self.differing else "agrees"

    def to_json(self) -> dict[str, Any]:
        return {
            "type": AUDIT_TYPE,
            "verdict": self.verdict,
            "signed": self.signed,
            "model": self.body.model.to_json(),
            "task": self.body.task.to_json(),
            "root": self.body.root,
            "samples": self.body.run.done,
            "rescored": self.rescored,
            "wrong": list(self.wrong[:_LISTED]),
            "figure_follows": self.figure_follows,
            "drawn": self.drawn,
            "seed": self.seed,
            "differing": [{"id": each, "score_differs": score} for each, score in self.differing[:_LISTED]],
            "differing_count": len(self.differing),
            "at_most_altered": self.bound,
            "level": number(0.95),
        }


def audit(
    path: str,
    result: ReadResult,
    task: Task | None,
    backend: Backend | None,
    *,
    samples: int = 0,
    seed: str = "",
    log: str | None = None,
    progress: Progress | None = None,
) -> Audited:
    """Audit a result.

    Args:
        task: to make prompts and scores again; has to be the one of the result.
        backend: to ask ``samples`` of them again, drawn by ``seed``.

    Raises:
        VerifyError: the log is not the one that the result states.
        UsageError: the task is another one, or nothing can be asked again.
    """
    progress = progress or Progress()
    body = result.body
    found = held_log(path, result, log)
    if task is not None and task_ref(task) != body.task:
        raise UsageError(
            f"the task is {task.sha256[:16]}, and the result is of {body.task.sha256[:16] or 'a task of another tool'}"
        )
    if (backend is None) != (samples == 0) or (samples and task is None):
        raise UsageError("to ask samples again, name the task, where the model is, and how many")
    try:
        figure = interval_of(
            estimate(
                found.samples,
                body.task.metric,
                float(body.figure.level),
                by_rank=not body.task.label.startswith("pearson"),
            )
        )
    except ValueError as error:
        raise VerifyError("mismatch", f"no figure can be made of the log: {error}") from error
    lines = _lines(log or log_path(path)) if task is not None else []
    wrong = tuple(_wrong(lines, task, body.run)) if task is not None else ()
    differing: list[tuple[str, bool]] = []
    drawn = 0 if wrong else min(samples, len(lines))
    if backend is not None and task is not None and not wrong:
        progress.files_total = drawn
        for at in draw_order(len(lines), seed)[:drawn]:
            again = json.loads(line_of(task, lines[at]["index"], backend, body.run.seed, keep_going=True))
            if _given(again) != _given(lines[at]):
                differing.append((printable(lines[at]["id"]), again.get("score") != lines[at].get("score")))
            progress.files_done += 1
    return Audited(
        body,
        result.signed,
        len(lines) if task is not None else 0,
        wrong,
        figure == body.figure and body.run.failed == body.run.done - figure.n,
        drawn,
        seed,
        tuple(differing),
        most_altered(len(lines), drawn, len(differing)) if drawn else None,
    )


def same_bytes(result: ReadResult, subject: ResourceDescriptor) -> None:
    """See that a model is the one that a result is about.

    Raises:
        VerifyError: ``mismatch``: it is another one, or the result says only a name.
    """
    digest = result.body.model.digest
    if digest != subject.digest:
        said = (
            "is about a name alone"
            if digest is None
            else f"is about {' '.join(map(printable, next(iter(digest.items()), ())))}"
        )
        raise VerifyError(
            "mismatch", f"the result {said}, and the model here is {' '.join(next(iter(subject.digest.items())))}"
        )


def _lines(path: str) -> list[dict[str, Any]]:
    with open(path, "rb") as file:
        file.readline(LONGEST)
        return [json.loads(line) for line in file]


def _given(line: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the model gave, without counts that a server may count otherwise today."""
    return {name: each for name, each in line.items() if name in ("output", "logprobs", "similarity", "error")}


def _wrong(lines: list[dict[str, Any]], task: Task, run: Run) -> list[str]:
    """The ids of lines that are not what the task and the output make."""
    order = order_of(len(task.samples), run.order)[: len(lines)]
    order += [-1] * (len(lines) - len(order))
    return [
        printable(line["id"])
        for line, index in zip(lines, order, strict=True)
        if line["index"] != index or not _follows(line, task)
    ]


def _follows(line: Mapping[str, Any], task: Task) -> bool:
    ask = task.ask(line["index"])
    counts = line.get("usage", {})
    usage = Usage(counts.get("prompt"), counts.get("completion"))
    try:
        if "error" in line:
            made = record_line(ask, None, None, usage, error=line["error"])
        else:
            output = Output(
                line.get("output", ""), tuple(map(float, line.get("logprobs", ()))), tuple(line.get("tokens", ())),
                float(line["similarity"]) if "similarity" in line else None,
            )  # fmt: skip
            made = record_line(ask, output, score(task.scorer, ask, output), usage, line.get("ended", ""))
        return made == canonical_json(line)
    except (ValueError, TypeError, IndexError, RecursionError):
        return False
