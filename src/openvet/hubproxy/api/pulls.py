"""What is used: who had what and with which client, and which versions of loaders are at work that have known problems."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request

from openvet.gate.catalogue import Catalogue
from openvet.gate.clients import Affected, advisories_for, packages_in
from openvet.hubproxy.api.pages import CSV, Id, Limit, Line, Model, Page, When, answer
from openvet.hubproxy.api.who import Who
from openvet.store.lists import Use

__all__ = ["ROUTES", "UseOut", "use_out"]

ROUTES = APIRouter(tags=["inventory"])
_DAY = 24 * 3_600_000


class UseOut(Model):
    """What one person had of one revision. ``clients`` is what the client of the latest pull said it is (package -> version); nothing proves that."""

    id: int
    revision: int
    kind: str
    name: str
    commit: str
    person: str
    files: int
    bytes: int
    first_at: int
    last_at: int
    clients: dict[str, str]
    vulnerable: list[str]


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
        id=each.last, revision=each.revision, kind=each.repository, name=each.name, commit=each.commit, person=each.person, files=each.files,
        bytes=each.bytes, first_at=each.first_at, last_at=each.last_at, clients=dict(clients), vulnerable=vulnerable,
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
    client: Annotated[Line, Query(description="part of what the client said it is, such as torch/2.5")] = "",
    since: Annotated[When | None, Query(description="milliseconds UTC")] = None,
    limit: Limit = 100,
    after: Annotated[int | None, Query(ge=1, le=2**53)] = None,
) -> object:
    """Who had what, whoever pulled last first: of people in projects that one may see."""
    catalogue: Catalogue = request.app.state.catalogue
    found = catalogue.uses(
        who, search=search, revision=revision, person=person, agent=client, since=since, before=after, limit=limit + 1
    )  # fmt: skip
    following = str(found[limit - 1].last) if len(found) > limit else None
    return answer(request, [use_out(each) for each in found[:limit]], following)


@ROUTES.get("/clients", response_model=Page[ClientOut], responses=CSV)
def list_clients(
    request: Request,
    who: Who,
    since: Annotated[When | None, Query(description="milliseconds UTC; the last 30 days, if not given")] = None,
    affected: Annotated[bool, Query(description="only versions with known problems")] = False,
    limit: Limit = 1000,
    after: Annotated[int, Query(ge=0, le=2**53)] = 0,
) -> object:
    """The programs that models were pulled with, those with known problems first; ``after`` is how many were listed."""
    catalogue: Catalogue = request.app.state.catalogue
    begin = request.app.state.clock() - 30 * _DAY if since is None else since
    found = [each for each in catalogue.clients(who, begin) if each.advisories or not affected]
    out = [
        ClientOut(
            package=each.package, version=each.version, files=each.files, people=each.people, last=each.last,
            advisories=[_advisory(hit) for hit in each.advisories],
        )
        for each in found[after : after + limit]
    ]  # fmt: skip
    return answer(request, out, str(after + limit) if after + limit < len(found) else None)
