"""Following calls from file to file: what the limit on its steps leaves off is said."""

from __future__ import annotations

from pathlib import Path

import pytest

import openvet
from openvet.checks.python import _follow
from openvet.checks.python._follow import follow
from openvet.core.location import Location
from openvet.formats.python import PythonCall, PythonSource


def padded(calls: int) -> list[PythonSource]:
    """A source whose calls lead nowhere, and one behind it that calls a function of a third."""
    nowhere = tuple(PythonCall("<near>.none.f", "import", line) for line in range(1, calls + 1))
    return [
        PythonSource(Location("a.py"), 0, calls=nowhere),
        PythonSource(Location("b.py"), 0, calls=(PythonCall("<near>.c.f", "import", 7),)),
        PythonSource(Location("c.py"), 0),
    ]


def test_all_steps_are_enough_to_the_last_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_follow, "_MOST", 51)
    followed = follow(padded(50))
    assert followed.left_off is None
    assert followed.reached == {(Location("c.py"), "f"): ("import", "b.py, line 7")}


def test_where_the_steps_end_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_follow, "_MOST", 50)
    followed = follow(padded(50))
    assert followed.left_off == Location("b.py", line=7)
    assert not followed.reached


def test_a_padded_repository_is_not_admitted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.py").write_text("from . import none\n" + "".join(f"none.f{n}()\n" for n in range(60)))
    (tmp_path / "b.py").write_text("from .c import f\nf()\n")
    (tmp_path / "c.py").write_text("def f():\n    pass\n")
    assert openvet.check(tmp_path).models[0].decision.verdict == "admit"
    monkeypatch.setattr(_follow, "_MOST", 50)
    model = openvet.check(tmp_path).models[0]
    assert model.decision.verdict == "review"
    told = [unknown for unknown in model.scan.all_unknowns() if unknown.reason == "limit"]
    assert [unknown.message for unknown in told] == [
        "too many calls lead from file to file; those from here on were not followed"
    ]
    assert told[0].location.place == "a.py"


def test_the_steps_of_python_sources_are_many() -> None:
    assert _follow._MOST >= 200_000
