"""``openvet hub people|projects|roles|tokens``: who may do what at a gate."""

from __future__ import annotations

import click

from openvet.cli.hub_door import gate_options, most_option, open_gate, print_found, tell

__all__ = ["people", "projects", "roles", "tokens"]

_ROLES = ("viewer", "submitter", "reviewer", "approver", "auditor", "admin")
_PROJECT = click.option("--project", metavar="PATH", default="/", show_default=True, help="In which project and below.")


@click.group(short_help="List, add and disable people.")
def people() -> None:
    """List, add and disable people and service accounts."""


@people.command("list", short_help="List people and service accounts.")
@most_option
@gate_options
def list_people(limit: int, server: str | None, form: str) -> None:
    """List people and service accounts by name."""
    from openvet.cli.hub_text import moment, table

    gate = open_gate(server)
    found = gate.every("/people", limit, limit=min(limit, 1000))
    rows = [
        {"name": each["name"], "kind": "service" if each["service"] else "person", "added": moment(each["added"]), "disabled": moment(each["disabled"]), "title": each["title"]}
        for each in found
    ]  # fmt: skip
    print_found(form, gate, {"people": found}, lambda look: table(rows, look))


@people.command("add", short_help="Add somebody.")
@click.argument("name", metavar="NAME")
@click.option("--title", metavar="TEXT", default="", help="How people call them.")
@click.option("--service", is_flag=True, help="A program: it has tokens and no password.")
@gate_options
def add_person(name: str, title: str, service: bool, server: str | None, form: str) -> None:
    """Add somebody. The link by which they choose a password is printed once: send it to them."""
    gate = open_gate(server)
    made = gate.send("POST", "/people", {"name": name, "title": title, "service": service})
    lines = [f"added {made['person']['name']}"]
    if made["link"]:
        lines.append(f"  they choose a password within three days at {gate.server}{made['link']}")
    print_found(form, gate, {"invited": made}, tell(lines))


@people.command(short_help="Make a new link for somebody who lost the password.")
@click.argument("name", metavar="NAME")
@gate_options
def invite(name: str, server: str | None, form: str) -> None:
    """Make a new link for somebody who lost the password. It is printed once."""
    gate = open_gate(server)
    made = gate.send("POST", f"/people/{_quoted(name)}/invitation")
    print_found(form, gate, {"invited": made}, tell([f"{made['person']['name']}: {gate.server}{made['link']}"]))


@people.command(short_help="Let somebody in no more.")
@click.argument("name", metavar="NAME")
@gate_options
def disable(name: str, server: str | None, form: str) -> None:
    """Let somebody in no more, by no way. What they decided stays theirs."""
    gate = open_gate(server)
    gate.send("POST", f"/people/{_quoted(name)}/disabled")
    print_found(form, gate, {"done": [name]}, tell([f"{name} is disabled"]))


@people.command(short_help="Let somebody in again.")
@click.argument("name", metavar="NAME")
@gate_options
def enable(name: str, server: str | None, form: str) -> None:
    """Let somebody in again; the tokens that have not expired count again, too."""
    gate = open_gate(server)
    gate.send("DELETE", f"/people/{_quoted(name)}/disabled")
    print_found(form, gate, {"done": [name]}, tell([f"{name} is let in again"]))


@click.group(short_help="List and add projects.")
def projects() -> None:
    """List and add projects. A project is a path: /vision/ocr lies below /vision, and roles hold below where they are given."""


@projects.command("list", short_help="List projects.")
@gate_options
def list_projects(server: str | None, form: str) -> None:
    """List the projects in which you may do something."""
    from openvet.cli.hub_text import table

    gate = open_gate(server)
    found = gate.every("/projects", 1_000_000)
    rows = [{"project": each["path"], "title": each["title"]} for each in found]
    print_found(form, gate, {"projects": found}, lambda look: table(rows, look) or "there is none\n")


