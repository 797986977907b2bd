"""The eval-plan predicate: what will be run and how it will be judged, signed before the run. The spec page is ``eval_plan_v1.md``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.evidence.predicates import PREDICATE_BASE
from openvet.evidence.predicates.eval_v1 import ModelRef, TaskRef, may_number, number_of
from openvet.evidence.predicates.fields import FieldError, Fields, count_of, without_none
from openvet.evidence.predicates.tool import Tool

__all__ = ["CORRECTION_WORDS", "PREDICATE_TYPE", "EvalPlanV1"]

PREDICATE_TYPE: Final = f"{PREDICATE_BASE}/eval-plan/v1"
CORRECTION_WORDS: Final = ("holm", "benjamini-hochberg", "none")


@dataclass(frozen=True, slots=True)
class EvalPlanV1:
    """The body of a plan.

    Attributes:
        tool: what computed it.
        model: what will be examined; ``None`` where the plan is about any.
        task: what it will do.
        samples: how many of the task's; ``order`` is ``file`` or the seed that draws them.
        seed: that the model is asked with.
        alpha: level of tests, and of the confidence sequence.
        power: that the number of samples was chosen for.
        variance: of a sample's difference between two models that was assumed.
        detectable: the smallest difference that so many samples show with that power.
        margin: how much worse is still as good, for non-inferiority; ``None`` where that is not asked.
        correction: over several tasks.
        half_width, threshold: when the run may stop early; both ``None`` where it may not.
    """

    tool: Tool
    model: ModelRef | None
    task: TaskRef
    samples: int
    order: str
    seed: int
    alpha: str
    power: str
    variance: str
    detectable: str
    margin: str | None
    correction: str
    half_width: str | None = None
    threshold: str | None = None
    predicate_type: str = field(default=PREDICATE_TYPE, init=False)

    def to_json(self) -> dict[str, Any]:
        return without_none(
            {
                "tool": self.tool.to_json(),
                "model": None if self.model is None else self.model.to_json(),
                "task": self.task.to_json(),
                "samples": self.samples,
                "order": self.order,
                "seed": self.seed,
                "alpha": self.alpha,
                "power": self.power,
                "variance": self.variance,
                "detectable": self.detectable,
                "margin": self.margin,
                "correction": self.correction,
                "halfWidth": self.half_width,
                "threshold": self.threshold,
            }
        )

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> EvalPlanV1:
        """Take a body.

        Raises:
            FieldError: it is none of this kind, or has a field that this kind does not have.
        """
        found = Fields(value)
        model = found.may_below("model")
        made = cls(
            Tool.take(found.below("tool")),
            None if model is None else ModelRef.take(model),
            TaskRef.take(found.below("task")),
            count_of(found, "samples"),
            found.take("order", str),
            count_of(found, "seed"),
            number_of(found, "alpha"),
            number_of(found, "power"),
            number_of(found, "variance"),
            number_of(found, "detectable"),
            may_number(found, "margin"),
            found.word("correction", CORRECTION_WORDS),
            may_number(found, "halfWidth"),
            may_number(found, "threshold"),
        )
        found.end()
        if found.extensions:
            raise FieldError(f"{next(iter(found.extensions))} is no field of this kind")
        return made
