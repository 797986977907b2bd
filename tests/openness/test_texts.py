"""Texts of licences confirm what is declared, stand in for it, or contradict it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.openness.releases import CONFIG, WEIGHTS, card, examined, folder, line

from openvet.core.tables import data_folder

MIT = Path(data_folder(), "licenses/texts/mit.txt").read_bytes()
APACHE = Path(data_folder(), "licenses/texts/apache-2.0.txt").read_bytes()
MODEL = {"model.safetensors": WEIGHTS, "config.json": CONFIG}


def test_a_text_that_agrees_is_evidence(tmp_path: Path) -> None:
    found = examined(folder({**MODEL, "README.md": card(), "LICENSE": APACHE}, tmp_path))
    said = found.part("final-parameters").license
    assert said is not None
    assert (said.id, said.standing) == ("Apache-2.0", "open-other-type")
    assert said.text is not None
    assert said.text.place == "LICENSE"
    assert line(found, "eu-53-2", "licence").state == "evidence"
    assert found.notes == ()


def test_without_a_text_it_is_declared(tmp_path: Path) -> None:
    found = examined(folder({**MODEL, "README.md": card()}, tmp_path))
    assert line(found, "eu-53-2", "licence").state == "declared"


def test_a_text_stands_in_for_what_nobody_declares(tmp_path: Path) -> None:
    found = examined(folder({**MODEL, "LICENSE": MIT}, tmp_path))
    said = found.part("final-parameters").license
    assert said is not None
    assert (said.id, said.source.place) == ("MIT", "LICENSE")


def test_a_text_of_another_licence_applies_too(tmp_path: Path) -> None:
    found = examined(folder({**MODEL, "README.md": card("license: cc-by-nc-4.0"), "LICENSE": MIT}, tmp_path))
    said = found.part("final-parameters").license
    assert said is not None
    assert (said.id, said.standing) == ("MIT AND CC-BY-NC-4.0", "not-open")
    assert "names MIT, and the card names CC-BY-NC-4.0" in found.notes[0].text


def test_a_changed_text_is_told(tmp_path: Path) -> None:
    changed = MIT.replace(b"without restriction", b"for research alone, without other restriction")
    assert changed != MIT
    found = examined(folder({**MODEL, "README.md": card("license: mit"), "LICENSE": changed}, tmp_path))
    assert line(found, "eu-53-2", "licence").state == "declared"
    assert [each.source.place for each in found.notes] == ["LICENSE"]


@pytest.mark.parametrize("name", ["NOTES", "ABOUT.txt"])
def test_other_texts_say_nothing(name: str, tmp_path: Path) -> None:
    found = examined(folder({**MODEL, "README.md": card(), name: b"Nothing about anything.\n"}, tmp_path))
    said = found.part("final-parameters").license
    assert said is not None
    assert said.text is None
