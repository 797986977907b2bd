"""How everything stands, what is new, and the log in which every decision is."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from openvet.gate.catalogue import Catalogue
from openvet.gate.logged import LogPage
from openvet.hubproxy.api.decisions import EntryOut
from openvet.hubproxy.api.pages import CSV, InProject, Limit, Model, When, answer, wants_csv
from openvet.hubproxy.api.who import Who

__all__ = ["ROUTES"]

ROUTES = APIRouter(tags=["audit"])
_DAY = 24 * 3_600_000


class StandingsOut(Model):
    """How many models and data sets stand how, each by its newest revision."""

    open: int
    admitted: int
    refused: int
    revoked: int


class NewOut(Model):
    """What is new. ``refused`` counts decisions of policy that do not admit; ``people`` those who pulled something."""

    repositories: int
    revisions: int
    admitted: int
    refused: int
    approvals: int
    revocations: int
    requests: int
    pulls: int
    people: int
    bytes: int


class DayOut(Model):
    """A day (the millisecond at which it begins, UTC), and how many files were pulled on it."""

    day: int
    files: int


class OverviewOut(Model):
    """How everything stands in a project, what is new since a moment, and the pulls of each of the last 30 days."""

    project: str
    since: int
    standings: StandingsOut
    new: NewOut
    waiting: int
    failed: int
    days: list[DayOut]


class LogOut(Model):
    """The log: its checkpoint as it was signed (a signed note of C2SP), and entries, the latest first; ``next`` is what to send as ``after``."""

    origin: str
    size: int
    root: str
    checkpoint: str
    items: list[EntryOut]
    next: str | None


@ROUTES.get("/overview")
def overview(
    request: Request,
    who: Who,
    since: Annotated[When | None, Query(description="milliseconds UTC; yesterday at this time, if not given")] = None,
    project: Annotated[InProject, Query()] = "",
) -> OverviewOut:
    """How everything stands, and what is new since a moment."""
    catalogue: Catalogue = request.app.state.catalogue
    begin = request.app.state.clock() - _DAY if since is None else since
    found = catalogue.overview(who, begin, project=project)
    new = found.new
    return OverviewOut(
        project=found.project, since=found.since, standings=StandingsOut(**found.standings), waiting=found.waiting, failed=found.failed,
        new=NewOut(
            repositories=new.repositories, revisions=new.revisions, admitted=new.admitted, refused=new.refused, approvals=new.approvals,
            revocations=new.revocations, requests=new.requests, pulls=new.pulls, people=new.people, bytes=new.bytes,
        ),
        days=[DayOut(day=each.day, files=each.files) for each in found.days],
    )  # fmt: skip


def _out(found: LogPage) -> LogOut:
    last = found.entries[-1].index if found.entries else 0
    return LogOut(
        origin=found.origin, size=found.size, root=found.root, checkpoint=found.checkpoint,
        items=[EntryOut(index=each.index, entry=each.entry, proof=each.proof) for each in found.entries],
        next=str(last) if last > 0 else None,
    )  # fmt: skip


@ROUTES.get("/log", response_model=LogOut, responses=CSV)
def show_log(
    request: Request,
    who: Who,
    limit: Limit = 100,
    after: Annotated[int | None, Query(ge=1, le=2**53)] = None,
) -> object:
    """The log's checkpoint and its entries. Keep a checkpoint: it shows later whether anything before it was changed. As CSV there are entries alone."""
    catalogue: Catalogue = request.app.state.catalogue
    found = _out(catalogue.log(who, before=after, limit=limit))
    return answer(request, found.items, found.next) if wants_csv(request) else found


@ROUTES.get("/log/{index:row}")
def show_entry(request: Request, who: Who, index: Annotated[int, Path(ge=0, le=2**53)]) -> LogOut:
    """One entry with the proof that it is in the log."""
    catalogue: Catalogue = request.app.state.catalogue
    return _out(catalogue.log_entry(who, index)).model_copy(update={"next": None})
