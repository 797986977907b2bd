"""Lists of models: one line for each repository, with how its newest revision stands in a project.

Standing is never stored, since it ends on days and differs between projects: each page asks the decisions anew, through an index that holds all that it
needs. What a report comes to is stored beside it (``summary``), so that no list opens one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import and_, case, func, literal, or_, select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite

from openvet.core.dataclass import dataclass
from openvet.store.database import Connection
from openvet.store.tables import DECISION, REF, REPOSITORY, REVISION, SUMMARY

__all__ = ["STANDINGS", "ModelRow", "Summary", "admitted_hold", "count_standings", "counting", "find_revision", "list_models", "list_revisions", "note_summary", "revision_rows", "summary_of"]  # fmt: skip

#: How a revision stands: nothing was decided, it may be had, it may not, people took it back.
STANDINGS: Final = ("open", "admitted", "refused", "revoked")


@dataclass(frozen=True, slots=True)
class Summary:
    """What the last report about a revision comes to.

    Attributes:
        vetting: the reading that the report is of.
        verdict: ``admit review reject``.
        license: as it is declared, '' where it is not.
        critical, high, medium, low: findings of that severity.
        rules, advisories: the ids of those that hit.
        bases: how many things it says that it was made of; ``None`` is not known, of vettings before that was kept.
    """

    vetting: int
    verdict: str
    license: str = ""
    critical: int = 0
    high: int = 0
    medium: int = 0
    low: int = 0
    rules: tuple[str, ...] = ()
    advisories: tuple[str, ...] = ()
    bases: int | None = None


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A revision in a list.

    Attributes:
        revision, kind, name, commit: which.
        standing: one of :data:`STANDINGS`.
        decision: the number of the decision that says so, or ``None``.
        listed_at: when it was seen first, in milliseconds UTC.
        summary: of its last report, or ``None``.
    """

    revision: int
    kind: str
    name: str
    commit: str
    upstream: str
    standing: str
    decision: int | None
    listed_at: int
    summary: Summary | None


def note_summary(connection: Connection, revision: int, summary: Summary) -> None:
    """Remember what the last report about a revision comes to."""
    make = insert_postgresql if connection.dialect.name == "postgresql" else insert_sqlite
    said = {
        "vetting": summary.vetting, "verdict": summary.verdict, "license": summary.license, "critical": summary.critical, "high": summary.high,
        "medium": summary.medium, "low": summary.low, "rules": _joined(summary.rules), "advisories": _joined(summary.advisories), "bases": summary.bases,
    }  # fmt: skip
    new = make(SUMMARY).values(revision=revision, **said)
    connection.execute(new.on_conflict_do_update(index_elements=[SUMMARY.c.revision], set_=said))


def summary_of(connection: Connection, revision: int) -> Summary | None:
    """What the last report about a revision comes to; ``None`` where there is none."""
    row = connection.execute(select(*_SUMMARY).where(SUMMARY.c.revision == revision)).first()
    return None if row is None else _summary(tuple(row))


