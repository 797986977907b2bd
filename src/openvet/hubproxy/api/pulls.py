"""What is used: who had what and with which client, and which versions of loaders are at work that have known problems."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request

from openvet.gate.catalogue import Catalogue
from openvet.gate.clients import Affected, advisories_for, packages_in
from openvet.hubproxy.api.pages import CSV, Id, InProject, Limit, Line, Model, Page, When, answer
from openvet.hubproxy.api.who import Who
from openvet.store.uses import ProjectUse, Use

__all__ = ["ROUTES", "UseOut", "use_out"]

ROUTES = APIRouter(tags=["inventory"])
_DAY = 24 * 3_600_000
Client = Annotated[Line, Query(description="part of what the client said it is, such as torch/2.5")]
Project = Annotated[InProject, Query(description="only what was pulled for it, and for those below it")]
Since = Annotated[When | None, Query(description="milliseconds UTC")]


class UseOut(Model):
    """What one person had of one revision for one project: that of the token. ``project`` is null where it is not known (of pulls before that was kept),
    '' for one that you may not see. ``clients`` is what the client of the latest pull said it is (package -> version); nothing proves that.
    """

    id: int
    revision: int
    kind: str
    name: str
    commit: str
    person: str
    project: str | None
    files: int
    bytes: int
    first_at: int
    last_at: int
    clients: dict[str, str]
    vulnerable: list[str]


class ProjectUseOut(Model):
    """What was pulled for a project and those below it; null is what was pulled before projects were kept. ``models`` counts data sets, too, and ``people``
    those who are known.
    """

    project: str | None
    models: int
    people: int
    files: int
    bytes: int
    last_at: int


class AdvisoryOut(Model):
    """A published problem of a version."""

    id: str
    severity: str
    summary: str
    fixed: list[str]


class ClientOut(Model):
    """A version of a program that models were pulled with, and what advisories that ship with this server say of it."""

    package: str
    version: str
    files: int
    people: int
    last: int
    advisories: list[AdvisoryOut]


def use_out(each: Use) -> UseOut:
    """A use as it is sent."""
    clients = packages_in(each.agent)
    vulnerable = [
        f"{package} {version}: {hit.id}" for package, version in clients for hit in advisories_for(package, version)
    ]
    return UseOut(
        id=each.last, revision=each.revision, kind=each.repository, name=each.name, commit=each.commit, person=each.person, project=each.project,
        files=each.files, bytes=each.bytes, first_at=each.first_at, last_at=each.last_at, clients=dict(clients), vulnerable=vulnerable,
    )  # fmt: skip


def _counted(each: ProjectUse) -> ProjectUseOut:
    return ProjectUseOut(
        project=each.project, models=each.models, people=each.people, files=each.files, bytes=each.bytes, last_at=each.last_at
    )  # fmt: skip


def _advisory(each: Affected) -> AdvisoryOut:
    return AdvisoryOut(id=each.id, severity=each.severity, summary=each.summary, fixed=list(each.fixed))


@ROUTES.get("/uses", response_model=Page[UseOut], responses=CSV)
def list_uses(
    request: Request,
    who: Who,
    search: Annotated[Line, Query(description="part of the name of the model")] = "",
    revision: Annotated[Id | None, Query()] = None,
    person: Annotated[Line, Query(description="who pulled")] = "",
    client: Client = "",
    project: Project = "",
    since: Since = None,
    limit: Limit = 100,
    after: Annotated[int | None, Query(ge=1, le=2**53)] = None,
) -> object:
    """Who had what, whoever pulled last first: of people in projects that one may see, and for such projects."""
    catalogue: Catalogue = request.app.state.catalogue
    found = catalogue.uses(
        who, search=search, revision=revision, person=person, agent=client, project=project, since=since, before=after, limit=limit + 1
    )  # fmt: skip
    following = str(found[limit - 1].last) if len(found) > limit else None
    return answer(request, [use_out(each) for each in found[:limit]], following)


@ROUTES.get("/uses/projects", response_model=Page[ProjectUseOut], responses=CSV)
def list_uses_by_project(
    request: Request,
    who: Who,
    search: Annotated[Line, Query(description="part of the name of the model")] = "",
    person: Annotated[Line, Query(description="who pulled")] = "",
    client: Client = "",
    project: Project = "",
    since: Since = None,
    limit: Limit = 100,
    after: Annotated[int, Query(ge=0, le=2**53, description="how many were listed")] = 0,
) -> object:
    """How much was pulled for each project that one may see, what was pulled for those below it counted in."""
    catalogue: Catalogue = request.app.state.catalogue
    found = catalogue.uses_by_project(who, search=search, person=person, agent=client, project=project, since=since)
    page = [_counted(each) for each in found[after : after + limit]]
    return answer(request, page, str(after + limit) if after + limit < len(found) else None)


@ROUTES.get("/clients", response_model=Page[ClientOut], responses=CSV)
def list_clients(
    request: Request,
    who: Who,
    since: Annotated[When | None, Query(description="milliseconds UTC; the last 30 days, if not given")] = None,
    affected: Annotated[bool, Query(description="only versions with known problems")] = False,
    project: Project = "",
    limit: Limit = 1000,
    after: Annotated[int, Query(ge=0, le=2**53)] = 0,
) -> object:
    """The programs that models were pulled with, those with known problems first; ``after`` is how many were listed."""
    catalogue: Catalogue = request.app.state.catalogue
    begin = request.app.state.clock() - 30 * _DAY if since is None else since
    found = [each for each in catalogue.clients(who, begin, project=project) if each.advisories or not affected]
    out = [
        ClientOut(
            package=each.package, version=each.version, files=each.files, people=each.people, last=each.last,
            advisories=[_advisory(hit) for hit in each.advisories],
        )
        for each in found[after : after + limit]
    ]  # fmt: skip
    return answer(request, out, str(after + limit) if after + limit < len(found) else None)
