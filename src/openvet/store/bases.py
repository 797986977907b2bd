"""What revisions say that they were made of, and so what rests on what.

A base is a name that somebody wrote: it is compared with the names of repositories here, whatever the case of its letters, and nothing proves that the
bytes here are those that were meant. Names that did not come through the gate stay text. Steps are followed from name to name, level by level, each name
once, so that names in a circle end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

from sqlalchemy import Select, and_, case, delete, func, insert, select

from openvet.core.dataclass import dataclass
from openvet.core.text import shorten
from openvet.evidence.predicates.lineage_v1 import RELATIONS, THIS, LineageV1
from openvet.store.database import Connection
from openvet.store.models import STANDINGS, ModelRow, counting, revision_rows
from openvet.store.tables import BASE, DECISION, REPOSITORY, REVISION, SUMMARY

__all__ = [
    "LEVELS", "Base", "Key", "Known", "Step", "bases_of", "built_on", "count_bases", "count_unknown", "in_trouble", "key_of", "known_as",
    "list_steps", "made_of", "note_bases", "steps_to",
]  # fmt: skip

T = TypeVar("T")
#: Kind and name of a base or of a repository, as they are compared.
Key = tuple[str, str]

#: Bases of one revision that are kept, and how many levels are followed.
_MOST: Final = 200
LEVELS: Final = 50
_LONGEST: Final = 300
_KEY: Final = 1000
_ROWS: Final = 500
#: More than there are revisions.
_BIG: Final = 1 << 53
_ADMITTED, _REVOKED = STANDINGS.index("admitted"), STANDINGS.index("revoked")


@dataclass(frozen=True, slots=True)
class Base:
    """Something that a revision says it was made of.

    Attributes:
        kind: ``model`` (an adapter is one, too) or ``dataset``.
        name: as it was written, or as a hub calls it.
        version: of it that is named, '' where none is.
        relations: words of :data:`openvet.evidence.predicates.lineage_v1.RELATIONS`, in that order.
        verdict: what the weights of both say to it: a word of :data:`openvet.evidence.predicates.lineage_v1.VERDICTS`, '' where nobody asked them.
    """

    kind: str
    name: str
    version: str
    relations: tuple[str, ...]
    verdict: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A revision of a repository names a base.

    Attributes:
        revision, repository: of what was made.
        source: its own key.
        base: what it was made of.
        key: the base's key.
        word: the place of how the revision stands in :data:`openvet.store.models.STANDINGS`.
        direct: whether that is the base that was asked for, or what was asked about; else there are steps between.
    """

    revision: int
    repository: int
    source: Key
    base: Base
    key: Key
    word: int = 0
    direct: bool = True


@dataclass(frozen=True, slots=True)
class Known:
    """What the gate knows under a name.

    Attributes:
        row: the newest revision that has a report, else the newest.
        revoked: how many of its revisions are revoked.
        advisories: that hit one of its revisions.
    """

    row: ModelRow
    revoked: int
    advisories: tuple[str, ...]


def key_of(name: str) -> str:
    """A name as names are compared: hubs tell no case of letters apart, and have letters of ASCII alone. What is too long for an index is its digest."""
    if name.isascii():
        name = name.lower()
    data = name.encode("utf-8", "backslashreplace")
    return name if len(data) <= _KEY else f"sha256:{hashlib.sha256(data).hexdigest()}"


def bases_of(said: LineageV1) -> tuple[tuple[Base, ...], int]:
    """What a revision was made of by what was said of it, at most 200, and how many there are. Data sets that it was only measured on are none."""
    found: dict[Key, tuple[str, set[str], set[str], str]] = {}
    nodes = {each.id: each for each in said.nodes}
    for edge in said.origins(THIS):
        if edge.relation == "evaluated-on":
            continue
        node = nodes[edge.origin]
        kind, name = "dataset" if node.kind == "dataset" else "model", shorten(node.hub or node.name, _LONGEST)
        kept = found.setdefault((kind, key_of(name)), (name, set(), set(), said.verdict(THIS, node.id) or ""))
        kept[1].add(edge.relation)
        kept[2].update([shorten(node.revision, _LONGEST)] if node.revision else [])
    bases = [
        Base(kind, name, " ".join(sorted(versions)), tuple(each for each in RELATIONS if each in relations), verdict)
        for (kind, _), (name, relations, versions, verdict) in found.items()
    ]
    return tuple(sorted(bases, key=_order)[:_MOST]), len(bases) + said.left_off


