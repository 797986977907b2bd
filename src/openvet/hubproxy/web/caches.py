"""Caches of clients: what lies in them and how it stands, and the machines that told of it."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from openvet.gate.caches import Caches
from openvet.gate.roles import ROOT, Right
from openvet.hubproxy.web.call import Call, number_of
from openvet.hubproxy.web.models import PAGE, STANDINGS, one_of, projects_of
from openvet.hubproxy.web.pages import HEADERS

__all__ = ["forget", "revocations", "show_list"]

_STANDINGS: Final = {**STANDINGS, "unknown": "Not known here"}
_MACHINES: Final = 200
_DONE: Final = {"forgotten": "The machine is forgotten. It comes back when it tells of its caches again."}


def show_list(call: Call, problem: str = "") -> Response:
    """Revisions in caches, those that were told last first; and below them the machines."""
    sent, caches = call.query, Caches(call.desk.database, call.desk.clock)
    which = {
        "search": sent.text("search").strip()[:200], "standing": one_of(sent.text("standing"), _STANDINGS), "person": sent.text("person").strip()[:200],
        "machine": sent.text("machine")[:200], "project": sent.text("project"),
    }  # fmt: skip
    before = number_of(sent.text("before"))
    where, found = caches.found(
        call.who, project=which["project"], search=which["search"], person=which["person"], machine=which["machine"],
        standing=[which["standing"]] if which["standing"] else (), before=before, limit=PAGE + 1,
    )  # fmt: skip
    machines = caches.machines(call.who, limit=_MACHINES + 1)
    return call.show(
        "caches.html", problem=problem, found=found[:PAGE], where=where, which=which, before=before, more=found[PAGE - 1].id if len(found) > PAGE else None,
        standings=_STANDINGS, projects=projects_of(call, Right.SEE), machines=machines[:_MACHINES], left_out=len(machines) > _MACHINES,
        everybody=Right.ADMINISTER in call.who.rights_in(ROOT), mine=call.who.person.id, done=_DONE.get(sent.text("done"), ""),
        filtered=any(which[each] for each in which if each != "project"),
    )  # fmt: skip


def forget(call: Call) -> Response:
    """Forget a machine."""
    Caches(call.desk.database, call.desk.clock).forget(call.who, call.number)
    return call.go("caches", done="forgotten")


def revocations(call: Call) -> Response:
    """The list of what is revoked, as it was signed, for machines that reach no gate."""
    found = call.desk.catalogue.lists.current(call.who, call.query.text("project"))
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="revocations-{found.number}.json"'}
    return Response(found.line, 200, headers, "application/json")
