"""``openvet hub``: ask a gate for models, decide what others asked for, see what is used, and look after people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from openvet.cli.hub_door import (
    DONE,
    PARTLY,
    begin_of,
    gate_options,
    most_option,
    open_gate,
    print_found,
    project_option,
    tell,
    until_of,
)

if TYPE_CHECKING:
    from openvet.workflows.gate_client import GateClient

__all__ = ["hub"]

_STATES = ("blocked", "asked", "approved", "declined", "withdrawn")
_STANDINGS = ("open", "admitted", "refused", "revoked")
_EVENTS = ("listed", "vetting", "advisory", "policy", "request", "approval", "exception", "revocation", "end", "pull", "log")  # fmt: skip
_EXIT = {"admitted": 0, "refused": 1, "revoked": 1, "open": 3}
_PATH = click.Path(readable=False)
_NUMBER = click.IntRange(1, 2**53)


@click.group(short_help="Ask a gate for models, and decide what others asked for.")
def hub() -> None:
    """Ask a gate for models, decide what others asked for, and look after people.

    A gate is what `openvet serve` runs: models are pulled through it, and what policy does not admit has to be approved by people. Which
    gate is said by --server, OPENVET_SERVER or HF_ENDPOINT, and who you are by a token of it in OPENVET_TOKEN or HF_TOKEN.

    \b
    Examples:
      openvet hub status org/model
      openvet hub request org/model --purpose "Reads invoices" --environment staging
      openvet hub requests --state asked
      openvet hub show 17
      openvet hub approve 17 18 --reason "Read the report" --until 2027-01-31
      openvet hub decline 19 --reason "No licence for this use"
      openvet hub revoke org/model@3f2a9c1d --reason "A backdoor was published"
      openvet hub models --standing refused --search bert
      openvet hub timeline org/model --kind approval --kind revocation
      openvet hub caches --standing revoked
      openvet hub lineage --troubled
      openvet hub revocations --output revocations.json
      openvet hub people add zoe --title "Zoe Adams"
      openvet hub roles give zoe reviewer --project /vision

    \b
    Exit codes:
      0    done; for status: it may be had
      1    some of it was not done, and each says why; for status: it may not be had
      3    for status: nothing is decided yet
      2    nothing was done: you may not, the gate does not answer, or the command makes no sense
    """  # noqa: D301


# --- asking ---


@hub.command(short_help="Ask for a model that is not admitted.")
@click.argument("model", metavar="MODEL[@REVISION]")
@click.option("--purpose", metavar="TEXT", required=True, help="What you want it for, in a sentence.")
@click.option("--environment", metavar="TEXT", default="", help="Where it will run.")
@project_option("For which project; the token's, if not given.")
@click.option("--until", metavar="DATE", help="The last day on which you want it (2027-01-31).")
@gate_options
def request(
    model: str, purpose: str, environment: str, project: str, until: str | None, server: str | None, form: str
) -> None:
    """Ask for MODEL, as it is at a commit, a branch or a tag; the commit that a branch is now is what is asked for.

    A pull that was stopped is a request already, and waits for its purpose: this gives it one.
    """
    from openvet.cli.hub_text import named
    from openvet.workflows.gate_client import ModelName

    gate = open_gate(server)
    found = gate.revision(ModelName.parse(model))
    body = {
        "kind": found["kind"], "name": found["name"], "commit": found["commit"], "purpose": purpose, "environment": environment,
        "project": project, "until": until_of(until),
    }  # fmt: skip
    made = gate.send("POST", "/requests", body)
    text = tell([f"request {made['id']}: {named(made)} for {made['project']}; openvet hub show {made['id']} says how it stands"])  # fmt: skip
    print_found(form, gate, {"request": made}, text)


@hub.command("requests", short_help="List requests.")
@click.option("--state", "states", type=click.Choice(_STATES), multiple=True, help="Only those in this state. May be repeated.")  # fmt: skip
@click.option("--search", metavar="TEXT", default="", help="Only models with this in their names.")
@click.option("--ending", metavar="DAYS", type=click.IntRange(1, 366), help="Only approvals that end within so many days, to be asked for anew.")  # fmt: skip
@most_option
@gate_options
def requests_(
    states: tuple[str, ...], search: str, ending: int | None, limit: int, server: str | None, form: str
) -> None:
    """List the requests that you may see, the newest first."""
    from openvet.cli.hub_text import moment, named, table

    gate = open_gate(server)
    found = gate.every("/requests", limit, state=states, search=search, ending=ending, limit=min(limit, 1000))
    rows = [
        {"request": str(each["id"]), "state": each["state"], "model": named(each), "project": each["project"], "by": each["asker"], "since": moment(each["added"]), "purpose": each["purpose"]}
        for each in found
    ]  # fmt: skip
    print_found(form, gate, {"requests": found}, lambda look: table(rows, look) or "there is no such request\n")


@hub.command(short_help="Show a request, with all that was said.")
@click.argument("number", metavar="N", type=_NUMBER)
@gate_options
def show(number: int, server: str | None, form: str) -> None:
    """Show request N: who asks for what and why, what others say, and what is missing."""
    from openvet.cli.hub_text import request_page

    gate = open_gate(server)
    found = gate.get(f"/requests/{number}")
    print_found(form, gate, {"shown": found}, lambda look: request_page(found, look))


@hub.command(short_help="Say something about a request.")
@click.argument("number", metavar="N", type=_NUMBER)
@click.argument("text", metavar="TEXT")
@click.option("--for", "says", flag_value="for", help="Recommend to approve it.")
@click.option("--against", "says", flag_value="against", help="Recommend to decline it.")
@gate_options
def comment(number: int, text: str, says: str | None, server: str | None, form: str) -> None:
    """Say TEXT about request N, or recommend."""
    gate = open_gate(server)
    made = gate.send("POST", f"/requests/{number}/comments", {"text": text, "says": says or "comment"})
    print_found(form, gate, {"voice": made}, tell([f"request {number}: {made['name']} says {made['says']}"]))


@hub.command(short_help="Take your own request back.")
@click.argument("number", metavar="N", type=_NUMBER)
@gate_options
def withdraw(number: int, server: str | None, form: str) -> None:
    """Take your own request N back."""
    gate = open_gate(server)
    made = gate.send("POST", f"/requests/{number}/withdrawal")
    print_found(form, gate, {"request": made}, tell([f"request {number}: withdrawn"]))


# --- deciding ---


@hub.command(short_help="Approve requests.")
@click.argument("numbers", metavar="N...", type=_NUMBER, nargs=-1, required=True)
@click.option("--reason", metavar="TEXT", required=True, help="Why: it is signed with the decision.")
@click.option("--conditions", metavar="TEXT", default="", help="What you ask for in return.")
@click.option("--until", metavar="DATE", help="The last day on which it holds. What policy rejects needs one.")
@gate_options
@click.pass_context
def approve(
    ctx: click.Context,
    /,
    numbers: tuple[int, ...],
    reason: str,
    conditions: str,
    until: str | None,
    server: str | None,
    form: str,
) -> None:
    """Approve requests N, each for itself. Nobody approves what they asked for themselves."""
    body = {"decision": "approve", "reason": reason, "conditions": conditions, "until": until_of(until)}
    ctx.exit(_decide(numbers, body, server, form))


@hub.command(short_help="Decline requests.")
@click.argument("numbers", metavar="N...", type=_NUMBER, nargs=-1, required=True)
@click.option("--reason", metavar="TEXT", required=True, help="Why: whoever asked reads it.")
@gate_options
@click.pass_context
def decline(ctx: click.Context, /, numbers: tuple[int, ...], reason: str, server: str | None, form: str) -> None:
    """Decline requests N, each for itself."""
    ctx.exit(_decide(numbers, {"decision": "decline", "reason": reason}, server, form))


def _decide(numbers: Sequence[int], body: dict[str, Any], server: str | None, form: str) -> int:
    gate = open_gate(server)
    found = gate.send("POST", "/requests/decisions", {"requests": list(dict.fromkeys(numbers)), **body})
    lines = []
    for each in found["done"]:
        missing = f"; {each['missing']} more to approve" if each["missing"] else ""
        lines.append(f"request {each['request']}: {'heard' if missing else each['state']}{missing}")
    lines += [f"request {each['request']}: not done: {each['detail']}" for each in found["refused"]]
    print_found(form, gate, found, tell(lines))
    return PARTLY if found["refused"] else DONE


@hub.command(short_help="Revoke models: nobody gets them any more.")
@click.argument("models", metavar="MODEL@COMMIT...", nargs=-1, required=True)
@click.option("--reason", metavar="TEXT", required=True, help="Why: whoever is stopped reads it.")
@project_option("In which project and below; the token's, if not given.")
@gate_options
@click.pass_context
def revoke(
    ctx: click.Context, /, models: tuple[str, ...], reason: str, project: str, server: str | None, form: str
) -> None:
    """Revoke commits of models, whatever was decided before. Only a later approval takes it back.

    What rests on them, by the bases that models name, is told and not revoked.
    """
    gate = open_gate(server)
    from openvet.cli.hub_text import named

    ids = _revisions(gate, models, commit=True)
    found = gate.send("POST", "/revocations", {"revisions": list(ids), "reason": reason, "project": project})
    more = [f"{named(each)}: rests on it by {each['base']} ({each['evidence']}), and stays {each['standing']}" for each in found.get("rests", ())]  # fmt: skip
    if found.get("resting", 0) > len(more):
        more.append(f"and {found['resting'] - len(more)} more: openvet hub lineage MODEL lists what is built on it")
    ctx.exit(_done(gate, found, ids, "revoked", form, more))


@hub.command(short_help="Have models vetted anew.")
@click.argument("models", metavar="MODEL[@REVISION]...", nargs=-1, required=True)
@project_option("As somebody of which project; the token's, if not given.")
@gate_options
@click.pass_context
def vet(ctx: click.Context, /, models: tuple[str, ...], project: str, server: str | None, form: str) -> None:
    """Have models vetted, again where they were: with today's rules, advisories and policy."""
    gate = open_gate(server)
    ids = _revisions(gate, models, commit=False)
    found = gate.send("POST", "/vettings", {"revisions": list(ids), "project": project})
    ctx.exit(_done(gate, found, ids, "is vetted; openvet hub status says what comes of it", form))


