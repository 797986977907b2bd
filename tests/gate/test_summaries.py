"""What a vetting leaves for lists."""

from __future__ import annotations

from collections.abc import Mapping

from openvet.gate.answers import RefusedError
from openvet.store.models import STANDINGS, ModelRow, list_models
from openvet.testing.hub import Hub
from tests.gate.conftest import MODEL, Opening, get
from tests.gate.samples import CARD, CONFIG, HOSTILE, model


def listed(opening: Opening, files: Mapping[str, bytes], file: str) -> ModelRow:
    with Hub(dict(files)) as hub:
        gate = opening(hub)
        try:
            get(gate, file, repository=MODEL)
        except RefusedError:
            pass
        with gate.database.reading() as connection:
            (row,) = list_models(connection, ["/"], gate.clock())
        return row


def test_a_model_that_is_admitted(opening: Opening) -> None:
    row = listed(opening, model(), "config.json")
    assert (row.name, row.standing) == ("org/model", "admitted")
    assert row.summary is not None
    assert (row.summary.verdict, row.summary.license) == ("admit", "Apache-2.0")
    assert (row.summary.critical, row.summary.high) == (0, 0)


def test_a_model_that_is_not(opening: Opening) -> None:
    row = listed(opening, {"README.md": CARD, "config.json": CONFIG, "pytorch_model.bin": HOSTILE}, "pytorch_model.bin")
    assert row.standing == "refused"
    assert row.summary is not None
    assert (row.summary.verdict, row.summary.critical) == ("reject", 1)
    assert "pickle/runs-process" in row.summary.rules


def test_words_of_standing_are_those_of_the_gate() -> None:
    from openvet.gate.standing import Stand

    assert set(STANDINGS) == {str(each) for each in Stand}
