"""Decisions of policy and of people, vettings with their progress, and taking back what was admitted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field

from openvet.errors import UsageError
from openvet.gate.catalogue import Catalogue, approvals_of
from openvet.gate.identity import NotAllowedError, NotThereError
from openvet.gate.lineage import Lineage
from openvet.gate.logged import Logged
from openvet.hubproxy.api.pages import CSV, Body, Id, InProject, Limit, Line, Model, Page, Said, When, answer
from openvet.hubproxy.api.problem import status_of
from openvet.hubproxy.api.who import Who, WhoPulls
from openvet.store.lists import Decided, VettingJob

__all__ = ["ROUTES", "DecisionOut", "decision_out"]

ROUTES = APIRouter(tags=["decisions"])
Number = Annotated[Id, Path()]
Before = Annotated[int | None, Query(ge=1, le=2**53)]
State = Literal["ready", "running", "failed"]


class DecisionOut(Model):
    """A decision. It holds in ``project`` and below, and until ``until`` (milliseconds UTC; null is for ever)."""

    id: int
    revision: int
    kind: str
    name: str
    commit: str
    scope: str
    project: str
    of: Literal["policy", "approval", "revocation"]
    outcome: str
    reason: str
    by: str
    at: int
    until: int | None
    conditions: str
    published: bool


class EntryOut(Model):
    """An entry of the log, and its proof as C2SP's ``tlog-proof`` has it."""

    index: int
    entry: str
    proof: str


class ApprovalOut(Model):
    """What one of those said who approved, as it was signed."""

    by: str
    at: str
    reason: str
    conditions: str
    until: str | None


class DecisionShownOut(Model):
    """A decision with its signed statement, as it was signed, and the proof that it is in the log; null until it is published. ``approvals`` are what
    each of those said who approved.
    """

    decision: DecisionOut
    approvals: list[ApprovalOut]
    statement: str
    log: EntryOut | None


class JobOut(Model):
    """A vetting that waits (``ready``), is under way, or was given up. ``stage`` is '' until it began."""

    id: int
    revision: int
    kind: str
    name: str
    commit: str
    state: State
    attempts: int
    not_before: int
    error: str
    added: int
    stage: str
    bytes_total: int
    bytes_done: int
    started: int


class VetIn(Body):
    """Revisions to vet, again where they were."""

    revisions: list[Id] = Field(min_length=1, max_length=1000)
    project: InProject = ""


class RevokeIn(Body):
    """Revisions that nobody may have any more in a project and below."""

    revisions: list[Id] = Field(min_length=1, max_length=1000)
    reason: Said
    project: InProject = ""


class RevocationsOut(Model):
    """A list of revocations: ``statement`` is what was signed. It grows in ``number``, holds ``count`` commits, was made ``at``, and may be relied on
    ``until`` (milliseconds UTC). ``log`` is null until it is there, a moment later.
    """

    project: str
    number: int
    at: int
    until: int
    count: int
    statement: str
    log: EntryOut | None


class DoneOut(Model):
    """What was done for a revision: the number of the job, or of the decision."""

    revision: int
    number: int


class NotDoneOut(Model):
    """Why nothing was done for a revision; ``status`` is what it would have had by itself: 409 where it is revoked there already."""

    revision: int
    status: int
    detail: str


class BulkOut(Model):
    """What was done for each, and why for some it was not."""

    done: list[DoneOut]
    refused: list[NotDoneOut]


class RestingOut(Model):
    """A model or data set that rests on what was revoked: it names it as a base, or names what does. Its own standing did not change."""

    revision: int
    kind: str
    name: str
    commit: str
    standing: str
    base: str
    evidence: Literal["declared", "tested"]


class RevokedOut(BulkOut):
    """The same of revocations, and what rests on what was revoked and is not revoked itself: how many, and the first hundred."""

    resting: int
    rests: list[RestingOut]


def _catalogue(request: Request) -> Catalogue:
    found: Catalogue = request.app.state.catalogue
    return found


def decision_out(each: Decided) -> DecisionOut:
    """A decision as it is sent."""
    return DecisionOut(
        id=each.id, revision=each.revision, kind=each.repository, name=each.name, commit=each.commit, scope=each.scope, project=each.project,
        of=each.kind, outcome=each.outcome, reason=each.reason, by=each.by, at=each.at, until=each.until, conditions=each.conditions,  # type: ignore[arg-type]
        published=each.published,
    )  # fmt: skip


def _entry(logged: Logged | None) -> EntryOut | None:
    return None if logged is None else EntryOut(index=logged.index, entry=logged.entry, proof=logged.proof)


def _job(each: VettingJob) -> JobOut:
    return JobOut(
        id=each.id, revision=each.revision, kind=each.repository, name=each.name, commit=each.commit, state=each.state,  # type: ignore[arg-type]
        attempts=each.attempts, not_before=each.not_before, error=each.error, added=each.added, stage=each.stage,
        bytes_total=each.bytes_total, bytes_done=each.bytes_done, started=each.started,
    )  # fmt: skip