def _revisions(gate: GateClient, models: Sequence[str], *, commit: bool) -> dict[int, str]:
    """The numbers of what is named, each with its name."""
    from openvet.cli.hub_text import named
    from openvet.errors import UsageError
    from openvet.workflows.gate_client import ModelName

    parsed = [ModelName.parse(each) for each in models]
    for each in parsed:
        if commit and not (len(each.revision) >= 7 and set(each.revision) <= set("0123456789abcdef")):
            raise UsageError(
                f"{each}: write the commit, {each}@3f2a9c1d: a branch is another one tomorrow; openvet hub status shows it"
            )
    found = [gate.revision(each) for each in parsed]
    return {each["id"]: named(each) for each in found}


def _done(
    gate: GateClient, found: dict[str, Any], ids: dict[int, str], word: str, form: str, more: Sequence[str] = ()
) -> int:
    lines = [f"{ids.get(each['revision'], each['revision'])}: {word}" for each in found["done"]]
    lines += [f"{ids.get(each['revision'], each['revision'])}: not done: {each['detail']}" for each in found["refused"]]
    print_found(form, gate, found, tell([*lines, *more]))
    return PARTLY if found["refused"] else DONE


# --- looking ---


@hub.command(short_help="List models and how they stand.")
@click.option("--standing", type=click.Choice(_STANDINGS), multiple=True, help="Only those that stand so. May be repeated.")  # fmt: skip
@click.option("--search", metavar="TEXT", default="", help="Only those with this in their names.")
@click.option("--license", "license_", metavar="TEXT", default="", help="Only those that declare a licence with this in it.")  # fmt: skip
@click.option("--rule", metavar="ID", default="", help="Only those in which this rule found something.")
@click.option("--advisory", metavar="ID", default="", help="Only those that this advisory hits.")
@click.option("--kind", type=click.Choice(["model", "dataset"]), help="Only models, or only data sets.")
@click.option("--newest", is_flag=True, help="The newest first, and not by name.")
@project_option("In which project; the token's, if not given.")
@most_option
@gate_options
def models(
    standing: tuple[str, ...],
    search: str,
    license_: str,
    rule: str,
    advisory: str,
    kind: str | None,
    newest: bool,
    project: str,
    limit: int,
    server: str | None,
    form: str,
) -> None:
    """List the models and data sets that the gate knows, each by its newest revision."""
    from openvet.cli.hub_text import named, table

    gate = open_gate(server)
    found = gate.every(
        "/models", limit, standing=standing, search=search, license=license_, rule=rule, advisory=advisory, kind=kind, project=project,
        order="newest" if newest else "name", limit=min(limit, 1000),
    )  # fmt: skip

    def findings(each: dict[str, Any]) -> str:
        if each["verdict"] is None:
            return ""
        return ", ".join(f"{each[name]} {name}" for name in ("critical", "high", "medium", "low") if each[name]) or "none"  # fmt: skip

    rows = [{"standing": each["standing"], "model": named(each), "licence": each["license"] or "", "findings": findings(each)} for each in found]  # fmt: skip
    print_found(form, gate, {"models": found}, lambda look: table(rows, look) or "there is no such model\n")


