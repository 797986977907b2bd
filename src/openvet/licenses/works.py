"""Which works count: the model and everything that hands its weights, its outputs or its data on to it; and how the licence of each is known.

The licence of a base model comes from files at hand, from whoever asks, or from a table of what publishers declared, with its date.
Where none of them says anything, it stays unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from functools import cache
from typing import Any, Final

from openvet.core.dataclass import dataclass
from openvet.core.license_ids import keys_of
from openvet.core.tables import read_table
from openvet.evidence.predicates.licenses_v1 import Declared, Found, LicensesV1
from openvet.evidence.predicates.lineage_v1 import THIS, Edge, LineageV1, Node
from openvet.evidence.predicates.rights_v1 import Work
from openvet.inventory.texts import is_notice_name
from openvet.licenses.terms import terms_of

__all__ = ["DATA", "OUTPUTS", "WEIGHTS", "Given", "choices_of", "known_model", "works_of"]

#: Relations that hand weights on. ``loaded-from`` may be the model itself under another name, so it is never sure.
WEIGHTS: Final = ("based-on", "finetune", "adapter", "quantized", "merge", "pruned", "converted", "loaded-from")
OUTPUTS: Final = ("distilled-from",)
DATA: Final = ("trained-on",)
_MOST: Final = 200
_LONGEST_EXPRESSION, _DEEPEST, _MOST_MIXED = 400, 12, 8


@dataclass(frozen=True, slots=True)
class Given:
    """A licence that somebody gave for a work: its statement where its files are at hand, else a name.

    Attributes:
        name: what it is given for, a hub's id; '' for the only base model.
        licenses: what the files say.
        text: an id or expression, where there are no files.
        origin: where it comes from, for people.
    """

    name: str = ""
    licenses: LicensesV1 | None = None
    text: str = ""
    origin: str = ""


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A row of the table of known models: what a publisher declared of models, or data sets, whose ids fit ``pattern``.

    Attributes:
        pattern: of ids of the hub.
        license: its key.
        of: the day.
        source: where the publisher says it.
        seen: how it is known: ``text``, ``card``, ``listed``, ``known``.
        by: the listings of others that say it too, for people.
    """

    pattern: str
    license: str
    of: str
    source: str
    seen: str
    by: tuple[str, ...] = ()


@cache
def _known_models(kind: str = "model") -> tuple[tuple[str, KnownModel], ...]:
    table = read_table("known_models")
    return tuple(
        (
            row["id"].lower(),
            KnownModel(
                row["id"],
                row["license"],
                str(row["of"]),
                row["source"],
                row["seen"],
                tuple(table["listings"][each] for each in row.get("by", ())),
            ),
        )
        for row in table[kind]
    )


def known_model(hub: str, kind: str = "model") -> KnownModel | None:
    """The first row of the table that a hub's id fits.

    Args:
        kind: ``model`` or ``data``.
    """
    low = hub.lower()
    return next((row for pattern, row in _known_models(kind) if fnmatchcase(low, pattern)), None)


def choices_of(expression: str) -> tuple[tuple[str, ...], ...]:
    """The ways in which an SPDX expression lets a work be used: each a list of licences that count together.

    An exception (``WITH``) only adds permissions, and is left out. What is no expression, or one of many licences joined in both ways,
    gives none.
    """
    if not any(each in expression.strip() for each in " ()"):
        return ((expression.strip(),),) if expression.strip() else ()
    if len(expression) > _LONGEST_EXPRESSION or expression.count("(") > _DEEPEST:
        return ()
    from license_expression import ExpressionError, ExpressionParseError, Licensing

    licensing = Licensing()
    try:
        parsed = licensing.parse(expression)
        if len(licensing.license_keys(parsed)) > (_MOST_MIXED if _is_mixed(parsed) else _MOST):
            return ()
        ways = licensing.dnf(parsed)
    except (ExpressionError, ExpressionParseError, ValueError, AttributeError, TypeError):
        return ()  # the library's own errors, and those that odd input makes it raise
    found = tuple(_keys_of_way(each) for each in _parts(ways, "OR"))
    return () if any(" " in key for way in found for key in way) else found


