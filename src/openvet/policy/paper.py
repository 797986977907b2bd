"""A document that was filled: every line with what it rests on, and what is still open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.evidence.predicates.decision_v1 import OUTCOMES
from openvet.evidence.predicates.fields import without_none
from openvet.evidence.predicates.tool import Tool

__all__ = ["BASES", "STATES", "Asked", "Left", "Paper", "PaperLine", "Reference", "Said"]

#: How a value is known: the model says so of itself; it was computed from the files; it was measured; a person said so.
BASES: Final = ("declared", "derived", "measured", "attested")
#: Of an item of a document: everything stands there; some of what people have to say; nothing that counts. Of a requirement, its outcome.
STATES: Final = ("filled", "in-part", "open", *OUTCOMES)


@dataclass(frozen=True, slots=True)
class Reference:
    """The statement that something rests on: its kind, the SHA-256 of its bytes, and its line in the dossier (0 where there is none)."""

    kind: str
    sha256: str
    line: int = 0

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "sha256": self.sha256, "line": self.line or None}


@dataclass(frozen=True, slots=True)
class Said:
    """One value.

    Attributes:
        name: of the fact, step or answer.
        label: what it is, in words.
        value: as JSON has it; of a document whether there is one.
        type: as conditions have it, or the type of the answer.
        basis: one of :data:`BASES`.
        by, said: who answered, and on which day.
        until: the last day on which that counts.
        note: the person's words beside it.
        document: what was attached: its name, address, digest and day.
        references: the statements that it rests on.
    """

    name: str
    label: str
    value: Any
    type: str
    basis: str
    by: str = ""
    said: str = ""
    until: str = ""
    note: str = ""
    document: Mapping[str, Any] | None = None
    references: tuple[Reference, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return without_none(
            {
                "name": self.name,
                "label": self.label,
                "value": self.value,
                "type": self.type,
                "basis": self.basis,
                "by": self.by or None,
                "said": self.said or None,
                "until": self.until or None,
                "note": self.note or None,
                "document": None if self.document is None else dict(self.document),
                "statements": [each.to_json() for each in self.references],
            }
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that is open.

    Attributes:
        items: the lines that wait for it.
        problem: why an answer that is there does not count.
    """

    id: str
    ask: str
    type: str
    choices: tuple[str, ...]
    why: str
    items: tuple[str, ...]
    problem: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "ask": self.ask,
            "type": self.type,
            "choices": list(self.choices),
            "why": self.why,
            "items": list(self.items),
            "problem": self.problem,
        }


@dataclass(frozen=True, slots=True)
class PaperLine:
    """One line.

    Attributes:
        level: how it can be known.
        human: only a person can write it.
        state: one of :data:`STATES`.
        values: what fills it, in order of preference.
        beside: what is shown beside and fills nothing.
        questions: ids of the open questions that it waits for.
        missing: labels of evidence that would fill it and is not there.
        notes: sentences of ours.
        choices: the words to choose from.
    """

    id: str
    section: str
    label: str
    clause: str
    asks: str
    level: str
    human: bool
    state: str
    values: tuple[Said, ...] = ()
    beside: tuple[Said, ...] = ()
    questions: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "section": self.section,
            "label": self.label,
            "clause": self.clause,
            "asks": self.asks,
            "level": self.level,
            "human": self.human,
            "state": self.state,
            "values": [each.to_json() for each in self.values],
            "beside": [each.to_json() for each in self.beside],
            "questions": list(self.questions),
            "missing": list(self.missing),
            "notes": list(self.notes),
            "choices": list(self.choices),
        }


@dataclass(frozen=True, slots=True)
class Left:
    """An item that is left out, and why."""

    id: str
    label: str
    why: str

    def to_json(self) -> dict[str, Any]:
        return {"id": self.id, "label": self.label, "why": self.why}


@dataclass(frozen=True, slots=True)
class Paper:
    """A filled document.

    Attributes:
        id, title, clause: of the document.
        source: what it was written from, with its day.
        pack: ``id@version`` of the pack that it belongs to; ``law`` is the state of the law that this was written from.
        subject, digest: the model.
        as_of: the day that is asked about.
        tool: what filled it.
        filled_by: who has to write what only people can.
        lines: in the order of the document.
        left: items that are left out.
        asked: questions that only people can answer, in the order of the lines.
        references: every statement that a line rests on, in the order of the dossier.
        signed: these are signed lines of a dossier; else they were made just now, and nobody signed them.
    """

    id: str
    title: str
    clause: str
    source: str
    pack: str
    law: str
    subject: str
    digest: Mapping[str, str]
    as_of: str
    tool: Tool
    filled_by: str
    lines: tuple[PaperLine, ...]
    left: tuple[Left, ...] = ()
    asked: tuple[Asked, ...] = ()
    references: tuple[Reference, ...] = ()
    signed: bool = True
    files: tuple[str, ...] = field(default=())

    def count(self, state: str) -> int:
        """How many lines are in a state."""
        return sum(each.state == state for each in self.lines)

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "title": self.title,
            "clause": self.clause,
            "source": self.source,
            "pack": self.pack,
            "law": self.law,
            "files": list(self.files),
            "subject": {"name": self.subject, "digest": dict(self.digest)},
            "as_of": self.as_of,
            "filled_by": self.filled_by,
            "signed": self.signed,
            "lines": [each.to_json() for each in self.lines],
            "left_out": [each.to_json() for each in self.left],
            "questions": [each.to_json() for each in self.asked],
            "statements": [each.to_json() for each in self.references],
        }
