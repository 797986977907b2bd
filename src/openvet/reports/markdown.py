"""The report as Markdown, for a pull request's comment or a job's summary.

Text of the subject is written so that it stays text: no table cell ends early, no HTML, link, mention or reference comes
out of it. Characters that Markdown reads are written as numeric entities (CommonMark 0.31, section 2.5: an entity never
stands for a structure); ``<b></b>`` breaks what a forge looks for after that: ``@name``, ``#1``, ``http://``, ``www.``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from openvet.core.location import Location
from openvet.core.pattern import pattern
from openvet.core.rule import Severity
from openvet.evidence.predicates.decision_v1 import OUTCOMES
from openvet.policy.decision import Verdict
from openvet.reports._facts import describe
from openvet.reports._wording import (
    Group,
    accepted_text,
    cut,
    group_findings,
    group_unknowns,
    headline,
    lookup_unread,
    plural,
    reason_text,
    reasons_by_weight,
    visible,
)
from openvet.reports.config_use import ConfigUse
from openvet.reports.report import ModelReport, Report

__all__ = ["code", "compose", "safe"]

_SIGN = {Verdict.ADMIT: "✅", Verdict.REVIEW: "⚠️", Verdict.REJECT: "❌"}
_LONGEST = 400
_ROWS = 50
#: An underscore between letters or digits begins and ends nothing (CommonMark 0.31, section 6.2), and names are full of them.
_STRUCTURE = pattern(r"[&<>|`*\[\]\\~!#$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_REFERENCE = pattern(r"@(?=\w)|#(?=\w)|:(?=//)|www(?=\.)|(?<!\b\d{4})(?<!\b\d{4}-\d\d)-(?=\d)", re.IGNORECASE)


def compose(report: Report) -> str:
    """The whole report."""
    parts = ["\n".join(_model(each)) + "\n" for each in report.models]
    if report.errors:
        parts.append(
            "\n".join(
                ["### Not checked", "", *(f"- {code(each.path)}: {safe(each.message)}" for each in report.errors)]
            )
            + "\n"
        )
    if report.config is not None:
        parts.append("\n".join(_config(report.config)) + "\n")
    parts.append(f"<sub>openvet {safe(report.tool.version)}</sub>\n")
    return "\n".join(parts)


def _config(use: ConfigUse) -> Iterator[str]:
    """Which configuration counted, and which of its entries do nothing."""
    yield "### Configuration"
    yield ""
    if use.name is not None:
        digest = f", SHA-256 {code(use.name.sha256)}" if use.name.sha256 else ""
        strict = "; strict: what is not proven to be data is rejected" if use.strict else ""
        yield f"- {code(use.name.file)} ({safe(use.source)}){digest}{strict}"
    yield from (f"- ignored: {code(each.file)}: {safe(each.why)}" for each in use.ignored)
    yield from (f"- {safe(line)}" for line in use.lines()[:_ROWS])


def safe(text: str, longest: int = _LONGEST) -> str:
    """``text`` as Markdown that shows exactly it, on one line of at most ``longest`` columns before it is escaped."""
    text = cut(visible(text.replace("\n", " ")), longest)
    # an empty element parts what a forge would join to a link or a mention; it comes in after the entities
    parts = [_STRUCTURE.sub(_entity, part) for part in _REFERENCE.split(text)]
    marks = _REFERENCE.findall(text)
    return "".join(part + (f"{mark}<b></b>" if mark else "") for part, mark in zip(parts, [*marks, ""], strict=True))


def _entity(match: re.Match[str]) -> str:
    return f"&#{ord(match[0])};"


def code(text: str, longest: int = _LONGEST) -> str:
    """``text`` set as code: HTML, since a code span cannot hold a backtick or a table's bar safely."""
    return f"<code>{safe(text, longest)}</code>"


def _place(location: Location) -> str:
    return code(str(location))


