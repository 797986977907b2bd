"""Lineage across the portfolio: what came through this gate by what it was made of, and what rests on what.

Bases are names that models' files declare, and so claims; where the weights were asked, that stands beside it. Nothing here is decided: what rests on a
revoked model is told, and stays as it is until somebody decides about it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Final

from openvet.core.dataclass import dataclass
from openvet.gate.identity import Identity, NotThereError
from openvet.gate.roles import Right
from openvet.gate.seeing import above, project_for, reach_for, seen_by
from openvet.store import bases as rows
from openvet.store.bases import Base, Key, Known, Step
from openvet.store.database import Connection, Database
from openvet.store.models import STANDINGS, ModelRow, find_revision, revision_rows
from openvet.store.uses import users_of

__all__ = ["Group", "Line", "Lineage", "Lines"]

_ADMITTED: Final = STANDINGS.index("admitted")
_REVOKED: Final = STANDINGS.index("revoked")


@dataclass(frozen=True, slots=True)
class Line:
    """Something that was made of something.

    Attributes:
        row: what was made: of each repository the newest revision that is admitted, else the newest, of those that name this base.
        base: what it was made of, as it is named.
        known: what the gate knows under that name, or ``None``.
        direct: whether no steps lie between it and what was asked about.
        people: who had it, as far as somebody may see.
    """

    row: ModelRow
    base: Base
    known: Known | None
    direct: bool
    people: int


@dataclass(frozen=True, slots=True)
class Lines:
    """Some lines, in the project that counts, of as many as there are."""

    project: str
    lines: tuple[Line, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Group:
    """A base with what names it itself.

    Attributes:
        kind, name: of the base.
        known: what the gate knows under that name, or ``None``.
        models, admitted: how many repositories name it, and how many of these are admitted.
        lines: the first of them, those that are admitted before others.
    """

    kind: str
    name: str
    known: Known | None
    models: int
    admitted: int
    lines: tuple[Line, ...]


class Lineage:
    """What rests on what.

    Args:
        database: of the gate.
        clock: milliseconds UTC.
    """

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self._database, self._clock = database, clock

    def bases(
        self, who: Identity, *, project: str = "", search: str = "", standing: Collection[str] = (), troubled: bool = False, skip: int = 0,
        limit: int = 100, lines: int = 0,
    ) -> tuple[str, tuple[Group, ...], int]:  # fmt: skip
        """The project that counts, the bases that models name, those that most name first, and how many there are.

        Args:
            search: part of the name of a base, in any case of letters.
            standing: count only models that stand so in the project.
            troubled: only bases of which a revision is revoked, or hit by an advisory.
            skip: how many were listed.
            lines: how many models of each are given.

        Raises:
            NotAllowedError: they may not see that project, or none.
        """
        with self._database.reading() as connection:
            where = project_for(connection, who, project)
            now, words = self._clock(), {STANDINGS.index(each) for each in standing}
            bad = rows.in_trouble(connection, above(where), now) if troubled else None
            part = search.lower()
            found = [
                each
                for each in rows.count_bases(connection, above(where), now, words)
                if (bad is None or each[0] in bad) and part in each[1].lower()
            ]
            found.sort(key=lambda each: (-each[2], each[0][1], each[0][0]))
            page = found[skip : skip + limit]
            keys = {key for key, *_ in page}
            known = rows.known_as(connection, keys, above(where), now)
            shown: dict[Key, list[Step]] = {}
            steps = rows.steps_to(connection, keys, above(where), now, words) if lines else []
            for step in sorted(steps, key=_order):
                if len(some := shown.setdefault(step.key, [])) < lines:
                    some.append(step)
            of: dict[Key, list[Line]] = {}
            for line in self._lines(connection, who, where, [step for some in shown.values() for step in some]):
                of.setdefault((line.base.kind, rows.key_of(line.base.name)), []).append(line)
            groups = [
                Group(
                    key[0], name if key not in known else known[key].row.name, known.get(key), models, admitted, tuple(of.get(key, ()))
                )
                for key, name, models, admitted in page
            ]  # fmt: skip
            return where, tuple(groups), len(found)

    def built_on(
        self, who: Identity, base: str = "", kind: str = "model", *, project: str = "", standing: Collection[str] = (), skip: int = 0,
        limit: int = 100,
    ) -> Lines:  # fmt: skip
        """What names ``base``, or names what names it, and so on; everything that names something where ``base`` is ''. What names it itself and is
        admitted comes first. Raises like :meth:`bases`.
        """
        with self._database.reading() as connection:
            where = project_for(connection, who, project)
            now, words = self._clock(), {STANDINGS.index(each) for each in standing}
            if base:
                steps = rows.built_on(connection, {(kind, rows.key_of(base))}, above(where), now, words)
                page, total = sorted(steps, key=_order)[skip : skip + limit], len(steps)
            else:
                page, total = rows.list_steps(connection, above(where), now, words, skip=skip, limit=limit)
            return Lines(where, tuple(self._lines(connection, who, where, page)), total)

    def made_of(self, who: Identity, revision: int, *, project: str = "", skip: int = 0, limit: int = 100) -> Lines:
        """What a revision names, then what these name, and so on, as far as the gate knows.

        Raises:
            NotThereError: there is no such revision.
            NotAllowedError: they may not see that project, or none.
        """
        with self._database.reading() as connection:
            where = project_for(connection, who, project)
            now = self._clock()
            if find_revision(connection, revision, above(where), now) is None:
                raise NotThereError(f"the gate knows no revision of number {revision}")
            found = rows.made_of(connection, revision, above(where), now)
            lines = self._lines(connection, who, where, found[skip : skip + limit])
            return Lines(where, tuple(lines), len(found))

    def resting(self, who: Identity, revisions: Sequence[int], *, project: str = "", limit: int = 100) -> Lines:
        """What rests on these revisions and is not revoked, each once; by the names of their repositories, since few name a version.

        Args:
            project: as of a decision about them.

        Raises:
            NotAllowedError: they may not decide there.
        """
        with self._database.reading() as connection:
            where = project_for(connection, who, project, Right.DECIDE)
            now = self._clock()
            roots = {
                (each.kind, rows.key_of(each.name)) for each in revision_rows(connection, revisions, above(where), now)
            }
            steps = rows.built_on(connection, roots, above(where), now)
            once: dict[int, Step] = {}
            for each in sorted(steps, key=_order):
                if each.word != _REVOKED:
                    once.setdefault(each.repository, each)
            found = list(once.values())
            lines = self._lines(connection, who, where, found[:limit])
            return Lines(where, tuple(lines), len(found))

    def unknown(self, who: Identity) -> int:
        """Of how many revisions it is not known what they were made of: they were vetted before that was kept (raises :class:`NotAllowedError`)."""
        with self._database.reading() as connection:
            seen_by(connection, who)
            return rows.count_unknown(connection)

    # --- inside ---

    def _lines(self, connection: Connection, who: Identity, where: str, steps: Sequence[Step]) -> list[Line]:
        """These steps with all that is told of them."""
        now, numbers = self._clock(), sorted({each.revision for each in steps})
        known = rows.known_as(connection, {each.key for each in steps}, above(where), now)
        models = {each.revision: each for each in revision_rows(connection, numbers, above(where), now)}
        users = users_of(connection, numbers, reach_for(connection, who, seen_by(connection, who)))
        return [
            Line(models[each.revision], each.base, known.get(each.key), each.direct, users.get(each.revision, 0))
            for each in steps
        ]


def _order(each: Step) -> tuple[bool, bool, Key, Key]:
    return not each.direct, each.word != _ADMITTED, each.source, each.key
