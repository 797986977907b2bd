"""The eval predicate: how well a model does a task, with error bars, and a root over every prompt, output and score.

The spec page is ``eval_v1.md``. Numbers are decimal text, so that every reader has the same ones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.evidence.predicates import PREDICATE_BASE
from openvet.evidence.predicates.fields import FieldError, Fields, count_of, without_none
from openvet.evidence.predicates.tool import Tool

__all__ = [
    "METHODS", "METRICS", "PREDICATE_TYPE", "BackendRef", "Deviation", "EvalV1", "Imported", "Interval", "ModelRef", "Planned", "Run",
    "Sequential", "TaskRef", "may_number", "number_of", "sha256_of",
]  # fmt: skip

PREDICATE_TYPE: Final = f"{PREDICATE_BASE}/eval/v1"
#: How scores become one figure.
METRICS: Final = ("mean", "ratio", "correlation")
#: How an interval was made.
METHODS: Final = ("wilson", "wilson-clusters", "t", "t-clustered", "jackknife", "none")
_NUMBER: Final = pattern(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,40})?(e[-+]?[0-9]{1,4})?\Z")
_SHA256: Final = pattern(r"[0-9a-f]{64}\Z", re.ASCII)


def number_of(found: Fields, name: str) -> str:
    """A number in decimal text (raises :class:`FieldError`)."""
    text = found.take(name, str)
    if not _NUMBER.match(text):
        raise FieldError(f"{found.at}/{name} is no number in decimal")
    return text


def may_number(found: Fields, name: str) -> str | None:
    """The same, where it may be absent."""
    return number_of(found, name) if found.may_be(name) else None


def sha256_of(found: Fields, name: str) -> str:
    """A SHA-256 in hex (raises :class:`FieldError`)."""
    text = found.take(name, str)
    if not _SHA256.match(text):
        raise FieldError(f"{found.at}/{name} is no SHA-256")
    return text


def _may_count(found: Fields, name: str) -> int | None:
    return count_of(found, name) if found.may_be(name) else None


@dataclass(frozen=True, slots=True)
class ModelRef:
    """Which model. ``digest`` is there where its files were at hand; whether they were what answered, the backend's ``attests`` says."""

    name: str
    digest: Mapping[str, str] | None = None

    def to_json(self) -> dict[str, Any]:
        return without_none({"name": self.name, "digest": None if self.digest is None else dict(self.digest)})

    @classmethod
    def take(cls, found: Fields) -> ModelRef:
        made = cls(found.take("name", str), found.may_map("digest", str))
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class TaskRef:
    """Which task: ``sha256`` is over its templates, settings and samples, however they were written; '' of a foreign one."""

    name: str
    version: str
    sha256: str
    samples: int
    scorer: str
    label: str
    metric: str
    higher: bool
    clustered: bool

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "version": self.version,
            "sha256": self.sha256,
            "samples": self.samples,
            "scorer": self.scorer,
            "label": self.label,
            "metric": self.metric,
            "higherIsBetter": self.higher,
            "clustered": self.clustered,
        }

    @classmethod
    def take(cls, found: Fields) -> TaskRef:
        digest = found.take("sha256", str)
        if digest and not _SHA256.match(digest):
            raise FieldError(f"{found.at}/sha256 is no SHA-256")
        made = cls(
            found.take("name", str), found.take("version", str), digest, count_of(found, "samples"), found.take("scorer", str),
            found.take("label", str), found.word("metric", METRICS), found.take("higherIsBetter", bool), found.take("clustered", bool),
        )  # fmt: skip
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class BackendRef:
    """What asked the model, with what decides answers; ``attests``: whether it knows which bytes it ran."""

    id: str
    settings: Mapping[str, str]
    attests: bool

    def to_json(self) -> dict[str, Any]:
        return {"id": self.id, "settings": dict(self.settings), "attests": self.attests}

    @classmethod
    def take(cls, found: Fields) -> BackendRef:
        settings = found.may_map("settings", str)
        if settings is None:
            raise FieldError(f"{found.at}/settings is not there")
        made = cls(found.take("id", str), settings, found.take("attests", bool))
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class Run:
    """What was asked: ``order`` is ``file``, or the seed that drew it; ``asked`` of them were to be asked, ``done`` were, ``failed`` gave none."""

    seed: int
    order: str
    asked: int
    done: int
    failed: int

    def to_json(self) -> dict[str, Any]:
        return {"seed": self.seed, "order": self.order, "asked": self.asked, "done": self.done, "failed": self.failed}

    @classmethod
    def take(cls, found: Fields) -> Run:
        made = cls(
            count_of(found, "seed"), found.take("order", str), count_of(found, "asked"), count_of(found, "done"), count_of(found, "failed")
        )  # fmt: skip
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class Interval:
    """The figure and its error bar; ``low`` and ``high`` are absent where ``method`` is ``none`` and nothing bounds the figure."""

    value: str
    low: str | None
    high: str | None
    level: str
    se: str | None
    n: int
    clusters: int
    method: str

    def to_json(self) -> dict[str, Any]:
        return without_none(
            {
                "value": self.value,
                "low": self.low,
                "high": self.high,
                "level": self.level,
                "se": self.se,
                "n": self.n,
                "clusters": self.clusters,
                "method": self.method,
            }
        )

    @classmethod
    def take(cls, found: Fields) -> Interval:
        made = cls(
            number_of(found, "value"), may_number(found, "low"), may_number(found, "high"), number_of(found, "level"), may_number(found, "se"),
            count_of(found, "n"), count_of(found, "clusters"), found.word("method", METHODS),
        )  # fmt: skip
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class Sequential:
    """What may be said at any time: a run that could stop early ended with this, because of ``why`` ('' at the last sample)."""

    alpha: str
    low: str
    high: str
    why: str
    half_width: str | None = None
    threshold: str | None = None

    def to_json(self) -> dict[str, Any]:
        return without_none(
            {
                "alpha": self.alpha,
                "low": self.low,
                "high": self.high,
                "why": self.why,
                "halfWidth": self.half_width,
                "threshold": self.threshold,
            }
        )

    @classmethod
    def take(cls, found: Fields) -> Sequential:
        made = cls(
            number_of(found, "alpha"), number_of(found, "low"), number_of(found, "high"), found.take("why", str),
            may_number(found, "halfWidth"), may_number(found, "threshold"),
        )  # fmt: skip
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class Deviation:
    """Something that was done otherwise than planned."""

    what: str
    planned: str
    done: str

    def to_json(self) -> dict[str, Any]:
        return {"what": self.what, "planned": self.planned, "done": self.done}

    @classmethod
    def take(cls, found: Fields) -> Deviation:
        made = cls(found.take("what", str), found.take("planned", str), found.take("done", str))
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class Planned:
    """The plan that the run was held against, by the SHA-256 of its statement; ``signed``: by a key that was named and believed."""

    sha256: str
    signed: bool
    deviations: tuple[Deviation, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "sha256": self.sha256,
            "signed": self.signed,
            "deviations": [each.to_json() for each in self.deviations],
        }

    @classmethod
    def take(cls, found: Fields) -> Planned:
        made = cls(
            sha256_of(found, "sha256"),
            found.take("signed", bool),
            tuple(map(Deviation.take, found.objects("deviations"))),
        )
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class Imported:
    """Where a result of another tool came from: the tool, its version ('' where it does not say), and the file."""

    tool: str
    version: str
    sha256: str

    def to_json(self) -> dict[str, Any]:
        return {"tool": self.tool, "version": self.version, "sha256": self.sha256}

    @classmethod
    def take(cls, found: Fields) -> Imported:
        made = cls(found.take("tool", str), found.take("version", str), sha256_of(found, "sha256"))
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class EvalV1:
    """The body of an eval statement.

    Attributes:
        tool: what computed it.
        root: of the Merkle tree over the lines of the log; there are as many leaves as ``run.done``.
        prompt_tokens, completion_tokens: as whoever ran the model counts them; ``None`` where it does not say.
        notes: what a reader has to know to not be misled.
    """

    tool: Tool
    model: ModelRef
    task: TaskRef
    backend: BackendRef
    run: Run
    root: str
    figure: Interval
    sequential: Sequential | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    plan: Planned | None = None
    imported: Imported | None = None
    notes: tuple[str, ...] = ()
    predicate_type: str = field(default=PREDICATE_TYPE, init=False)

    def to_json(self) -> dict[str, Any]:
        tokens = without_none({"prompt": self.prompt_tokens, "completion": self.completion_tokens})
        return without_none(
            {
                "tool": self.tool.to_json(),
                "model": self.model.to_json(),
                "task": self.task.to_json(),
                "backend": self.backend.to_json(),
                "run": self.run.to_json(),
                "log": {"root": self.root},
                "figure": self.figure.to_json(),
                "sequential": None if self.sequential is None else self.sequential.to_json(),
                "tokens": tokens or None,
                "plan": None if self.plan is None else self.plan.to_json(),
                "imported": None if self.imported is None else self.imported.to_json(),
                "notes": list(self.notes),
            }
        )

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> EvalV1:
        """Take a body.

        Raises:
            FieldError: it is none of this kind, or has a field that this kind does not have.
        """
        found = Fields(value)
        log, tokens = found.below("log"), found.may_below("tokens")
        sequential, plan, imported = (found.may_below(name) for name in ("sequential", "plan", "imported"))
        made = cls(
            Tool.take(found.below("tool")),
            ModelRef.take(found.below("model")),
            TaskRef.take(found.below("task")),
            BackendRef.take(found.below("backend")),
            Run.take(found.below("run")),
            sha256_of(log, "root"),
            Interval.take(found.below("figure")),
            None if sequential is None else Sequential.take(sequential),
            None if tokens is None else _may_count(tokens, "prompt"),
            None if tokens is None else _may_count(tokens, "completion"),
            None if plan is None else Planned.take(plan),
            None if imported is None else Imported.take(imported),
            found.texts("notes"),
        )
        for each in (log, tokens, found):
            if each is not None:
                each.end()
        if found.extensions:
            raise FieldError(f"{next(iter(found.extensions))} is no field of this kind")
        return made
