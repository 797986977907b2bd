"""The openness predicate: which parts of a release are there, and what three sets of rules make of them. Spec page: ``openness_v1.md``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.location import Location
from openvet.core.pattern import pattern
from openvet.evidence.predicates import PREDICATE_BASE
from openvet.evidence.predicates.fields import FieldError, Fields, location_of
from openvet.evidence.predicates.tool import Tool

__all__ = [
    "ASKS", "BASES", "COMPONENTS", "CURRENT", "LINE_STATES", "PREDICATE_TYPE", "READINGS", "SCOPES", "STANDINGS", "STATES", "TYPES",
    "Checklist", "ClassProgress", "Evidence", "License", "Line", "Note", "OpennessV1", "Part", "Reading",
]  # fmt: skip

PREDICATE_TYPE: Final = f"{PREDICATE_BASE}/openness/v1"

#: What was looked at: the files of a model, or a record of the Model Openness Tool alone.
BASES: Final = ("files", "record")
#: The components of the Model Openness Framework 1.0, those that class III counts first.
COMPONENTS: Final = (
    "architecture", "final-parameters", "model-card", "data-card", "technical-report", "evaluation-results", "sample-outputs",
    "training-code", "inference-code", "evaluation-code", "evaluation-data", "libraries",
    "data-preprocessing-code", "datasets", "intermediate-parameters", "research-paper", "model-metadata",
)  # fmt: skip
#: What a component is, so that its licence fits.
TYPES: Final = ("code", "data", "document")
#: Found among the files; named by a link or a list, where nobody looked; only said to be there; none of it.
STATES: Final = ("found", "linked", "recorded", "missing")
#: What the licence is said of: the component, all of its type, the whole distribution.
SCOPES: Final = ("component", "type", "distribution")
#: Open and made for the type; open; not open; an id that says not exactly which.
STANDINGS: Final = ("open", "open-other-type", "not-open", "not-known")
#: From what a class is read: a record; files with all that is declared; what is found among the files alone.
READINGS: Final = ("record", "declared", "files")
#: What a line of a checklist has: evidence in the files; a declaration or a link; nothing that settles it; something against it.
LINE_STATES: Final = ("evidence", "declared", "open", "against")
#: Who can settle a line that is open.
ASKS: Final = ("provider", "lawyer", "reader")
#: Schemes of checklists: the Open Source AI Definition 1.0, Article 53(2) of the AI Act, and whether OpenMDW is the licence.
CURRENT: Final = ("osaid-1.0", "eu-53-2", "openmdw-1")
_SHA256: Final = pattern(r"[0-9a-f]{64}", re.ASCII)
_ID: Final = pattern(r"[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)


def _ids(found: Fields, name: str) -> tuple[str, ...]:
    ids = found.texts(name)
    if any(each not in COMPONENTS for each in ids):
        raise FieldError(f"{found.at}/{name} has something else than components")
    return ids


def _count(found: Fields, name: str, most: int | None = None) -> int:
    count = found.take(name, int)
    if count < 0 or (most is not None and count > most):
        raise FieldError(f"{found.at}/{name} is no such number")
    return count


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing by which a component is known: what it is, where that is read, and where it leads outside, if it does."""

    what: str
    source: Location
    link: str = ""

    def to_json(self) -> dict[str, Any]:
        out = {"what": self.what, "source": self.source.to_json()}
        return {**out, "link": self.link} if self.link else out

    @classmethod
    def take(cls, found: Fields) -> Evidence:
        what, where, link = found.take("what", str), location_of(found.below("source")), found.may("link", str)
        if link == "":
            raise FieldError(f"{found.at}/link is empty")
        return cls(what, where, link or "")


