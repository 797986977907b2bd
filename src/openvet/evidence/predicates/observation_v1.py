"""The observation predicate: what a model did when it was loaded, built, used and let go of, in a sandbox whose walls were proven in the same run.

It is never a proof of safety. The spec page is ``observation_v1.md``. Seconds are decimal text, so that every reader has the same ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.evidence.predicates import PREDICATE_BASE
from openvet.evidence.predicates.fields import FieldError, Fields, count_of
from openvet.evidence.predicates.tool import Tool

__all__ = [
    "ANSWERS",
    "JUDGED",
    "MALICIOUS",
    "NOTHING",
    "NOT_LOADED",
    "OUTCOMES",
    "PHASE_OUTCOMES",
    "PREDICATE_TYPE",
    "RECORDERS",
    "UNUSUAL",
    "VERDICTS",
    "LifePhase",
    "Load",
    "NotLoaded",
    "ObservationV1",
    "Recorder",
    "Seen",
    "Walls",
]

PREDICATE_TYPE: Final = f"{PREDICATE_BASE}/observation/v1"
NOTHING, NOT_LOADED, UNUSUAL, MALICIOUS = "nothing-observed", "not-loaded", "observed-unusual", "observed-malicious"
#: Worst last.
VERDICTS: Final = (NOTHING, NOT_LOADED, UNUSUAL, MALICIOUS)
#: What one event is to a model's load, worst last.
JUDGED: Final = ("expected", "unusual", "malicious")
RECORDERS: Final = ("audit", "kernel", "network")
#: What the kernel answered: it went on to the walls; it failed; it was done in appearance only. '' where nobody answers.
ANSWERS: Final = ("", "let on", "refused", "feigned")
PHASE_OUTCOMES: Final = ("completed", "failed", "left out", "cut short")
#: Of an attempt to get out: it reached this machine, it seemed to, it failed.
OUTCOMES: Final = ("reached", "hidden", "refused")
_SECONDS: Final = pattern(r"(0|[1-9][0-9]{0,8})\.[0-9]{2}\Z")


def _seconds(found: Fields) -> str:
    text = found.take("seconds", str)
    if not _SECONDS.match(text):
        raise FieldError(f"{found.at}/seconds is no number of seconds with two decimals")
    return text


@dataclass(frozen=True, slots=True)
class Walls:
    """What stood between the model and the machine.

    Attributes:
        level: its number in the ladder, and a letter where a number has several.
        walls: what it is made of; empty where only limits of memory and time were there.
        claim: what that comes to, in words.
        outcomes: attempt -> what became of it, tried in the same run before the model was loaded.
        accepted: whether somebody said that no isolation is accepted, and the model ran in less than what is enough.
    """

    level: str
    walls: tuple[str, ...]
    claim: str
    outcomes: Mapping[str, str]
    accepted: bool

    def to_json(self) -> dict[str, Any]:
        return {
            "level": self.level,
            "walls": list(self.walls),
            "claim": self.claim,
            "outcomes": dict(self.outcomes),
            "noIsolationAccepted": self.accepted,
        }

    @classmethod
    def take(cls, found: Fields) -> Walls:
        outcomes = found.may_map("outcomes", str)
        if outcomes is None:
            raise FieldError(f"{found.at}/outcomes is not there")
        if any(each not in OUTCOMES for each in outcomes.values()):
            raise FieldError(f"{found.at}/outcomes has something else than {', '.join(OUTCOMES)}")
        return cls(
            found.take("level", str), found.texts("walls"), found.take("claim", str), outcomes, found.take("noIsolationAccepted", bool)
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Recorder:
    """What watched: ``name``, what it ``sees``, and what it ``misses``, in words."""

    name: str
    sees: str
    misses: str

    def to_json(self) -> dict[str, str]:
        return {"name": self.name, "sees": self.sees, "misses": self.misses}

    @classmethod
    def take(cls, found: Fields) -> Recorder:
        return cls(found.word("name", RECORDERS), found.take("sees", str), found.take("misses", str))


@dataclass(frozen=True, slots=True)
class LifePhase:
    """One phase of a model's life: ``name``, ``outcome``, why (``detail``), and how long it took."""

    name: str
    outcome: str
    detail: str
    seconds: str

    def to_json(self) -> dict[str, str]:
        return {"name": self.name, "outcome": self.outcome, "detail": self.detail, "seconds": self.seconds}

    @classmethod
    def take(cls, found: Fields) -> LifePhase:
        return cls(
            found.take("name", str), found.word("outcome", PHASE_OUTCOMES), found.take("detail", str), _seconds(found)
        )


