"""Models and data sets: how they stand, their revisions, and what is known of each."""

from __future__ import annotations

import os
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import FileResponse, Response
from starlette.background import BackgroundTask

from openvet.errors import UsageError
from openvet.gate.catalogue import Catalogue
from openvet.gate.timeline import Event
from openvet.hubproxy.api.caches import FoundOut, found_out
from openvet.hubproxy.api.decisions import DecisionOut, decision_out
from openvet.hubproxy.api.pages import BILL, CSV, Id, InProject, Limit, Line, Model, Page, When, answer, file_of
from openvet.hubproxy.api.pulls import UseOut, use_out
from openvet.hubproxy.api.who import Who
from openvet.reports.gist import gist
from openvet.store.lists import Vetted
from openvet.store.models import ModelRow

__all__ = ["ROUTES"]

ROUTES = APIRouter(tags=["models"])
Number = Annotated[Id, Path()]
Kind = Literal["model", "dataset"]
Standing = Literal["open", "admitted", "refused", "revoked"]
EventKind = Literal[
    "listed", "vetting", "advisory", "policy", "request", "approval", "exception", "revocation", "end", "pull", "log",
]  # fmt: skip
Project = Annotated[InProject, Query(description="in which it stands so; your own, if not given")]


class RevisionOut(Model):
    """A revision, and how it stands in a project. ``license`` and the numbers of findings are of its last report, null where there is none."""

    id: int
    kind: Kind
    name: str
    commit: str
    project: str
    standing: Standing
    decision: int | None
    listed_at: int
    upstream: str
    verdict: str | None
    license: str | None
    critical: int | None
    high: int | None
    medium: int | None
    low: int | None


class FileOut(Model):
    """A file of a revision. ``sha256`` is null until its bytes were hashed here; ``lfs`` is what the upstream lists."""

    path: str
    size: int
    oid: str
    lfs: str
    sha256: str | None


class VettingOut(Model):
    """One reading of a revision: ``stage`` is ``ranges`` (headers, from the upstream) or ``bytes``."""

    id: int
    scope: str
    stage: str
    state: str
    verdict: str
    reason: str
    bytes_total: int
    bytes_done: int
    started: int
    finished: int | None


class RevisionShownOut(Model):
    """A revision with what is known of it: ``timeline`` are its decisions, the latest first. ``bases`` is how many things it says that it was made of,
    null where that is not known: it has no report, or was vetted before that was kept.
    """

    revision: RevisionOut
    about: dict[str, Any]
    files: int
    bytes: int
    rules: list[str]
    advisories: list[str]
    bases: int | None
    timeline: list[DecisionOut]
    vettings: list[VettingOut]
    uses: list[UseOut]
    caches: list[FoundOut]


class EventOut(Model):
    """Something that happened to a revision. ``at`` and ``until`` are milliseconds UTC; ``what`` is the verdict of a vetting, the outcome of a decision,
    what somebody did about a request, ``hits`` or ``gone`` of advisories, ``first`` or ``last`` of somebody's pulls. An ``exception`` is an approval of
    what policy rejected. ``decision`` leads to the signed statement, and ``statement`` is the SHA-256 of what was signed, '' where nothing was.
    """

    at: int
    kind: EventKind
    what: str
    by: str
    project: str
    text: str
    conditions: str
    until: int | None
    decision: int | None
    request: int | None
    statement: str


class StatementOut(Model):
    """A signed statement: its type, the SHA-256 of what was signed, and what it says in a few lines, null for a kind that nobody here knows."""

    type: str
    sha256: str
    says: list[str] | None


def _catalogue(request: Request) -> Catalogue:
    found: Catalogue = request.app.state.catalogue
    return found