def list_models(
    connection: Connection,
    projects: Sequence[str],
    now: int,
    *,
    kind: str = "",
    search: str = "",
    standing: Sequence[str] = (),
    license: str = "",  # noqa: A002 - the word for it
    rule: str = "",
    advisory: str = "",
    newest: bool = False,
    after: str = "",
    limit: int = 100,
) -> tuple[ModelRow, ...]:
    """Repositories by their newest revision, in order of their names, or the newest revision first.

    Args:
        projects: a project and those above it: what was decided for them counts.
        now: what has ended by then does not.
        search: part of a name, in any case of letters.
        standing: only of these.
        license: part of what is declared.
        rule, advisory: only what the last report says this of.
        after: name of the last one that was listed; with ``newest`` the number of its revision.
    """
    last = REVISION.alias()
    newest_of = select(func.max(last.c.id)).where(last.c.repository == REVISION.c.repository).scalar_subquery()
    which = select(REVISION.c.id).join(REPOSITORY, REPOSITORY.c.id == REVISION.c.repository)
    which = which.where(REVISION.c.id == newest_of)
    if license or rule or advisory:
        which = which.join(SUMMARY, SUMMARY.c.revision == REVISION.c.id)
    if standing:
        words = [STANDINGS.index(each) for each in standing]
        which = which.where((counting(REVISION.c.id, projects, now) % 4).in_(words))
    if kind:
        which = which.where(REPOSITORY.c.kind == kind)
    if search:
        which = which.where(REPOSITORY.c.name.icontains(search, autoescape=True))
    if license:
        which = which.where(SUMMARY.c.license.icontains(license, autoescape=True))
    if rule:
        which = which.where(SUMMARY.c.rules.contains(f" {rule} ", autoescape=True))
    if advisory:
        which = which.where(SUMMARY.c.advisories.contains(f" {advisory} ", autoescape=True))
    if newest:
        which = which.order_by(REVISION.c.id.desc())
        which = which.where(REVISION.c.id < int(after)) if after else which
    else:
        # a database's own language would order otherwise; model and data set of one name are told apart by their kind
        name = REPOSITORY.c.name.collate("C") if connection.dialect.name == "postgresql" else REPOSITORY.c.name
        which = which.order_by(name, REPOSITORY.c.kind)
        if after:
            last_name, _, last_kind = after.partition(" ")
            which = which.where(or_(name > last_name, and_(name == last_name, REPOSITORY.c.kind > last_kind)))
    ids = connection.execute(which.limit(limit)).scalars().all()
    return revision_rows(connection, ids, projects, now)


def list_revisions(
    connection: Connection,
    repository: tuple[str, str],
    projects: Sequence[str],
    now: int,
    *,
    ref: str = "",
    before: int | None = None,
    limit: int = 100,
) -> tuple[ModelRow, ...]:
    """The revisions of a repository (its kind and name), the latest that was seen first.

    Args:
        ref: only what this branch or tag was seen as last, or commits that begin with this.
    """
    which = select(REVISION.c.id).join(REPOSITORY, REPOSITORY.c.id == REVISION.c.repository)
    which = which.where(REPOSITORY.c.kind == repository[0], REPOSITORY.c.name == repository[1])
    if ref:
        seen = select(REF.c.revision).where(REF.c.repository == REPOSITORY.c.id, REF.c.name == ref)
        latest = seen.order_by(REF.c.last_seen.desc(), REF.c.revision.desc()).limit(1).scalar_subquery()
        which = which.where(or_(REVISION.c.id == latest, REVISION.c.commit_id.startswith(ref, autoescape=True)))
    if before is not None:
        which = which.where(REVISION.c.id < before)
    ids = connection.execute(which.order_by(REVISION.c.id.desc()).limit(limit)).scalars().all()
    return revision_rows(connection, ids, projects, now)


def find_revision(connection: Connection, revision: int, projects: Sequence[str], now: int) -> ModelRow | None:
    """A revision by its number, as a list shows it."""
    known = connection.execute(select(REVISION.c.id).where(REVISION.c.id == revision)).scalar()
    return None if known is None else revision_rows(connection, [known], projects, now)[0]


def count_standings(connection: Connection, projects: Sequence[str], now: int) -> dict[str, int]:
    """How many repositories stand how, by their newest revision."""
    newest = select(func.max(REVISION.c.id).label("id")).group_by(REVISION.c.repository).subquery()
    each = select((counting(newest.c.id, projects, now) % 4).label("word")).select_from(newest).subquery()
    found = {row[0]: row[1] for row in connection.execute(select(each.c.word, func.count()).group_by(each.c.word))}
    return {name: int(found.get(word, 0)) for word, name in enumerate(STANDINGS)}


