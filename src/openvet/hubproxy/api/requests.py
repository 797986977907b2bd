"""Requests: ask for a model, say what one thinks, approve and decline, one by one or many at once."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import Field

from openvet.errors import UsageError
from openvet.gate.identity import NotAllowedError
from openvet.gate.requests import Outcome, Requests, Shown
from openvet.hubproxy.api.pages import CSV, Body, Id, InProject, Limit, Line, Model, Page, Prose, Said, When, answer
from openvet.hubproxy.api.problem import CONFLICT, status_of
from openvet.hubproxy.api.who import Who
from openvet.store import requests as rows
from openvet.store.database import Database
from openvet.store.revisions import revision_by_commit

__all__ = ["ROUTES"]

ROUTES = APIRouter(tags=["requests"])
Number = Annotated[Id, Path()]
State = Literal["blocked", "asked", "approved", "declined", "withdrawn"]


class RequestOut(Model):
    """A request. Times in milliseconds UTC; ``blocks`` is how often a pull was stopped."""

    id: int
    kind: str
    name: str
    commit: str
    project: str
    asker: str
    state: State
    purpose: str
    environment: str
    agent: str
    blocks: int
    until: int | None
    added: int
    changed: int
    decision: int | None


class VoiceOut(Model):
    """What somebody said about a request."""

    id: int
    name: str
    says: str
    text: str
    conditions: str
    until: int | None
    at: int


class ShownOut(Model):
    """A request with all that was said; ``missing`` is how many more people have to approve it, ``by_packs`` how many packs ask for (0 for none)."""

    request: RequestOut
    voices: list[VoiceOut]
    exception: bool
    needed: int
    missing: int
    by_packs: int


class RequestIn(Body):
    """What is asked for: a commit that the gate knows, since somebody listed or pulled it."""

    kind: Literal["model", "dataset"] = "model"
    name: Line
    commit: Line
    purpose: Said
    environment: Prose = ""
    project: InProject = ""
    until: When | None = None


class ApprovalIn(Body):
    """An approval. ``until`` (milliseconds UTC) has to be said for an exception."""

    reason: Said
    conditions: Prose = ""
    until: When | None = None


class ReasonIn(Body):
    """Why not."""

    reason: Said


class CommentIn(Body):
    """A comment, or a recommendation."""

    text: Said
    says: Literal["comment", "for", "against"] = "comment"


class BulkIn(Body):
    """One decision for many requests."""

    requests: list[Id] = Field(min_length=1, max_length=1000)
    decision: Literal["approve", "decline"]
    reason: Said
    conditions: Prose = ""
    until: When | None = None


class OutcomeOut(Model):
    """What it led to."""

    request: int
    state: State
    missing: int
    decision: int | None


class RefusedOut(Model):
    """Why nothing was done about a request; ``status`` is what it would have had by itself."""

    request: int
    status: int
    detail: str


class BulkOut(Model):
    """What each led to, and why some did not."""

    done: list[OutcomeOut]
    refused: list[RefusedOut]


def _desk(request: Request) -> Requests:
    found: Requests = request.app.state.requests
    return found


def _out(each: rows.Request) -> RequestOut:
    return RequestOut(
        id=each.id, kind=each.kind, name=each.name, commit=each.commit, project=each.project, asker=each.asker, state=each.state,  # type: ignore[arg-type]
        purpose=each.purpose, environment=each.environment, agent=each.agent, blocks=each.blocks, until=each.until, added=each.added,
        changed=each.changed, decision=each.decision,
    )  # fmt: skip


def _voice(each: rows.Voice) -> VoiceOut:
    return VoiceOut(
        id=each.id,
        name=each.name,
        says=each.says,
        text=each.text,
        conditions=each.conditions,
        until=each.until,
        at=each.at,
    )


def _outcome(number: int, each: Outcome) -> OutcomeOut:
    return OutcomeOut(request=number, state=each.state, missing=each.missing, decision=each.decision)  # type: ignore[arg-type]


@ROUTES.get("/requests", response_model=Page[RequestOut], responses=CSV)
def list_requests(
    request: Request,
    who: Who,
    state: Annotated[list[State] | None, Query()] = None,
    search: Annotated[Line, Query()] = "",
    ending: Annotated[
        int | None, Query(ge=1, le=366, description="only approvals that end within so many days")
    ] = None,
    limit: Limit = 100,
    after: Annotated[int | None, Query(ge=1, le=2**53)] = None,
) -> object:
    """Requests that one may see, the newest first."""
    found = _desk(request).listed(who, states=state or (), search=search, ending=ending, before=after, limit=limit + 1)
    following = str(found[limit - 1].id) if len(found) > limit else None
    return answer(request, [_out(each) for each in found[:limit]], following)


@ROUTES.post("/requests", status_code=201)
def ask(request: Request, who: Who, new: RequestIn) -> RequestOut:
    """Ask for a commit."""
    database: Database = request.app.state.database
    with database.reading() as connection:
        found = revision_by_commit(connection, new.kind, new.name, new.commit)
    if found is None:
        raise UsageError("the gate does not know this commit: list or pull it through the gate once, then ask for it")
    return _out(_desk(request).ask(who, found.id, new.purpose, new.environment, project=new.project, until=new.until))


@ROUTES.get("/requests/{number:row}")
def show(request: Request, who: Who, number: Number) -> ShownOut:
    """One request."""
    found: Shown = _desk(request).show(who, number)
    return ShownOut(
        request=_out(found.request), voices=[_voice(each) for each in found.voices], exception=found.exception, needed=found.needed,
        missing=found.missing, by_packs=found.by_packs,
    )  # fmt: skip


@ROUTES.post("/requests/{number:row}/approvals", responses=CONFLICT)
def approve(request: Request, who: Who, number: Number, new: ApprovalIn) -> OutcomeOut:
    """Approve."""
    done = _desk(request).approve(who, number, new.reason, conditions=new.conditions, until=new.until)
    return _outcome(number, done)


@ROUTES.post("/requests/{number:row}/declines", responses=CONFLICT)
def decline(request: Request, who: Who, number: Number, new: ReasonIn) -> OutcomeOut:
    """Decline."""
    return _outcome(number, _desk(request).decline(who, number, new.reason))


@ROUTES.post("/requests/{number:row}/withdrawal", responses=CONFLICT)
def withdraw(request: Request, who: Who, number: Number) -> RequestOut:
    """Take one's own request back."""
    return _out(_desk(request).withdraw(who, number))


@ROUTES.post("/requests/{number:row}/comments", status_code=201)
def comment(request: Request, who: Who, number: Number, new: CommentIn) -> VoiceOut:
    """Say something about a request."""
    return _voice(_desk(request).comment(who, number, new.text, new.says))


@ROUTES.post("/requests/decisions")
def decide(request: Request, who: Who, new: BulkIn) -> BulkOut:
    """Decide many: each for itself, so that one that is refused does not keep the others."""
    done: list[OutcomeOut] = []
    refused: list[RefusedOut] = []
    for number in dict.fromkeys(new.requests):
        try:
            if new.decision == "approve":
                one = _desk(request).approve(who, number, new.reason, conditions=new.conditions, until=new.until)
            else:
                one = _desk(request).decline(who, number, new.reason)
            done.append(_outcome(number, one))
        except (NotAllowedError, UsageError) as error:
            refused.append(RefusedOut(request=number, status=status_of(error), detail=str(error)))
    return BulkOut(done=done, refused=refused)