@hub.command(short_help="Say how a model stands, why, and what to do next.")
@click.argument("model", metavar="MODEL[@REVISION]")
@project_option("In which project; the token's, if not given.")
@gate_options
@click.pass_context
def status(ctx: click.Context, /, model: str, project: str, server: str | None, form: str) -> None:
    """Say how MODEL stands at the gate, why, and what to do next.

    \b
    Exit codes:
      0    it may be had
      1    it may not
      3    nothing is decided yet
      2    the command itself failed
    """  # noqa: D301
    from openvet.cli.hub_text import standing_page
    from openvet.workflows.gate_client import ModelName

    gate = open_gate(server)
    number = gate.revision(ModelName.parse(model), project)["id"]
    found = gate.get(f"/revisions/{number}", project=project)
    print_found(form, gate, {"status": found}, lambda look: standing_page(found, look))
    ctx.exit(_EXIT[found["revision"]["standing"]])


@hub.command(short_help="List what happened to a model, the latest first.")
@click.argument("model", metavar="MODEL[@REVISION]")
@click.option("--kind", type=click.Choice(_EVENTS), metavar="KIND", multiple=True, help=f"Only this: {', '.join(_EVENTS[:-1])} or {_EVENTS[-1]}. May be repeated.")  # fmt: skip
@click.option("--by", metavar="TEXT", default="", help="Only what somebody did with this in their name.")
@click.option("--since", metavar="YYYY-MM-DD", help="Only from this day on.")
@most_option
@gate_options
def timeline(
    model: str, kind: tuple[str, ...], by: str, since: str | None, limit: int, server: str | None, form: str
) -> None:
    """List what happened to MODEL at the gate: vettings, advisories that came or went, requests, decisions, pulls, the log; the latest first.

    Each is shown with the number of the decision whose signed statement is behind it, where there is one.
    """
    from openvet.cli.hub_text import event_rows, table
    from openvet.workflows.gate_client import ModelName

    begin = None if since is None else begin_of(since)
    gate = open_gate(server)
    number = gate.revision(ModelName.parse(model))["id"]
    found = gate.every(f"/revisions/{number}/timeline", limit, kind=kind, by=by, since=begin, limit=min(limit, 1000))
    print_found(form, gate, {"timeline": found}, lambda look: table(event_rows(found), look) or "nothing like that happened\n")  # fmt: skip


