"""eval: a task, a model and a backend in; a log and a signed result out."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import IO, Any

from openvet.core.dataclass import dataclass
from openvet.core.progress import Progress
from openvet.core.text import printable
from openvet.errors import OpenVetError, UsageError
from openvet.evals.asking import needs_of
from openvet.evals.backends._backend import Backend
from openvet.evals.log import Scored, header_line, number
from openvet.evals.metrics import MetricError, estimate
from openvet.evals.runner import Stopped, Stopping, run
from openvet.evals.scorers import SCORERS
from openvet.evals.stats.estimate import FEW, Estimate
from openvet.evals.task import Task, order_of
from openvet.evidence.keys import PrivateKey
from openvet.evidence.predicates.eval_plan_v1 import EvalPlanV1
from openvet.evidence.predicates.eval_v1 import (
    BackendRef,
    Deviation,
    EvalV1,
    Interval,
    ModelRef,
    Planned,
    Run,
    Sequential,
)
from openvet.evidence.statement import ResourceDescriptor, Statement
from openvet.workflows.eval_files import (
    ReadPlan,
    descriptor_of,
    log_path,
    open_log,
    same_model,
    subject_of,
    task_ref,
    write_statement,
)
from openvet.workflows.knowledge import tool

__all__ = [
    "Asked",
    "Evaluated",
    "RunEndedError",
    "deviations",
    "evaluate",
    "interval_of",
    "notes_on",
    "total",
]


class RunEndedError(OpenVetError):
    """A run ended before its last sample. What it did is in its log, and another run goes on behind it.

    ``interrupted`` says that a person did it.
    """

    def __init__(self, message: str, *, interrupted: bool) -> None:
        super().__init__(message)
        self.interrupted = interrupted


@dataclass(frozen=True, slots=True)
class Asked:
    """What to run.

    Attributes:
        model: its path, or ``None`` where it is only known by ``name``.
        samples: how many of the task's; ``None`` for all.
        order: ``file``, or the seed that draws it.
        result: where the result goes; the log lies beside it.
        subject: the model as it was hashed when it was opened; ``None``: it is hashed now.
        still: raises where the model's files are not any more what was hashed; asked before the result is written.
    """

    task: Task
    model: str | None
    name: str
    result: str
    seed: int = 0
    samples: int | None = None
    order: str = "file"
    level: float = 0.95
    stopping: Stopping | None = None
    keep_going: bool = False
    resume: bool = False
    replace: bool = False
    plan: ReadPlan | None = None
    subject: ResourceDescriptor | None = None
    still: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What came out; ``resumed`` samples were in the log already."""

    body: EvalV1
    result: str
    log: str
    sha256: str
    resumed: int


def evaluate(asked: Asked, backend: Backend, key: PrivateKey | None, progress: Progress) -> Evaluated:
    """Run a task and write its log and its result.

    Raises:
        UsageError: it cannot be run so, or a file is there already.
        RunEndedError: a sample was not answered, or a person ended it; the log has what was done.
    """
    task = asked.task
    needs = needs_of(task)
    if needs not in backend.facts.can:
        raise UsageError(_cannot(task, needs, backend))
    if asked.stopping is not None and (task.clustered or SCORERS[task.scorer.name].metric != "mean"):
        raise UsageError(
            "a run stops early only where its samples are independent and its scores lie from 0 to 1: not with clusters, error rates "
            "or correlations; ask for a number of samples with --samples instead"
        )
    if asked.subject is None:
        model, subject = subject_of(asked.model, asked.name, progress)
    else:
        model, subject = ModelRef(asked.name or asked.subject.name, asked.subject.digest), asked.subject
    size = len(task.samples) if asked.samples is None else min(asked.samples, len(task.samples))
    order = order_of(len(task.samples), asked.order)[:size]
    log = log_path(asked.result)
    if not asked.replace and not asked.resume:
        for each in (asked.result, log):
            if os.path.lexists(each):
                raise UsageError(
                    f"{printable(each)} is there already: --resume goes on with it, --force begins anew, --result names another"
                )
    header = _header(asked, task, model, backend, size)
    with _Writer(log, header, order, resume=asked.resume) as writer:
        before = writer.before
        try:
            done, stopped = run(
                task, order, backend, writer.write, before, seed=asked.seed, keep_going=asked.keep_going, stopping=asked.stopping,
                progress=progress,
            )  # fmt: skip
        except KeyboardInterrupt:
            raise RunEndedError(_left(log, writer.count, size), interrupted=True) from None
        except OpenVetError as error:
            raise RunEndedError(f"{error}; {_left(log, writer.count, size)}", interrupted=False) from error
    if asked.still is not None:
        asked.still()
    body = _body(asked, task, model, backend, order, done, stopped, open_log(log).tree.root())
    sha256 = write_statement(asked.result, Statement(subject or descriptor_of(log), body), key, replace=True)
    return Evaluated(body, asked.result, log, sha256, len(before))


