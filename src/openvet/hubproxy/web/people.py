"""People, service accounts, projects and roles, for those who administer them."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from openvet.errors import ConflictError, UsageError
from openvet.gate.roles import ROOT, Right, Role, parse_project
from openvet.hubproxy.web.account import RIGHTS
from openvet.hubproxy.web.call import Call, NoPageError, number_of
from openvet.store import people as rows
from openvet.store.acts import ACTS, list_acts

__all__ = [
    "add_person", "add_project", "add_token", "connect", "disable", "enable", "give_role", "invite", "revoke_token", "show_people", "show_person",
    "show_projects", "take_role",
]  # fmt: skip

_PAGE: Final = 100
_ACTS: Final = 20
_DONE: Final = {
    "given": "The role is given.",
    "taken": "The role is taken.",
    "disabled": "They are let in no more, by no way.",
    "enabled": "They are let in again; their tokens that have not expired count again, too.",
    "added": "The project is there.",
    "revoked": "The token counts no more.",
    "connected": "They are who the provider says; with their next login there they get the roles of their groups.",
    "parted": "They are nobody at the provider any more.",
}


# --- people ---


def show_people(call: Call, problem: str = "") -> Response:
    """People and service accounts."""
    call.who.require(Right.ADMINISTER, ROOT)
    after = call.query.text("after")[:200]
    with call.desk.database.reading() as connection:
        found = rows.list_people(connection, after, _PAGE + 1)
        held = {each.id: rows.roles_of(connection, each.id) for each in found[:_PAGE]}
    more = found[_PAGE - 1].name if len(found) > _PAGE else None
    return call.show("people.html", problem=problem, found=found[:_PAGE], held=held, more=more, after=after)


def add_person(call: Call) -> Response:
    """Add somebody; the link to choose a password by stands in this answer alone."""
    call.who.require(Right.ADMINISTER, ROOT)
    sent = call.sent
    made, secret = call.desk.people.add(
        sent.text("name").strip(),
        sent.text("title").strip(),
        service=bool(sent.text("service")),
        by=call.who.person.name,
    )
    if secret is None:
        return call.go(f"people/{made.id}")
    return _person(call, made, link=secret)


def show_person(call: Call, problem: str = "") -> Response:
    """Somebody, with their roles and tokens."""
    call.who.require(Right.ADMINISTER, ROOT)
    return _person(call, _found(call), problem=problem)


def _person(call: Call, person: rows.Person, *, problem: str = "", link: str = "", made: str = "") -> Response:
    with call.desk.database.reading() as connection:
        held = rows.roles_of(connection, person.id)
        projects = rows.list_projects(connection)
        tokens = rows.list_tokens(connection, person.id, limit=1000)
        acts = list_acts(connection, about=person.name, limit=_ACTS)
    now = call.desk.clock()
    base = f"{call.request.url.scheme}://{call.request.url.netloc}"
    return call.show(
        "person.html", problem=problem, person=person, held=held, projects=[each.path for each in projects], roles=[each.value for each in Role],
        link=f"{base}{call.url('welcome', invitation=link)}" if link else "", made=made, done=_DONE.get(call.sent.text("done"), ""),
        tokens=[each for each in tokens if each.revoked is None and each.expires > now], rights=RIGHTS, chosen=[Right.PULL, Right.SEE, Right.ASK],
        group_of=rows.group_of, issuer=person.issuer or "", subject=person.known_as or "",
        acts=acts, words=ACTS,
    )  # fmt: skip


def invite(call: Call) -> Response:
    """A new link for somebody who lost the password."""
    call.who.require(Right.ADMINISTER, ROOT)
    found = _found(call)
    if found.service or found.disabled is not None:
        raise ConflictError("a service account has no password, and whoever is disabled none that counts")
    return _person(call, found, link=call.desk.people.invite(found, by=call.who.person.name))


def connect(call: Call) -> Response:
    """Say who somebody is at the provider."""
    call.who.require(Right.ADMINISTER, ROOT)
    found, subject = _found(call), call.sent.text("subject").strip()
    call.desk.people.connect(found, subject, by=call.who.person.name)
    return call.go(f"people/{found.id}", done="connected" if subject else "parted")


def disable(call: Call) -> Response:
    """Let somebody in no more."""
    call.who.require(Right.ADMINISTER, ROOT)
    found = _found(call)
    if found.id == call.who.person.id:
        raise UsageError("nobody disables themselves: there might be nobody left who could take it back")
    call.desk.people.disable(found, by=call.who.person.name)
    return call.go(f"people/{found.id}", done="disabled")


def enable(call: Call) -> Response:
    """Let somebody in again."""
    call.who.require(Right.ADMINISTER, ROOT)
    found = _found(call)
    call.desk.people.enable(found, by=call.who.person.name)
    return call.go(f"people/{found.id}", done="enabled")


def add_token(call: Call) -> Response:
    """A token for a service account; its text stands in this answer alone."""
    call.who.require(Right.ADMINISTER, ROOT)
    found, days = _found(call), number_of(call.sent.text("days"))
    if not found.service:
        raise UsageError("people make their tokens themselves; only a service account's are made for it")
    if days is None:
        raise UsageError("say for how many days the token should count: 1 to 366")
    try:
        rights = [Right(each) for each in call.sent.all("right")]
    except ValueError:
        raise UsageError("a token cannot be for that") from None
    title = " ".join(call.sent.text("title").split())
    new, _ = call.desk.people.add_token(
        found, title, call.sent.text("project", ROOT), rights, days, by=call.who.person.name
    )
    return _person(call, found, made=new.text)


def revoke_token(call: Call) -> Response:
    """End a token of anybody."""
    call.who.require(Right.ADMINISTER, ROOT)
    found, token = _found(call), number_of(call.sent.text("token"))
    if token is None:
        raise UsageError("say which token")
    call.desk.people.revoke_token(token, by=call.who.person.name, of=found)
    return call.go(f"people/{found.id}", done="revoked")


def _found(call: Call) -> rows.Person:
    with call.desk.database.reading() as connection:
        found = rows.find_person(connection, id=call.number)
    if found is None:
        raise NoPageError("There is nobody of that number.")
    return found


# --- projects and roles ---


def show_projects(call: Call, problem: str = "") -> Response:
    """The projects that somebody may see something in, and who has which role in those that they administer."""
    who = call.who
    with call.desk.database.reading() as connection:
        seen = [each for each in rows.list_projects(connection) if who.rights_in(each.path)]
        mine = [each.path for each in seen if Right.ADMINISTER in who.rights_in(each.path)]
        held = {path: rows.roles_in(connection, path) for path in mine}
        people = {each.person for found in held.values() for each in found}
        names = {each: person for each in people if (person := rows.find_person(connection, id=each)) is not None}
    return call.show(
        "projects.html", problem=problem, seen=seen, mine=mine, held=held, names=names, roles=[each.value for each in Role],
        done=_DONE.get(call.sent.text("done"), ""), group_of=rows.group_of,
    )  # fmt: skip


def add_project(call: Call) -> Response:
    """Add a project."""
    path = parse_project(call.sent.text("path").strip())
    call.who.require(Right.ADMINISTER, path)
    call.desk.people.add_project(path, call.sent.text("title").strip(), by=call.who.person.name)
    return call.go("projects", done="added")


def give_role(call: Call) -> Response:
    """Give somebody a role."""
    name, project, role = _role(call)
    call.desk.people.give_role(name, project, role, by=call.who.person.name)
    return _back(call, name, "given")


def take_role(call: Call) -> Response:
    """Take a role from somebody."""
    name, project, role = _role(call)
    if (name.id, role, project) == (call.who.person.id, Role.ADMIN, ROOT):
        raise UsageError("nobody takes the root from themselves: there might be nobody left who could give it back")
    call.desk.people.take_role(name, project, role, by=call.who.person.name)
    return _back(call, name, "taken")


def _role(call: Call) -> tuple[rows.Person, str, Role]:
    project = parse_project(call.sent.text("project").strip())
    call.who.require(Right.ADMINISTER, project)
    with call.desk.database.reading() as connection:
        found = rows.find_person(connection, call.sent.text("name").strip())
    if found is None:
        raise UsageError("there is nobody of that name")
    try:
        return found, project, Role(call.sent.text("role"))
    except ValueError:
        raise UsageError("there is no such role") from None


def _back(call: Call, person: rows.Person, done: str) -> Response:
    return call.go(f"people/{person.id}" if call.sent.text("from") == "person" else "projects", done=done)
