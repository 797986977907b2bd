"""The API as an application, mounted at ``/openvet/v1``."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import FastAPI

from openvet.gate.caches import Caches
from openvet.gate.catalogue import Catalogue
from openvet.gate.identity import People
from openvet.gate.lineage import Lineage
from openvet.gate.requests import Requests
from openvet.hubproxy.api import audit as audit_routes
from openvet.hubproxy.api import caches as cache_routes
from openvet.hubproxy.api import decisions as decision_routes
from openvet.hubproxy.api import lineage as lineage_routes
from openvet.hubproxy.api import models as model_routes
from openvet.hubproxy.api import people as people_routes
from openvet.hubproxy.api import policies as policy_routes
from openvet.hubproxy.api import pulls as pull_routes
from openvet.hubproxy.api import requests as request_routes
from openvet.hubproxy.api.problem import PROBLEMS, add_handlers
from openvet.store.database import Database
from openvet.version import VERSION

__all__ = ["make_api"]


def make_api(
    database: Database,
    people: People,
    requests: Requests,
    catalogue: Catalogue,
    clock: Callable[[], int],
    *,
    anonymous: bool = False,
) -> FastAPI:
    """The API.

    Args:
        database: of the server.
        people, requests, catalogue: what the routes do.
        clock: milliseconds UTC.
        anonymous: whether whoever sends no token may pull, in the root project, and so may ask what that needs.
    """
    app = FastAPI(
        title="OpenVet",
        version=VERSION,
        description="Models are pulled through this gate. Every list comes in pages, as JSON or as CSV.",
        openapi_url="/openapi.json",
        docs_url=None,  # these pages load scripts from elsewhere
        redoc_url=None,
        responses=PROBLEMS,
    )
    app.router.redirect_slashes = False
    app.state.database = database
    app.state.people = people
    app.state.requests = requests
    app.state.catalogue = catalogue
    app.state.caches = Caches(database, clock)
    app.state.lineage = Lineage(database, clock)
    app.state.clock = clock
    app.state.anonymous = anonymous
    add_handlers(app)
    app.include_router(people_routes.ROUTES)
    for each in (
        request_routes, model_routes, decision_routes, pull_routes, cache_routes, lineage_routes, policy_routes, audit_routes,
    ):  # fmt: skip
        app.include_router(each.ROUTES)
    return app
