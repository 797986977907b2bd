"""What a vetting leaves for lists."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from openvet.gate.answers import RefusedError
from openvet.store.bases import built_on
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


def test_what_a_model_was_made_of(opening: Opening) -> None:
    """By its card and its configuration; what it says of itself is no base, and what only measured it neither."""
    card = CARD.replace(
        b"---\n# A", b"base_model: Org/Base\nbase_model_relation: finetune\ndatasets: [org/words]\n---\n# A"
    )
    config = CONFIG.replace(b"{", b'{"_name_or_path": "org/model", ', 1)
    files = {**model(), "README.md": card, "config.json": config}
    with Hub(dict(files)) as hub:
        gate = opening(hub)
        with pytest.raises(RefusedError):  # a base of which no licence is known wants a review
            get(gate, "config.json", repository=MODEL)
        with gate.database.reading() as connection:
            (row,) = list_models(connection, ["/"], gate.clock())
            assert row.summary is not None
            assert row.summary.bases == 3
            for key, relation in ((("model", "org/base"), "finetune"), (("dataset", "org/words"), "trained-on")):
                (found,) = built_on(connection, {key}, ["/"], gate.clock())
                assert (found.revision, found.base.relations, found.base.verdict) == (row.revision, (relation,), "")
            assert built_on(connection, {("model", "org/model")}, ["/"], gate.clock()) == []


def test_words_of_standing_are_those_of_the_gate() -> None:
    from openvet.gate.standing import Stand

    assert set(STANDINGS) == {str(each) for each in Stand}
