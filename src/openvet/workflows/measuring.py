"""Parent and child side by side: how their answers differ, on texts and on tasks, and what each costs in its own process on this machine.

Both are open at once and asked in turn, so that what else the machine does meets both alike.
"""

from __future__ import annotations

import os

from openvet.core.dataclass import dataclass
from openvet.core.progress import Progress
from openvet.engines.model import Model, open_model
from openvet.errors import UsageError
from openvet.evals.backends.local import Local
from openvet.evidence.predicates.derivation_v1 import Agreement, Cost, Input, TaskDifference
from openvet.workflows.eval_files import beside
from openvet.workflows.making import Side
from openvet.workflows.measuring_answers import WINDOW, Both, can_do
from openvet.workflows.measuring_cost import Costs, cost_of
from openvet.workflows.measuring_figures import verdict_of
from openvet.workflows.measuring_inputs import Measuring, base_name, read_inputs, task_of, text_of
from openvet.workflows.measuring_reading import page
from openvet.workflows.opening import Asked, links_out, look

__all__ = ["Measured", "Measuring", "check_can", "engine_of", "measure", "read_inputs"]


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of it; ``verdict`` is one of a derivation's; ``slower`` says that the child takes longer, by a sign test over turns."""

    agreement: tuple[Agreement, ...]
    tasks: tuple[TaskDifference, ...]
    cost: Cost | None
    inputs: tuple[Input, ...]
    verdict: str
    why: str
    notes: tuple[str, ...]
    slower: bool = False


def engine_of(side: Side, python: str) -> tuple[str, str]:
    """Which engine runs a model, by what its files are; '' and why where none does."""
    if any(each.basename == "adapter_config.json" for each in side.inventory.files):
        return "", f"{side.name} is an adapter, which is no model without its parent"
    try:
        return look(side.path, Asked(python=python)).engine, ""
    except UsageError as error:
        return "", str(error)


def measure(parent: Side, child: Side, how: Measuring, progress: Progress) -> Measured:
    """Measure what was asked for.

    Raises:
        UsageError: a file of texts or of a task makes no sense.
        SandboxError: one of both cannot be opened.
    """
    notes: list[str] = []
    inputs = [
        *(Input("text", base_name(path), text_of(how.kept, path)[1]) for path in how.texts),
        *(Input("task", base_name(path), task_of(how.kept, path)[1]) for path in how.tasks),
    ]
    if not (how.texts or how.tasks or how.speed):
        verdict, why = verdict_of([], how.loss)
        return Measured(
            (), (), None, (), verdict, why, ("neither agreement nor speed was measured: nobody asked for them",)
        )
    (first_engine, why_not), (second_engine, neither) = (
        engine_of(each, how.python.executable) for each in (parent, child)
    )
    if why_not or neither:
        notes.append(f"neither agreement nor speed was measured: {why_not or neither}")
        verdict, why = verdict_of([], how.loss)
        return Measured((), (), None, tuple(inputs), verdict, why, tuple(notes))
    pids: list[int] = []
    with _opened(parent, first_engine, how, pids) as first, _opened(child, second_engine, how, pids) as second:
        work = Both(first, second, how, progress, notes)
        for path in how.texts:
            work.text(path)
        for path in how.tasks:
            work.task(path)
        if how.sample and not (how.texts or how.tasks):
            inputs += work.sample()
        if how.sample:
            work.graphs()
        costs = cost_of(first, second, how.threads, pids, progress, _shown(how)) if how.speed else Costs(None, False)
        notes += costs.notes
    if not work.agreement and not (how.texts or how.tasks):
        notes.append("no text and no task was given (--text, --task): how far the two agree was not measured")
    verdict, why = verdict_of(work.held, how.loss, how.alpha)
    return Measured(
        tuple(work.agreement), tuple(work.tasks), costs.cost, tuple(inputs), verdict, why, tuple(notes), costs.slower
    )


def _shown(how: Measuring) -> bytes:
    """An image to be read while time is taken: the first of a task, or one of ours."""
    for path in how.tasks:
        task, _ = task_of(how.kept, path)
        media = task.ask(0).media
        if task.image is not None and media is not None:
            return beside(path)(media.name)
    return page()


def check_can(parent: Side, how: Measuring) -> None:
    """Whether a model can do its tasks, before a child is made of it; what nothing here runs is not asked.

    Raises:
        UsageError: it cannot do one of them.
        SandboxError: it cannot be opened.
    """
    tasks = [task_of(how.kept, path)[0] for path in how.tasks]
    engine, _ = engine_of(parent, how.python.executable)
    if not engine or not tasks:
        return
    with _opened(parent, engine, how, []) as model:
        for path, task in zip(how.tasks, tasks, strict=True):
            can_do(path, task, [Local(model, {}, read=beside(path))])


def _opened(side: Side, engine: str, how: Measuring, pids: list[int]) -> Model:
    return open_model(
        engine, os.path.realpath(side.path), how.level, how.bounds, python=how.python, threads=how.threads, options={"context": 2 * WINDOW}, readable=links_out(side.path), writable=[how.scratch], started=pids.append
    )  # fmt: skip