def _is_mixed(parsed: Any) -> bool:
    """Whether an expression joins by OR below an AND, so that its ways may be many more than its licences."""
    return bool(parsed.args) and any(each.args for each in parsed.args)


def _parts(parsed: Any, operator: str) -> tuple[Any, ...]:
    return tuple(parsed.args) if type(parsed).__name__ == operator else (parsed,)


def _keys_of_way(parsed: Any) -> tuple[str, ...]:
    symbols = (getattr(each, "license_symbol", each) for each in _parts(parsed, "AND"))
    return tuple(dict.fromkeys(str(each.key) for each in symbols))


def works_of(
    own: LicensesV1, lineage: LineageV1 | None, given: Sequence[Given] = (), name: str = ""
) -> tuple[Work, ...]:
    """The model first, then what it was made of, nearest first.

    Args:
        own: what the model's files say of its licence.
        lineage: what it is said to be made of; ``None`` where nobody looked.
        given: licences of base models that somebody gave.
        name: of the model, for people.
    """
    works = [_from_statement(Work(THIS, name or "this model", "self", "unknown"), own)]
    if lineage is None:
        return tuple(works)
    origins = list(_origins(lineage))
    only = len([each for each in origins if each[0].relation in WEIGHTS]) == 1
    for edge, node, sure in origins[:_MOST]:
        sure = sure and edge.relation != "loaded-from"
        work = Work(
            node.id, node.hub or node.name or node.id, edge.relation, "unknown", sources=edge.sources, sure=sure
        )
        works.append(_licensed(work, node, given, only and edge.relation in WEIGHTS))
    return tuple(works)


def _origins(lineage: LineageV1) -> Iterator[tuple[Edge, Node, bool]]:
    """Every work that hands something on, nearest first; each once, by its surest edge."""
    seen, queue = {THIS}, [(THIS, True)]
    while queue:
        place, sure = queue.pop(0)
        edges = sorted(
            lineage.origins(place, *WEIGHTS, *OUTPUTS, *DATA), key=lambda each: each.relation == "loaded-from"
        )
        for edge in edges:
            node = lineage.node(edge.origin)
            if node is None or node.id in seen:
                continue
            seen.add(node.id)
            yield edge, node, sure
            if edge.relation in WEIGHTS:
                queue.append((node.id, sure and edge.relation != "loaded-from"))


def _licensed(work: Work, node: Node, given: Sequence[Given], only: bool) -> Work:
    names = {each.lower() for each in (node.hub, node.name, node.id, node.purl) if each}
    for each in given:
        if each.name.lower() in names or (not each.name and only):
            return _given(work, each)
    hub = node.hub or (node.name if node.name.count("/") == 1 else "")
    row = known_model(hub, "data" if node.kind == "dataset" else "model") if hub else None
    if row is None:
        needs = f"the licence of {work.name}: its files, or a statement about them, given with --base"
        return _with(work, note=needs)
    by = f"; {'; '.join(row.by)}" if row.by else ""
    note = f"declared by the publisher as of {row.of} ({row.seen}), by our table: {row.source}{by}"
    return _with(work, known="table", expression=row.license, choices=choices_of(row.license), note=note)


def _given(work: Work, each: Given) -> Work:
    if each.licenses is not None:
        found = _from_statement(_with(work, sources=()), each.licenses)
        note = "; ".join(filter(None, (f"from {each.origin}" if each.origin else "", found.note)))
        return _with(found, note=note, known="given" if found.known != "unknown" else "unknown", sources=work.sources)
    keys = keys_of(each.text) or ((each.text,) if terms_of(each.text) is not None else ())
    note = f"given as {each.text}" + (f" by {each.origin}" if each.origin else "")
    if len(keys) == 1:
        return _with(work, known="given", expression=each.text, choices=(keys,), note=note)
    if keys:
        return _with(work, known="given", expression=each.text, candidates=keys, note=note)
    choices = choices_of(each.text)
    if choices and all(keys_of(key) for choice in choices for key in choice):
        return _with(work, known="given", expression=each.text, choices=choices, note=note)
    return _with(work, expression=each.text, note=f"{note}, which is no licence that we know")