@hub.command(short_help="List who had which models, and with which clients.")
@click.option("--search", metavar="TEXT", default="", help="Only models with this in their names.")
@click.option("--person", metavar="NAME", default="", help="Only what this person had.")
@click.option("--client", metavar="TEXT", default="", help="Only with clients that say this, such as torch/2.5.")
@project_option("Only what was pulled for it, and for projects below it.")
@click.option("--by-project", is_flag=True, help="Count it for each project, those below it counted in.")
@most_option
@gate_options
def uses(
    search: str, person: str, client: str, project: str, by_project: bool, limit: int, server: str | None, form: str
) -> None:
    """List who had which models, for which project, whoever pulled last first, and which of their loaders have known problems.

    A pull is for the project of the token that it came with. Of pulls before a gate kept that, it is not known.
    """
    from openvet.cli.hub_text import moment, named, table

    gate = open_gate(server)
    which = {"search": search, "person": person, "client": client, "project": project, "limit": min(limit, 1000)}
    if by_project:
        found = gate.every("/uses/projects", limit, **which)
        rows = [
            {"project": _project(each), "models": str(each["models"]), "people": str(each["people"]), "files": str(each["files"]), "last": moment(each["last_at"])}
            for each in found
        ]  # fmt: skip
        print_found(form, gate, {"used": found}, lambda look: table(rows, look) or "nothing was pulled\n")
        return
    found = gate.every("/uses", limit, **which)
    rows = [
        {"person": each["person"] or "unknown", "project": _project(each), "model": named(each), "files": str(each["files"]), "last": moment(each["last_at"]), "clients": " ".join(f"{name} {version}" for name, version in each["clients"].items()), "problems": str(len(each["vulnerable"]) or "")}
        for each in found
    ]  # fmt: skip
    print_found(form, gate, {"uses": found}, lambda look: table(rows, look) or "nothing was pulled\n")


