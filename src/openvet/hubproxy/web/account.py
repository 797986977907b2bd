"""One's own account: who one is here, and the tokens that programs use."""

from __future__ import annotations

from starlette.responses import Response

from openvet.errors import UsageError
from openvet.gate.roles import ROOT, Right, Role
from openvet.hubproxy.web.call import Call, number_of
from openvet.store import people as rows
from openvet.store.acts import ACTS, list_acts

__all__ = ["add_token", "revoke_token", "show"]

#: What a token may be for, in words.
RIGHTS = {
    Right.PULL: "pull what is admitted",
    Right.SEE: "see models, reports and decisions",
    Right.ASK: "ask for models",
    Right.VET: "have models vetted",
    Right.RECOMMEND: "recommend for or against",
    Right.DECIDE: "approve, decline and revoke",
    Right.AUDIT: "read the audit log",
    Right.ADMINISTER: "administer people and projects",
}
_DONE = {"revoked": "The token counts no more."}


def show(call: Call, problem: str = "", made: str = "") -> Response:
    """The account."""
    who = call.who
    with call.desk.database.reading() as connection:
        tokens = list(rows.list_tokens(connection, who.person.id, limit=1000))[::-1]
        projects = [each.path for each in rows.list_projects(connection) if who.rights_in(each.path)]
        acts = list_acts(connection, about=who.person.name, limit=20)
    held = {right for path in projects for right in who.rights_in(path)}
    rights = {each: text for each, text in RIGHTS.items() if each in held}
    grants = sorted((each.project, Role(each.role).value) for each in who.grants)
    counting = [each for each in tokens if each.revoked is None and each.expires > call.desk.clock()]
    return call.show(
        "account.html", problem=problem, made=made, tokens=counting, over=len(tokens) - len(counting), projects=projects, rights=rights,
        grants=grants, acts=acts, words=ACTS, done=_DONE.get(call.sent.text("done"), ""), chosen=call.sent.all("right") or [Right.PULL, Right.SEE, Right.ASK],
        issuer=who.person.issuer, endpoint=f"{call.request.url.scheme}://{call.request.url.netloc}",
    )  # fmt: skip


def add_token(call: Call) -> Response:
    """Make a token; this answer is the one place where it stands."""
    days = number_of(call.sent.text("days"))
    if days is None:
        raise UsageError("say for how many days the token should count: 1 to 366")
    try:
        rights = [Right(each) for each in call.sent.all("right")]
    except ValueError:
        raise UsageError("a token cannot be for that") from None
    title = " ".join(call.sent.text("title").split())
    new, _ = call.desk.people.add_token(call.who.person, title, call.sent.text("project", ROOT), rights, days)
    return show(call, made=new.text)


def revoke_token(call: Call) -> Response:
    """End a token."""
    call.desk.people.revoke_token(call.number, by=call.who.person.name, of=call.who.person)
    return call.go("account", done="revoked")