@dataclass(frozen=True, slots=True)
class License:
    """The licence of a component.

    Attributes:
        id: as SPDX spells it, or as it is written where it is none of SPDX's.
        standing: one of :data:`STANDINGS`.
        scope: one of :data:`SCOPES`.
        source: where it is declared.
        text: where its text was found; ``None`` where nobody looked, or none is there.
    """

    id: str
    standing: str
    scope: str
    source: Location
    text: Location | None = None

    def to_json(self) -> dict[str, Any]:
        out = {"id": self.id, "standing": self.standing, "scope": self.scope, "source": self.source.to_json()}
        return out if self.text is None else {**out, "text": self.text.to_json()}

    @classmethod
    def take(cls, found: Fields) -> License:
        text = found.may_below("text")
        return cls(
            found.take("id", str), found.word("standing", STANDINGS), found.word("scope", SCOPES),
            location_of(found.below("source")), None if text is None else location_of(text),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """One component of the release.

    Attributes:
        id: one of :data:`COMPONENTS`.
        type: one of :data:`TYPES`.
        state: one of :data:`STATES`, the best that any evidence gives.
        evidence: the first few.
        more: how many more there are.
        license: ``None`` where none is stated.
    """

    id: str
    type: str
    state: str
    evidence: tuple[Evidence, ...] = ()
    more: int = 0
    license: License | None = None

    def to_json(self) -> dict[str, Any]:
        out = {
            "id": self.id,
            "type": self.type,
            "state": self.state,
            "evidence": [each.to_json() for each in self.evidence],
            "more": self.more,
        }
        return {**out, "license": self.license.to_json()} if self.license is not None else out

    @classmethod
    def take(cls, found: Fields) -> Part:
        declared = found.may_below("license")
        return cls(
            found.word("id", COMPONENTS),
            found.word("type", TYPES),
            found.word("state", STATES),
            tuple(map(Evidence.take, found.objects("evidence"))),
            _count(found, "more"),
            None if declared is None else License.take(declared),
        )


@dataclass(frozen=True, slots=True)
class ClassProgress:
    """How far a release is in one class, with all that the classes below it need.

    Attributes:
        of: 1, 2 or 3; 1 asks for most.
        counted, needed: components.
        held_back: the class below is not full, so that nothing counts here yet.
        missing, unlicensed, not_open: needed components that are not there; without a licence; under one that is not open or not known.
    """

    of: int
    counted: int
    needed: int
    held_back: bool
    missing: tuple[str, ...] = ()
    unlicensed: tuple[str, ...] = ()
    not_open: tuple[str, ...] = ()

    @property
    def percent(self) -> float:
        """The framework's progress: 0 as long as a class below is not full."""
        return 0.0 if self.held_back else self.counted / self.needed * 100

    def to_json(self) -> dict[str, Any]:
        return {
            "class": self.of,
            "counted": self.counted,
            "needed": self.needed,
            "heldBack": self.held_back,
            "missing": list(self.missing),
            "unlicensed": list(self.unlicensed),
            "notOpen": list(self.not_open),
        }

    @classmethod
    def take(cls, found: Fields) -> ClassProgress:
        of = found.take("class", int)
        if of not in (1, 2, 3):
            raise FieldError(f"{found.at}/class is none")
        needed = _count(found, "needed", len(COMPONENTS))
        if needed < 1:
            raise FieldError(f"{found.at}/needed is no such number")
        return cls(
            of,
            _count(found, "counted", len(COMPONENTS)),
            needed,
            found.take("heldBack", bool),
            _ids(found, "missing"),
            _ids(found, "unlicensed"),
            _ids(found, "notOpen"),
        )


@dataclass(frozen=True, slots=True)
class Reading:
    """The class that is reached (0 is none), from what is read (:data:`READINGS`), and the progress in each, class III first."""

    name: str
    reached: int
    classes: tuple[ClassProgress, ...]

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "reached": self.reached, "classes": [each.to_json() for each in self.classes]}

    @classmethod
    def take(cls, found: Fields) -> Reading:
        return cls(
            found.word("name", READINGS),
            _count(found, "reached", 3),
            tuple(map(ClassProgress.take, found.objects("classes"))),
        )


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a checklist.

    Attributes:
        id: our word for it.
        clause: where the scheme asks for it.
        asked: what it asks for, in our words.
        state: one of :data:`LINE_STATES`.
        text: why, in words.
        asks: who can settle it; one of :data:`ASKS`, ``""`` where nobody has to.
        sources: where it is read.
    """

    id: str
    clause: str
    asked: str
    state: str
    text: str
    asks: str = ""
    sources: tuple[Location, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "clause": self.clause,
            "asked": self.asked,
            "state": self.state,
            "text": self.text,
            **({"asks": self.asks} if self.asks else {}),
            "sources": [each.to_json() for each in self.sources],
        }

    @classmethod
    def take(cls, found: Fields) -> Line:
        name = found.take("id", str)
        if not _ID.fullmatch(name):
            raise FieldError(f"{found.at}/id is no id")
        clause, asked = found.take("clause", str), found.take("asked", str)
        state, text = found.word("state", LINE_STATES), found.take("text", str)
        asks = found.word("asks", ASKS) if found.may_be("asks") else ""
        return cls(name, clause, asked, state, text, asks, tuple(map(location_of, found.objects("sources"))))


@dataclass(frozen=True, slots=True)
class Checklist:
    """The lines of one scheme (:data:`CURRENT`), with the date of its text as it was read."""

    scheme: str
    of: str
    lines: tuple[Line, ...]

    def count(self, state: str) -> int:
        """How many lines are in ``state``."""
        return sum(each.state == state for each in self.lines)

    def to_json(self) -> dict[str, Any]:
        return {"scheme": self.scheme, "of": self.of, "lines": [each.to_json() for each in self.lines]}

    @classmethod
    def take(cls, found: Fields) -> Checklist:
        return cls(found.word("scheme", CURRENT), found.take("of", str), tuple(map(Line.take, found.objects("lines"))))


@dataclass(frozen=True, slots=True)
class Note:
    """Something in a record or a card that could not be taken as it is written, and where."""

    text: str
    source: Location

    def to_json(self) -> dict[str, Any]:
        return {"text": self.text, "source": self.source.to_json()}

    @classmethod
    def take(cls, found: Fields) -> Note:
        return cls(found.take("text", str), location_of(found.below("source")))


@dataclass(frozen=True, slots=True)
class OpennessV1:
    """The body of an openness statement.

    Attributes:
        basis: one of :data:`BASES`.
        parts: every component of the framework, once.
        framework: the version of the Model Openness Framework.
        readings: the classes, by what is read.
        unfitting: components under a licence that is open and made for another type of work.
        checklists: each by its own rules.
        notes: what could not be taken as it is written.
    """

    tool: Tool
    basis: str
    parts: tuple[Part, ...]
    framework: str
    readings: tuple[Reading, ...]
    unfitting: tuple[str, ...] = ()
    checklists: tuple[Checklist, ...] = ()
    notes: tuple[Note, ...] = ()
    predicate_type: str = field(default=PREDICATE_TYPE, init=False)

    def part(self, name: str) -> Part:
        """The component called ``name``."""
        return next(each for each in self.parts if each.id == name)

    def to_json(self) -> dict[str, Any]:
        return {
            "tool": self.tool.to_json(),
            "basis": self.basis,
            "parts": [each.to_json() for each in self.parts],
            "framework": self.framework,
            "readings": [each.to_json() for each in self.readings],
            "unfitting": list(self.unfitting),
            "checklists": [each.to_json() for each in self.checklists],
            "notes": [each.to_json() for each in self.notes],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> OpennessV1:
        """Take a body.

        Raises:
            FieldError: it is none of this kind. Fields that it cannot have are left to the caller, who compares.
        """
        found = Fields(value)
        tool = Tool.take(found.below("tool"))
        parts = tuple(map(Part.take, found.objects("parts")))
        if tuple(each.id for each in parts) != COMPONENTS:
            raise FieldError("/parts does not have every component once, in order")
        return cls(
            tool,
            found.word("basis", BASES),
            parts,
            found.take("framework", str),
            tuple(map(Reading.take, found.objects("readings"))),
            _ids(found, "unfitting"),
            tuple(map(Checklist.take, found.objects("checklists"))),
            tuple(map(Note.take, found.objects("notes"))),
        )