def _project(each: dict[str, Any]) -> str:
    """For which project something was pulled; a gate of before does not say."""
    project = each.get("project")
    return "unknown" if project is None else project or "another"


@hub.command(short_help="List what lies in the caches of machines.")
@click.option("--standing", type=click.Choice([*_STANDINGS, "unknown"]), multiple=True, help="Only what stands so. May be repeated.")  # fmt: skip
@click.option("--search", metavar="TEXT", default="", help="Only models with this in their names.")
@click.option("--person", metavar="NAME", default="", help="Only on machines of this person.")
@click.option("--machine", metavar="NAME", default="", help="Only on this machine.")
@project_option("In which project it stands so; the token's, if not given.")
@most_option
@gate_options
def caches(
    standing: tuple[str, ...], search: str, person: str, machine: str, project: str, limit: int, server: str | None, form: str
) -> None:  # fmt: skip
    """List what lies in caches of machines, by what `openvet cache report --send` told, and how it stands now."""
    from openvet.cli.hub_text import moment, named, table

    gate = open_gate(server)
    found = gate.every(
        "/cached", limit, standing=standing, search=search, person=person, machine=machine, project=project, limit=min(limit, 1000)
    )  # fmt: skip
    rows = [
        {"standing": each["standing"], "model": named(each), "person": each["person"], "machine": each["machine"], "told": moment(each["at"]), "last used": moment(each["last_used"])}
        for each in found
    ]  # fmt: skip
    print_found(form, gate, {"caches": found}, lambda look: table(rows, look) or "there is none\n")


