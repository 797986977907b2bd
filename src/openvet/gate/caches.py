"""Caches of clients: what people say lies in them, and how it stands.

Nobody checks what is told: it is an inventory, and no evidence. Each sees the machines of people in projects that they may see.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from openvet.errors import ConflictError, UsageError
from openvet.gate.identity import Identity, NotAllowedError, NotThereError
from openvet.gate.roles import ROOT, Right
from openvet.gate.seeing import above, people_for, project_for, project_or_root, seen_by
from openvet.store import caches as rows
from openvet.store.caches import CachedRow, InCache, Machine, Stands
from openvet.store.database import Database
from openvet.store.models import ModelRow

__all__ = ["MOST_MACHINES", "MOST_REVISIONS", "Caches"]

#: Revisions of one machine, and machines of one person.
MOST_REVISIONS: Final = 100_000
MOST_MACHINES: Final = 200

Named = tuple[str, str, str]


class Caches:
    """What is told of caches, and asked about what lies there.

    Args:
        database: of the gate.
        clock: milliseconds UTC.
    """

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self._database, self._clock = database, clock

    def tell(self, who: Identity, machine: str, report: str, found: Sequence[CachedRow], *, more: bool) -> int:
        """Take a part of a report; with the last one it counts, in place of what this machine told before. How many revisions it names so far.

        Args:
            report: a number that the sender made up, the same in all parts of one report.
            more: whether another part follows.

        Raises:
            NotAllowedError: they may pull in no project, so that nobody has to know what they have.
            UsageError: it is more than one machine may tell.
            ConflictError: it is one machine more than one person may tell of.
        """
        with self._database.writing() as connection:
            project_for(connection, who, "", Right.PULL)
            number = rows.begin_report(connection, who.person.id, machine, report, self._clock())
            if rows.count_machines(connection, who.person.id) > MOST_MACHINES:
                raise ConflictError(
                    f"{who.person.name} has told of {MOST_MACHINES} machines; remove those that are gone first"
                )
            rows.add_cached(connection, number, found)
            count = rows.count_cached(connection, number)
            if count > MOST_REVISIONS:
                raise UsageError(f"a machine may tell of {MOST_REVISIONS} revisions, and this is more")
            if not more:
                rows.end_report(connection, number, self._clock())
        return count

    def machines(self, who: Identity, *, before: int | None = None, limit: int = 100) -> tuple[Machine, ...]:
        """The machines that were told of, the latest first."""
        with self._database.reading() as connection:
            people = people_for(connection, who, seen_by(connection, who))
            return rows.list_machines(connection, people=people, before=before, limit=limit)

    def forget(self, who: Identity, report: int) -> None:
        """Forget one's own machine, or as somebody who administers everything anybody's.

        Raises:
            NotThereError: there is none of that number that they may see.
            NotAllowedError: it is somebody else's.
        """
        with self._database.writing() as connection:
            people = people_for(connection, who, seen_by(connection, who))
            found = rows.find_machine(connection, report)
            if found is None or (people is not None and found.owner not in people):
                raise NotThereError(f"there is no machine of number {report} that {who.person.name} may see")
            if found.owner != who.person.id and Right.ADMINISTER not in who.rights_in(ROOT):
                raise NotAllowedError(
                    "that machine is somebody else's: only they and who administers everything may remove it"
                )
            rows.forget_report(connection, report)

    def found(
        self, who: Identity, *, project: str = "", limit: int = 100, **which: Any
    ) -> tuple[str, tuple[InCache, ...]]:
        """The project that counts, and revisions in caches as they stand in it; ``which`` as of :func:`openvet.store.caches.list_in_caches`."""
        with self._database.reading() as connection:
            where = project_for(connection, who, project)
            people = people_for(connection, who, seen_by(connection, who))
            return where, rows.list_in_caches(
                connection, above(where), self._clock(), people=people, limit=limit, **which
            )

    def counts(self, who: Identity, models: Sequence[ModelRow]) -> dict[tuple[str, str], int]:
        """On how many machines some revision of these models lies in a cache, by kind and name."""
        with self._database.reading() as connection:
            people = people_for(connection, who, seen_by(connection, who))
            return rows.machines_with(connection, [(each.kind, each.name) for each in models], people)

    def stand(
        self, who: Identity | None, revisions: Sequence[Named], *, project: str = ""
    ) -> tuple[str, dict[Named, Stands]]:
        """The project that counts, and how revisions (kind, name, commit) stand in it; what the gate does not know is left out.

        Args:
            who: asks; ``None`` is whoever pulls without a token, in the root project.
        """
        with self._database.reading() as connection:
            where = project_or_root(connection, who, project)
            return where, rows.stands_of(connection, revisions, above(where), self._clock())