def _cannot(task: Task, needs: str, backend: Backend) -> str:
    what = {
        "generate": "write",
        "loglikelihood": "say how likely choices are",
        "embed": "make vectors",
        "transcribe": "write down what is said",
        "match": "say which text fits an image",
        "read": "read the lines of an image",
    }[needs]
    hint = {
        (
            "openai",
            "loglikelihood",
        ): "; --api completions asks an endpoint that gives logarithms, and the scorer letter needs none",
        ("local", "embed"): "; a model makes vectors where its files say how, or --engine names what does",
        ("recorded", needs): "; the file of outputs has none of that",
    }.get((backend.facts.id, needs), "")
    return f"the scorer {task.scorer.name} needs a model that can {what}, which {'this one' if backend.facts.id == 'local' else backend.facts.id} cannot{hint}"


def _left(log: str, done: int, size: int) -> str:
    return f"{done} of {size} samples are in {printable(log)}; the same command with --resume goes on"


def _header(asked: Asked, task: Task, model: ModelRef, backend: Backend, size: int) -> bytes:
    return header_line(
        {
            "task": {"name": task.name, "sha256": task.sha256},
            "model": model.to_json(),
            "backend": {"id": backend.facts.id, "settings": dict(backend.facts.settings)},
            "seed": asked.seed,
            "order": asked.order,
            "asked": size,
        }
    )


class _Writer:
    """Writes a log line by line, behind what is there where a run goes on. Each line is handed to the system at once."""

    def __init__(self, path: str, header: bytes, order: Sequence[int], *, resume: bool) -> None:
        self.before: tuple[Scored, ...] = ()
        self.count = 0
        self._path = path
        if resume and os.path.exists(path):
            self._take_up(header, order)
            self._file: IO[bytes] = open(path, "ab")  # noqa: SIM115 - closed in __exit__
        else:
            self._file = open(path, "wb")  # noqa: SIM115 - closed in __exit__
            self._file.write(header + b"\n")
            self._file.flush()
        self.count = len(self.before)

    def _take_up(self, header: bytes, order: Sequence[int]) -> None:
        shown = printable(self._path)
        with open(self._path, "r+b") as file:
            size = file.seek(0, os.SEEK_END)
            end = _last_end(file, size)
            if end < size:  # a line that a crash cut off
                file.truncate(end)
            file.seek(0)
            first = file.readline(len(header) + 2).rstrip(b"\n")
        if not first and not end:
            with open(self._path, "wb") as file:
                file.write(header + b"\n")
            return
        if first != header:
            raise UsageError(
                f"{shown} is the log of another run (task, model, backend, seed, order or number of samples differ); "
                "--force begins anew, --result names another"
            )
        self.before = open_log(self._path).samples
        if [each.index for each in self.before] != list(order[: len(self.before)]):
            raise UsageError(f"{shown} has other samples than this run would ask; --force begins anew")

    def write(self, line: bytes) -> None:
        self._file.write(line + b"\n")
        self._file.flush()
        self.count += 1

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _last_end(file: IO[bytes], size: int) -> int:
    """Where the last complete line ends."""
    at = size
    while at > 0:
        step = min(at, 1 << 16)
        file.seek(at - step)
        found = file.read(step).rfind(b"\n")
        if found >= 0:
            return at - step + found + 1
        at -= step
    return 0


