"""What a user must never lose, and an empty list that must never pass."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

import openvet
from openvet.cli import main
from openvet.errors import UsageError


@pytest.mark.parametrize("command", ["check", "scan", "inspect"])
def test_a_report_never_replaces_what_is_examined(command: str, tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    config = model / "config.json"
    config.write_text('{"model_type": "bert"}')
    link = tmp_path / "link.json"
    link.symlink_to(config)
    for examined, output in ((config, config), (model, config), (config, link), (link, config)):
        found = CliRunner().invoke(main, [command, "--format", "json", "-o", str(output), str(examined)])
        assert found.exit_code == 2, found.output
        assert "part of what is examined" in found.stderr
        assert config.read_text() == '{"model_type": "bert"}'


def test_an_older_report_may_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    for form in ("json", "sarif", "markdown", "jsonl"):
        report = tmp_path / f"report.{form}"
        for _ in range(2):
            assert CliRunner().invoke(main, ["check", "-f", form, "-o", str(report), str(tmp_path)]).exit_code in {0, 3}


def test_no_path_is_no_answer() -> None:
    with pytest.raises(UsageError, match="at least one path"):
        openvet.check()