@projects.command("add", short_help="Add a project.")
@click.argument("path", metavar="PATH")
@click.option("--title", metavar="TEXT", default="", help="How people call it.")
@gate_options
def add_project(path: str, title: str, server: str | None, form: str) -> None:
    """Add the project PATH below one that is there."""
    gate = open_gate(server)
    made = gate.send("POST", "/projects", {"path": path, "title": title})
    print_found(form, gate, {"projects": [made]}, tell([f"added the project {made['path']}"]))


@click.group(short_help="List, give and take roles.")
def roles() -> None:
    """List, give and take roles.

    A viewer sees; a submitter pulls and asks; a reviewer recommends; an approver decides; an auditor reads the log; an admin looks after
    people, and does not decide.
    """


@roles.command("list", short_help="List the roles that hold in a project.")
@_PROJECT
@gate_options
def list_roles(project: str, server: str | None, form: str) -> None:
    """List the roles that hold in a project, those given above it among them."""
    from openvet.cli.hub_text import moment, table

    gate = open_gate(server)
    found = gate.every("/roles", 1_000_000, project=project)
    rows = [
        {"name": each["name"], "role": each["role"], "project": each["project"], "since": moment(each["added"]), "given by": each["by"]}
        for each in found
    ]  # fmt: skip
    print_found(form, gate, {"roles": found}, lambda look: table(rows, look) or "nobody has a role there\n")


@roles.command(short_help="Give somebody a role.")
@click.argument("name", metavar="NAME")
@click.argument("role", metavar="ROLE", type=click.Choice(_ROLES))
@_PROJECT
@gate_options
def give(name: str, role: str, project: str, server: str | None, form: str) -> None:
    """Give NAME the ROLE: viewer, submitter, reviewer, approver, auditor or admin."""
    gate = open_gate(server)
    gate.send("PUT", "/roles", {"name": name, "role": role, "project": project})
    print_found(form, gate, {"done": [name]}, tell([f"{name} is {role} in {project}"]))


@roles.command(short_help="Take a role from somebody.")
@click.argument("name", metavar="NAME")
@click.argument("role", metavar="ROLE", type=click.Choice(_ROLES))
@_PROJECT
@gate_options
def take(name: str, role: str, project: str, server: str | None, form: str) -> None:
    """Take the ROLE from NAME, where it was given. All tokens lose it at that moment."""
    gate = open_gate(server)
    gate.send("POST", "/roles/taken", {"name": name, "role": role, "project": project})
    print_found(form, gate, {"done": [name]}, tell([f"{name} is no {role} in {project} any more"]))


@click.group(short_help="List and revoke tokens.")
def tokens() -> None:
    """List and revoke tokens. New ones are made in the browser: a token that could make tokens would never end."""


@tokens.command("list", short_help="List tokens.")
@click.option("--everybody", is_flag=True, help="Those of everybody, for who administers the gate.")
@most_option
@gate_options
def list_tokens(everybody: bool, limit: int, server: str | None, form: str) -> None:
    """List your tokens: how they begin, what for, until when, and when they were used last. No token is shown."""
    from openvet.cli.hub_text import moment, table

    gate = open_gate(server)
    found = gate.every("/tokens", limit, everybody="true" if everybody else None, limit=min(limit, 1000))
    rows = [
        {"token": str(each["id"]), "begins": each["hint"], "owner": each["owner"], "project": each["project"], "rights": " ".join(each["rights"]), "expires": moment(each["expires"]), "revoked": moment(each["revoked"]), "last used": moment(each["last_used"])}
        for each in found
    ]  # fmt: skip
    print_found(form, gate, {"tokens": found}, lambda look: table(rows, look) or "there is none\n")


@tokens.command("revoke", short_help="End a token.")
@click.argument("number", metavar="N", type=click.IntRange(1, 2**53))
@gate_options
def revoke_token(number: int, server: str | None, form: str) -> None:
    """End token N, by its number in the list. The token that asks can only end itself."""
    gate = open_gate(server)
    gate.send("DELETE", f"/tokens/{number}")
    print_found(form, gate, {"done": [str(number)]}, tell([f"token {number} is revoked"]))


def _quoted(name: str) -> str:
    from urllib.parse import quote

    return quote(name, safe="")
