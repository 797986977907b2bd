"""Lineage across the portfolio: the bases that models name, each with what was built on it."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from openvet.gate.lineage import Group, Line, Lineage
from openvet.gate.roles import Right
from openvet.hubproxy.web.call import Call, number_of
from openvet.hubproxy.web.models import PAGE, STANDINGS, one_of, projects_of

__all__ = ["show_list"]

_GROUPS: Final = 20
_LINES: Final = 8
_TROUBLES: Final = {"": "All", "yes": "Revoked, or hit by an advisory"}
_KINDS: Final = {"model": "model", "dataset": "data set"}


def show_list(call: Call) -> Response:
    """What models name as their bases; or, where ``base`` names one, all that was built on it and on that."""
    sent = call.query
    which = {
        "search": sent.text("search").strip()[:200], "standing": one_of(sent.text("standing"), STANDINGS), "trouble": one_of(sent.text("trouble"), _TROUBLES),
        "project": sent.text("project"),
    }  # fmt: skip
    after, base, kind = number_of(sent.text("after")) or 0, sent.text("base")[:600], one_of(sent.text("kind"), _KINDS)
    standing = [which["standing"]] if which["standing"] else ()
    lineage = Lineage(call.desk.database, call.desk.clock)
    groups: tuple[Group, ...] = ()
    lines: tuple[Line, ...] = ()
    if base:
        found = lineage.built_on(
            call.who, base, kind or "model", project=which["project"], standing=standing, skip=after, limit=PAGE
        )
        where, lines, total, size = found.project, found.lines, found.total, PAGE
    else:
        where, groups, total = lineage.bases(
            call.who, project=which["project"], search=which["search"], standing=standing, troubled=bool(which["trouble"]), skip=after,
            limit=_GROUPS, lines=_LINES,
        )  # fmt: skip
        size = _GROUPS
    return call.show(
        "lineage.html", groups=groups, lines=lines, base=base, kind=kind or "model", where=where, which=which, after=after,
        following=after + size if after + size < total else None, troubles=_TROUBLES, standings=STANDINGS, projects=projects_of(call, Right.SEE),
        filtered=any(which[each] for each in which if each != "project"), unknown=lineage.unknown(call.who),
    )  # fmt: skip