@dataclass(frozen=True, slots=True)
class Seen:
    """Something that was seen.

    Attributes:
        phase: in which.
        recorder: by what.
        kind, about, detail: what it is called there, what it names, and more of it, bounded.
        answer: the kernel's, one of :data:`ANSWERS`.
        by: the code that caused it, as the model's own process says.
        count: how often.
        judged: one of :data:`JUDGED`.
        why: the reason, for a person.
    """

    phase: str
    recorder: str
    kind: str
    about: str
    detail: str
    answer: str
    by: str
    count: int
    judged: str
    why: str

    def to_json(self) -> dict[str, Any]:
        return {
            "phase": self.phase,
            "recorder": self.recorder,
            "kind": self.kind,
            "about": self.about,
            "detail": self.detail,
            "answer": self.answer,
            "by": self.by,
            "count": self.count,
            "judged": self.judged,
            "why": self.why,
        }

    @classmethod
    def take(cls, found: Fields) -> Seen:
        return cls(
            found.take("phase", str), found.word("recorder", RECORDERS), found.take("kind", str), found.take("about", str),
            found.take("detail", str), found.word("answer", ANSWERS), found.take("by", str), count_of(found, "count"),
            found.word("judged", JUDGED), found.take("why", str),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Load:
    """One file, or the folder as a whole, led through its life by one loader.

    Attributes:
        path: of the file in the model; '' for the folder as a whole.
        loader, version: which, and which release of its first package; '' where it comes with Python.
        verdict: one of :data:`VERDICTS`.
        ended: ``answered``, or what ended it before its end.
        phases: in their order.
        seen: what was seen; of what was expected only the first.
        left_off: expected events that are not listed.
        lost: events beyond what is kept.
        library_reads: how often files of the interpreter and its packages were opened to read.
        output: the first bytes of what it printed, as text.
    """

    path: str
    loader: str
    version: str
    verdict: str
    ended: str
    phases: tuple[LifePhase, ...]
    seen: tuple[Seen, ...]
    left_off: int = 0
    lost: int = 0
    library_reads: int = 0
    output: str = ""

    def count(self, judged: str) -> int:
        return sum(each.judged == judged for each in self.seen)

    def to_json(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "loader": self.loader,
            "version": self.version,
            "verdict": self.verdict,
            "ended": self.ended,
            "phases": [each.to_json() for each in self.phases],
            "seen": [each.to_json() for each in self.seen],
            "leftOff": self.left_off,
            "lost": self.lost,
            "libraryReads": self.library_reads,
            "output": self.output,
        }

    @classmethod
    def take(cls, found: Fields) -> Load:
        phases, seen = found.objects("phases"), found.objects("seen")
        made = cls(
            found.take("path", str), found.take("loader", str), found.take("version", str), found.word("verdict", VERDICTS),
            found.take("ended", str), tuple(map(LifePhase.take, phases)), tuple(map(Seen.take, seen)), count_of(found, "leftOff"),
            count_of(found, "lost"), count_of(found, "libraryReads"), found.take("output", str),
        )  # fmt: skip
        for each in (*phases, *seen):
            each.end()
        return made


@dataclass(frozen=True, slots=True)
class NotLoaded:
    """A file that no loader here takes, or whose loader is not installed; nothing is concluded about it."""

    path: str
    reason: str

    def to_json(self) -> dict[str, str]:
        return {"path": self.path, "reason": self.reason}

    @classmethod
    def take(cls, found: Fields) -> NotLoaded:
        return cls(found.take("path", str), found.take("reason", str))


@dataclass(frozen=True, slots=True)
class ObservationV1:
    """The body of an observation.

    Attributes:
        tool: what watched.
        walls: in what.
        recorders: by what means.
        host: ``python``, ``kernel``, ``machine``: where.
        loads: what was loaded.
        not_loaded: what was not.
    """

    tool: Tool
    walls: Walls
    recorders: tuple[Recorder, ...]
    host: Mapping[str, str]
    loads: tuple[Load, ...]
    not_loaded: tuple[NotLoaded, ...]
    predicate_type: str = field(default=PREDICATE_TYPE, init=False)

    @property
    def verdict(self) -> str:
        """The worst of the loads; ``not-loaded`` where one is missing and nothing worse was seen."""
        found = [each.verdict for each in self.loads]
        if self.not_loaded or not found:
            found.append(NOT_LOADED)
        return max(found, key=VERDICTS.index)

    def to_json(self) -> dict[str, Any]:
        return {
            "tool": self.tool.to_json(),
            "walls": self.walls.to_json(),
            "recorders": [each.to_json() for each in self.recorders],
            "host": dict(self.host),
            "loads": [each.to_json() for each in self.loads],
            "notLoaded": [each.to_json() for each in self.not_loaded],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ObservationV1:
        """Take a body.

        Raises:
            FieldError: it is none of this kind, or has a field that this kind does not have.
        """
        found = Fields(value)
        tool = Tool.take(found.below("tool"))
        walls, recorders = found.below("walls"), found.objects("recorders")
        loads, missed = found.objects("loads"), found.objects("notLoaded")
        host = found.may_map("host", str)
        if host is None:
            raise FieldError("/host is not there")
        made = cls(
            tool,
            Walls.take(walls),
            tuple(map(Recorder.take, recorders)),
            host,
            tuple(map(Load.take, loads)),
            tuple(map(NotLoaded.take, missed)),
        )
        for each in (walls, *recorders, *loads, *missed, found):
            each.end()
        if found.extensions:
            raise FieldError(f"{next(iter(found.extensions))} is no field of this kind")
        return made