def _model(report: ModelReport) -> Iterator[str]:
    verdict = report.verdict
    yield f"## {_SIGN[verdict]} {verdict.upper()}: {safe(report.subject.name)}"
    yield ""
    if report.policies:
        yield f"- {report.decision.verdict}: whether it is safe to load, by the built-in policy"
        for each in report.policies:
            counts = ", ".join(f"{count} {outcome}" for outcome in OUTCOMES if (count := each.count(outcome)))
            yield f"- {safe(each.verdict)}: {safe(each.pack.title)}, by {safe(each.pack.name)} as of {safe(each.as_of)}: {counts or 'no requirement'}"
        yield ""
    reasons = reasons_by_weight(report.decision, report.scan)
    if len(reasons) < 2:
        yield safe(headline(report.decision, report.scan))
    for reason in reasons if len(reasons) > 1 else ():
        yield f"- **{reason.verdict}**: {safe(reason_text(reason))}"
    yield ""
    yield "| what it is | |"
    yield "|---|---|"
    for label, text in describe(report.scan, report.facts, report.answers):
        yield f"| {label} | {safe(text)} |"
    yield from _findings(report)
    yield from _not_read(report)
    yield from _policies(report)


def _policies(report: ModelReport) -> Iterator[str]:
    """The lines of packs about which there is something to do; the page and the JSON report have all."""
    rows = [
        f"| {code(each.id)} | {'waived' if each.waived is not None else safe(each.verdict)} | {safe(each.outcome)} | {safe(each.title)} ({safe(each.clause)}) | {safe(each.why)} | {safe(each.remedy)} |"
        for decision in report.policies
        for each in decision.lines
        if each.outcome in ("violated", "indeterminate")
    ]
    if not rows:
        return
    yield from ("", f"### {plural(len(rows), 'line')} of packs violated or open", "")
    yield from ("| requirement | leads to | outcome | asks | why | what to do |", "|---|---|---|---|---|---|")
    yield from _limited(rows)


def _findings(report: ModelReport) -> Iterator[str]:
    groups = group_findings(report.scan, report.decision)
    if not groups:
        return
    yield ""
    yield f"### {plural(sum(len(each.findings) for each in groups), 'finding')}"
    yield ""
    yield "| severity | rule | where | what | what to do |"
    yield "|---|---|---|---|---|"
    yield from _limited([_row(group) for group in groups])


def _row(group: Group) -> str:
    first = group.first
    severity = f"**{first.severity}**" if first.severity >= Severity.HIGH else str(first.severity)
    more = f" and {len(group.findings) - 1:,} more" if len(group.findings) > 1 else ""
    remedy = first.remedy
    if group.acceptance is not None:
        severity, remedy = f"{first.severity} (accepted)", accepted_text(group.acceptance)
    return (
        f"| {severity} | {code(first.rule)} | {_place(first.location)}{more} | {safe(first.message)} | {safe(remedy)} |"
    )


def _not_read(report: ModelReport) -> Iterator[str]:
    groups = group_unknowns(report.scan)
    if not groups:
        return
    yield ""
    yield f"### {plural(sum(len(each) for _, each in groups), 'place')} not read"
    yield ""
    yield "| reason | where | what | what to do |"
    yield "|---|---|---|---|"
    rows = []
    for reason, unknowns in groups:
        more = f" and {len(unknowns) - 1:,} more" if len(unknowns) > 1 else ""
        words = lookup_unread(reason)
        rows.append(
            f"| {safe(reason)} | {_place(unknowns[0].location)}{more} | {safe(unknowns[0].message)} | {safe(words.remedy)} |"
        )
    yield from _limited(rows)


def _limited(rows: Sequence[str]) -> Iterator[str]:
    """A forge refuses a comment that is too long."""
    yield from rows[:_ROWS]
    if len(rows) > _ROWS:
        yield ""
        yield f"… and {len(rows) - _ROWS:,} more rows; the JSON report lists all."
