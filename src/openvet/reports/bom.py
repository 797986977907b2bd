"""Bills of materials for people: what one has of the minimum elements, and what differs between two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from openvet.reports._text import plural, visible
from openvet.reports.look import PLAIN, Look
from openvet.reports.text import table

__all__ = ["compose_coverage", "compose_difference"]

_STATES: Final = {"met": "met", "declared": "declared only", "missing": "missing"}
_SHOWN: Final = 200


def compose_coverage(name: str, lines: Sequence[Mapping[str, str]], look: Look = PLAIN) -> str:
    """Element by element, in its clusters: the state and by what."""
    out = [look.paint(visible(name), "bold")]
    counts = {state: sum(each["state"] == state for each in lines) for state in _STATES}
    told = ", ".join(f"{count} {_STATES[state]}" for state, count in counts.items())
    out.append(f"  {told}, of {len(lines)} minimum elements of the G7's SBOM for AI (2026-05-12)")
    for cluster in dict.fromkeys(each["cluster"] for each in lines):
        found = [each for each in lines if each["cluster"] == cluster]
        out += ["", look.paint(cluster, "bold")]
        rows = [
            [f"  {each['code']}", visible(each["name"]), _STATES[each["state"]], visible(each["by"])] for each in found
        ]
        out += table(rows, look.width)
    out += ["", "  met: from the files, or by the bill; declared only: a document says so, and nobody has verified it"]
    return look.finish("\n".join(out) + "\n")


def compose_difference(found: Mapping[str, Any], look: Look = PLAIN) -> str:
    """What is gone, new and changed."""
    out = []
    for mark, bill in zip("-+", found["bills"], strict=True):
        left = f", {bill['leftOut']:,} parts not understood" if bill["leftOut"] else ""
        form = f"{visible(bill['form'])} {visible(bill['version'])}"
        out.append(f"{mark} {visible(bill['path'])}  {form}, {plural(bill['components'], 'component')}{left}")
    rows = [["-", "", visible(each["component"]), visible(each["version"])] for each in found["removed"]]
    rows += [["+", "", visible(each["component"]), visible(each["version"])] for each in found["added"]]
    rows += [
        ["~", f"{each['what']} {visible(each['detail'])}".strip(), visible(each["component"]),
         f"{visible(each['before']) or 'nothing'} → {visible(each['after']) or 'nothing'}"]
        for each in found["changes"]
    ]  # fmt: skip
    out += table([[f"  {row[0]} {row[1]}".rstrip(), *row[2:]] for row in rows[:_SHOWN]], look.width)
    if len(rows) > _SHOWN:
        out.append(f"  and {len(rows) - _SHOWN:,} more; --format json lists them")
    out.append(f"  the same in both: {found['same']:,}")
    if found["notCompared"]:
        out.append(f"  not compared between two forms: {', '.join(found['notCompared'])}")
    return look.finish("\n".join(out) + "\n")
