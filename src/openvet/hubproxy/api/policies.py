"""What decides here: the policy packs in force; and what they let in: licences, advisories that hit, and how much was decided each week."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request

from openvet.gate.catalogue import Catalogue
from openvet.gate.identity import NotThereError
from openvet.gate.policy import PackInForce
from openvet.hubproxy.api.pages import CSV, InProject, Limit, Line, Model, Page, answer
from openvet.hubproxy.api.who import Who

__all__ = ["ROUTES"]

ROUTES = APIRouter(tags=["policies"])
Skip = Annotated[int, Query(ge=0, le=2**53, description="how many were listed")]
Where = Annotated[InProject, Query(description="as it stands in this project; your own, if not given")]


class PackOut(Model):
    """A policy pack that decides here. ``origin`` says whose it is: it ships with the server, somebody signed it whom the server believes, or nobody did."""

    id: str
    version: str
    title: str
    law: str
    origin: Literal["ships", "signed", "unsigned"]
    extends: list[str]
    files: list[str]
    requirements: int


class RequirementOut(Model):
    """One line of a pack. ``violated`` and ``indeterminate`` are what it leads to; ``approvers`` how many people it asks for, 0 for none of its own."""

    id: str
    title: str
    clause: str
    source: str
    day: str
    level: str
    severity: str
    violated: str
    indeterminate: str
    approvers: int
    remedy: str


class CountOut(Model):
    """How many admitted models and data sets have it; a licence of '' is none that is declared."""

    name: str
    count: int


class WeekOut(Model):
    """What was decided in seven days (the millisecond at which they begin, UTC)."""

    begin: int
    admitted: int
    declined: int


def _catalogue(request: Request) -> Catalogue:
    found: Catalogue = request.app.state.catalogue
    return found


def _pack(each: PackInForce) -> PackOut:
    pack = each.pack
    return PackOut(
        id=pack.id, version=pack.version, title=pack.title, law=pack.law_snapshot, origin=each.origin, extends=list(pack.extends),  # type: ignore[arg-type]
        files=[file.sha256 for file in pack.files], requirements=len(pack.requirements),
    )  # fmt: skip


@ROUTES.get("/policies", response_model=Page[PackOut], responses=CSV)
def list_policies(request: Request, who: Who, limit: Limit = 100, after: Skip = 0) -> object:
    """The packs that decide beside the built-in policy, in their order."""
    found = _catalogue(request).packs(who)
    following = str(after + limit) if after + limit < len(found) else None
    return answer(request, [_pack(each) for each in found[after : after + limit]], following)


@ROUTES.get("/policies/{name}/requirements", response_model=Page[RequirementOut], responses=CSV)
def list_requirements(
    request: Request, who: Who, name: Annotated[Line, Path()], limit: Limit = 1000, after: Skip = 0
) -> object:
    """What a pack asks for, line by line."""
    found = next((each.pack for each in _catalogue(request).packs(who) if each.pack.id == name), None)
    if found is None:
        raise NotThereError("no pack of that name decides here")
    out = [
        RequirementOut(
            id=each.id, title=each.title, clause=each.clause, source=found.sources[each.source].title,
            day=found.sources[each.source].day.isoformat(), level=str(each.level), severity=str(each.severity),
            violated=str(found.verdict_of(each, "violated")), indeterminate=str(found.verdict_of(each, "indeterminate")),
            approvers=each.approvers, remedy=each.remedy,
        )
        for each in found.requirements[after : after + limit]
    ]  # fmt: skip
    return answer(request, out, str(after + limit) if after + limit < len(found.requirements) else None)


def _counted(request: Request, found: tuple[tuple[str, int], ...], limit: int, after: int) -> object:
    page = [CountOut(name=name, count=count) for name, count in found[after : after + limit]]
    return answer(request, page, str(after + limit) if after + limit < len(found) else None)


@ROUTES.get("/portfolio/licenses", response_model=Page[CountOut], responses=CSV)
def list_licenses(request: Request, who: Who, project: Where = "", limit: Limit = 100, after: Skip = 0) -> object:
    """The licences that admitted models and data sets declare, the most frequent first."""
    return _counted(request, _catalogue(request).portfolio(who, project=project).licenses, limit, after)


@ROUTES.get("/portfolio/advisories", response_model=Page[CountOut], responses=CSV)
def list_advisories(request: Request, who: Who, project: Where = "", limit: Limit = 100, after: Skip = 0) -> object:
    """The advisories that hit admitted models and data sets, the most frequent first."""
    return _counted(request, _catalogue(request).portfolio(who, project=project).advisories, limit, after)


@ROUTES.get("/portfolio/weeks", response_model=Page[WeekOut], responses=CSV)
def list_weeks(request: Request, who: Who, project: Where = "") -> object:
    """How often something was admitted and how often it was not, in each of the last twelve weeks."""
    weeks = _catalogue(request).portfolio(who, project=project).weeks
    return answer(
        request, [WeekOut(begin=each.begin, admitted=each.admitted, declined=each.declined) for each in weeks], None
    )
