"""What somebody may see: projects, what was decided for them, and the people in them."""

from __future__ import annotations

from collections.abc import Sequence

from openvet.gate.identity import Identity, NotAllowedError
from openvet.gate.roles import ROOT, Right, parse_project
from openvet.store import people as people_rows
from openvet.store.database import Connection
from openvet.store.uses import Reach, people_of

__all__ = [
    "above",
    "decided_in",
    "people_for",
    "project_for",
    "project_or_root",
    "projects_with",
    "reach_for",
    "seen_by",
]


def projects_with(connection: Connection, who: Identity, right: Right) -> list[str]:
    """The projects in which they have a right."""
    return [each.path for each in people_rows.list_projects(connection) if right in who.rights_in(each.path)]


def seen_by(connection: Connection, who: Identity) -> list[str]:
    """The projects that they may see something in.

    Raises:
        NotAllowedError: there is none.
    """
    return _some(who, Right.SEE, projects_with(connection, who, Right.SEE))


def project_for(connection: Connection, who: Identity, project: str, right: Right = Right.SEE) -> str:
    """The project that is meant: the one that is named, their own, or the first in which they have the right.

    Raises:
        NotAllowedError: they have it not there, or nowhere.
        UsageError: the project is named as none can be.
    """
    if project:
        who.require(right, parse_project(project))
        return project
    if right in who.rights_in(who.project):
        return who.project
    return _some(who, right, projects_with(connection, who, right))[0]


def project_or_root(connection: Connection, who: Identity | None, project: str) -> str:
    """As :func:`project_for` to see; ``None`` is whoever pulls without a token where that is allowed, which is in the root project alone.

    Raises:
        NotAllowedError: they may not see that project, or none.
    """
    if who is not None:
        return project_for(connection, who, project)
    if project not in {"", ROOT}:
        raise NotAllowedError(
            f"without a token this gate tells of the root project alone, and not of {parse_project(project)}: set HF_TOKEN to a token of yours"
        )
    return ROOT


def people_for(connection: Connection, who: Identity, seen: Sequence[str]) -> frozenset[int] | None:
    """The numbers of those of whom they may see what they use: everybody (``None``), or who has a role in what is ``seen``."""
    if Right.SEE in who.rights_in(ROOT):
        return None
    return people_of(connection, seen) | {who.person.id}


def reach_for(connection: Connection, who: Identity, seen: Sequence[str]) -> Reach | None:
    """The pulls that they may see: all (``None``), or those of :func:`people_for`, and those for what is ``seen``."""
    people = people_for(connection, who, seen)
    return None if people is None else Reach(people, frozenset(seen))


def above(project: str) -> list[str]:
    """A project and those above it: what is decided for them holds in it."""
    parts = project.strip("/").split("/") if project != ROOT else []
    return [ROOT, *("/" + "/".join(parts[: at + 1]) for at in range(len(parts)))]


def decided_in(seen: Sequence[str]) -> list[str]:
    """The projects of which decisions hold in those that are seen."""
    return sorted({each for path in seen for each in above(path)})


def _some(who: Identity, right: Right, found: list[str]) -> list[str]:
    if not found:
        raise NotAllowedError(
            f"{who.person.name} may {right} in no project; somebody who administers one can give a role in it"
        )
    return found