def _order(each: Base) -> tuple[bool, int, str]:
    """Models before data sets, and what hands on weights for sure before what may."""
    return each.kind != "model", RELATIONS.index(each.relations[0]), each.name


def note_bases(connection: Connection, revision: int, bases: Sequence[Base]) -> None:
    """Remember what a revision was made of by its last report, in place of what the one before said. What names itself is no base."""
    connection.execute(delete(BASE).where(BASE.c.revision == revision))
    own = select(REPOSITORY.c.kind, REPOSITORY.c.name).join(REVISION, REVISION.c.repository == REPOSITORY.c.id)
    kind, name = connection.execute(own.where(REVISION.c.id == revision)).one()
    rows = [
        {
            "revision": revision, "kind": each.kind, "name": each.name, "key": key_of(each.name), "version": each.version,
            "relations": " ".join(each.relations), "verdict": each.verdict,
        }
        for each in bases
        if (each.kind, key_of(each.name)) != (kind, key_of(name))
    ]  # fmt: skip
    if rows:
        connection.execute(insert(BASE), rows)


# --- steps ---


def count_bases(
    connection: Connection, projects: Sequence[str], now: int, words: Collection[int] = ()
) -> list[tuple[Key, str, int, int]]:
    """Every base that is named: its key, its name as somebody wrote it, how many repositories name it, and how many of these are admitted.

    Args:
        projects, now: as of :func:`openvet.store.models.list_models`.
        words: only by revisions that stand so, by the place of the word; none is all.
    """
    each = _picked(projects, now, words).add_columns(func.min(BASE.c.name).label("name")).subquery()
    which = select(
        each.c.kind, each.c.key, func.min(each.c.name), func.count(), func.sum(case((each.c.at >= _BIG, 1), else_=0))
    ).group_by(each.c.kind, each.c.key)  # fmt: skip
    return [((row[0], row[1]), row[2], int(row[3]), int(row[4])) for row in connection.execute(which)]


def list_steps(
    connection: Connection, projects: Sequence[str], now: int, words: Collection[int] = (), *, skip: int = 0, limit: int = 100
) -> tuple[list[Step], int]:  # fmt: skip
    """Repositories with each base that they name, those that are admitted first and then by their names; and how many there are."""
    picked = _picked(projects, now, words).subquery()
    name = REPOSITORY.c.name.collate("C") if connection.dialect.name == "postgresql" else REPOSITORY.c.name
    order = (picked.c.at < _BIG, name, REPOSITORY.c.kind, picked.c.key, picked.c.kind)
    page = (
        select(picked.c.at, picked.c.kind, picked.c.key, func.count().over().label("total"), func.row_number().over(order_by=order).label("place"))
        .join(REPOSITORY, REPOSITORY.c.id == picked.c.repository)
        .order_by(*order)
        .limit(limit)
        .offset(skip)
        .subquery()
    )  # fmt: skip
    same = and_(page.c.at % _BIG == BASE.c.revision, page.c.kind == BASE.c.kind, page.c.key == BASE.c.key)
    listed = connection.execute(_STEP.add_columns(page.c.total).join(page, same).order_by(page.c.place)).all()
    found = [_step(row[:-1]) for row in listed]
    if listed or not skip:
        total = listed[0][-1] if listed else 0
    else:  # behind the end
        total = connection.execute(select(func.count()).select_from(picked)).scalar_one()
    said = _words(connection, {each.revision for each in found}, projects, now)
    return [replace(each, word=said[each.revision]) for each in found], int(total)


def steps_to(
    connection: Connection, keys: Collection[Key], projects: Sequence[str], now: int, words: Collection[int] = ()
) -> list[Step]:
    """What names one of these bases itself (as :func:`count_bases`)."""
    return _one_for_each(connection, _named(connection, keys), projects, now, words)


