"""The derivation predicate: a model that was made of another one, how, and what that did to its size, its answers and its speed.

The spec page is ``derivation_v1.md``. Numbers that are not whole are decimal text, so that every reader has the same ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.evidence.predicates import PREDICATE_BASE
from openvet.evidence.predicates.derived_weights import Kept, Part, TypeCount, Weights
from openvet.evidence.predicates.eval_v1 import may_number, number_of, sha256_of
from openvet.evidence.predicates.fields import FieldError, Fields, count_of, without_none
from openvet.evidence.predicates.tool import Tool

__all__ = [
    "KINDS", "MEASURES", "PREDICATE_TYPE", "RUNGS", "VERDICTS", "Agreement", "Budget", "Cost", "DerivationV1", "Input", "Kept", "Parent", "Part", "Rung", "Speed",
    "TaskDifference", "TypeCount", "Weights",
]  # fmt: skip

PREDICATE_TYPE: Final = f"{PREDICATE_BASE}/derivation/v1"
KINDS: Final = ("convert", "distill", "finetune", "prune", "quantize")
#: What agreement with the parent is measured by; the spec page says what each is.
MEASURES: Final = (
    "perplexity-of-parent", "perplexity", "nll-difference", "kl", "same-top-1", "max-difference", "cosine", "similarity-correlation", "flips", "same-text",
    "text-difference", "character-errors-of-parent", "character-errors",
)  # fmt: skip
#: ``not-asked``: nobody said how much worse is still as good.
VERDICTS: Final = ("as-good", "worse", "unresolved", "not-asked")
#: Of one rung of a ladder.
RUNGS: Final = ("as-good", "worse", "unresolved", "too-large", "not-made")


@dataclass(frozen=True, slots=True)
class Parent:
    """What it was made of: a name, and the digest of all of it."""

    name: str
    digest: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "digest": dict(self.digest)}

    @classmethod
    def take(cls, found: Fields) -> Parent:
        digest = found.may_map("digest", str)
        if not digest:
            raise FieldError(f"{found.at}/digest is not there")
        made = cls(found.take("name", str), digest)
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class Input:
    """A file beside the parent: ``role`` says what for, such as ``train``, ``text`` or ``task``."""

    role: str
    name: str
    sha256: str

    def to_json(self) -> dict[str, Any]:
        return {"role": self.role, "name": self.name, "sha256": self.sha256}

    @classmethod
    def take(cls, found: Fields) -> Input:
        made = cls(found.take("role", str), found.take("name", str), sha256_of(found, "sha256"))
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class Agreement:
    """One figure about parent and child together, one of :data:`MEASURES`, with its interval where there is one; ``n`` of what ``of`` says."""

    measure: str
    value: str
    low: str | None
    high: str | None
    n: int
    of: str

    def to_json(self) -> dict[str, Any]:
        return without_none(
            {
                "measure": self.measure,
                "value": self.value,
                "low": self.low,
                "high": self.high,
                "n": self.n,
                "of": self.of,
            }
        )

    @classmethod
    def take(cls, found: Fields) -> Agreement:
        made = cls(
            found.word("measure", MEASURES), number_of(found, "value"), may_number(found, "low"), may_number(found, "high"),
            count_of(found, "n"), found.take("of", str),
        )  # fmt: skip
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class TaskDifference:
    """One task that both did: each figure, child minus parent with its interval, and the answers that flipped.

    Attributes:
        better, worse: samples that the child alone, and the parent alone, has right; ``None`` where scores are no shares.
        p: two-sided, that there is no difference; ``None`` where there is no test.
        roots: of the logs of both runs, parent first.
    """

    name: str
    sha256: str
    samples: int
    parent: str
    child: str
    difference: str
    low: str | None
    high: str | None
    method: str
    better: int | None
    worse: int | None
    p: str | None
    roots: tuple[str, str]

    def to_json(self) -> dict[str, Any]:
        return without_none(
            {
                "name": self.name, "sha256": self.sha256, "samples": self.samples, "parent": self.parent, "child": self.child,
                "difference": self.difference, "low": self.low, "high": self.high, "method": self.method, "better": self.better,
                "worse": self.worse, "p": self.p, "roots": list(self.roots),
            }
        )  # fmt: skip

    @classmethod
    def take(cls, found: Fields) -> TaskDifference:
        roots = found.texts("roots")
        if len(roots) != 2:
            raise FieldError(f"{found.at}/roots are not two")
        made = cls(
            found.take("name", str), sha256_of(found, "sha256"), count_of(found, "samples"), number_of(found, "parent"), number_of(found, "child"),
            number_of(found, "difference"), may_number(found, "low"), may_number(found, "high"), found.take("method", str),
            count_of(found, "better") if found.may_be("better") else None, count_of(found, "worse") if found.may_be("worse") else None,
            may_number(found, "p"), (roots[0], roots[1]),
        )  # fmt: skip
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class Speed:
    """Seconds of one piece of work in the middle and at the 95th percentile of ``n`` runs, and bytes that were resident at most."""

    work: str
    parent: tuple[str, str]
    child: tuple[str, str]
    n: int
    parent_memory: int
    child_memory: int

    def to_json(self) -> dict[str, Any]:
        return {
            "work": self.work,
            "n": self.n,
            "parent": {"p50": self.parent[0], "p95": self.parent[1], "peakMemory": self.parent_memory},
            "child": {"p50": self.child[0], "p95": self.child[1], "peakMemory": self.child_memory},
        }

    @classmethod
    def take(cls, found: Fields) -> Speed:
        sides = [found.below("parent"), found.below("child")]
        times = [(number_of(each, "p50"), number_of(each, "p95")) for each in sides]
        sizes = [count_of(each, "peakMemory") for each in sides]
        made = cls(found.take("work", str), times[0], times[1], count_of(found, "n"), sizes[0], sizes[1])
        for each in (*sides, found):
            each.end()
        return made


@dataclass(frozen=True, slots=True)
class Cost:
    """Speed and memory, on which hardware.

    Attributes:
        hardware: text by text: processor, its flags that kernels ask for, cores, memory, threads that computed.
        load: the machine's load average before and after.
        certified: whether it was quiet enough for the times to mean something; ``why`` not, else ''.
    """

    hardware: Mapping[str, str]
    load: tuple[str, str]
    certified: bool
    why: str
    speeds: tuple[Speed, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "hardware": dict(self.hardware),
            "load": list(self.load),
            "certified": self.certified,
            "why": self.why,
            "speeds": [each.to_json() for each in self.speeds],
        }

    @classmethod
    def take(cls, found: Fields) -> Cost:
        hardware = found.may_map("hardware", str)
        if hardware is None:
            raise FieldError(f"{found.at}/hardware is not there")
        load = found.texts("load")
        if len(load) != 2:
            raise FieldError(f"{found.at}/load are not two")
        made = cls(
            hardware, (load[0], load[1]), found.take("certified", bool), found.take("why", str),
            tuple(map(Speed.take, found.objects("speeds"))),
        )  # fmt: skip
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class Rung:
    """One rung of a ladder that was looked at: its bytes, bytes to serve, whether those fit, and what was found, with the reason."""

    to: str
    bytes: int
    serve_bytes: int
    verdict: str
    why: str

    def to_json(self) -> dict[str, Any]:
        return {
            "to": self.to,
            "bytes": self.bytes,
            "serveBytes": self.serve_bytes,
            "verdict": self.verdict,
            "why": self.why,
        }

    @classmethod
    def take(cls, found: Fields) -> Rung:
        made = cls(
            found.take("to", str), count_of(found, "bytes"), count_of(found, "serveBytes"), found.word("verdict", RUNGS), found.take("why", str)
        )  # fmt: skip
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class Budget:
    """What was asked for, and the rungs that were looked at, the smallest first. ``device`` is '' where none was named, ``memory`` 0 likewise."""

    device: str
    memory: int
    rungs: tuple[Rung, ...]

    def to_json(self) -> dict[str, Any]:
        return {"device": self.device, "memory": self.memory, "rungs": [each.to_json() for each in self.rungs]}

    @classmethod
    def take(cls, found: Fields) -> Budget:
        made = cls(found.take("device", str), count_of(found, "memory"), tuple(map(Rung.take, found.objects("rungs"))))
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class DerivationV1:
    """The body of a derivation statement, whose subject is the child.

    Attributes:
        tool: what measured it.
        kind, method: one of :data:`KINDS`, and which transform.
        parameters: text by text.
        runtime: what computed it, text by text: the package and its version, the sandbox's level.
        before, after: of the parent, and of the child.
        parts: where both are folders of several files that are one model together, each of them.
        verdict: one of :data:`VERDICTS`, by ``loss``: how much worse is still as good, ``None`` where nobody said.
        notes: what a reader has to know to not be misled.
    """

    tool: Tool
    kind: str
    method: str
    parameters: Mapping[str, str]
    runtime: Mapping[str, str]
    parent: Parent
    inputs: tuple[Input, ...]
    before: Weights
    after: Weights
    kept: Kept
    agreement: tuple[Agreement, ...] = ()
    tasks: tuple[TaskDifference, ...] = ()
    cost: Cost | None = None
    budget: Budget | None = None
    loss: str | None = None
    verdict: str = "not-asked"
    why: str = ""
    notes: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    predicate_type: str = field(default=PREDICATE_TYPE, init=False)

    def to_json(self) -> dict[str, Any]:
        return without_none(
            {
                "tool": self.tool.to_json(),
                "kind": self.kind,
                "method": self.method,
                "parameters": dict(self.parameters),
                "runtime": dict(self.runtime),
                "parent": self.parent.to_json(),
                "inputs": [each.to_json() for each in self.inputs],
                "before": self.before.to_json(),
                "after": self.after.to_json(),
                "notCompressed": self.kept.to_json(),
                "parts": [each.to_json() for each in self.parts] or None,
                "agreement": [each.to_json() for each in self.agreement],
                "tasks": [each.to_json() for each in self.tasks],
                "cost": None if self.cost is None else self.cost.to_json(),
                "budget": None if self.budget is None else self.budget.to_json(),
                "loss": self.loss,
                "verdict": self.verdict,
                "why": self.why,
                "notes": list(self.notes),
            }
        )

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> DerivationV1:
        """Take a body.

        Raises:
            FieldError: it is none of this kind, or has a field that this kind does not have.
        """
        found = Fields(value)
        cost, budget = found.may_below("cost"), found.may_below("budget")
        parameters, runtime = found.may_map("parameters", str), found.may_map("runtime", str)
        if parameters is None or runtime is None:
            raise FieldError("/parameters or /runtime is not there")
        made = cls(
            Tool.take(found.below("tool")),
            found.word("kind", KINDS),
            found.take("method", str),
            parameters,
            runtime,
            Parent.take(found.below("parent")),
            tuple(map(Input.take, found.objects("inputs"))),
            Weights.take(found.below("before")),
            Weights.take(found.below("after")),
            Kept.take(found.below("notCompressed")),
            tuple(map(Agreement.take, found.objects("agreement"))),
            tuple(map(TaskDifference.take, found.objects("tasks"))),
            None if cost is None else Cost.take(cost),
            None if budget is None else Budget.take(budget),
            may_number(found, "loss"),
            found.word("verdict", VERDICTS),
            found.take("why", str),
            found.texts("notes"),
            tuple(map(Part.take, found.may_objects("parts") or ())),
        )
        found.end()
        if found.extensions:
            raise FieldError(f"{next(iter(found.extensions))} is no field of this kind")
        return made
