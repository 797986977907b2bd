"""The audit log: every decision with its signed statement, and the proof that it is in the log."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from openvet.core.text import printable
from openvet.errors import VerifyError
from openvet.gate.catalogue import approvals_of
from openvet.gate.logged import LogPage
from openvet.gate.roles import ROOT, Right
from openvet.hubproxy.web.call import Call, number_of
from openvet.hubproxy.web.pages import HEADERS
from openvet.store.acts import ACTS, list_acts

__all__ = ["KINDS", "show", "show_acts", "show_list", "statement"]

_PAGE: Final = 50
#: Of whom a decision is, in a word.
KINDS: Final = {"policy": "Policy", "approval": "Approval", "revocation": "Revocation"}


def show_list(call: Call) -> Response:
    """Decisions, the latest first, and the checkpoint of the log that they are in."""
    who, sent = call.who, call.query
    kind, search, by = sent.text("kind"), sent.text("search").strip()[:200], sent.text("by").strip()[:200]
    before = number_of(sent.text("before"))
    kinds = [kind] if kind in KINDS else []
    found = call.desk.catalogue.decisions(who, kinds=kinds, search=search, by=by, before=before, limit=_PAGE + 1)
    log, problem = None, ""
    if Right.AUDIT in who.rights_in(ROOT):
        log, problem = _log(call)
    return call.show(
        "log.html", found=found[:_PAGE], more=found[_PAGE - 1].id if len(found) > _PAGE else None, before=before, kind=kind, search=search, by=by,
        kinds=KINDS, log=log, problem=problem,
    )  # fmt: skip


def show_acts(call: Call) -> Response:
    """What people did with people, tokens, projects and the server, the latest first."""
    call.who.require(Right.AUDIT, ROOT)
    sent = call.query
    what, person, before = sent.text("what"), sent.text("person").strip()[:200], number_of(sent.text("before"))
    what = what if what in ACTS else ""
    with call.desk.database.reading() as connection:
        found = list_acts(connection, about=person, what=what, before=before, limit=_PAGE + 1)
    return call.show(
        "acts.html", acts=found[:_PAGE], more=found[_PAGE - 1].id if len(found) > _PAGE else None, before=before, what=what, person=person, words=ACTS,
    )  # fmt: skip


def _log(call: Call) -> tuple[LogPage | None, str]:
    try:
        return call.desk.catalogue.log(call.who, limit=1), ""
    except VerifyError as error:
        return None, f"The log on our disk is damaged: {error.message}. Tell whoever runs this server."


def show(call: Call) -> Response:
    """One decision: its signed statement, and where it is in the log."""
    try:
        found, line, logged = call.desk.catalogue.decision(call.who, call.number)
    except VerifyError as error:
        return call.show("wrong.html", 500, title="The log is damaged", text=f"It does not prove this decision: {error.message}. Tell whoever runs this server.")  # fmt: skip
    text = printable(line.decode("utf-8", "backslashreplace"))
    return call.show("decision.html", found=found, line=text, logged=logged, kinds=KINDS, approvals=approvals_of(line))


def statement(call: Call) -> Response:
    """The signed statement as it was signed."""
    _, line, _ = call.desk.catalogue.decision(call.who, call.number)
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="decision-{call.number}.json"'}
    return Response(line, 200, headers, "application/json")
