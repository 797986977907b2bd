"""The bench predicate: how fast a model runs and what it takes, on a machine that is named, under limits that are said to be kept or not.

The spec page is ``bench_v1.md``. Numbers are decimal text, so that every reader has the same ones.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import field
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.evidence.predicates import PREDICATE_BASE
from openvet.evidence.predicates.eval_v1 import ModelRef, may_number, number_of
from openvet.evidence.predicates.fields import FieldError, Fields, count_of, without_none
from openvet.evidence.predicates.tool import Tool

__all__ = [
    "LIMITS",
    "METHODS", "OUTCOMES", "PREDICATE_TYPE", "STARTS", "BenchV1", "Cold", "DeviceRef", "Estimated", "Figure", "LimitSet", "LoadSeen", "MachineRef", "Predicted",
    "RuntimeRef", "Work",
]  # fmt: skip

PREDICATE_TYPE: Final = f"{PREDICATE_BASE}/bench/v1"
#: ``measured``; or it never got so far: ``ended`` (the process is gone), ``too-slow`` (not one request in the time there was), ``refused`` (it cannot load, or not do that).
OUTCOMES: Final = ("measured", "ended", "too-slow", "refused")
#: What is limited: bytes, and cores.
LIMITS: Final = ("memory", "cpu")
#: How an interval was made: of order statistics, of a ratio of sums (Student's t); ``range``: the least and the most that was seen; ``none``.
METHODS: Final = ("order", "t", "range", "none")
#: Starts whose least and most bound their median at 95 % and more: all of n lie on one side of it with a chance of 2 ** (1 - n).
STARTS: Final = 6
#: Counted to the last byte by the kernel, in one run: nothing is estimated.
_COUNTED: Final = frozenset({"peak-resident", "peak-with-cache", "files"})


@dataclass(frozen=True, slots=True)
class MachineRef:
    """What it ran on; ``governor`` is '' where the system does not say."""

    cpu: str
    architecture: str
    cores: int
    flags: tuple[str, ...]
    governor: str
    kernel: str
    memory: int
    virtual: bool

    def to_json(self) -> dict[str, Any]:
        return {
            "cpu": self.cpu, "architecture": self.architecture, "cores": self.cores, "flags": list(self.flags), "governor": self.governor,
            "kernel": self.kernel, "memoryBytes": self.memory, "virtual": self.virtual,
        }  # fmt: skip

    @classmethod
    def take(cls, found: Fields) -> MachineRef:
        made = cls(
            found.take("cpu", str), found.take("architecture", str), count_of(found, "cores"), found.texts("flags"), found.take("governor", str),
            found.take("kernel", str), count_of(found, "memoryBytes"), found.take("virtual", bool),
        )  # fmt: skip
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class DeviceRef:
    """The device whose limits were emulated: its name in the table or file, and the SHA-256 of that file; '' for the table that ships."""

    id: str
    name: str
    file: str = ""

    def to_json(self) -> dict[str, Any]:
        return {"id": self.id, "name": self.name, "file": self.file}

    @classmethod
    def take(cls, found: Fields) -> DeviceRef:
        made = cls(found.take("id", str), found.take("name", str), found.take("file", str))
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class RuntimeRef:
    """What ran the model: engine, its version, the interpreter, the level of the sandbox, threads, and what else decides speed."""

    engine: str
    version: str
    python: str
    level: str
    threads: int
    settings: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        return {
            "engine": self.engine, "version": self.version, "python": self.python, "level": self.level, "threads": self.threads,
            "settings": dict(self.settings),
        }  # fmt: skip

    @classmethod
    def take(cls, found: Fields) -> RuntimeRef:
        made = cls(
            found.take("engine", str), found.take("version", str), found.take("python", str), found.take("level", str), count_of(found, "threads"),
            found.may_map("settings", str) or {},
        )  # fmt: skip
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class Work:
    """What it was asked, one request after the other.

    Attributes:
        kind: ``generate``, ``embed``, ``transcribe`` or ``compute``.
        sha256: of what it was asked, in words: the inputs and how they are made.
        queries, seconds: it ends with whichever comes first.
        asked, spent: how many there were, and in how many seconds.
        tokens: that each request may write; 0 where none are.
        prompt_tokens: that a request had, on average.
    """

    kind: str
    sha256: str
    queries: int
    seconds: str
    asked: int
    spent: str
    tokens: int
    prompt_tokens: str | None = None

    def to_json(self) -> dict[str, Any]:
        return without_none(
            {
                "kind": self.kind, "sha256": self.sha256, "queries": self.queries, "seconds": self.seconds, "asked": self.asked, "spent": self.spent,
                "tokens": self.tokens, "promptTokens": self.prompt_tokens,
            }
        )  # fmt: skip

    @classmethod
    def take(cls, found: Fields) -> Work:
        made = cls(
            found.take("kind", str), found.take("sha256", str), count_of(found, "queries"), number_of(found, "seconds"), count_of(found, "asked"),
            number_of(found, "spent"), count_of(found, "tokens"), may_number(found, "promptTokens"),
        )  # fmt: skip
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class LimitSet:
    """A limit that was asked for, whether something kept it, and what did, or why nothing."""

    what: str
    asked: str
    enforced: bool
    how: str

    def to_json(self) -> dict[str, Any]:
        return {"what": self.what, "asked": self.asked, "enforced": self.enforced, "how": self.how}

    @classmethod
    def take(cls, found: Fields) -> LimitSet:
        made = cls(
            found.word("what", LIMITS), number_of(found, "asked"), found.take("enforced", bool), found.take("how", str)
        )
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class LoadSeen:
    """What others had of the machine, ``when`` (``before`` or ``during``); shares of all processors' time."""

    when: str
    seconds: str
    load: str
    others: str
    steal: str
    pressure: str | None

    def to_json(self) -> dict[str, Any]:
        return without_none(
            {
                "when": self.when,
                "seconds": self.seconds,
                "load": self.load,
                "others": self.others,
                "steal": self.steal,
                "pressure": self.pressure,
            }
        )

    @classmethod
    def take(cls, found: Fields) -> LoadSeen:
        made = cls(
            found.word("when", ("before", "during")), number_of(found, "seconds"), number_of(found, "load"), number_of(found, "others"),
            number_of(found, "steal"), may_number(found, "pressure"),
        )  # fmt: skip
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure and its error bar; an end is absent where so few values do not bound it."""

    name: str
    unit: str
    value: str
    low: str | None
    high: str | None
    level: str | None
    n: int
    method: str

    @property
    def bounded(self) -> bool:
        """Whether it has an interval that something can be concluded from, or is counted."""
        if self.method == "none":
            return self.name in _COUNTED
        return self.method != "range" or self.n >= STARTS

    @property
    def span(self) -> tuple[float, float]:
        """The interval; infinite where nothing bounds it."""
        if not self.bounded:
            return -math.inf, math.inf
        if self.method == "none":
            return float(self.value), float(self.value)
        return (
            -math.inf if self.low is None else float(self.low),
            math.inf if self.high is None else float(self.high),
        )

    def to_json(self) -> dict[str, Any]:
        return without_none(
            {
                "name": self.name, "unit": self.unit, "value": self.value, "low": self.low, "high": self.high, "level": self.level, "n": self.n,
                "method": self.method,
            }
        )  # fmt: skip

    @classmethod
    def take(cls, found: Fields) -> Figure:
        made = cls(
            found.take("name", str), found.take("unit", str), number_of(found, "value"), may_number(found, "low"), may_number(found, "high"),
            may_number(found, "level"), count_of(found, "n"), found.word("method", METHODS),
        )  # fmt: skip
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class Cold:
    """Starts of a process of its own, each with the model's files out of the page cache: ``cached`` is the share that was left in it, at most."""

    starts: int
    cached: str | None

    def to_json(self) -> dict[str, Any]:
        return without_none({"starts": self.starts, "cached": self.cached})

    @classmethod
    def take(cls, found: Fields) -> Cold:
        made = cls(count_of(found, "starts"), may_number(found, "cached"))
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class Predicted:
    """What arithmetic says of the same figure on a device, beside what was measured here.

    Attributes:
        device: ``this machine``, or the device.
        figure: the name of the figure that it is about.
        best: that nothing exceeds (a speed), or what is needed at least (memory).
        low, high: where programs were seen; absent of memory.
        ratio: what was measured, over ``best``: of a speed the share of the bound that was reached, the efficiency factor.
        basis: what the bound rests on.
    """

    device: str
    figure: str
    best: str
    low: str | None
    high: str | None
    ratio: str | None
    basis: str

    def to_json(self) -> dict[str, Any]:
        return without_none(
            {
                "device": self.device, "figure": self.figure, "best": self.best, "low": self.low, "high": self.high, "ratio": self.ratio,
                "basis": self.basis,
            }
        )  # fmt: skip

    @classmethod
    def take(cls, found: Fields) -> Predicted:
        made = cls(
            found.take("device", str), found.take("figure", str), number_of(found, "best"), may_number(found, "low"), may_number(found, "high"),
            may_number(found, "ratio"), found.take("basis", str),
        )  # fmt: skip
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class Estimated:
    """Energy that nobody measured: watts of the device, as its table claims them, times seconds that were measured."""

    name: str
    unit: str
    low: str
    high: str
    basis: str

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "unit": self.unit, "low": self.low, "high": self.high, "basis": self.basis}

    @classmethod
    def take(cls, found: Fields) -> Estimated:
        made = cls(
            found.take("name", str),
            found.take("unit", str),
            number_of(found, "low"),
            number_of(found, "high"),
            found.take("basis", str),
        )
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class BenchV1:
    """The body of a bench statement.

    Attributes:
        certified: whether the figures are vouched for: the machine was quiet and every limit was kept.
        reasons: why they are not.
        outcome: of :data:`OUTCOMES`.
        detail: how it ended, where it was not measured.
        notes: what a reader has to know to not be misled.
    """

    tool: Tool
    model: ModelRef
    machine: MachineRef
    runtime: RuntimeRef
    work: Work
    outcome: str
    detail: str
    certified: bool
    reasons: tuple[str, ...]
    limits: tuple[LimitSet, ...]
    load: tuple[LoadSeen, ...]
    cold: Cold | None
    figures: tuple[Figure, ...]
    predictions: tuple[Predicted, ...] = ()
    estimates: tuple[Estimated, ...] = ()
    device: DeviceRef | None = None
    notes: tuple[str, ...] = ()
    predicate_type: str = field(default=PREDICATE_TYPE, init=False)

    def __post_init__(self) -> None:
        if self.certified == bool(self.reasons) or (self.certified and self.outcome != "measured"):
            raise FieldError("/certified contradicts the reasons or the outcome")

    def figure(self, name: str) -> Figure | None:
        """The figure of that name."""
        return next((each for each in self.figures if each.name == name), None)

    def to_json(self) -> dict[str, Any]:
        return without_none(
            {
                "tool": self.tool.to_json(),
                "model": self.model.to_json(),
                "device": None if self.device is None else self.device.to_json(),
                "machine": self.machine.to_json(),
                "runtime": self.runtime.to_json(),
                "work": self.work.to_json(),
                "outcome": self.outcome,
                "detail": self.detail,
                "certified": self.certified,
                "reasons": list(self.reasons),
                "limits": [each.to_json() for each in self.limits],
                "load": [each.to_json() for each in self.load],
                "cold": None if self.cold is None else self.cold.to_json(),
                "figures": [each.to_json() for each in self.figures],
                "predictions": [each.to_json() for each in self.predictions],
                "estimates": [each.to_json() for each in self.estimates],
                "notes": list(self.notes),
            }
        )

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> BenchV1:
        """Take a body.

        Raises:
            FieldError: it is none of this kind, has a field that this kind does not have, or says that it is certified against its own words.
        """
        found = Fields(value)
        device, cold = found.may_below("device"), found.may_below("cold")
        made = cls(
            Tool.take(found.below("tool")),
            ModelRef.take(found.below("model")),
            MachineRef.take(found.below("machine")),
            RuntimeRef.take(found.below("runtime")),
            Work.take(found.below("work")),
            found.word("outcome", OUTCOMES),
            found.take("detail", str),
            found.take("certified", bool),
            found.texts("reasons"),
            tuple(map(LimitSet.take, found.objects("limits"))),
            tuple(map(LoadSeen.take, found.objects("load"))),
            None if cold is None else Cold.take(cold),
            tuple(map(Figure.take, found.objects("figures"))),
            tuple(map(Predicted.take, found.objects("predictions"))),
            tuple(map(Estimated.take, found.objects("estimates"))),
            None if device is None else DeviceRef.take(device),
            found.texts("notes"),
        )
        names = [each.name for each in made.figures]
        if len(set(names)) < len(names):
            raise FieldError("/figures has a name twice")
        found.end()
        if found.extensions:
            raise FieldError(f"{next(iter(found.extensions))} is no field of this kind")
        return made