def built_on(
    connection: Connection, roots: Collection[Key], projects: Sequence[str], now: int, words: Collection[int] = ()
) -> list[Step]:
    """What was built on these, and on what was built on these (as :func:`count_bases`)."""
    seen, level, out = set(roots), set(roots), list[Step]()
    for _ in range(LEVELS):
        found = [each for each in _named(connection, level) if each.source not in roots]
        out += [replace(each, direct=each.key in roots) for each in found]
        level = {each.source for each in found} - seen
        seen |= level
        if not level:
            break
    return _one_for_each(connection, out, projects, now, words)


def made_of(connection: Connection, revision: int, projects: Sequence[str], now: int) -> list[Step]:
    """What a revision was made of, and what that was made of, as far as the gate knows: of a name by the newest revision that is admitted, else the
    newest that was vetted.
    """
    first = list(_steps(connection, BASE.c.revision == revision))
    own = {each.source for each in first}
    out, level, seen = first, {each.key for each in first}, own | {each.key for each in first}
    for _ in range(LEVELS):
        numbers = _vetted(connection, level - own, projects, now)
        found = [each for some in _batches(numbers) for each in _steps(connection, BASE.c.revision.in_(some))]
        out += [replace(each, direct=False) for each in found]
        level = {each.key for each in found} - seen
        seen |= level
        if not level:
            break
    words = _words(connection, {each.revision for each in out}, projects, now)
    return [replace(each, word=words[each.revision]) for each in out]


def in_trouble(connection: Connection, projects: Sequence[str], now: int) -> set[Key]:
    """The names of which a revision is revoked, or hit by an advisory."""
    revoked = select(DECISION.c.revision).where(DECISION.c.kind == "revocation").distinct().subquery()
    taken = select(revoked.c.revision).where(counting(revoked.c.revision, projects, now) % 4 == _REVOKED)
    hit = select(SUMMARY.c.revision).where(SUMMARY.c.advisories != "")
    which = (
        select(REPOSITORY.c.kind, REPOSITORY.c.name)
        .join(REVISION, REVISION.c.repository == REPOSITORY.c.id)
        .where(REVISION.c.id.in_(taken.union(hit)))
    )
    return {(kind, key_of(name)) for kind, name in connection.execute(which)}


def known_as(connection: Connection, keys: Collection[Key], projects: Sequence[str], now: int) -> dict[Key, Known]:
    """What the gate knows under these names; a name that it does not know is left out."""
    repositories = _repositories(connection, keys)
    revisions: dict[Key, list[Any]] = {}
    for some in _batches(repositories):
        which = select(
            REVISION.c.repository, REVISION.c.id, SUMMARY.c.advisories, counting(REVISION.c.id, projects, now) % 4
        ).outerjoin(SUMMARY, SUMMARY.c.revision == REVISION.c.id)  # fmt: skip
        for row in connection.execute(which.where(REVISION.c.repository.in_(some))):
            revisions.setdefault(repositories[row[0]], []).append(row)
    newest = {key: max(found, key=lambda row: (row[2] is not None, row[1]))[1] for key, found in revisions.items()}
    rows = {each.revision: each for some in _batches(newest.values()) for each in revision_rows(connection, some, projects, now)}  # fmt: skip
    return {
        key: Known(
            rows[newest[key]],
            sum(row[3] == _REVOKED for row in found),
            tuple(sorted({each for row in found for each in (row[2] or "").split()})),
        )
        for key, found in revisions.items()
    }


def count_unknown(connection: Connection) -> int:
    """Of how many revisions that were vetted it is not known what they were made of."""
    return int(connection.execute(select(func.count()).where(SUMMARY.c.bases.is_(None))).scalar_one())


# --- inside ---


def _batches(found: Iterable[T]) -> Iterator[list[T]]:
    """As many at a time as a statement may name."""
    listed = list(found)
    for start in range(0, len(listed), _ROWS):
        yield listed[start : start + _ROWS]


_STEP: Final = (
    select(
        BASE.c.revision, REVISION.c.repository, REPOSITORY.c.kind, REPOSITORY.c.name, BASE.c.kind, BASE.c.key, BASE.c.name, BASE.c.version,
        BASE.c.relations, BASE.c.verdict,
    )
    .join(REVISION, REVISION.c.id == BASE.c.revision)
    .join(REPOSITORY, REPOSITORY.c.id == REVISION.c.repository)
)  # fmt: skip


