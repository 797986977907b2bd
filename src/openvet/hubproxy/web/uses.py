"""The inventory: who had what, for which project, and with which versions of which loaders."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from openvet.gate.clients import advisories_for, packages_in
from openvet.gate.roles import Right
from openvet.hubproxy.web.call import Call, number_of
from openvet.hubproxy.web.models import projects_of

__all__ = ["show"]

_PAGE: Final = 50
_CLIENTS: Final = 50
_PROJECTS: Final = 50
_MONTH: Final = 30 * 24 * 3_600_000


def show(call: Call) -> Response:
    """Who had what, whoever pulled last first; how much for each project; and the loaders of the last 30 days, those with known problems first."""
    sent = call.query
    search, person, client = (sent.text(each).strip()[:200] for each in ("search", "person", "client"))
    project, before = sent.text("project"), number_of(sent.text("before"))
    catalogue = call.desk.catalogue
    which = {"search": search, "person": person, "agent": client, "project": project}
    found = catalogue.uses(call.who, **which, before=before, limit=_PAGE + 1)
    counted = catalogue.uses_by_project(call.who, **which)
    loaders = catalogue.clients(call.who, call.desk.clock() - _MONTH, project=project)
    return call.show(
        "uses.html", found=found[:_PAGE], more=found[_PAGE - 1].last if len(found) > _PAGE else None, before=before, search=search, person=person,
        client=client, project=project, projects=projects_of(call, Right.SEE), counted=counted[:_PROJECTS], uncounted=max(0, len(counted) - _PROJECTS), loaders=loaders[:_CLIENTS], left_out=max(0, len(loaders) - _CLIENTS), packages=packages_in, advisories=advisories_for,
    )  # fmt: skip