def _from_statement(work: Work, said: LicensesV1) -> Work:
    """What declarations and texts come to. What several places say in different ways counts together, and the note says that they differ."""
    # where nothing lies at the top, as in a package, what lies with the parts is all that is said of the whole
    scopes = {each.scope for each in said.declared} | {each.scope for each in said.found}
    scope = "model" if "model" in scopes else "part"
    # what a notice names is the licence of something in it, and never that of the whole
    declared = [each for each in said.declared if each.scope == scope and (scope == "model" or not _is_notice(each))]
    found = [
        each
        for each in said.found
        if each.scope == scope and each.extent != "near" and (scope == "model" or not _is_notice(each))
    ]
    texts = [each.keys for each in found]
    sure: dict[tuple[tuple[str, ...], ...], None] = {}
    unsure: list[Declared] = []
    for each in declared:
        ways = _ways(each, texts)
        if ways:
            sure[ways] = None
        elif each.keys or each.form in ("id", "name", "expression"):
            unsure.append(each)
    mentioned = {key for ways in sure for way in ways for key in way}
    for text in found:
        if not mentioned.intersection(text.keys):
            if len(text.keys) == 1:
                sure[((text.keys[0],),)] = None
                mentioned.update(text.keys)
            elif not sure:
                note = "the text does not say which of them it is"
                return _with(work, known="found", candidates=text.keys, sources=(text.source,), note=note)
    sources = tuple(dict.fromkeys([*(each.source for each in declared), *(each.source for each in found)]))[:20]
    notes = []
    if said.unknown_texts:
        notes.append(f"there is a licence text that we do not know: {said.unknown_texts[0].place}")
    if not sure:
        return _unsettled(_with(work, sources=sources), unsure, notes)
    if len(sure) > 1:
        notes.insert(
            0, "what is declared and what is found differ, and all of it counts until somebody says which holds"
        )
    # "license: other" is how a hub says that a name follows, and no second licence
    unsure = [each for each in unsure if each.said.lower() != "other"]
    if unsure:
        notes.append(f"{unsure[0].said} is declared too, which is not one licence that we know")
    choices: list[tuple[str, ...]] = [()]
    for ways in sure:
        choices = [tuple(dict.fromkeys((*left, *right))) for left in choices for right in ways][:16]
    counting = {key for ways in sure for way in ways for key in way}
    changed = tuple(each.source for each in found if each.changed and counting.intersection(each.keys))[:20]
    known = "declared" if any(_ways(each, texts) for each in declared) else "found"
    written = " AND ".join(" OR ".join(" AND ".join(way) for way in ways) for ways in sure)
    return _with(
        work,
        known=known,
        expression=written,
        choices=tuple(choices),
        sources=sources,
        note="; ".join(notes),
        changed=changed,
    )


def _is_notice(each: Declared | Found) -> bool:
    return is_notice_name(each.source.place)


def _unsettled(work: Work, unsure: Sequence[Declared], notes: list[str]) -> Work:
    """A work of which no licence is sure: ambiguous where a name means several, else unknown."""
    names = tuple(dict.fromkeys(key for each in unsure for key in each.keys))
    said = ", ".join(dict.fromkeys(each.said for each in unsure))
    if said:
        notes.insert(0, f"{said} stands for several licences" if names else f"{said} is no licence that we know")
    known = "declared" if names else "unknown"
    return _with(work, known=known, expression=said, candidates=names, note="; ".join(notes))


def _ways(each: Declared, texts: list[tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
    """What a declaration surely means; an ambiguous name is settled by a text that lies beside it."""
    if each.expression:
        return choices_of(each.expression)
    if len(each.keys) == 1:
        return (each.keys,)
    settled = {keys[0] for keys in texts if len(keys) == 1 and keys[0] in each.keys}
    return (tuple(settled),) if len(settled) == 1 else ()


def _with(work: Work, **changes: Any) -> Work:
    from dataclasses import replace

    return replace(work, **changes)
