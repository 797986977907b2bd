"""Lineage across the portfolio: the bases that models name, what was built on each, and what each was made of."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request

from openvet.errors import UsageError
from openvet.gate.lineage import Group, Line, Lineage
from openvet.hubproxy.api.pages import CSV, Id, InProject, Limit, Model, Page, answer
from openvet.hubproxy.api.pages import Line as Text
from openvet.hubproxy.api.who import Who
from openvet.store.bases import Known

__all__ = ["ROUTES", "LineOut", "line_out"]

ROUTES = APIRouter(tags=["lineage"])
Kind = Literal["model", "dataset"]
Standing = Literal["open", "admitted", "refused", "revoked"]
BaseStanding = Literal["open", "admitted", "refused", "revoked", "unknown"]
Project = Annotated[InProject, Query(description="in which it stands so; your own, if not given")]
Stands = Annotated[list[Standing] | None, Query(description="only models that stand so")]
Skip = Annotated[int, Query(ge=0, le=2**53, description="how many were listed")]


class BaseOut(Model):
    """A base that models name. ``revision`` is the newest of that name at this gate, null where none came through it; its standing is ``unknown`` then.
    ``revoked`` is how many of its revisions are revoked, ``models`` how many models and data sets name it, ``admitted`` how many of these are admitted.
    """

    kind: Kind
    name: str
    revision: int | None
    standing: BaseStanding
    license: str | None
    revoked: int
    advisories: list[str]
    models: int
    admitted: int


class LineOut(Model):
    """A model (or data set) that names a base. Which names are meant is a claim of the model's files (``evidence`` is ``declared``), unless the weights
    of both were compared (``tested``; ``weights`` says what came of it). ``direct`` is false where there are steps between it and what was asked about.
    What is told of the base is as of :class:`BaseOut`.
    """

    revision: int
    kind: Kind
    name: str
    commit: str
    standing: Standing
    license: str | None
    people: int
    direct: bool
    relations: list[str]
    evidence: Literal["declared", "tested"]
    weights: Literal["consistent", "not-consistent", "cannot-tell"] | None
    base_kind: Kind
    base: str
    base_version: str
    base_revision: int | None
    base_standing: BaseStanding
    base_license: str | None
    base_revoked: int
    base_advisories: list[str]


def _lineage(request: Request) -> Lineage:
    found: Lineage = request.app.state.lineage
    return found


def _license(known: Known | None) -> str | None:
    return None if known is None or known.row.summary is None else known.row.summary.license


def _base(each: Group) -> BaseOut:
    known = each.known
    return BaseOut(
        kind=each.kind, name=each.name, revision=known.row.revision if known else None, standing=known.row.standing if known else "unknown",  # type: ignore[arg-type]
        license=_license(known), revoked=known.revoked if known else 0, advisories=list(known.advisories) if known else [], models=each.models,
        admitted=each.admitted,
    )  # fmt: skip


def line_out(each: Line) -> LineOut:
    """A line as it is sent."""
    row, base, known = each.row, each.base, each.known
    return LineOut(
        revision=row.revision, kind=row.kind, name=row.name, commit=row.commit, standing=row.standing,  # type: ignore[arg-type]
        license=row.summary.license if row.summary else None, people=each.people, direct=each.direct, relations=list(base.relations),
        evidence="tested" if base.verdict else "declared", weights=base.verdict or None, base_kind=base.kind, base=base.name,  # type: ignore[arg-type]
        base_version=base.version, base_revision=known.row.revision if known else None, base_standing=known.row.standing if known else "unknown",  # type: ignore[arg-type]
        base_license=_license(known), base_revoked=known.revoked if known else 0, base_advisories=list(known.advisories) if known else [],
    )  # fmt: skip


@ROUTES.get("/lineage/bases", response_model=Page[BaseOut], responses=CSV)
def list_bases(
    request: Request,
    who: Who,
    search: Annotated[Text, Query(description="part of the name of a base")] = "",
    standing: Stands = None,
    troubled: Annotated[bool, Query(description="only bases that are revoked or hit by an advisory")] = False,
    project: Project = "",
    limit: Limit = 100,
    after: Skip = 0,
) -> object:
    """What models and data sets here say that they were made of, what most name first."""
    _, found, total = _lineage(request).bases(
        who, project=project, search=search, standing=standing or (), troubled=troubled, skip=after, limit=limit
    )  # fmt: skip
    return answer(request, [_base(each) for each in found], str(after + limit) if after + limit < total else None)


@ROUTES.get("/lineage", response_model=Page[LineOut], responses=CSV)
def list_lineage(
    request: Request,
    who: Who,
    base: Annotated[
        Text, Query(description="only what was built on it, whether it came through this gate or not")
    ] = "",
    kind: Annotated[Kind, Query(description="of the base")] = "model",
    revision: Annotated[
        Id | None, Query(description="only what this revision was made of, and what that was made of")
    ] = None,
    standing: Stands = None,
    project: Project = "",
    limit: Limit = 100,
    after: Skip = 0,
) -> object:
    """Which models name which bases; what was built on one, with what was built on that; or what a revision was made of."""
    if base and revision is not None:
        raise UsageError(
            "ask for what was built on a base, or for what a revision was made of, and not for both at once"
        )
    if revision is not None:
        if standing:
            raise UsageError("what a revision was made of is told whole: leave standing out")
        found = _lineage(request).made_of(who, revision, project=project, skip=after, limit=limit)
    else:
        found = _lineage(request).built_on(
            who, base, kind, project=project, standing=standing or (), skip=after, limit=limit
        )
    following = str(after + limit) if after + limit < found.total else None
    return answer(request, [line_out(each) for each in found.lines], following)
