"""The report as JSON: the evidence itself, in a fixed order. Its schema is ``data/schema/report-v1.json``."""

from __future__ import annotations

from collections.abc import Iterator

from openvet.reports._json_pieces import pieces as _pieces
from openvet.reports.report import Report

__all__ = ["compose", "pieces"]


def pieces(report: Report) -> Iterator[str]:
    """The report as one JSON object, piece by piece; the same input gives the same bytes."""
    return _pieces(report)


def compose(report: Report) -> str:
    """The report as one text."""
    return "".join(pieces(report))
