"""The report as JSON: the evidence itself, in a fixed order. Its schema is ``data/schema/report-v1.json``."""

from __future__ import annotations

import json

from openvet.reports._wording import clean
from openvet.reports.report import Report

__all__ = ["compose"]


def compose(report: Report) -> str:
    """The report as one JSON object; the same input gives the same bytes."""
    return json.dumps(clean(report.to_json()), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
