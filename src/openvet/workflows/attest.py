"""attest: what a person answers to the questions of packs, from a file or one by one, as a statement about a model."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.text import printable
from openvet.errors import SubjectError, UsageError
from openvet.evidence.predicates.answers_v1 import AnswersV1, GivenAnswer
from openvet.evidence.predicates.fields import Descriptor
from openvet.evidence.signing import statement_digest
from openvet.evidence.statement import ResourceDescriptor, Statement
from openvet.policy.compiled import CompiledPack
from openvet.policy.decide import decide
from openvet.policy.given import Evidence, Held
from openvet.policy.pack import Question
from openvet.policy.yaml_reader import LARGEST, Node, PackError, documents
from openvet.workflows.knowledge import tool
from openvet.workflows.model_files import read_small

__all__ = ["By", "Written", "answer_of", "answers_statement", "hold", "open_questions", "read_answers", "template"]

_DOCUMENT: Final = 256 * 1024 * 1024
_YES: Final = {"true": True, "false": False, "yes": True, "no": False}


@dataclass(frozen=True, slots=True)
class By:
    """Who answers: ``name``, perhaps ``role`` and ``organisation``; and what about: the system, in their words."""

    name: str
    role: str = ""
    organisation: str = ""
    about: str = ""

    def to_json(self) -> dict[str, str]:
        said = {"name": self.name, "role": self.role, "organisation": self.organisation}
        return {key: value for key, value in said.items() if value}


@dataclass(frozen=True, slots=True)
class Written:
    """A file of answers: who, and each answer."""

    by: By | None
    answers: tuple[GivenAnswer, ...]


def open_questions(packs: Sequence[CompiledPack], evidence: Evidence | None, day: date) -> tuple[Question, ...]:
    """The questions that a decision on ``day`` waits for, by what is known now: each answer may bring more, or settle others.

    Those that most lines wait for come first, since they settle most: whoever only uses a system is asked about its role, and not about its training.
    Without evidence all questions of the packs, in their order.
    """
    asked = {each.id: each for pack in packs for each in pack.questions}
    if evidence is None:
        return tuple(asked.values())
    waited: dict[str, int] = {}
    for pack in packs:
        for line in decide(pack, evidence, day, tool()).lines:
            if line.outcome == "indeterminate":
                for name in {each.split(".")[1] for each in line.missing if each.startswith("answers.")}:
                    waited[name] = waited.get(name, 0) + 1
    return tuple(sorted((each for each in asked.values() if each.id in waited), key=lambda each: -waited[each.id]))


def answer_of(
    question: Question, value: str | Sequence[str], day: date, document: str = "", dated: str = "", note: str = ""
) -> GivenAnswer:
    """One answer, as it is written down.

    Args:
        value: what the person said: ``yes``/``no``; one or several of the choices; text; a number; a day; of a document its path, or ``no``.
        document: the path that a document's digest is taken of, where ``value`` is ``yes``.
        dated: the day of the document.

    Raises:
        UsageError: it is no answer to this question; with what would be one.
    """
    kind = question.type
    found: bool | str | tuple[str, ...]
    attached = None
    if kind == "many-of":
        chosen = [value] if isinstance(value, str) else list(value)
        found = tuple(dict.fromkeys(each.strip() for one in chosen for each in one.split(",") if each.strip()))
        _check_choices(question, found)
        if "none" in found and len(found) > 1:
            raise UsageError(
                f"{question.id}: 'none' stands alone, and here with {', '.join(each for each in found if each != 'none')}"
            )
    else:
        if not isinstance(value, str):
            raise UsageError(f"{question.id}: takes one answer, and not a list")
        text = value.strip()
        if kind == "yes-no" or (kind == "document" and text.lower() in _YES):
            if text.lower() not in _YES:
                raise UsageError(f"{question.id}: {printable(text)[:60]!r} is neither yes nor no")
            found = _YES[text.lower()]
            if kind == "document" and found:
                attached = _attached(document, dated) if document else None
        elif kind == "document":
            found, attached = True, _attached(text, dated)
        else:
            found = _plain(question, text)
    until = (day + timedelta(days=question.valid_days)).isoformat() if question.valid_days else ""
    return GivenAnswer(question.id, question.ask, kind, found, day.isoformat(), until, attached, note)


def _plain(question: Question, text: str) -> str:
    if not text:
        raise UsageError(f"{question.id}: the answer is empty")
    if question.type == "one-of":
        _check_choices(question, (text,))
    elif question.type == "number":
        try:
            if not abs(float(text)) < float("inf") or "_" in text:
                raise ValueError
        except ValueError:
            raise UsageError(f"{question.id}: {printable(text)[:60]!r} is no number such as 15e12") from None
    elif question.type == "date":
        _check_day(question.id, text)
    return text


def _check_day(name: str, text: str) -> None:
    try:
        if len(text) != 10:
            raise ValueError
        date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{name}: {printable(text)[:60]!r} is no day such as 2026-11-28") from None


def _check_choices(question: Question, chosen: Iterable[str]) -> None:
    for each in chosen:
        if each not in question.choices:
            raise UsageError(f"{question.id}: {printable(each)[:60]!r} is none of {', '.join(question.choices)}")


def _attached(path: str, dated: str) -> Descriptor:
    """A document by its digest: its name and its day, and not where it lies."""
    if dated:
        _check_day("the document's date", dated)
    annotations = {"date": dated} if dated else None
    if path.startswith(("https://", "http://")):
        return Descriptor(uri=path, annotations=annotations)
    try:
        data = read_small(path, _DOCUMENT)
    except OSError as error:
        raise UsageError(
            f"{printable(path)}: {error.strerror or error}; give the document's path, its address, yes or no"
        ) from error
    except SubjectError as error:
        raise UsageError(str(error)) from error
    return Descriptor(
        name=printable(os.path.basename(path)),
        digest={"sha256": hashlib.sha256(data).hexdigest()},
        annotations=annotations,
    )


def answers_statement(subject: ResourceDescriptor, by: By, answers: Sequence[GivenAnswer]) -> Statement:
    """The answers of one person as a statement.

    Raises:
        UsageError: nobody is named, or nothing is answered.
    """
    if not by.name.strip():
        raise UsageError("say who answers: --by NAME")
    if not answers:
        raise UsageError("nothing was answered")
    return Statement(subject, AnswersV1(tool(), by.to_json(), tuple(answers), by.about))


def hold(statement: Statement) -> Held:
    """A statement of answers as a decision takes it."""
    return Held("answers", statement.predicate, statement_digest(statement))


def read_answers(path: str, questions: Mapping[str, Question], day: date) -> Written:
    """A file of answers, as ``openvet attest --template`` writes one.

    Raises:
        PackError: it makes no sense; with file and line.
        UsageError: it cannot be read, or a document in it.
    """
    shown = printable(path)
    try:
        data = read_small(path, LARGEST)
    except OSError as error:
        raise UsageError(f"{shown}: {error.strerror or error}") from error
    except SubjectError as error:
        raise UsageError(str(error)) from error
    found = documents(data, shown)
    if len(found) != 1:
        raise PackError(f"{shown}: holds {len(found)} documents, and not one")
    top = found[0].mapped()
    who, listed = top.may("by"), top.may("answers")
    by = None
    if who is not None:
        fields = who.mapped()
        named = fields.take("name")
        said = {
            key: fields.may(key) for key in ("role", "organisation", "about")
        }  # what a template leaves empty is not said
        texts = {key: each.text() for key, each in said.items() if each is not None and each.value != ""}
        by = By(named.text(), **texts)
        fields.end("name", "role", "organisation", "about")
    answers = []
    for name, node in () if listed is None else listed.mapped().rest():
        if name not in questions:
            node.refuse(f"no pack asks {printable(name)[:60]!r}")
        if node.value != "":  # left open in a template
            answers.append(_written(node, questions[name], day, os.path.dirname(path)))
    top.end("by", "answers")
    return Written(by, tuple(answers))


def _written(node: Node, question: Question, day: date, folder: str) -> GivenAnswer:
    value: Any = node.value
    document = dated = note = ""
    try:
        if isinstance(value, dict):
            fields = node.mapped()
            said = fields.take("answer")
            document, dated, note = fields.may_text("file"), fields.may_text("date"), fields.may_text("note")
            fields.end("answer", "file", "date", "note")
            value = said.value
            document = _beside(document, folder)
        if isinstance(value, list):
            value = [each.text() for each in value]
        elif question.type == "document" and value.lower() not in _YES:
            value = _beside(value, folder)
        return answer_of(question, value, day, document, dated, note)
    except PackError:
        raise
    except UsageError as error:
        node.refuse(str(error))


def _beside(path: str, folder: str) -> str:
    return path if not path or path.startswith(("https://", "http://")) else os.path.join(folder, path)


def template(names: Sequence[str], questions: Sequence[Question]) -> str:
    """A file in which somebody fills in the answers to ``questions``, which the packs and documents ``names`` ask."""
    lines = [
        f"# Answers for {', '.join(names)}. Fill in what you know and leave the rest empty; what is empty stays open.",
        "# Of a document write its path or its address; or {answer: yes, file: PATH, date: 2026-11-28}; or no.",
        "by:",
        "  name:  # who answers",
        "  role:",
        "  organisation:",
        "  about:  # the system that the answers are about, in your words",
        "answers:",
    ]
    for each in questions:
        lines.append("")
        lines += [f"  # {line}" for line in _commented(each)]
        lines.append(f"  {each.id}:")
    return "\n".join(lines) + "\n"


def _commented(each: Question) -> list[str]:
    import textwrap

    lines = textwrap.wrap(each.ask, 110)
    hint = {
        "yes-no": "yes or no",
        "text": "text",
        "number": "a number",
        "date": "a day such as 2026-11-28",
        "document": "a document, or no",
    }
    if each.choices:
        lines.append("one of:" if each.type == "one-of" else "any of, as a list:")
        for value, said in each.choices.items():
            lines += textwrap.wrap(f"{value}: {said}", 108, initial_indent="  ", subsequent_indent="    ")
    else:
        lines.append(f"({hint[each.type]})")
    if each.why:
        lines += textwrap.wrap(f"Why: {each.why}", 110)
    return lines
