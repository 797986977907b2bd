"""What a gate says, for people: tables and pages of text, with nothing of it able to steer a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from openvet.reports._text import columns, cut, visible
from openvet.reports.look import Look

__all__ = ["STATES", "lineage_page", "moment", "named", "request_page", "standing_page", "table", "until"]

#: The colour of a word that says how something stands.
STATES = {
    "admitted": "green", "approved": "green", "admit": "green", "done": "green", "refused": "red", "revoked": "red", "declined": "red", "reject": "red",
    "failed": "red", "blocked": "yellow", "asked": "yellow", "open": "yellow", "review": "yellow", "running": "cyan", "ready": "cyan",
}  # fmt: skip
_COMMIT = 8


def moment(milliseconds: int | None) -> str:
    """A time as people write it, in UTC."""
    return "" if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def until(milliseconds: int | None) -> str:
    """The last day on which something holds."""
    if milliseconds is None:
        return "for ever"
    return "until " + datetime.fromtimestamp((milliseconds - 1) / 1000, UTC).date().isoformat()


def named(each: Mapping[str, Any]) -> str:
    """A revision as a command takes it, with a commit that is short."""
    kind = "datasets/" if each["kind"] == "dataset" else ""
    return f"{kind}{each['name']}@{each['commit'][:_COMMIT]}"


def table(rows: Sequence[Mapping[str, str]], look: Look) -> str:
    """Rows of cells under the names of their columns. The last column takes what is left of the width."""
    if not rows:
        return ""
    names = list(rows[0])
    cells = [[visible(" ".join(str(row[name]).split())) for name in names] for row in rows]
    widths = [max(len(name), *(min(columns(row[at]), 48) for row in cells)) for at, name in enumerate(names)]
    used = sum(widths[:-1]) + 2 * len(widths[:-1])
    widths[-1] = max(16, min(widths[-1], look.width - used))
    out = [look.paint("  ".join(name.ljust(width) for name, width in zip(names, widths, strict=True)).rstrip(), "bold")]
    for row in cells:
        parts = []
        for at, (text, width) in enumerate(zip(row, widths, strict=True)):
            shown = cut(text, width)
            gap = " " * (width - columns(shown)) if at < len(names) - 1 else ""
            parts.append((look.paint(shown, STATES[text]) if text in STATES else shown) + gap)
        out.append("  ".join(parts).rstrip())
    return look.finish("\n".join(out) + "\n")


def _paragraph(label: str, text: str, look: Look) -> str:
    lines = visible(text, keep="\n").split("\n") or [""]
    rest = [f"{'':12}{each}" for each in lines[1:]]
    return "\n".join([look.paint(f"{label:12}", "bold") + lines[0], *rest]) + "\n"


def request_page(shown: Mapping[str, Any], look: Look) -> str:
    """A request with all that was said."""
    asked = shown["request"]
    state = asked["state"]
    out = [
        _paragraph("request", f"{asked['id']}  {named(asked)}", look),
        _paragraph("commit", asked["commit"], look),
        _paragraph("state", state, look).replace(state, look.paint(state, STATES.get(state, "bold")), 1),
        _paragraph("asked by", f"{asked['asker'] or 'a client that nobody knows'} for {asked['project']} on {moment(asked['added'])}", look),
        _paragraph("purpose", asked["purpose"] or "not said yet", look),
    ]  # fmt: skip
    if asked["environment"]:
        out.append(_paragraph("environment", asked["environment"], look))
    if asked["until"] is not None:
        out.append(_paragraph("wanted", until(asked["until"]), look))
    if asked["blocks"]:
        client = f", last with {asked['agent']}" if asked["agent"] else ""
        out.append(_paragraph("stopped", f"{asked['blocks']} pulls{client}", look))
    if shown["exception"]:
        out.append(_paragraph("exception", f"policy rejects it: {shown['needed']} people have to approve, until a day", look))  # fmt: skip
    if shown["by_packs"]:
        out.append(_paragraph("four eyes", f"a policy pack asks for {shown['by_packs']} people who approve it", look))
    for each in shown["voices"]:
        more = "; ".join(filter(None, (each["conditions"], until(each["until"]) if each["until"] is not None else "")))
        text = f"{each['name']} on {moment(each['at'])}: {each['text']}" + (f" [{more}]" if more else "")
        out.append(_paragraph(each["says"], text, look))
    if shown["missing"]:
        number = asked["id"]
        out.append(_paragraph("next", f"{shown['missing']} more to approve: openvet hub approve {number} --reason ...", look))  # fmt: skip
    return look.finish("".join(out))


def lineage_page(name: str, built: Sequence[Mapping[str, Any]], made: Sequence[Mapping[str, Any]], look: Look) -> str:
    """What was built on a model, and what it was made of."""
    shown = visible(name)
    head = look.finish(look.paint(f"built on {shown}", "bold") + "\n")
    rows = [
        {"standing": each["standing"], "model": named(each), "how": _how(each, "of", each["base"]), "by": _evidence(each), "licence": each["license"] or "", "people": str(each["people"] or "")}
        for each in built
    ]  # fmt: skip
    built_on = head + (table(rows, look) or "nothing that is known\n")
    rows = [
        {"standing": each["base_standing"], "base": each["base"], "how": _how(each, "by", each["name"]), "by": _evidence(each), "licence": each["base_license"] or "", "known": _trouble(each)}
        for each in made
    ]  # fmt: skip
    head = look.finish("\n" + look.paint(f"what {shown} was made of", "bold") + "\n")
    return built_on + head + (table(rows, look) or "nothing that is known\n")


def _how(each: Mapping[str, Any], word: str, between: str) -> str:
    return ", ".join(each["relations"]) + ("" if each["direct"] else f" {word} {between}")


def _evidence(each: Mapping[str, Any]) -> str:
    return each["evidence"] if each["weights"] is None else f"weights: {each['weights']}"


def _trouble(each: Mapping[str, Any]) -> str:
    revoked = [f"{each['base_revoked']} revoked"] if each["base_revoked"] else []
    return " ".join([*revoked, *each["base_advisories"]])


def standing_page(shown: Mapping[str, Any], look: Look) -> str:
    """How a revision stands, why, and what to do next."""
    row = shown["revision"]
    standing = row["standing"]
    out = [
        _paragraph("model", named(row), look),
        _paragraph("commit", row["commit"], look),
        _paragraph("standing", f"{standing} in {row['project']}", look).replace(
            standing, look.paint(standing, STATES[standing]), 1
        ),
    ]
    said = next((each for each in shown["timeline"] if each["id"] == row["decision"]), None)
    if said is not None:
        by = "policy" if said["of"] == "policy" else f"{said['by']} ({said['of']}, {until(said['until'])})"
        out.append(_paragraph("decided by", f"{by} on {moment(said['at'])}", look))
        if said["reason"]:
            out.append(_paragraph("why", said["reason"], look))
        if said["conditions"]:
            out.append(_paragraph("conditions", said["conditions"], look))
    if row["license"]:
        out.append(_paragraph("licence", row["license"], look))
    if row["verdict"] is not None:
        counts = ", ".join(f"{row[each]} {each}" for each in ("critical", "high", "medium", "low") if row[each])
        out.append(_paragraph("findings", counts or "none above a note", look))
    running = next((each for each in shown["vettings"] if each["state"] == "running"), None)
    if running is not None:
        out.append(_paragraph("vetting", f"{running['bytes_done']} of {running['bytes_total']} bytes", look))
    out.append(_paragraph("next", _next(row, running is not None), look))
    return look.finish("".join(out))


def event_rows(events: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """What happened, one line each, for :func:`table`."""
    return [
        {
            "when": moment(each["at"]), "kind": each["kind"], "what": each["what"], "by": each["by"], "project": each["project"],
            "decision": "" if each["decision"] is None else str(each["decision"]), "text": _event_text(each),
        }
        for each in events
    ]  # fmt: skip


def _event_text(each: Mapping[str, Any]) -> str:
    more = [each["conditions"] and f"on condition: {each['conditions']}", "" if each["until"] is None else until(each["until"])]  # fmt: skip
    told = "; ".join(filter(None, more))
    return " ".join(each["text"].split()) + (f" [{' '.join(told.split())}]" if told else "")


def _next(row: Mapping[str, Any], running: bool) -> str:
    name = named(row).partition("@")[0]
    if row["standing"] == "admitted":
        return f"pull it: hf download {row['name']} --revision {row['commit']}"
    if row["standing"] == "revoked":
        return "take another revision; openvet cache evict removes it from this machine"
    if row["standing"] == "open":
        return "its vetting is under way: ask again in a moment" if running else "pull it once, or have it vetted: openvet hub vet " + name  # fmt: skip
    return f'take another revision, or ask: openvet hub request {named(row)} --purpose "..."'
