"""A crosswalk of packs for people at a terminal and for programs: what serves which requirement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from openvet.policy.crosswalk import Crossing, Crosswalk, Served
from openvet.policy.vocabulary import VOCABULARY
from openvet.reports._text import plural
from openvet.reports.look import Look
from openvet.reports.pack import table

__all__ = ["CROSSWALK_TYPE", "compose_crosswalk", "crosswalk_json"]

CROSSWALK_TYPE: Final = "https://openvet/crosswalk/v1"


def compose_crosswalk(found: Crosswalk, look: Look) -> str:
    """Kinds of statements, facts and questions, each with the requirements that rest on it."""
    heads = [
        [each.pack.id, each.pack.version, plural(own, "requirement"), each.pack.title]
        for each, own in zip(found.packs, found.own, strict=True)
    ]
    lines = [look.paint("Packs", "bold"), *table(heads, look)]
    parts = (("Statements", found.statements), ("Facts", found.facts), ("Questions", found.questions))
    for title, crossings in parts:
        if crossings:
            lines += ["", look.paint(title, "bold"), *table(list(_rows(crossings)), look)]
    if found.unused:
        lines += ["", look.paint("Facts that none of them uses", "bold")]
        lines += table([[", ".join(found.unused)]], look)
    return "\n".join(lines) + "\n"


def _rows(crossings: Sequence[Crossing]) -> list[list[str]]:
    out = []
    for each in crossings:
        name = each.name
        for served in each.served:
            out.append([name, served.pack, _served(served)])
            name = ""
    return out


def _served(served: Served) -> str:
    """``A-1, A-2; bears on 3 more``."""
    count = len(served.bears_on)
    more = f"bears on {count} more" if served.settles else f"bears on {', '.join(served.bears_on)}"
    return "; ".join([", ".join(served.settles)] * bool(served.settles) + [more] * bool(count))


def crosswalk_json(found: Crosswalk) -> dict[str, Any]:
    """All of it, with every requirement."""
    return {
        "type": CROSSWALK_TYPE,
        "packs": [
            {"id": each.pack.id, "version": each.pack.version, "title": each.pack.title, "requirements": own}
            for each, own in zip(found.packs, found.own, strict=True)
        ],
        "statements": [{"kind": each.name, "serves": _serves(each)} for each in found.statements],
        "facts": [
            {"name": each.name, "kind": VOCABULARY[each.name].kind, "text": VOCABULARY[each.name].text, "serves": _serves(each)}
            for each in found.facts
        ],
        "questions": [
            {"id": each.name, "ask": found.asked[each.name].ask, "type": found.asked[each.name].type, "serves": _serves(each)}
            for each in found.questions
        ],
        "unused_facts": list(found.unused),
    }  # fmt: skip


def _serves(each: Crossing) -> list[dict[str, Any]]:
    return [{"pack": one.pack, "settles": list(one.settles), "bears_on": list(one.bears_on)} for one in each.served]