def _out(each: ModelRow, project: str) -> RevisionOut:
    said = each.summary
    return RevisionOut(
        id=each.revision, kind=each.kind, name=each.name, commit=each.commit, project=project, standing=each.standing, decision=each.decision,  # type: ignore[arg-type]
        listed_at=each.listed_at, upstream=each.upstream, verdict=said.verdict if said else None, license=said.license if said else None,
        critical=said.critical if said else None, high=said.high if said else None, medium=said.medium if said else None,
        low=said.low if said else None,
    )  # fmt: skip


def _event(each: Event) -> EventOut:
    return EventOut(
        at=each.at, kind=each.kind, what=each.what, by=each.by, project=each.project, text=each.text, conditions=each.conditions,  # type: ignore[arg-type]
        until=each.until, decision=each.decision, request=each.request, statement=each.statement,
    )  # fmt: skip


def _vetting(each: Vetted) -> VettingOut:
    return VettingOut(
        id=each.id, scope=each.scope, stage=each.stage, state=each.state, verdict=each.verdict, reason=each.reason,
        bytes_total=each.bytes_total, bytes_done=each.bytes_done, started=each.started, finished=each.finished,
    )  # fmt: skip


@ROUTES.get("/models", response_model=Page[RevisionOut], responses=CSV)
def list_models(
    request: Request,
    who: Who,
    kind: Kind | None = None,
    search: Annotated[Line, Query(description="part of the name")] = "",
    standing: Annotated[list[Standing] | None, Query()] = None,
    license: Annotated[Line, Query(description="part of the licence that it declares")] = "",  # noqa: A002 - the word for it
    rule: Annotated[Line, Query(description="a rule that found something in it")] = "",
    advisory: Annotated[Line, Query(description="an advisory that hits it")] = "",
    project: Project = "",
    order: Literal["name", "newest"] = "name",
    limit: Limit = 100,
    after: Annotated[Line, Query()] = "",
) -> object:
    """Models and data sets, each by its newest revision."""
    newest = order == "newest"
    if newest and after and not (after.isascii() and after.isdecimal() and len(after) < 16):
        raise UsageError("after has to be what the page before said as next")
    where, found = _catalogue(request).models(
        who, project=project, kind=kind or "", search=search, standing=standing or (), license=license, rule=rule, advisory=advisory,
        newest=newest, after=after, limit=limit + 1,
    )  # fmt: skip
    following = None
    if len(found) > limit:
        last = found[limit - 1]
        following = str(last.revision) if newest else f"{last.name} {last.kind}"
    return answer(request, [_out(each, where) for each in found[:limit]], following)


@ROUTES.get("/revisions", response_model=Page[RevisionOut], responses=CSV)
def list_revisions(
    request: Request,
    who: Who,
    name: Annotated[Line, Query()],
    kind: Kind = "model",
    ref: Annotated[Line, Query(description="a branch, a tag, or how a commit begins")] = "",
    project: Project = "",
    limit: Limit = 100,
    after: Annotated[int | None, Query(ge=1, le=2**53)] = None,
) -> object:
    """The revisions of a model that the gate knows, the latest that was seen first."""
    where, found = _catalogue(request).revisions(
        who, kind, name, ref=ref, project=project, before=after, limit=limit + 1
    )
    following = str(found[limit - 1].revision) if len(found) > limit else None
    return answer(request, [_out(each, where) for each in found[:limit]], following)


@ROUTES.get("/revisions/{number:row}")
def show_revision(request: Request, who: Who, number: Number, project: Project = "") -> RevisionShownOut:
    """One revision: how it stands and why, its decisions and vettings, and who had it."""
    found = _catalogue(request).show(who, number, project=project)
    said = found.row.summary
    return RevisionShownOut(
        revision=_out(found.row, found.project), about=found.about, files=found.files, bytes=found.bytes,
        rules=list(said.rules) if said else [], advisories=list(said.advisories) if said else [],
        bases=said.bases if said else None, timeline=[decision_out(each) for each in found.timeline], vettings=[_vetting(each) for each in found.vettings],
        uses=[use_out(each) for each in found.uses], caches=[found_out(each) for each in found.caches],
    )  # fmt: skip


