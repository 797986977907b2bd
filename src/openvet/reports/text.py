"""The report for a person at a terminal: what was decided, why, what the model is, and what was not read."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterator, Sequence

from openvet.core.coverage import Unknown
from openvet.core.rule import Severity
from openvet.policy.decision import Verdict
from openvet.reports._facts import describe
from openvet.reports._wording import (
    Group,
    accepted_text,
    columns,
    cut,
    group_findings,
    group_unknowns,
    headline,
    lookup_unread,
    plural,
    reason_text,
    reasons_by_weight,
    short,
    visible,
)
from openvet.reports.config_use import ConfigUse
from openvet.reports.look import PLAIN, Look
from openvet.reports.report import ModelReport, NotChecked, Report

__all__ = ["compose", "configuration", "decision_line", "model", "summary", "table", "wrapped"]

_VERDICT_STYLE = {Verdict.ADMIT: "green", Verdict.REVIEW: "yellow", Verdict.REJECT: "red"}
_SEVERITY_STYLE: dict[Severity, tuple[str, ...]] = {
    Severity.CRITICAL: ("bold", "red"),
    Severity.HIGH: ("red",),
    Severity.MEDIUM: ("yellow",),
    Severity.LOW: ("yellow",),
    Severity.NOTE: ("dim",),
}
_LIKE_IT = 3
_REASONS = 6
_IDLE = 10


def compose(report: Report, look: Look = PLAIN, *, quiet: bool = False) -> str:
    """The whole report."""
    if quiet:
        return "".join(decision_line(each, look, whole_path=True) for each in report.models)
    parts = [model(each, look) for each in report.models]
    ends = [summary(report, look), "" if report.config is None else configuration(report.config, look)]
    return "\n".join([*parts, *(end for end in ends if end)])


def decision_line(report: ModelReport, look: Look = PLAIN, *, whole_path: bool = False) -> str:
    """One line: the decision, the model, the first reason."""
    verdict = report.decision.verdict
    name = visible(report.path if whole_path else report.subject.name)
    word = look.paint(verdict.upper(), "bold", _VERDICT_STYLE[verdict])
    return look.finish(f"{word}  {look.paint(name, 'bold')} — {headline(report.decision, report.scan)}\n")


def model(report: ModelReport, look: Look = PLAIN) -> str:
    """Everything about one model."""
    verdict = report.decision.verdict
    start = f"{verdict.upper()}  {visible(report.subject.name)} — "
    lines = wrapped(start + headline(report.decision, report.scan), look.width, indent=8)
    painted = look.paint(verdict.upper(), "bold", _VERDICT_STYLE[verdict])
    lines[0] = painted + lines[0][len(verdict) :]
    lines.extend(_why(report, look))
    lines.extend(_heading("What it is", look))
    lines.extend(_pairs(describe(report.scan, report.facts, report.answers), look))
    lines.extend(_findings(report, look))
    lines.extend(_not_read(report, look))
    lines.extend(_next(report, look))
    return look.finish("\n".join(lines) + "\n")


def summary(report: Report, look: Look = PLAIN) -> str:
    """A table of all models when there are several, else nothing."""
    if len(report.models) + len(report.errors) < 2:
        return ""
    rows = [
        [each.decision.verdict.upper(), visible(each.path), headline(each.decision, each.scan)]
        for each in report.models
    ]
    rows += [["FAILED", visible(each.path), visible(each.message)] for each in report.errors]
    styles = [_VERDICT_STYLE[each.decision.verdict] for each in report.models] + ["red"] * len(report.errors)
    lines = table(rows, look.width, start=styles, look=look)
    title = look.paint(f"{plural(len(rows), 'model')}: {_tally(report.models, report.errors)}", "bold")
    return look.finish("\n".join([title, *lines]) + "\n")


def configuration(use: ConfigUse, look: Look = PLAIN) -> str:
    """Which configuration counted and which did not, and which of its entries do nothing."""
    lines = [look.paint("Configuration", "bold")]
    if use.name is not None:
        digest = f", sha256 {use.name.sha256}" if use.name.sha256 else ""
        lines += wrapped(f"{visible(use.name.file)} ({use.source}){digest}", look.width, indent=4, first="  ")
    if use.strict:
        lines.append("  strict: what is not proven to be data is rejected")
    for ignored in use.ignored:
        lines += wrapped(f"ignored: {visible(ignored.file)}: {visible(ignored.why)}", look.width, indent=4, first="  ")
    idle = use.lines()
    for line in idle[:_IDLE]:
        lines += wrapped(visible(line), look.width, indent=4, first="  ")
    if len(idle) > _IDLE:
        lines.append(f"  and {len(idle) - _IDLE:,} more entries that do nothing; --format json lists all")
    return look.finish("\n".join(lines) + "\n")


def table(
    rows: Sequence[Sequence[str]], width: int, *, start: Sequence[str] = (), look: Look = PLAIN, wrap: bool = False
) -> list[str]:
    """Rows in aligned columns, two blanks apart. The last column is cut at the width, or wrapped with ``wrap``.

    ``start`` colours the first cells.
    """
    if not rows:
        return []
    widths = [min(max(columns(row[at]) for row in rows), width // 2) for at in range(len(rows[0]) - 1)]
    room = max(width - sum(widths) - 2 * len(widths), 20)
    out = []
    for at, row in enumerate(rows):
        cells = [cut(cell, size) for cell, size in zip(row, widths, strict=False)]
        padded = [cell + " " * (size - columns(cell)) for cell, size in zip(cells, widths, strict=True)]
        if start and padded:
            padded[0] = look.paint(padded[0], start[at])
        last = wrapped(row[-1], room) if wrap else [cut(row[-1], room)]
        out.append("  ".join([*padded, last[0]]).rstrip())
        out.extend(" " * (sum(widths) + 2 * len(widths)) + line for line in last[1:])
    return out


def _tally(models: Sequence[ModelReport], errors: Sequence[NotChecked]) -> str:
    parts = []
    for verdict in (Verdict.REJECT, Verdict.REVIEW, Verdict.ADMIT):
        count = sum(1 for each in models if each.decision.verdict is verdict)
        if count:
            parts.append(f"{count} {verdict}")
    if errors:
        parts.append(f"{len(errors)} failed")
    return ", ".join(parts)


def _heading(text: str, look: Look) -> list[str]:
    return ["", look.paint(text, "bold")]


def wrapped(text: str, width: int, indent: int = 0, first: str = "") -> list[str]:
    """``text`` in lines of at most ``width``; a word is never broken: a path can be copied from it."""
    return textwrap.wrap(
        text,
        max(width, indent + 20),
        initial_indent=first,
        subsequent_indent=" " * indent,
        break_on_hyphens=False,
        break_long_words=False,
    ) or [first.rstrip()]


def _pairs(pairs: Sequence[tuple[str, str]], look: Look) -> Iterator[str]:
    wide = max((len(label) for label, _ in pairs), default=0)
    for label, text in pairs:
        lines = wrapped(text, look.width, indent=wide + 4, first=f"  {label.ljust(wide)}  ")
        yield "  " + look.paint(label, "dim") + lines[0][2 + len(label) :]
        yield from lines[1:]


def _why(report: ModelReport, look: Look) -> Iterator[str]:
    reasons = reasons_by_weight(report.decision, report.scan)
    if len(reasons) < 2:  # the first line has said it
        return
    yield from _heading("Why", look)
    for reason in reasons[:_REASONS]:
        lines = wrapped(reason_text(reason), look.width, indent=10, first=f"  {reason.verdict:<6}  ")
        yield (
            "  " + look.paint(str(reason.verdict), _VERDICT_STYLE[reason.verdict]) + lines[0][2 + len(reason.verdict) :]
        )
        yield from lines[1:]
    if len(reasons) > _REASONS:
        yield f"  and {plural(len(reasons) - _REASONS, 'more reason')}; --format json lists all"


def _findings(report: ModelReport, look: Look) -> Iterator[str]:
    groups = group_findings(report.scan, report.decision)
    if not groups:
        return
    count = sum(len(group.findings) for group in groups)
    yield from _heading(f"Findings ({count:,})", look)
    for group in groups:
        if group.first.severity is Severity.NOTE and group.acceptance is None:
            yield _note(group, look)
        else:
            yield from _finding(group, look)


def _note(group: Group, look: Look) -> str:
    first = group.first
    more = f" (and {len(group.findings) - 1:,} more)" if len(group.findings) > 1 else ""
    start = f"  note      {visible(first.rule)}  "
    text = cut(
        f"{short(str(first.location))}: {short(first.message)}", max(look.width - columns(start) - len(more), 20)
    )
    return "  " + look.paint("note", "dim") + start[6:] + text + more


def _finding(group: Group, look: Look) -> Iterator[str]:
    first = group.first
    severity = str(first.severity)
    yield (
        f"  {look.paint(severity.ljust(8), *_SEVERITY_STYLE[first.severity])}  "
        f"{look.paint(visible(first.rule), 'bold')}  {look.paint(f'confidence {first.confidence}', 'dim')}"
        + ("" if group.acceptance is None else f"  {look.paint('accepted', 'green')}")
    )
    for finding in group.findings[:_LIKE_IT]:
        place = short(str(finding.location))
        lines = wrapped(f"{place} — {short(finding.message)}", look.width, indent=14, first=" " * 12)
        lines[0] = lines[0].replace(place, look.paint(place, "cyan"), 1)
        yield from lines
    left = len(group.findings) - _LIKE_IT
    if left > 0:
        yield f"            and {left:,} more like it; --format json lists all"
    if group.acceptance is not None:
        yield from wrapped(accepted_text(group.acceptance), look.width, indent=14, first=" " * 12 + "→ ")
        return
    for remedy in dict.fromkeys(finding.remedy for finding in group.findings[:_LIKE_IT]):
        yield from wrapped(short(remedy), look.width, indent=14, first=" " * 12 + "→ ")


def _not_read(report: ModelReport, look: Look) -> Iterator[str]:
    groups = group_unknowns(report.scan)
    if not groups:
        return
    yield from _heading(f"Not read ({sum(len(each) for _, each in groups):,})", look)
    for reason, unknowns in groups:
        words = lookup_unread(reason)
        yield (f"  {look.paint(visible(reason).ljust(11), 'yellow')} {plural(len(unknowns), 'place')}: {words.meaning}")
        yield from _unread_places(unknowns, look)
        yield from wrapped(words.remedy, look.width, indent=16, first=" " * 14 + "→ ")


def _unread_places(unknowns: Sequence[Unknown], look: Look) -> Iterator[str]:
    for unknown in unknowns[:_LIKE_IT]:
        yield from wrapped(
            f"{short(str(unknown.location))} — {short(unknown.message)}", look.width, indent=16, first=" " * 14
        )
    if len(unknowns) > _LIKE_IT:
        yield f"              and {len(unknowns) - _LIKE_IT:,} more; --format json lists all"


def _next(report: ModelReport, look: Look) -> Iterator[str]:
    command = _next_command(report)
    if command:
        yield ""
        yield f"{look.paint('Next:', 'bold')} {command}"
        review = report.decision.verdict is Verdict.REVIEW
        if (
            review
            and any(each.code.startswith("rule:") for each in report.decision.reasons)
            and "\\" not in visible(report.path)
        ):
            path = shlex.quote(visible(report.path))
            yield f"{look.paint('To accept it:', 'bold')} openvet check --format acceptances {path}"


def _next_command(report: ModelReport) -> str:
    if report.decision.verdict is Verdict.ADMIT:
        path = visible(report.path)
        if report.facts is None or "\\" in path:  # an escaped path names no file
            return ""
        return f"openvet inspect {shlex.quote(path)}"
    code = reasons_by_weight(report.decision, report.scan)[0].code
    return f"openvet explain {shlex.quote(visible(code.removeprefix('rule:')))}"