@ROUTES.get("/decisions", response_model=Page[DecisionOut], responses=CSV)
def list_decisions(
    request: Request,
    who: Who,
    of: Annotated[list[Literal["policy", "approval", "revocation"]] | None, Query()] = None,
    outcome: Annotated[list[Literal["admit", "review", "reject", "upstream"]] | None, Query()] = None,
    search: Annotated[Line, Query(description="part of the name")] = "",
    by: Annotated[Line, Query(description="part of the name of who decided")] = "",
    revision: Annotated[Id | None, Query()] = None,
    since: Annotated[When | None, Query(description="milliseconds UTC")] = None,
    limit: Limit = 100,
    after: Before = None,
) -> object:
    """Decisions that hold where one may see, the latest first."""
    found = _catalogue(request).decisions(
        who, kinds=of or (), outcomes=outcome or (), search=search, by=by, revision=revision, since=since, before=after, limit=limit + 1
    )  # fmt: skip
    following = str(found[limit - 1].id) if len(found) > limit else None
    return answer(request, [decision_out(each) for each in found[:limit]], following)


@ROUTES.get("/decisions/{number:row}")
def show_decision(request: Request, who: Who, number: Number) -> DecisionShownOut:
    """One decision with what proves it: nobody needs to trust this server for it."""
    found, line, logged = _catalogue(request).decision(who, number)
    entry = _entry(logged)
    approvals = [
        ApprovalOut(by=each.by, at=each.at, reason=each.reason, conditions=each.conditions, until=each.until)
        for each in approvals_of(line)
    ]
    return DecisionShownOut(
        decision=decision_out(found), approvals=approvals, statement=line.decode("utf-8"), log=entry
    )


@ROUTES.get("/vettings", tags=["vettings"], response_model=Page[JobOut], responses=CSV)
def list_vettings(
    request: Request,
    who: Who,
    state: Annotated[list[State] | None, Query()] = None,
    limit: Limit = 100,
    after: Before = None,
) -> object:
    """The queue of vettings: what waits and what is under way with its progress, and on request what failed."""
    found = _catalogue(request).queue(who, state or ("ready", "running"), before=after, limit=limit + 1)
    following = str(found[limit - 1].id) if len(found) > limit else None
    return answer(request, [_job(each) for each in found[:limit]], following)


@ROUTES.post("/vettings", tags=["vettings"], status_code=202)
def vet(request: Request, who: Who, new: VetIn) -> BulkOut:
    """Have revisions vetted anew: with today's rules, advisories and policy."""
    return _each(new.revisions, lambda number: _catalogue(request).vet(who, number, project=new.project))


@ROUTES.get("/revocations")
def list_of_revocations(
    request: Request,
    who: WhoPulls,
    project: Annotated[InProject, Query(description="in which it is so; your own, if not given")] = "",
) -> RevocationsOut:
    """What may not be had any more, signed, for ``openvet cache verify --revocations`` where no gate is reached. It is made anew when something changed.
    Where anybody may pull, anybody is told, of the root project.
    """
    found = _catalogue(request).lists.current(who, project)
    entry = _entry(found.logged)
    return RevocationsOut(
        project=found.project, number=found.number, at=found.at, until=found.until, count=found.count, statement=found.line, log=entry
    )  # fmt: skip


@ROUTES.post("/revocations")
def revoke(request: Request, who: Who, new: RevokeIn) -> RevokedOut:
    """Revoke revisions, one or many: each for itself. Only a later approval takes one back. What rests on them is told, and is not revoked."""
    said = _each(new.revisions, lambda number: _catalogue(request).revoke(who, number, new.reason, project=new.project))
    lineage: Lineage = request.app.state.lineage
    found = lineage.resting(who, [each.revision for each in said.done], project=new.project)
    rests = [
        RestingOut(
            revision=each.row.revision, kind=each.row.kind, name=each.row.name, commit=each.row.commit, standing=each.row.standing,
            base=each.base.name, evidence="tested" if each.base.verdict else "declared",
        )
        for each in found.lines
    ]  # fmt: skip
    return RevokedOut(done=said.done, refused=said.refused, resting=found.total, rests=rests)


def _each(revisions: list[int], do: Callable[[int], int]) -> BulkOut:
    """Do it for each. Where it is refused for the first reason alone, and that is a right that is missing, it is refused as a whole."""
    done: list[DoneOut] = []
    refused: list[NotDoneOut] = []
    for number in dict.fromkeys(revisions):
        try:
            done.append(DoneOut(revision=number, number=do(number)))
        except (NotThereError, UsageError) as error:
            refused.append(NotDoneOut(revision=number, status=status_of(error), detail=str(error)))
        except NotAllowedError:
            raise  # it is one project for all of them: they may for none
    return BulkOut(done=done, refused=refused)
