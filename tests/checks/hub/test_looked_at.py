"""hub/active-output and hub/outside-path: what a browser shows of a notebook, and files that a configuration names elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import openvet
from openvet.core.rule import Severity


def _findings(path: Path) -> list[tuple[str, Severity, str | None]]:
    found = openvet.check(path).models[0].scan.all_findings()
    return [(each.rule, each.severity, each.location.pointer) for each in found]


@pytest.mark.parametrize(
    ("html", "severity"),
    [
        ("<script>IPython.notebook.kernel.execute('x')</script>", Severity.HIGH),
        ("<img src=x onerror=alert(1)>", Severity.MEDIUM),
        ("<script>Plotly.newPlot('x', [])</script>", Severity.NOTE),
    ],
)
def test_an_output_is_as_bad_as_what_it_does(tmp_path: Path, html: str, severity: Severity) -> None:
    output = {"output_type": "display_data", "metadata": {}, "data": {"text/html": [html]}}
    cell = {"cell_type": "code", "metadata": {}, "source": [], "outputs": [output], "execution_count": 1}
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}), "utf-8")
    assert _findings(path) == [("hub/active-output", severity, "/cells/0/outputs/0")]


def test_a_file_of_the_model_lies_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "genai_config.json"
    path.write_text(
        json.dumps({"model": {"decoder": {"filename": "../x.onnx"}, "vision": {"filename": "v.onnx"}}}), "utf-8"
    )
    assert _findings(path) == [("hub/outside-path", Severity.HIGH, "/model/decoder/filename")]
