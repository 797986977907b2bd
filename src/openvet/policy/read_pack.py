"""``pack.yaml`` -> :class:`openvet.policy.pack.Pack`: every field is checked here, and what conditions mean in ``compiled``."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from openvet.core.dataclass import dataclass
from openvet.core.pattern import pattern
from openvet.core.rule import Severity
from openvet.errors import UsageError
from openvet.policy.decision import Verdict
from openvet.policy.pack import (
    ANSWER_TYPES,
    CONFIDENCES,
    DEFAULT_VERDICTS,
    Level,
    Pack,
    PackFile,
    Phase,
    Question,
    Requirement,
    Source,
    Step,
    Verdicts,
    Waiver,
)
from openvet.policy.yaml_reader import Mapped, Node, PackError, Problems, documents, each_of

__all__ = ["Catalogue", "expired", "read_catalogue", "read_pack"]

_ID: Final = pattern(r"\A[a-z][a-z0-9]*(?:-[a-z0-9]+)*\Z", re.ASCII)
_NAME: Final = pattern(r"\A[a-z][a-z0-9_]*\Z", re.ASCII)
_REQUIREMENT: Final = pattern(r"\A[A-Za-z0-9][A-Za-z0-9._-]*\Z", re.ASCII)
_VERSION: Final = pattern(r"\A\d{1,6}\.\d{1,6}\.\d{1,6}\Z", re.ASCII)
_SUBJECT: Final = pattern(r"\A(?:sha256|dirHash|blake3):[0-9a-f]{64}\Z", re.ASCII)
_OUTCOMES: Final = ("violated", "indeterminate")
_SEVERITIES: Final = tuple(str(each) for each in Severity)
_VERDICTS: Final = tuple(str(each) for each in Verdict)
_DEEPEST: Final = 8
#: Of people who have to approve: one has to anyway, and nobody finds more than ten.
_APPROVERS: Final = (2, 10)
#: Words of CEL that nothing can be called.
_RESERVED: Final = frozenset(["as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in", "let", "loop", "package", "namespace", "null", "return", "true", "var", "void", "while"])  # fmt: skip


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Questions that all packs may use."""

    questions: Mapping[str, Question]
    file: PackFile


def read_catalogue(data: bytes, file: str) -> Catalogue:
    """The shared questions: a file with the one field ``questions``.

    Raises:
        PackError: it makes no sense.
    """
    top = _only(data, file).mapped()
    found = _questions(top.take("questions"))
    top.end()
    return Catalogue({each.id: each for each in found}, PackFile(file, hashlib.sha256(data).hexdigest()))


def read_pack(data: bytes, file: str, parent: Callable[[str], Pack] | None = None, depth: int = 0) -> Pack:
    """Read one pack.

    Args:
        file: as messages name it.
        parent: gives the pack that ``extends`` names; raises :class:`UsageError` where there is none.

    Raises:
        PackError: a field is missing, not known, stands twice or is none of its kind; with file and line.
    """
    top = _only(data, file).mapped()
    name = _match(top.take("id"), _ID, "an id such as acme-models")
    version = _match(top.take("version"), _VERSION, "a version such as 1.0.0")
    title = top.take("title").text()
    law, day = top.may_text("law_snapshot"), top.may("snapshot_date")
    below = top.may("extends")
    base = None
    if below is not None:
        if parent is None or depth > _DEEPEST:
            below.refuse("packs extend each other too deep, or in a circle")
        base = _base(below, parent)
    sources = {key: _source(key, node) for key, node in _maybe(top, "sources")}
    if base is not None:
        sources = {**base.sources, **sources}
    uses = top.may("uses")
    listed, most = top.may("questions"), top.may("waivers_max_days")
    longest = 0 if most is None else most.whole(1)
    found = Problems()
    steps = found.of(lambda: each_of(_list(top, "steps"), _step), ())
    requirements = found.of(lambda: each_of(_list(top, "requirements"), lambda each: _requirement(each, sources)), ())
    questions = found.of(lambda: () if listed is None else _questions(listed), ())
    above = DEFAULT_VERDICTS if base is None else base.verdicts
    verdicts = found.of(lambda: _verdicts(top.may("verdicts"), above), above)
    waivers = found.of(lambda: each_of(_list(top, "waivers"), lambda each: _waiver(each, longest)), ())
    found.of(lambda: top.end("id", "version", "title", "law_snapshot", "snapshot_date", "extends", "sources", "uses", "steps", "requirements",
            "questions", "verdicts", "waivers", "waivers_max_days"), None)  # fmt: skip
    found.end()
    own = PackFile(file, hashlib.sha256(data).hexdigest())
    made = Pack(
        id=name, version=version, title=title, requirements=requirements, law_snapshot=law, snapshot_day=None if day is None else day.day(),
        uses=() if uses is None else uses.texts(), sources=sources, steps=steps, questions=questions, verdicts=verdicts, waivers=waivers, files=(own,),
    )  # fmt: skip
    return _whole(made if base is None else _above(made, base), file)


