"""What to paste into ``openvet.toml`` to accept what was found: one stanza for each rule and file.

``reason``, ``owner`` and ``expires`` are empty, and a configuration with an empty one is refused: they are for a person to fill.
"""

from __future__ import annotations

import json

from openvet.core.finding import Finding
from openvet.reports._wording import cut, plural, visible
from openvet.reports.report import ModelReport, Report

__all__ = ["compose"]

_SHOWN = 3
_WIDE = 140


def compose(report: Report) -> str:
    """Stanzas of TOML for every finding that counts, with what it says as comments."""
    parts = [_model(each) for each in report.models]
    return "\n".join(part for part in parts if part) or "# Nothing here needs to be accepted.\n"


def _model(model: ModelReport) -> str:
    counted = {each.code for each in model.decision.reasons}
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in sorted(model.scan.all_findings(), key=Finding.sort_key):
        if f"rule:{finding.rule}" in counted and model.decision.acceptance_of(finding) is None:
            digest = finding.digests[0] if finding.digests else ""
            groups.setdefault((finding.rule, digest), []).append(finding)
    lines = []
    for (rule, digest), findings in groups.items():
        lines += _stanza(model, rule, digest, findings)
    unread = sum(1 for _ in model.scan.all_unknowns())
    if unread:
        lines.append(
            _comment(f"{model.path}: {plural(unread, 'place')} not read; what was not read cannot be accepted.")
        )
        lines.append("")
    return "\n".join(lines).rstrip("\n") + "\n" if lines else ""


def _stanza(model: ModelReport, rule: str, digest: str, findings: list[Finding]) -> list[str]:
    first = findings[0]
    lines = [_comment(f"{model.path}: severity {first.severity}, confidence {first.confidence}")]
    lines += [_comment(f"{each.location}: {each.message}") for each in findings[:_SHOWN]]
    if len(findings) > _SHOWN:
        lines.append(f"# and {len(findings) - _SHOWN:,} more like it")
    if not digest:
        return [*lines, "# It cannot be accepted: the file could not be read to its end, so no digest names it.", ""]
    return [
        *lines,
        "[[accept]]",
        f"rule = {json.dumps(visible(rule))}",
        f'digest = "{digest}"',
        'reason = ""',
        'owner = ""',
        'expires = ""  # a day, such as 2027-06-30',
        "",
    ]


def _comment(text: str) -> str:
    return "# " + cut(visible(text.replace("\n", " ")), _WIDE)
