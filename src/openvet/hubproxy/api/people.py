"""People, their roles in projects, and their tokens."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import Field

from openvet.errors import ConflictError, OpenVetError, UsageError
from openvet.gate.identity import Identity, NotAllowedError, NotThereError, People
from openvet.gate.roles import ROOT, Right, Role
from openvet.hubproxy.api.pages import CSV, Body, Days, Id, Limit, Line, Model, Name, OfProject, Page, answer
from openvet.hubproxy.api.problem import CONFLICT
from openvet.hubproxy.api.who import Who
from openvet.store import people as rows
from openvet.store.acts import list_acts
from openvet.store.database import Database

__all__ = ["ROUTES"]

ROUTES = APIRouter()
Somebody = Annotated[Name, Path()]
Number = Annotated[Id, Path()]
Skip = Annotated[int, Query(ge=0, le=2**53, description="how many were listed")]


class PersonOut(Model):
    """Somebody. ``disabled`` is when they were, in milliseconds UTC; ``issuer`` and ``subject`` are who they are at a provider."""

    id: int
    name: str
    title: str
    service: bool
    added: int
    disabled: int | None
    issuer: str | None
    subject: str | None


class IdentityIn(Body):
    """Who somebody is at the provider: what it calls them for ever."""

    subject: Annotated[Line, Field(min_length=1)]


class MeOut(Model):
    """Who asks, in which project, and what they may do there; ``issuer`` is the provider at which they log in, null where by a password."""

    name: str
    title: str
    project: str
    rights: list[Right]
    issuer: str | None


class PersonIn(Body):
    """Somebody new. A service account has tokens and no password."""

    name: Name
    title: Line = ""
    service: bool = False


class InvitedOut(Model):
    """Somebody, and the path of the link by which they choose a password; null for a service account. It is shown once."""

    person: PersonOut
    link: str | None


class ProjectOut(Model):
    """A project."""

    path: str
    title: str
    added: int


class ProjectIn(Body):
    """A new project below one that is there."""

    path: OfProject
    title: Line = ""


class RoleOut(Model):
    """A role that somebody has in a project and below it; ``group`` at the provider gave it, null where a person did."""

    name: str
    project: str
    role: Role
    by: str
    group: str | None
    added: int


class RoleIn(Body):
    """A role to give or to take."""

    name: Name
    project: OfProject = ROOT
    role: Annotated[Role, Field(strict=False)]


class TokenOut(Model):
    """What is known of a token. Times in milliseconds UTC."""

    id: int
    owner: str
    hint: str
    title: str
    project: str
    rights: list[Right]
    added: int
    expires: int
    revoked: int | None
    last_used: int | None


class TokenIn(Body):
    """A new token: of oneself, or of a service account that one administers."""

    title: Line = ""
    project: OfProject = ROOT
    rights: list[Annotated[Right, Field(strict=False)]] = Field(
        [Right.SEE, Right.PULL, Right.ASK], min_length=1, max_length=len(Right)
    )
    days: Days = 90
    owner: Line = ""


class NewTokenOut(Model):
    """A new token. ``text`` is shown once."""

    text: str
    token: TokenOut


def _people(request: Request) -> People:
    found: People = request.app.state.people
    return found


def _database(request: Request) -> Database:
    found: Database = request.app.state.database
    return found


def _person(each: rows.Person) -> PersonOut:
    return PersonOut(
        id=each.id, name=each.name, title=each.title, service=each.service, added=each.added, disabled=each.disabled,
        issuer=each.issuer, subject=each.known_as,
    )  # fmt: skip


def _somebody(request: Request, name: str, missing: type[OpenVetError] = NotThereError) -> rows.Person:
    """Who has that name; ``missing`` where nobody has, which is of the address as a rule, and of the body where that names them."""
    with _database(request).reading() as connection:
        found = rows.find_person(connection, name)
    if found is None:
        raise missing("there is nobody of that name")
    return found


@ROUTES.get("/me", tags=["people"])
def me(who: Who) -> MeOut:
    """Who asks."""
    rights = sorted(who.rights_in(who.project))
    return MeOut(
        name=who.person.name, title=who.person.title, project=who.project, rights=rights, issuer=who.person.issuer
    )


class ActOut(Model):
    """What somebody did with people, tokens, projects or the server; ``at`` in milliseconds UTC. ``by`` has a space where it was no person."""

    id: int
    at: int
    by: str
    what: str
    person: str
    project: str
    details: str


def _acts(request: Request, limit: int, **which: Any) -> object:
    with _database(request).reading() as connection:
        found = list_acts(connection, limit=limit + 1, **which)
    out = [
        ActOut(id=each.id, at=each.at, by=each.by, what=each.what, person=each.person, project=each.project, details=each.details)
        for each in found[:limit]
    ]  # fmt: skip
    return answer(request, out, str(found[limit - 1].id) if len(found) > limit else None)


@ROUTES.get("/acts", tags=["audit"], response_model=Page[ActOut], responses=CSV)
def show_acts(
    request: Request,
    who: Who,
    person: Annotated[Line, Query(description="who did it, or to whom it was done")] = "",
    what: Annotated[Line, Query(description="such as role.given")] = "",
    limit: Limit = 100,
    after: Annotated[int | None, Query(ge=1, le=2**53)] = None,
) -> object:
    """What people did with people, tokens, projects and the server, the latest first."""
    who.require(Right.AUDIT, ROOT)
    return _acts(request, limit, about=person, what=what, before=after)


@ROUTES.get("/me/acts", tags=["audit"], response_model=Page[ActOut], responses=CSV)
def my_acts(
    request: Request, who: Who, limit: Limit = 100, after: Annotated[int | None, Query(ge=1, le=2**53)] = None
) -> object:
    """Of these, what one did oneself, and what was done to one."""
    return _acts(request, limit, about=who.person.name, before=after)


@ROUTES.get("/people", tags=["people"], response_model=Page[PersonOut], responses=CSV)
def list_people(request: Request, who: Who, limit: Limit = 100, after: Annotated[Line, Query()] = "") -> object:
    """People and service accounts, in order of their names."""
    who.require(Right.ADMINISTER, ROOT)
    with _database(request).reading() as connection:
        found = rows.list_people(connection, after, limit + 1)
    return answer(
        request, [_person(each) for each in found[:limit]], found[limit - 1].name if len(found) > limit else None
    )


@ROUTES.post("/people", tags=["people"], status_code=201, responses=CONFLICT)
def add_person(request: Request, who: Who, new: PersonIn) -> InvitedOut:
    """Add somebody."""
    who.require(Right.ADMINISTER, ROOT)
    made, secret = _people(request).add(new.name, new.title, service=new.service, by=who.person.name)
    return InvitedOut(person=_person(made), link=None if secret is None else f"/openvet/welcome?invitation={secret}")


@ROUTES.post("/people/{name}/invitation", tags=["people"], status_code=201, responses=CONFLICT)
def invite(request: Request, who: Who, name: Somebody) -> InvitedOut:
    """A new link for somebody who lost the password."""
    who.require(Right.ADMINISTER, ROOT)
    found = _somebody(request, name)
    if found.service or found.disabled is not None:
        raise ConflictError("a service account has no password, and whoever is disabled none that counts")
    secret = _people(request).invite(found, by=who.person.name)
    return InvitedOut(person=_person(found), link=f"/openvet/welcome?invitation={secret}")


@ROUTES.put("/people/{name}/identity", tags=["people"], status_code=204, response_class=Response, responses=CONFLICT)
def connect(request: Request, who: Who, name: Somebody, identity: IdentityIn) -> None:
    """Say who somebody is at the provider; sessions of theirs end."""
    who.require(Right.ADMINISTER, ROOT)
    _people(request).connect(_somebody(request, name), identity.subject, by=who.person.name)


@ROUTES.delete("/people/{name}/identity", tags=["people"], status_code=204, response_class=Response, responses=CONFLICT)
def part(request: Request, who: Who, name: Somebody) -> None:
    """Have somebody be nobody at the provider any more; roles that its groups gave are taken, and sessions end."""
    who.require(Right.ADMINISTER, ROOT)
    _people(request).connect(_somebody(request, name), "", by=who.person.name)


@ROUTES.post("/people/{name}/disabled", tags=["people"], status_code=204, response_class=Response)
def disable(request: Request, who: Who, name: Somebody) -> None:
    """Let somebody in no more, by no way."""
    who.require(Right.ADMINISTER, ROOT)
    found = _somebody(request, name)
    if found.id == who.person.id:
        raise UsageError("nobody disables themselves: there might be nobody left who could take it back")
    _people(request).disable(found, by=who.person.name)


@ROUTES.delete("/people/{name}/disabled", tags=["people"], status_code=204, response_class=Response)
def enable(request: Request, who: Who, name: Somebody) -> None:
    """Let somebody in again; the tokens that have not expired count again, too."""
    who.require(Right.ADMINISTER, ROOT)
    _people(request).enable(_somebody(request, name), by=who.person.name)


# --- projects and roles ---


@ROUTES.get("/projects", tags=["projects"], response_model=Page[ProjectOut], responses=CSV)
def list_projects(request: Request, who: Who, limit: Limit = 1000, after: Skip = 0) -> object:
    """The projects that one may see something in."""
    with _database(request).reading() as connection:
        found = rows.list_projects(connection)
    seen = [each for each in found if who.rights_in(each.path)]
    page = [ProjectOut(path=each.path, title=each.title, added=each.added) for each in seen[after : after + limit]]
    return answer(request, page, str(after + limit) if after + limit < len(seen) else None)


@ROUTES.post("/projects", tags=["projects"], status_code=201, responses=CONFLICT)
def add_project(request: Request, who: Who, new: ProjectIn) -> ProjectOut:
    """Add a project."""
    from openvet.gate.roles import parse_project

    path = parse_project(new.path)
    who.require(Right.ADMINISTER, path)
    made = _people(request).add_project(path, new.title, by=who.person.name)
    return ProjectOut(path=made.path, title=made.title, added=made.added)


@ROUTES.get("/roles", tags=["projects"], response_model=Page[RoleOut], responses=CSV)
def list_roles(
    request: Request,
    who: Who,
    project: Annotated[OfProject, Query()] = ROOT,
    limit: Limit = 1000,
    after: Skip = 0,
) -> object:
    """The roles that hold in a project, those given above it among them."""
    who.require(Right.ADMINISTER, project)
    with _database(request).reading() as connection:
        held = rows.roles_in(connection, project)
        names = {each.person: rows.find_person(connection, id=each.person) for each in held}
    out = [_role(each, person.name) for each in held if (person := names[each.person]) is not None]
    return answer(request, out[after : after + limit], str(after + limit) if after + limit < len(out) else None)


@ROUTES.get("/people/{name}/roles", tags=["people"], response_model=Page[RoleOut], responses=CSV)
def list_roles_of(request: Request, who: Who, name: Somebody, limit: Limit = 1000, after: Skip = 0) -> object:
    """The roles that somebody has, each in its project and below."""
    who.require(Right.ADMINISTER, ROOT)
    found = _somebody(request, name)
    with _database(request).reading() as connection:
        held = rows.roles_of(connection, found.id)
    out = [_role(each, found.name) for each in held[after : after + limit]]
    return answer(request, out, str(after + limit) if after + limit < len(held) else None)


def _role(each: rows.HeldRole, name: str) -> RoleOut:
    return RoleOut(
        name=name,
        project=each.project,
        role=Role(each.role),
        by=each.by,
        group=rows.group_of(each.by),
        added=each.added,
    )


@ROUTES.put("/roles", tags=["projects"], status_code=204, response_class=Response)
def give_role(request: Request, who: Who, role: RoleIn) -> None:
    """Give somebody a role."""
    who.require(Right.ADMINISTER, role.project)
    _people(request).give_role(_somebody(request, role.name, UsageError), role.project, role.role, by=who.person.name)


@ROUTES.post("/roles/taken", tags=["projects"], status_code=204, response_class=Response, responses=CONFLICT)
def take_role(request: Request, who: Who, role: RoleIn) -> None:
    """Take a role from somebody."""
    who.require(Right.ADMINISTER, role.project)
    found = _somebody(request, role.name, UsageError)
    if (found.id, role.role, role.project) == (who.person.id, Role.ADMIN, ROOT):
        raise UsageError("nobody takes the root from themselves: there might be nobody left who could give it back")
    _people(request).take_role(found, role.project, role.role, by=who.person.name)


# --- tokens ---


def _token(each: rows.Token, owner: str) -> TokenOut:
    return TokenOut(
        id=each.id, owner=owner, hint=each.hint, title=each.title, project=each.project, rights=[Right(right) for right in each.rights],
        added=each.added, expires=each.expires, revoked=each.revoked, last_used=each.last_used,
    )  # fmt: skip


def _no_token(who: Identity) -> None:
    """A token that could make tokens would never end."""
    if who.token is not None:
        raise NotAllowedError("tokens are made and revoked by people who are logged in, not by tokens")


@ROUTES.get("/tokens", tags=["tokens"], response_model=Page[TokenOut], responses=CSV)
def list_tokens(
    request: Request,
    who: Who,
    everybody: bool = False,
    limit: Limit = 100,
    after: Annotated[int, Query(ge=0, le=2**53)] = 0,
) -> object:
    """One's own tokens, or everybody's for those who administer the root."""
    if everybody:
        who.require(Right.ADMINISTER, ROOT)
    with _database(request).reading() as connection:
        found = rows.list_tokens(connection, None if everybody else who.person.id, after, limit + 1)
        owners = {each.person: rows.find_person(connection, id=each.person) for each in found}
    out = [_token(each, owner.name if (owner := owners[each.person]) else "") for each in found[:limit]]
    return answer(request, out, str(found[limit - 1].id) if len(found) > limit else None)


@ROUTES.post("/tokens", tags=["tokens"], status_code=201)
def add_token(request: Request, who: Who, new: TokenIn) -> NewTokenOut:
    """Make a token. Its text is in this answer and nowhere else."""
    _no_token(who)
    owner = who.person
    if new.owner and new.owner != owner.name:
        who.require(Right.ADMINISTER, ROOT)
        owner = _somebody(request, new.owner, UsageError)
        if not owner.service:
            raise UsageError("people make their tokens themselves; only a service account's are made for it")
    made, kept = _people(request).add_token(owner, new.title, new.project, new.rights, new.days, by=who.person.name)
    return NewTokenOut(text=made.text, token=_token(kept, owner.name))


@ROUTES.delete("/tokens/{number:row}", tags=["tokens"], status_code=204, response_class=Response, responses=CONFLICT)
def revoke_token(request: Request, who: Who, number: Number) -> None:
    """End a token: one's own, or anybody's for those who administer the root. A token may end itself."""
    if who.token is not None and who.token.id != number:
        _no_token(who)
    of = None if Right.ADMINISTER in who.rights_in(ROOT) else who.person
    _people(request).revoke_token(number, by=who.person.name, of=of)