@ROUTES.get("/revisions/{number:row}/timeline", response_model=Page[EventOut], responses=CSV)
def list_events(
    request: Request,
    who: Who,
    number: Number,
    kind: Annotated[list[EventKind] | None, Query()] = None,
    by: Annotated[Line, Query(description="part of the name of who did it")] = "",
    since: Annotated[When | None, Query(description="milliseconds UTC")] = None,
    limit: Limit = 100,
    after: Annotated[Line, Query()] = "",
) -> object:
    """All that happened to a revision, as far as one may see it, the latest first: vettings and the advisories that came or went with them, decisions,
    requests and what was said about them, approvals that ended, who pulled it first and last, and when what was decided came into the log.
    """
    found = _catalogue(request).timeline.of(
        who, number, kinds=kind or (), by=by, since=since, after=after, limit=limit + 1
    )
    following = found[limit - 1].cursor if len(found) > limit else None
    return answer(request, [_event(each) for each in found[:limit]], following)


@ROUTES.get("/revisions/{number:row}/files", response_model=Page[FileOut], responses=CSV)
def list_files(
    request: Request,
    who: Who,
    number: Number,
    limit: Limit = 1000,
    after: Annotated[int, Query(ge=0, le=2**53)] = 0,
) -> object:
    """The files of a revision with their digests, in byte order of their paths; ``after`` is how many were listed."""
    found = _catalogue(request).files(who, number)
    page = [
        FileOut(path=each.path, size=each.size, oid=each.oid, lfs=each.lfs, sha256=each.sha256 or None)
        for each in found[after : after + limit]
    ]
    return answer(request, page, str(after + limit) if after + limit < len(found) else None)


@ROUTES.get("/revisions/{number:row}/statements", response_model=Page[StatementOut], responses=CSV)
def list_statements(
    request: Request,
    who: Who,
    number: Number,
    limit: Limit = 100,
    after: Annotated[int, Query(ge=0, le=2**53)] = 0,
) -> object:
    """What the last check signed, in the order of the dossier, which has the statements themselves; ``after`` is how many were listed."""
    found = _catalogue(request).statements(who, number)
    page = [
        StatementOut(type=each.predicate_type, sha256=digest, says=gist(each.predicate) if each.predicate else None)
        for digest, each in found[after : after + limit]
    ]
    return answer(request, page, str(after + limit) if after + limit < len(found) else None)


@ROUTES.get("/revisions/{number:row}/report", response_class=Response, responses=BILL)
def report(request: Request, who: Who, number: Number) -> Response:
    """The last report, as ``openvet check --format json`` writes it."""
    found = _catalogue(request).report(who, number)
    return Response(found, media_type="application/json", headers={"Cache-Control": "no-store"})


@ROUTES.get("/revisions/{number:row}/bom", response_class=Response, responses=BILL)
def bill(
    request: Request,
    who: Who,
    number: Number,
    form: Annotated[Literal["cyclonedx", "spdx"], Query(description="of the bill")] = "cyclonedx",
) -> Response:
    """The bill of materials by the last check, as ``openvet bom`` writes it."""
    found = _catalogue(request).bill(who, number, form)
    return Response(found, media_type="application/json", headers={"Cache-Control": "no-store"})


@ROUTES.get("/revisions/{number:row}/dossier", response_class=Response, responses=file_of("application/zip"))
def dossier(request: Request, who: Who, number: Number) -> Response:
    """Every signed statement about a revision as a zip, for ``openvet dossier verify``."""
    path = _catalogue(request).dossier(who, number)
    headers = {"Cache-Control": "no-store"}
    gone = BackgroundTask(os.unlink, path)
    name = f"dossier-{number}.zip"
    return FileResponse(path, media_type="application/zip", filename=name, headers=headers, background=gone)
