"""Caches of clients: what lies in them by what ``openvet cache report --send`` says, and how revisions stand, many at once."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response
from pydantic import Field

from openvet.gate.caches import Caches
from openvet.hubproxy.api.pages import CSV, Body, Id, InProject, Limit, Line, Model, Page, Size, When, answer
from openvet.hubproxy.api.problem import CONFLICT
from openvet.hubproxy.api.who import Who, WhoPulls
from openvet.store.caches import CachedRow, InCache, Machine, Stands

__all__ = ["ROUTES", "FoundOut", "found_out"]

ROUTES = APIRouter(tags=["inventory"])
Kind = Literal["model", "dataset"]
Standing = Literal["open", "admitted", "refused", "revoked", "unknown"]
Name = Annotated[str, Field(max_length=200, pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)?$")]
Commit = Annotated[str, Field(pattern="^[0-9a-f]{40}$")]
Ref = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
Project = Annotated[InProject, Query(description="in which it stands so; your own, if not given")]


class CachedIn(Body):
    """A revision that lies in a cache. ``last_used`` (milliseconds UTC) is what the file system says."""

    kind: Kind
    name: Name
    commit: Commit
    files: Size
    bytes: Size
    refs: list[Ref] = Field(default=[], max_length=50)
    last_used: When | None = None


class ReportIn(Body):
    """A part of what lies in the caches of a machine. It counts once the part without ``more`` came, in place of what the machine told before."""

    machine: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
    report: Annotated[str, Field(pattern="^[0-9a-f]{32}$", description="random, the same in all parts of one report")]
    more: bool = False
    found: list[CachedIn] = Field(max_length=1000)


class ToldOut(Model):
    """How many revisions a report names so far, and whether it counts."""

    machine: str
    revisions: int
    complete: bool


class MachineOut(Model):
    """A machine as it calls itself, by whom it was told of and when, and how much lies in its caches."""

    id: int
    person: str
    machine: str
    at: int
    revisions: int
    bytes: int


class FoundOut(Model):
    """A revision in the caches of a machine. ``revision`` is its number, null where this gate does not know it."""

    id: int
    revision: int | None
    kind: str
    name: str
    commit: str
    standing: Standing
    person: str
    machine: str
    at: int
    files: int
    bytes: int
    refs: list[str]
    last_used: int | None


class NamedIn(Body):
    """A revision by its name."""

    kind: Kind = "model"
    name: Name
    commit: Commit


class StandingsIn(Body):
    """Revisions of which one wants to know how they stand."""

    revisions: list[NamedIn] = Field(min_length=1, max_length=500)
    project: InProject = ""


class StandsOut(Model):
    """How a revision stands, and the decision that says so: its number, of what, what it comes to, by whom, when and why; null where there is none."""

    kind: Kind
    name: str
    commit: str
    standing: Standing
    revision: int | None
    decision: int | None
    of: str | None
    outcome: str | None
    by: str | None
    at: int | None
    reason: str | None


class StandingsOut(Model):
    """How they stand in a project, in the order in which they were asked for."""

    project: str
    standings: list[StandsOut]


def _caches(request: Request) -> Caches:
    found: Caches = request.app.state.caches
    return found


def found_out(each: InCache) -> FoundOut:
    """A revision in a cache as it is sent."""
    row = each.row
    return FoundOut(
        id=each.id, revision=each.revision, kind=row.kind, name=row.name, commit=row.commit, standing=each.standing, person=each.person,  # type: ignore[arg-type]
        machine=each.machine, at=each.at, files=row.files, bytes=row.bytes, refs=list(row.refs), last_used=row.last_used,
    )  # fmt: skip


def _machine(each: Machine) -> MachineOut:
    return MachineOut(
        id=each.id, person=each.person, machine=each.machine, at=each.at, revisions=each.revisions, bytes=each.bytes
    )


def _stands(asked: NamedIn, each: Stands | None) -> StandsOut:
    known = each is not None and each.decision is not None
    return StandsOut(
        kind=asked.kind, name=asked.name, commit=asked.commit, standing=each.standing if each else "unknown", revision=each.revision if each else None,  # type: ignore[arg-type]
        decision=each.decision if each else None, of=each.of if each and known else None, outcome=each.outcome if each and known else None,
        by=each.by if each and known else None, at=each.at if each and known else None, reason=each.reason if each and known else None,
    )  # fmt: skip


@ROUTES.post("/caches", responses=CONFLICT)
def report(request: Request, who: Who, new: ReportIn) -> ToldOut:
    """Tell what lies in the caches of a machine, in one part or in several."""
    found = [
        CachedRow(each.kind, each.name, each.commit, each.files, each.bytes, tuple(each.refs), each.last_used)
        for each in new.found
    ]
    count = _caches(request).tell(who, new.machine, new.report, found, more=new.more)
    return ToldOut(machine=new.machine, revisions=count, complete=not new.more)


@ROUTES.get("/caches", response_model=Page[MachineOut], responses=CSV)
def list_machines(
    request: Request, who: Who, limit: Limit = 100, after: Annotated[int | None, Query(ge=1, le=2**53)] = None
) -> object:
    """The machines of whose caches it is known what lies in them, the latest first: of people in projects that one may see."""
    found = _caches(request).machines(who, before=after, limit=limit + 1)
    following = str(found[limit - 1].id) if len(found) > limit else None
    return answer(request, [_machine(each) for each in found[:limit]], following)


@ROUTES.delete("/caches/{number:row}", status_code=204, response_class=Response)
def forget(request: Request, who: Who, number: Annotated[Id, Path()]) -> Response:
    """Forget a machine of one's own; who administers everything may forget anybody's."""
    _caches(request).forget(who, number)
    return Response(status_code=204)


@ROUTES.get("/cached", response_model=Page[FoundOut], responses=CSV)
def list_cached(
    request: Request,
    who: Who,
    search: Annotated[Line, Query(description="part of the name of the model")] = "",
    person: Annotated[Line, Query(description="whose machine")] = "",
    machine: Annotated[Line, Query(description="as it calls itself")] = "",
    standing: Annotated[list[Standing] | None, Query()] = None,
    project: Project = "",
    limit: Limit = 100,
    after: Annotated[int | None, Query(ge=1, le=2**53)] = None,
) -> object:
    """Revisions that lie in caches and how they stand now, those that were told last first."""
    _, found = _caches(request).found(
        who, project=project, search=search, person=person, machine=machine, standing=standing or (), before=after, limit=limit + 1
    )  # fmt: skip
    following = str(found[limit - 1].id) if len(found) > limit else None
    return answer(request, [found_out(each) for each in found[:limit]], following)


@ROUTES.post("/standings")
def standings(request: Request, who: WhoPulls, asked: StandingsIn) -> StandingsOut:
    """How revisions stand, many at once; nothing is vetted or listed for it. Where anybody may pull, anybody is told, of the root project."""
    names = [(each.kind, each.name, each.commit) for each in asked.revisions]
    where, found = _caches(request).stand(who, names, project=asked.project)
    said = [_stands(each, found.get(name)) for each, name in zip(asked.revisions, names, strict=True)]
    return StandingsOut(project=where, standings=said)
