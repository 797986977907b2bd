"""The report as JSON Lines: each line is one element of ``models`` or of ``errors`` of the JSON report; the last one its ``config``."""

from __future__ import annotations

import json

from openvet.reports._wording import clean
from openvet.reports.config_use import ConfigUse
from openvet.reports.report import ModelReport, NotChecked, Report

__all__ = ["compose", "config_line", "line"]


def line(value: ModelReport | NotChecked) -> str:
    """One line. No text in it can break it: a newline is escaped by JSON, a line separator by us."""
    return json.dumps(clean(value.to_json()), ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"


def config_line(use: ConfigUse) -> str:
    """The last line, where there is a configuration or one was ignored."""
    return json.dumps(clean({"config": use.to_json()}), ensure_ascii=False, separators=(",", ":")) + "\n"


def compose(report: Report) -> str:
    """All models, then the paths that could not be checked, then the configuration."""
    end = [] if report.config is None else [config_line(report.config)]
    return "".join([*map(line, report.models), *map(line, report.errors), *end])
