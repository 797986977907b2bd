"""The inventory: who had what, and with which versions of which loaders."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from openvet.gate.clients import advisories_for, packages_in
from openvet.hubproxy.web.call import Call, number_of

__all__ = ["show"]

_PAGE: Final = 50
_CLIENTS: Final = 50
_MONTH: Final = 30 * 24 * 3_600_000


def show(call: Call) -> Response:
    """Who had what, whoever pulled last first; and the loaders of the last 30 days, those with known problems first."""
    sent = call.query
    search, person, client = (sent.text(each).strip()[:200] for each in ("search", "person", "client"))
    before = number_of(sent.text("before"))
    catalogue = call.desk.catalogue
    found = catalogue.uses(call.who, search=search, person=person, agent=client, before=before, limit=_PAGE + 1)
    loaders = catalogue.clients(call.who, call.desk.clock() - _MONTH)
    return call.show(
        "uses.html", found=found[:_PAGE], more=found[_PAGE - 1].last if len(found) > _PAGE else None, before=before, search=search, person=person,
        client=client, loaders=loaders[:_CLIENTS], left_out=max(0, len(loaders) - _CLIENTS), packages=packages_in, advisories=advisories_for,
    )  # fmt: skip
