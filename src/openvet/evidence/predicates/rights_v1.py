"""The rights predicate: what the licences of a model and of what it was made of say to the uses that were asked about.

Every line has the clause that it rests on, or says what somebody has to know. The spec page is ``rights_v1.md``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.location import Location
from openvet.core.pattern import pattern
from openvet.evidence.predicates import PREDICATE_BASE
from openvet.evidence.predicates.fields import FieldError, Fields, without_none
from openvet.evidence.predicates.tool import Tool

__all__ = [
    "GROUPS", "KNOWN", "PREDICATE_TYPE", "STATES", "VERDICTS", "Answer", "Cited", "Drift", "Duty", "Reason", "RightsV1", "Risk", "Work",
    "worst",
]  # fmt: skip

PREDICATE_TYPE: Final = f"{PREDICATE_BASE}/rights/v1"
#: From the best to the worst.
VERDICTS: Final = ("allowed", "depends", "not-allowed")
#: How the licence of a work is known: its files say so; the text lies there; somebody gave it; a table that ships has it; not at all.
KNOWN: Final = ("declared", "found", "given", "table", "unknown")
#: What a duty asks for, in the order of a report.
GROUPS: Final = ("ship", "show", "name", "pass-on", "do", "keep-to")
#: Whether a duty is seen to be met in the files, is seen not to be, or cannot be seen there.
STATES: Final = ("met", "missing", "unseen")
_SHA256: Final = pattern(r"[0-9a-f]{64}\Z")


def worst(verdicts: Iterable[str]) -> str:
    """The worst of ``verdicts``; ``depends`` where there is none, since nobody said anything."""
    return max(verdicts, key=VERDICTS.index, default="depends")


def _location(found: Fields) -> Location:
    where = Location(found.take("place", str), line=found.may("line", int), pointer=found.may("pointer", str))
    if where.line is not None and where.line < 1:
        raise FieldError(f"{found.at}/line is no line")
    found.end()
    return where


def _may_location(found: Fields, name: str) -> Location | None:
    below = found.may_below(name)
    return None if below is None else _location(below)


@dataclass(frozen=True, slots=True)
class Cited:
    """A clause: of which licence, where in its text, and its words. ``document`` is '' for the licence, else what it includes (``policy``)."""

    license: str
    at: str
    quote: str
    document: str = ""

    def to_json(self) -> dict[str, Any]:
        out = {"license": self.license, "at": self.at, "quote": self.quote}
        return {**out, "document": self.document} if self.document else out

    @classmethod
    def take(cls, found: Fields) -> Cited:
        made = cls(
            found.take("license", str),
            found.take("at", str),
            found.take("quote", str),
            found.may("document", str) or "",
        )
        found.end()
        return made


def _may_cited(found: Fields, name: str) -> Cited | None:
    below = found.may_below(name)
    return None if below is None else Cited.take(below)


@dataclass(frozen=True, slots=True)
class Work:
    """The model, or something that it was made of.

    Attributes:
        id: the node of the lineage; ``this`` is the model.
        name: for people.
        relation: ``self``, or the relation of the lineage by which something was made of it.
        known: one of :data:`KNOWN`.
        expression: the licence as it was written; '' where nothing is known.
        choices: one list of keys for each way in which it may be used; each list counts as a whole. Empty where no key is sure.
        taken: the list that the answers rest on.
        candidates: keys that an ambiguous name may mean.
        note: who says so and when, where that is no file of the model; or what is not known.
        sources: where it stands.
        sure: whether it is certain that the model was made of it, as far as its files say.
        changed: texts of its licence that are not as published; the clauses are cited as published.
    """

    id: str
    name: str
    relation: str
    known: str
    expression: str = ""
    choices: tuple[tuple[str, ...], ...] = ()
    taken: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()
    note: str = ""
    sources: tuple[Location, ...] = ()
    sure: bool = True
    changed: tuple[Location, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "name": self.name,
            "relation": self.relation,
            "known": self.known,
            "expression": self.expression,
            "choices": [list(each) for each in self.choices],
            "taken": list(self.taken),
            "candidates": list(self.candidates),
            "note": self.note,
            "sources": [each.to_json() for each in self.sources],
            "sure": self.sure,
            "changed": [each.to_json() for each in self.changed],
        }

    @classmethod
    def take(cls, found: Fields) -> Work:
        choices = found.take("choices", list)
        if not all(isinstance(each, list) and all(isinstance(key, str) for key in each) for each in choices):
            raise FieldError(f"{found.at}/choices has something else than lists of keys")
        made = cls(
            found.take("id", str), found.take("name", str), found.take("relation", str), found.word("known", KNOWN),
            found.take("expression", str), tuple(tuple(each) for each in choices), found.texts("taken"), found.texts("candidates"),
            found.take("note", str), tuple(map(_location, found.objects("sources"))), found.take("sure", bool),
            tuple(map(_location, found.objects("changed"))),
        )  # fmt: skip
        if not made.id:
            raise FieldError(f"{found.at}/id is empty")
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class Reason:
    """Why: what one clause says to a use, or what has to be known (``needs``) before anybody can say."""

    verdict: str
    work: str
    says: str
    cited: Cited | None = None
    needs: str = ""

    def to_json(self) -> dict[str, Any]:
        return without_none(
            {
                "verdict": self.verdict,
                "work": self.work,
                "says": self.says,
                "cited": None if self.cited is None else self.cited.to_json(),
                "needs": self.needs,
            }
        )

    @classmethod
    def take(cls, found: Fields) -> Reason:
        made = cls(
            found.word("verdict", VERDICTS), found.take("work", str), found.take("says", str), _may_cited(found, "cited"),
            found.take("needs", str),
        )  # fmt: skip
        if made.cited is None and not made.needs:
            raise FieldError(f"{found.at} has neither a clause nor what has to be known")
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said to one use; the verdict is the worst of its reasons."""

    use: str
    verdict: str
    reasons: tuple[Reason, ...]

    def to_json(self) -> dict[str, Any]:
        return {"use": self.use, "verdict": self.verdict, "reasons": [each.to_json() for each in self.reasons]}

    @classmethod
    def take(cls, found: Fields) -> Answer:
        made = cls(
            found.take("use", str), found.word("verdict", VERDICTS), tuple(map(Reason.take, found.objects("reasons")))
        )
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class Duty:
    """Something to ship, show, name, pass on, do or keep to.

    Attributes:
        group: one of :data:`GROUPS`.
        kind: the kind of clause.
        works: of which works, by identifier.
        state: one of :data:`STATES`.
        seen: where it is met, or where it would have to be.
        contested: whether it is disputed that the duty reaches the model at all (data sets).
    """

    group: str
    kind: str
    says: str
    works: tuple[str, ...]
    cited: Cited
    state: str = "unseen"
    seen: Location | None = None
    contested: bool = False

    def to_json(self) -> dict[str, Any]:
        return without_none(
            {
                "group": self.group,
                "kind": self.kind,
                "says": self.says,
                "works": list(self.works),
                "cited": self.cited.to_json(),
                "state": self.state,
                "seen": None if self.seen is None else self.seen.to_json(),
                "contested": self.contested,
            }
        )

    @classmethod
    def take(cls, found: Fields) -> Duty:
        made = cls(
            found.word("group", GROUPS), found.take("kind", str), found.take("says", str), found.texts("works"),
            Cited.take(found.below("cited")), found.word("state", STATES), _may_location(found, "seen"), found.take("contested", bool),
        )  # fmt: skip
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class Risk:
    """How a licence may end or change."""

    kind: str
    says: str
    works: tuple[str, ...]
    cited: Cited

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "says": self.says, "works": list(self.works), "cited": self.cited.to_json()}

    @classmethod
    def take(cls, found: Fields) -> Risk:
        made = cls(
            found.take("kind", str), found.take("says", str), found.texts("works"), Cited.take(found.below("cited"))
        )
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class Drift:
    """A duty or restriction of what the model was made of, which its own licence drops or contradicts.

    Attributes:
        kind: the name of the rule below ``license/`` that reports it.
        message: a sentence without its end.
        work: whose duty it is.
        location: where the model says otherwise, or where the duty would be met.
        base: the clauses that are dropped or contradicted.
        own: the clause of the model's own licence that stands against them, where there is one.
    """

    kind: str
    message: str
    work: str
    location: Location
    base: tuple[Cited, ...]
    own: Cited | None = None

    def to_json(self) -> dict[str, Any]:
        return without_none(
            {
                "kind": self.kind,
                "message": self.message,
                "work": self.work,
                "location": self.location.to_json(),
                "base": [each.to_json() for each in self.base],
                "own": None if self.own is None else self.own.to_json(),
            }
        )

    @classmethod
    def take(cls, found: Fields) -> Drift:
        made = cls(
            found.take("kind", str), found.take("message", str), found.take("work", str), _location(found.below("location")),
            tuple(map(Cited.take, found.objects("base"))), _may_cited(found, "own"),
        )  # fmt: skip
        found.end()
        return made