@hub.command(short_help="List what is built on what.")
@click.argument("model", metavar="[MODEL[@REVISION]]", required=False)
@click.option("--standing", type=click.Choice(_STANDINGS), multiple=True, help="Only what is built and stands so. May be repeated.")  # fmt: skip
@click.option("--search", metavar="TEXT", default="", help="Only bases with this in their names.")
@click.option("--troubled", is_flag=True, help="Only bases that are revoked or hit by an advisory.")
@project_option("In which project; the token's, if not given.")
@most_option
@gate_options
def lineage(
    model: str | None, standing: tuple[str, ...], search: str, troubled: bool, project: str, limit: int, server: str | None, form: str
) -> None:  # fmt: skip
    """List the bases that models name, those first that most name; or what was built on MODEL, and what MODEL was made of.

    What files name is a claim, unless the weights of both were compared. MODEL may be one that never came through this gate.
    """
    from openvet.cli.hub_text import lineage_page, table
    from openvet.errors import UsageError
    from openvet.workflows.gate_client import ModelName

    gate = open_gate(server)
    some = min(limit, 1000)
    if model is None:
        found = gate.every(
            "/lineage/bases", limit, standing=standing, search=search, troubled="true" if troubled else "", project=project, limit=some
        )  # fmt: skip
        rows = [
            {"standing": each["standing"], "base": each["name"], "models": str(each["models"]), "admitted": str(each["admitted"]), "licence": each["license"] or "", "revoked": str(each["revoked"] or ""), "advisories": " ".join(each["advisories"])}
            for each in found
        ]  # fmt: skip
        print_found(form, gate, {"bases": found}, lambda look: table(rows, look) or "there is no such base\n")
        return
    if search or troubled:
        raise UsageError("--search and --troubled are about the list of bases: leave MODEL out")
    name = ModelName.parse(model)
    built = gate.every(
        "/lineage", limit, base=name.name, kind=name.kind, standing=standing, project=project, limit=some
    )
    known = gate.every("/revisions", 1, kind=name.kind, name=name.name, ref=name.revision, project=project, limit=1)
    made = gate.every("/lineage", limit, revision=known[0]["id"], project=project, limit=some) if known else []
    print_found(form, gate, {"built": built, "made": made}, lambda look: lineage_page(str(name), built, made, look))


@hub.command(short_help="Fetch the list of what is revoked, for where no gate is reached.")
@click.option("--output", "-o", metavar="FILE", type=_PATH, required=True, help="Where to write it, in place of an earlier one.")  # fmt: skip
@click.option("--key", metavar="FILE", type=_PATH, help="The public key of the gate, which has to have signed it; else that is not verified.")  # fmt: skip
@click.option("--proof", metavar="FILE", type=_PATH, help="Where to write the proof that it is in the log of the gate.")
@click.option("--force", is_flag=True, help="Replace whatever lies there, also a newer list.")
@project_option("What is revoked in which project; the token's, if not given.")
@gate_options
@click.pass_context
def revocations(
    ctx: click.Context,
    /,
    output: str,
    key: str | None,
    proof: str | None,
    force: bool,
    project: str,
    server: str | None,
    form: str,
) -> None:
    """Fetch the signed list of what is revoked. It is carried to where no gate is reached: openvet cache verify --revocations.

    \b
    Exit codes:
      0    it is written
      1    it is not verified, or older than the one that lies there; or there is no proof of it yet
      2    the command itself failed
    """  # noqa: D301
    from openvet.errors import VerifyError
    from openvet.workflows.keys import read_public
    from openvet.workflows.revocations import fetch_list

    gate = open_gate(server, anonymous=True)
    try:
        found, proven = fetch_list(gate, output, None if key is None else read_public(key), project, proof=proof, force=force)  # fmt: skip
    except VerifyError as error:
        refused = {"reason": error.reason, "message": error.message}
        print_found(form, gate, {"unverified": refused}, tell([f"not verified: {error.reason}: {error.message}; nothing was written"]))  # fmt: skip
        ctx.exit(PARTLY)
    said = found.said
    lines = [
        f"{found.file}: list {said.number:,} of {found.gate} for {said.project}: {len(said.revoked):,} revoked, made {said.at}, to be relied on until {said.until}",
        *([] if key else ["it was not verified who signed it: --key FILE does, and openvet cache verify will"]),
        *(
            []
            if proven or proof is None
            else ["it is not in the log of the gate yet, so there is no proof: ask again in a moment"]
        ),
    ]
    print_found(form, gate, {"revocations": {**found.to_json(), "proof": proof if proven else None}}, tell(lines))
    ctx.exit(DONE if proven or proof is None else PARTLY)


def _add_groups() -> None:
    from openvet.cli.hub_people import people, projects, roles, tokens

    for each in (people, projects, roles, tokens):
        hub.add_command(each)


_add_groups()