def _step(row: Any) -> Step:
    revision, repository, kind, name, of, key, named, version, relations, verdict = row
    base = Base(of, named, version, tuple(relations.split()), verdict)
    return Step(revision, repository, (kind, key_of(name)), base, (of, key))


def _steps(connection: Connection, which: Any) -> Iterator[Step]:
    """The steps of which this holds, by their numbers."""
    return map(_step, connection.execute(_STEP.where(which).order_by(BASE.c.id)))


def _picked(projects: Sequence[str], now: int, words: Collection[int]) -> Select[Any]:
    """Of each base and repository the revision that counts (as :func:`_one_for_each`): its number, and so much more where it is admitted."""
    stands = (
        select(REVISION.c.id, REVISION.c.repository, (counting(REVISION.c.id, projects, now) % 4).label("word"))
        .where(REVISION.c.id.in_(select(BASE.c.revision)))
        .subquery()
    )
    at = func.max(stands.c.id + case((stands.c.word == _ADMITTED, _BIG), else_=0)).label("at")
    which: Select[Any] = select(BASE.c.kind, BASE.c.key, stands.c.repository, at).join(
        stands, stands.c.id == BASE.c.revision
    )
    if words:
        which = which.where(stands.c.word.in_(list(words)))
    return which.group_by(BASE.c.kind, BASE.c.key, stands.c.repository)


def _named(connection: Connection, keys: Collection[Key]) -> Iterator[Step]:
    """The steps to these bases."""
    for some in _batches(sorted({name for _, name in keys})):
        yield from (each for each in _steps(connection, BASE.c.key.in_(some)) if each.key in keys)


def _one_for_each(
    connection: Connection, steps: Iterable[Step], projects: Sequence[str], now: int, words: Collection[int]
) -> list[Step]:
    """Of each repository and base the newest revision that is admitted, else the newest; of those alone that stand so."""
    found = list(steps)
    said = _words(connection, {each.revision for each in found}, projects, now)
    best: dict[tuple[int, Key], Step] = {}
    for each in found:
        at, word = (each.repository, each.key), said[each.revision]
        if words and word not in words:
            continue
        before = best.get(at)
        if before is None or (word == _ADMITTED, each.revision) > (before.word == _ADMITTED, before.revision):
            best[at] = replace(each, word=word)
    return list(best.values())


def _words(connection: Connection, revisions: Collection[int], projects: Sequence[str], now: int) -> dict[int, int]:
    """How revisions stand, by the place of the word."""
    out: dict[int, int] = {}
    for some in _batches(sorted(revisions)):
        which = select(REVISION.c.id, counting(REVISION.c.id, projects, now) % 4).where(REVISION.c.id.in_(some))
        out.update((row[0], row[1]) for row in connection.execute(which))
    return out


def _repositories(connection: Connection, keys: Collection[Key]) -> dict[int, Key]:
    """The numbers of the repositories of these names, and the key of each. Several may differ by the case of letters alone."""
    name = REPOSITORY.c.name.collate("C") if connection.dialect.name == "postgresql" else REPOSITORY.c.name
    out: dict[int, Key] = {}
    for some in _batches(sorted({each for _, each in keys})):
        which = select(REPOSITORY.c.id, REPOSITORY.c.kind, REPOSITORY.c.name).where(func.lower(name).in_(some))
        for number, kind, text in connection.execute(which):
            if (kind, key_of(text)) in keys:
                out[number] = kind, key_of(text)
    return out


def _vetted(connection: Connection, keys: Collection[Key], projects: Sequence[str], now: int) -> list[int]:
    """The revision of each of these names that speaks for it."""
    out: list[int] = []
    for some in _batches(_repositories(connection, keys)):
        which = select(REVISION.c.repository, REVISION.c.id, counting(REVISION.c.id, projects, now) % 4).join(
            SUMMARY, SUMMARY.c.revision == REVISION.c.id
        )
        best: dict[int, tuple[bool, int]] = {}
        for repository, revision, word in connection.execute(which.where(REVISION.c.repository.in_(some))):
            best[repository] = max(best.get(repository, (False, 0)), (word == _ADMITTED, revision))
        out += [revision for _, revision in best.values()]
    return out