@dataclass(frozen=True, slots=True)
class RightsV1:
    """The body of a rights statement.

    Attributes:
        asked: the uses, as they were asked about.
        works: the model first, then what it was made of.
        answers: one for each use, in the order in which they were asked.
        duties: in the order of :data:`GROUPS`.
        needs: what else somebody has to know, whatever the use; a verdict that hangs on it is no better than ``depends``.
    """

    tool: Tool
    asked: tuple[str, ...]
    works: tuple[Work, ...]
    answers: tuple[Answer, ...] = ()
    duties: tuple[Duty, ...] = ()
    risks: tuple[Risk, ...] = ()
    drifts: tuple[Drift, ...] = ()
    needs: tuple[Reason, ...] = ()
    predicate_type: str = field(default=PREDICATE_TYPE, init=False)

    @property
    def verdict(self) -> str:
        """The worst of all answers and needs."""
        return worst([*(each.verdict for each in self.answers), *(each.verdict for each in self.needs)])

    def work(self, name: str) -> Work | None:
        """The work with the identifier ``name``, if there is one."""
        return next((each for each in self.works if each.id == name), None)

    def to_json(self) -> dict[str, Any]:
        return {
            "tool": self.tool.to_json(),
            "asked": list(self.asked),
            "works": [each.to_json() for each in self.works],
            "answers": [each.to_json() for each in self.answers],
            "duties": [each.to_json() for each in self.duties],
            "risks": [each.to_json() for each in self.risks],
            "drifts": [each.to_json() for each in self.drifts],
            "needs": [each.to_json() for each in self.needs],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> RightsV1:
        """Take a body.

        Raises:
            FieldError: it is none of this kind, has a field that this kind does not have, or names a work that is not listed.
        """
        found = Fields(value)
        tool = Tool.take(found.below("tool"))
        made = cls(
            tool, found.texts("asked"),
            tuple(map(Work.take, found.objects("works"))), tuple(map(Answer.take, found.objects("answers"))),
            tuple(map(Duty.take, found.objects("duties"))), tuple(map(Risk.take, found.objects("risks"))),
            tuple(map(Drift.take, found.objects("drifts"))), tuple(map(Reason.take, found.objects("needs"))),
        )  # fmt: skip
        found.end()
        if found.extensions:
            raise FieldError(f"{next(iter(found.extensions))} is no field of this kind")
        made.check_names()
        return made

    def check_names(self) -> None:
        """Raise FieldError where there is no work, or one is named that is not listed."""
        known = {each.id for each in self.works}
        if not known:
            raise FieldError("/works is empty")
        named = [reason.work for answer in self.answers for reason in answer.reasons]
        named += [each.work for each in self.drifts] + [each.work for each in self.needs]
        for each in named:
            if each not in known:
                raise FieldError("a work is named that is not listed")
