"""An answer that cannot be made is told, and costs the model neither its check nor the other answers."""

from pathlib import Path

import pytest

import openvet
from openvet.policy.decision import Verdict
from openvet.workflows import advisories


def test_a_fault_in_an_answer_is_an_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"model_type": "llama"}', "utf-8")
    assert openvet.check(path).models[0].decision.verdict is Verdict.ADMIT

    def broken(*_: object) -> None:
        raise ZeroDivisionError("no number")

    monkeypatch.setattr(advisories, "advisories_of", broken)
    (report,) = openvet.check(path).models
    assert set(report.answers) == {"profile", "card", "licenses", "lineage"}
    told = [(each.reason, each.message) for each in report.unknowns]
    assert told == [("error", "the advisories could not be made: ZeroDivisionError: no number")]
    assert report.decision.verdict is Verdict.REVIEW