def admitted_hold(
    connection: Connection, projects: Sequence[str], now: int
) -> tuple[tuple[tuple[str, int], ...], tuple[tuple[str, int], ...]]:
    """The licences that admitted repositories declare, and the advisories that hit them, by their newest revision: each with how many, the most first."""
    newest = select(func.max(REVISION.c.id).label("id")).group_by(REVISION.c.repository).subquery()
    which = (
        select(SUMMARY.c.license, SUMMARY.c.advisories, func.count())
        .join(newest, newest.c.id == SUMMARY.c.revision)
        .where(counting(newest.c.id, projects, now) % 4 == _ADMITTED)
        .group_by(SUMMARY.c.license, SUMMARY.c.advisories)
    )
    licenses, advisories = Counter[str](), Counter[str]()
    for license_, hits, count in connection.execute(which):
        licenses[license_] += int(count)
        for each in hits.split():
            advisories[each] += int(count)
    return tuple(_most(licenses)), tuple(_most(advisories))


def _most(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda each: (-each[1], each[0]))


# --- inside ---

_SUMMARY: Final = (
    SUMMARY.c.vetting, SUMMARY.c.verdict, SUMMARY.c.license, SUMMARY.c.critical, SUMMARY.c.high, SUMMARY.c.medium, SUMMARY.c.low,
    SUMMARY.c.rules, SUMMARY.c.advisories, SUMMARY.c.bases,
)  # fmt: skip


def _joined(ids: Sequence[str]) -> str:
    return f" {' '.join(sorted(set(ids)))} " if ids else ""


def _summary(row: tuple[Any, ...]) -> Summary | None:
    if row[0] is None:
        return None
    vetting, verdict, license_, critical, high, medium, low, rules, advisories, bases = row
    found = (critical, high, medium, low, tuple(rules.split()), tuple(advisories.split()), bases)
    return Summary(vetting, verdict, license_, *found)


def _last(revision: Any, projects: Sequence[str], now: int, *, people: bool) -> Any:
    """The last decision about a revision that counts, of people or of policy: its number times four, and the word that it stands for.

    Both in one number, since an index holds all of it: no row of a decision, which is wide, is read for a list.
    """
    each = DECISION.alias()
    if people:
        who = and_(each.c.kind.in_(("approval", "revocation")), each.c.project.in_(list(projects)))
    else:
        who = and_(each.c.kind == "policy", each.c.scope.in_(("all", "small")))
    live = or_(each.c.until.is_(None), each.c.until > now)
    word = case((each.c.kind == "revocation", _REVOKED), (each.c.outcome == "admit", _ADMITTED), else_=_REFUSED)
    return select(func.max(each.c.id * 4 + word)).where(each.c.revision == revision, who, live).scalar_subquery()


_OPEN, _ADMITTED, _REFUSED, _REVOKED = range(4)


def counting(revision: Any, projects: Sequence[str], now: int) -> Any:
    """The decision that counts, its number times four and the place of its word in :data:`STANDINGS`: of people before that of policy
    (as :func:`openvet.gate.standing.standing`).
    """
    found = (_last(revision, projects, now, people=each) for each in (True, False))
    return func.coalesce(*found, literal(_OPEN))


def revision_rows(
    connection: Connection, ids: Sequence[int], projects: Sequence[str], now: int
) -> tuple[ModelRow, ...]:
    """The revisions of these numbers, at most some thousands, in this order; those that are none are left out."""
    which = (
        select(
            REVISION.c.id, REPOSITORY.c.kind, REPOSITORY.c.name, REVISION.c.commit_id, REVISION.c.upstream,
            counting(REVISION.c.id, projects, now), REVISION.c.listed_at, *_SUMMARY,
        )
        .join(REPOSITORY, REPOSITORY.c.id == REVISION.c.repository)
        .outerjoin(SUMMARY, SUMMARY.c.revision == REVISION.c.id)
        .where(REVISION.c.id.in_(ids))
    )  # fmt: skip
    found: dict[int, ModelRow] = {}
    for row in connection.execute(which):
        decision, word = divmod(row[5], 4)
        summary = _summary(tuple(row[7:]))
        found[row[0]] = ModelRow(
            row[0], row[1], row[2], row[3], row[4], STANDINGS[word], decision or None, row[6], summary
        )
    return tuple(found[each] for each in ids if each in found)
