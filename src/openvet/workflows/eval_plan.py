"""eval plan: what a number of samples can resolve, or how many are needed, and a statement of it before the run."""

from __future__ import annotations

from openvet.core.dataclass import dataclass
from openvet.core.progress import Progress
from openvet.errors import UsageError
from openvet.evals.log import number
from openvet.evals.scorers import SCORERS
from openvet.evals.stats.power import Spread, detectable, needed, power_of
from openvet.evals.task import Task
from openvet.evidence.predicates import NAMES
from openvet.evidence.predicates.eval_plan_v1 import EvalPlanV1
from openvet.evidence.predicates.eval_v1 import ModelRef
from openvet.evidence.statement import ResourceDescriptor, Statement
from openvet.workflows.eval_files import descriptor_of, subject_of, task_ref
from openvet.workflows.knowledge import tool

__all__ = ["PLAN_TYPE", "AskedPlan", "Planned", "plan"]

PLAN_TYPE = f"{NAMES}/eval-plan-report/v1"
#: Powers of a table, by the true difference.
_DIFFERENCES = (0.005, 0.01, 0.02, 0.03, 0.05, 0.1)


@dataclass(frozen=True, slots=True)
class AskedPlan:
    """What is to be planned.

    Attributes:
        samples: how many; ``None`` for all that the task has.
        variance: of a sample's difference between two models: of two that disagree on the share d of shares, about d.
        effect: a difference that has to be seen; ``None`` where nobody says.
    """

    task: Task
    task_path: str
    model: str | None = None
    name: str = ""
    samples: int | None = None
    order: str = "file"
    seed: int = 0
    alpha: float = 0.05
    power: float = 0.8
    variance: float = 0.2
    effect: float | None = None
    margin: float | None = None
    correction: str = "holm"
    half_width: float | None = None
    threshold: float | None = None
    rho: float = 0.0


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and what it can show.

    Attributes:
        needed: samples for ``effect``, where that was asked.
        powers: of true differences.
    """

    body: EvalPlanV1
    subject: ResourceDescriptor
    effect: float | None
    needed: int | None
    needed_for_margin: int | None
    powers: tuple[tuple[float, float], ...]

    @property
    def enough(self) -> bool:
        """Whether so many samples can show what was asked."""
        return all(each is None or each <= self.body.samples for each in (self.needed, self.needed_for_margin))

    def to_json(self) -> dict[str, object]:
        return {
            "type": PLAN_TYPE,
            "enough": self.enough,
            "effect": None if self.effect is None else number(self.effect),
            "needed": self.needed,
            "needed_for_margin": self.needed_for_margin,
            "powers": [{"difference": number(each), "power": f"{power:.4f}"} for each, power in self.powers],
            "subject": self.subject.to_json(),
            "plan": self.body.to_json(),
        }


def plan(asked: AskedPlan, progress: Progress) -> Planned:
    """Make a plan.

    Raises:
        UsageError: the run could not be made so.
        SubjectError, VerifyError: the model cannot be hashed.
    """
    task = asked.task
    kind = SCORERS[task.scorer.name]
    if (asked.half_width is not None or asked.threshold is not None) and (task.clustered or kind.metric != "mean"):
        raise UsageError("a run stops early only where its samples are independent and its scores lie from 0 to 1")
    whole = len(task.samples)
    samples = whole if asked.samples is None else asked.samples
    if samples > whole:
        raise UsageError(f"the task has {whole} samples, and not {samples}")
    size = whole / len({each.cluster for each in task.samples}) if task.clustered else 1.0
    spread = Spread(asked.variance, cluster_size=size, rho=asked.rho)
    model, subject = None, None
    if asked.model is not None or asked.name:
        found: ModelRef
        found, subject = subject_of(asked.model, asked.name, progress)
        model = found
    body = EvalPlanV1(
        tool(), model, task_ref(task), samples, asked.order, asked.seed, number(asked.alpha), number(asked.power), number(asked.variance),
        number(round(detectable(samples, spread, asked.alpha, asked.power), 6)), None if asked.margin is None else number(asked.margin),
        asked.correction, None if asked.half_width is None else number(asked.half_width),
        None if asked.threshold is None else number(asked.threshold),
    )  # fmt: skip
    return Planned(
        body,
        subject or descriptor_of(asked.task_path),
        asked.effect,
        None if asked.effect is None else needed(asked.effect, spread, asked.alpha, asked.power),
        # a two-sided interval at alpha leaves half of it to the side that counts
        None if asked.margin is None else needed(asked.margin, spread, asked.alpha / 2.0, asked.power, sides=1),
        tuple((each, power_of(each, samples, spread, asked.alpha)) for each in _DIFFERENCES),
    )


def statement_of(planned: Planned) -> Statement:
    """The unsigned statement."""
    return Statement(planned.subject, planned.body)