def _base(named: Node, parent: Callable[[str], Pack]) -> Pack:
    try:
        return parent(named.text())
    except PackError:
        raise
    except UsageError as error:
        named.refuse(str(error))


def _above(pack: Pack, base: Pack) -> Pack:
    """``pack`` with everything of the pack that it extends before its own."""
    return Pack(
        id=pack.id, version=pack.version, title=pack.title, requirements=(*base.requirements, *pack.requirements),
        law_snapshot=pack.law_snapshot or base.law_snapshot, snapshot_day=pack.snapshot_day or base.snapshot_day,
        uses=tuple(dict.fromkeys((*base.uses, *pack.uses))), extends=(base.name, *base.extends), sources=pack.sources,
        steps=(*base.steps, *pack.steps), questions=(*base.questions, *pack.questions), verdicts=pack.verdicts,
        waivers=(*base.waivers, *pack.waivers), files=(*pack.files, *base.files),
    )  # fmt: skip


def _whole(pack: Pack, file: str) -> Pack:
    """``pack``, where nothing in it stands twice and every waiver is of something."""
    if not pack.requirements:
        raise PackError(f"{file}:1: there is no requirement in it")
    problems = []
    kinds: tuple[tuple[str, tuple[Requirement | Step | Question, ...]], ...] = (
        ("requirement", pack.requirements), ("step", pack.steps), ("question", pack.questions),
    )  # fmt: skip
    for kind, found in kinds:
        seen: dict[str, str] = {}
        for each in found:
            if each.id in seen:
                problems.append(f"{each.where}: the {kind} {each.id!r} is there already ({seen[each.id]})")
            seen[each.id] = each.where
    known = {each.id for each in pack.requirements}
    problems += [f"{each.where}: there is no requirement {each.requirement!r}" for each in pack.waivers if each.requirement not in known]  # fmt: skip
    problems += [
        f"{each.where}: {each.id} asks for {each.approvers} approvers, and none of its outcomes stops a model: nobody would ever be asked"
        for each in pack.requirements
        if each.approvers and all(pack.verdict_of(each, outcome) is Verdict.ADMIT for outcome in _OUTCOMES)
    ]
    if problems:
        raise PackError(*problems)
    return pack


def _only(data: bytes, file: str) -> Node:
    found = documents(data, file)
    if len(found) != 1:
        raise PackError(f"{file}: holds {len(found)} documents, and not one")
    return found[0]


def _match(node: Node, shape: re.Pattern[str], what: str) -> str:
    text = node.text()
    if not shape.match(text) or len(text) > 80:
        node.refuse(f"{text[:60]!r} is not {what}")
    return text


def _list(top: Mapped, name: str) -> list[Node]:
    found = top.may(name)
    return [] if found is None else found.items()


def _maybe(top: Mapped, name: str) -> list[tuple[str, Node]]:
    found = top.may(name)
    return [] if found is None else list(found.mapped().rest())


def _where(node: Node) -> str:
    return f"{node.file}:{node.line}"


def _source(key: str, node: Node) -> Source:
    each = node.mapped()
    made = Source(key, each.take("title").text(), each.take("date").day(), each.take("confidence").word(CONFIDENCES), each.may_text("link"))  # fmt: skip
    each.end("title", "date", "confidence", "link")
    return made


def _identifier(node: Node) -> str:
    name = _match(node, _NAME, "a name such as training_tokens")
    if name in _RESERVED:
        node.refuse(f"{name!r} is a word of CEL")
    return name


def _step(node: Node) -> Step:
    each = node.mapped()
    value = each.take("value")
    values = value.texts() if isinstance(value.value, list) else (value.text(),)
    if not values:
        value.refuse("has to be a condition, or a list of some")
    made = Step(
        id=_identifier(each.take("id")), values=values, text=each.may_text("text"), clause=each.may_text("clause"),
        undecided=each.may_text("undecided"), because=each.may_text("because"), where=_where(node),
    )  # fmt: skip
    _both(node, made.undecided, made.because)
    each.end("id", "value", "text", "clause", "undecided", "because")
    return made


def _both(node: Node, undecided: str, because: str) -> None:
    if bool(undecided) != bool(because):
        node.refuse("`undecided` says when and `because` says why: both or none")


