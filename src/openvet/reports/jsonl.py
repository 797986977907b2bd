"""The report as JSON Lines: each line is one element of ``models`` or of ``errors`` of the JSON report; the last one its ``config``."""

from __future__ import annotations

import json
from collections.abc import Iterator

from openvet.reports._json_pieces import pieces
from openvet.reports._wording import clean
from openvet.reports.config_use import ConfigUse
from openvet.reports.report import ModelReport, NotChecked, Report

__all__ = ["compose", "config_line", "line"]


def line(value: ModelReport | NotChecked) -> Iterator[str]:
    """One line, piece by piece. No text in it can break it: a newline is escaped by JSON, a line separator by us."""
    return pieces(value, indent=None)


def config_line(use: ConfigUse) -> str:
    """The last line, where there is a configuration or one was ignored."""
    return json.dumps(clean({"config": use.to_json()}), ensure_ascii=False, separators=(",", ":")) + "\n"


def compose(report: Report) -> str:
    """All models, then the paths that could not be checked, then the configuration."""
    end = [] if report.config is None else [config_line(report.config)]
    models = [piece for each in report.models for piece in line(each)]
    return "".join([*models, *(piece for each in report.errors for piece in line(each)), *end])