def interval_of(found: Estimate) -> Interval:
    """An estimate as a statement has it."""
    bounded = abs(found.low) < float("inf") and abs(found.high) < float("inf")
    return Interval(
        number(found.value),
        number(found.low) if bounded else None,
        number(found.high) if bounded else None,
        number(found.level),
        None if found.se is None else number(found.se),
        found.n,
        found.clusters,
        found.method,
    )


def notes_on(found: Estimate, failed: int, done: int) -> list[str]:
    """What a reader has to know to not be misled by a figure."""
    notes = []
    if found.method.startswith("t") and found.clusters < FEW:
        what = "clusters" if found.method == "t-clustered" else "samples"
        notes.append(f"the interval rests on {found.clusters} {what}, which are few")
    if found.method == "none":
        notes.append("one independent sample has no error bar")
    if failed:
        notes.append(f"{failed} of {done} samples were not answered and are not in the figure")
    return notes


def _body(
    asked: Asked,
    task: Task,
    model: ModelRef,
    backend: Backend,
    order: Sequence[int],
    done: Sequence[Scored],
    stopped: Stopped | None,
    root: bytes,
) -> EvalV1:
    reference = task_ref(task)
    by_rank = task.scorer.settings.get("by", "spearman") == "spearman"
    try:
        found = estimate(done, reference.metric, asked.level, by_rank=by_rank)
    except MetricError as error:
        raise UsageError(f"no figure can be made of the log: {error}") from error
    failed = sum(each.score is None for each in done)
    notes = notes_on(found, failed, len(done))
    stopping, sequential = asked.stopping, None
    if stopping is not None and stopped is not None:
        sequential = Sequential(
            number(stopping.alpha), number(stopped.low), number(stopped.high), stopped.why,
            None if stopping.half_width is None else number(stopping.half_width),
            None if stopping.threshold is None else number(stopping.threshold),
        )  # fmt: skip
        if stopped.why:
            notes.append(
                "the run stopped early: the sequence's interval holds at any time, the figure's only for a number that was fixed before"
            )
    body = EvalV1(
        tool(),
        model,
        reference,
        BackendRef(backend.facts.id, backend.facts.settings, backend.facts.attests),
        Run(asked.seed, asked.order, len(order), len(done), failed),
        root.hex(),
        interval_of(found),
        sequential,
        total([each.usage.prompt for each in done]),
        total([each.usage.completion for each in done]),
        None,
        None,
        tuple(notes),
    )
    if asked.plan is None:
        return body
    from dataclasses import replace

    return replace(body, plan=Planned(asked.plan.sha256, asked.plan.signed, deviations(asked.plan.body, body)))


def total(counts: Sequence[int | None]) -> int | None:
    """The sum of the counts that are known; ``None`` where none is."""
    known = [each for each in counts if each is not None]
    return sum(known) if known else None


def deviations(plan: EvalPlanV1, body: EvalV1) -> tuple[Deviation, ...]:
    """In which ways a result is something else than was planned. A run that its plan let stop early does not deviate by stopping."""
    early = body.sequential is not None and body.sequential.why and (plan.half_width or plan.threshold)
    pairs: list[tuple[str, Any, Any]] = [
        ("task", plan.task.sha256, body.task.sha256),
        ("samples asked", plan.samples, body.run.asked),
        ("order", plan.order, body.run.order),
        ("seed", plan.seed, body.run.seed),
        ("alpha", plan.alpha, number(round(1.0 - float(body.figure.level), 12))),
        ("stop at half-width", plan.half_width, body.sequential and body.sequential.half_width),
        ("stop at threshold", plan.threshold, body.sequential and body.sequential.threshold),
        ("samples not answered", 0, body.run.failed),
    ]
    if not early:
        pairs.insert(2, ("samples done", plan.samples, body.run.done))
    if plan.model is not None and not same_model(plan.model, body.model):
        pairs.insert(0, ("model", _named(plan.model), _named(body.model)))
    return tuple(Deviation(what, _said(planned), _said(done)) for what, planned, done in pairs if planned != done)


def _named(model: ModelRef) -> str:
    return model.name if model.digest is None else f"{model.name} {next(iter(model.digest.values()), '')}".strip()


def _said(value: Any) -> str:
    return "none" if value is None else str(value)