def _requirement(node: Node, sources: Mapping[str, Source]) -> Requirement:
    each = node.mapped()
    key = each.take("source")
    if key.text() not in sources:
        key.refuse(f"{key.text()[:60]!r} is none of the sources: {', '.join(sources) or 'there are none'}")
    until, needs = each.may("until"), each.may("needs")
    made = Requirement(
        id=_match(each.take("id"), _REQUIREMENT, "an id such as EU-53.1a"),
        title=each.take("title").text(),
        clause=each.take("clause").text(),
        source=key.text(),
        level=Level(each.take("level").word([str(one) for one in Level])),
        passes=each.take("pass").text(),
        severity=Severity[each.take("severity").word(_SEVERITIES).upper()],
        remedy=each.take("remedy").text(),
        applies=each.may_text("applies"),
        text=each.may_text("text"),
        undecided=each.may_text("undecided"),
        because=each.may_text("because"),
        offenders=each.may_text("offenders"),
        phases=_phases(each.may("in_force"), each.may("cases")),
        until=None if until is None else until.day(),
        needs=() if needs is None else needs.texts(),
        on={outcome: Verdict(one.word(_VERDICTS)) for outcome, one in _outcomes(each.may("on"))},
        approvers=_approvers(each.may("approvers")),
        where=_where(node),
    )
    _both(node, made.undecided, made.because)
    each.end("id", "title", "clause", "source", "level", "pass", "severity", "remedy", "applies", "text", "undecided", "because", "offenders",
             "in_force", "cases", "until", "needs", "on", "approvers")  # fmt: skip
    return made


def _approvers(node: Node | None) -> int:
    if node is None:
        return 0
    found, (least, most) = node.whole(), _APPROVERS
    if not least <= found <= most:
        node.refuse(f"approvers is from {least} to {most}, and not {found}: one person has to approve without it")
    return found


def _phases(start: Node | None, cases: Node | None) -> tuple[Phase, ...]:
    if start is not None and cases is not None:
        cases.refuse("`in_force` and `cases` say the same thing; keep one")
    if start is not None:
        return (Phase(start.day()),)
    out = []
    for node in [] if cases is None else cases.items():
        each = node.mapped()
        out.append(Phase(each.take("from").day(), each.may_text("when")))
        each.end("when", "from")
        if len(out) > 1 and not out[-2].when:
            node.refuse("no case comes after one without `when`")
    return tuple(out)


def _outcomes(node: Node | None) -> list[tuple[str, Node]]:
    if node is None:
        return []
    found = list(node.mapped().rest())
    for outcome, each in found:
        if outcome not in _OUTCOMES:
            each.refuse(f"{outcome[:60]!r} is none of {', '.join(_OUTCOMES)}")
    return found


def _verdicts(node: Node | None, before: Verdicts) -> Verdicts:
    out = {outcome: dict(found) for outcome, found in before.items()}
    for outcome, each in _outcomes(node):
        for severity, verdict in each.mapped().rest():
            if severity not in _SEVERITIES:
                verdict.refuse(f"{severity[:60]!r} is none of {', '.join(_SEVERITIES)}")
            out[outcome][Severity[severity.upper()]] = Verdict(verdict.word(_VERDICTS))
    return out


def _questions(node: Node) -> tuple[Question, ...]:
    return each_of(node.items(), _question)


def _question(node: Node) -> Question:
    each = node.mapped()
    kind = each.take("type").word(tuple(ANSWER_TYPES))
    choices = each.may("choices")
    listed = {} if choices is None else {value: said.text() for value, said in choices.mapped().rest()}
    if (kind in ("one-of", "many-of")) != bool(listed):
        node.refuse("`choices` belong to one-of and many-of, and have to be there")
    days = each.may("valid_days")
    made = Question(
        _identifier(each.take("id")), each.take("ask").text(), kind, listed, each.may_text("why"), 0 if days is None else days.whole(1),
        _where(node),
    )  # fmt: skip
    each.end("id", "ask", "type", "choices", "why", "valid_days")
    return made


def _waiver(node: Node, longest: int) -> Waiver:
    each = node.mapped()
    subject = each.take("subject")
    if subject.text() != "*":
        _match_subject(subject)
    made = Waiver(
        each.take("requirement").text(), subject.text(), each.take("reason").text(), each.take("owner").text(),
        each.take("from").day(), each.take("expires").day(), _where(node),
    )  # fmt: skip
    each.end("requirement", "subject", "reason", "owner", "from", "expires")
    if made.expires < made.start:
        node.refuse("the waiver ends before it begins")
    if longest and (made.expires - made.start).days > longest:
        node.refuse(f"the waiver is for {(made.expires - made.start).days} days, and waivers_max_days is {longest}")
    return made


def _match_subject(node: Node) -> None:
    if not _SUBJECT.match(node.text()):
        node.refuse(f"{node.text()[:60]!r} is no digest such as sha256:<64 hex>, and not '*'")


def expired(pack: Pack, day: date) -> tuple[str, ...]:
    """What is wrong with its waivers on ``day``: those that are over."""
    return tuple(
        f"{each.where}: the waiver of {each.requirement} ended on {each.expires.isoformat()}; renew it or take it out"
        for each in pack.waivers
        if each.expires < day
    )
