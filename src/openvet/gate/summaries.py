"""What a report comes to, in one row for lists."""

from __future__ import annotations

from collections import Counter
from typing import Final

from openvet.core.text import shorten
from openvet.evidence.predicates.advisories_v1 import AdvisoriesV1
from openvet.evidence.predicates.licenses_v1 import LicensesV1
from openvet.evidence.predicates.lineage_v1 import LineageV1
from openvet.reports.report import ModelReport
from openvet.store.bases import Base, bases_of
from openvet.store.models import Summary

__all__ = ["advisories_of", "bases_of_report", "summary_of_report"]

_IDS: Final = 500
_LICENSE: Final = 200


def summary_of_report(report: ModelReport, vetting: int) -> Summary:
    """What a report comes to; ``vetting`` is the number of its reading."""
    findings = report.findings
    count = Counter(str(each.severity) for each in findings)
    return Summary(
        vetting, str(report.verdict), _license(report), count["critical"], count["high"], count["medium"], count["low"],
        tuple(sorted({each.rule for each in findings})[:_IDS]), _advisories(report)[:_IDS], bases_of_report(report)[1],
    )  # fmt: skip


def bases_of_report(report: ModelReport) -> tuple[tuple[Base, ...], int | None]:
    """What the model was made of, as far as that is kept, and how many there are; ``None`` where the report does not say."""
    said = report.answers.get("lineage")
    return bases_of(said) if isinstance(said, LineageV1) else ((), None)


def _license(report: ModelReport) -> str:
    """The licences that are declared of the model itself, as SPDX writes them where that is known."""
    said = report.answers.get("licenses")
    if not isinstance(said, LicensesV1):
        return ""
    of_model = [each for each in said.declared if each.scope == "model"]
    names = [each.expression or " OR ".join(each.keys) or each.said for each in of_model]
    return shorten(", ".join(dict.fromkeys(each for each in names if each)), _LICENSE)


def _advisories(report: ModelReport) -> tuple[str, ...]:
    """The advisories that a file of it reaches, or that a version is named of."""
    said = report.answers.get("advisories")
    if not isinstance(said, AdvisoriesV1):
        return ()
    return advisories_of(said)


def advisories_of(said: AdvisoriesV1) -> tuple[str, ...]:
    """The ids of those that hit by a statement, under all of their names."""
    hits = (each for each in said.hits if each.status == "affected" or (each.reasons and each.status != "not-affected"))
    return tuple(sorted({name for each in hits for name in (each.id, *each.aliases) if " " not in name}))
