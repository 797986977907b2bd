"""The hub's own library takes our drafts, and refuses no card in which we see nothing malformed; ``make interop`` makes the environment."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

import openvet
from openvet.cli import main
from openvet.evidence.predicates.card_v1 import CardV1
from openvet.testing.case import Case, write_case
from openvet.testing.forge_cards import CARDS, Carded

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".cache/interop/hub/bin/python"
pytestmark = pytest.mark.skipif(
    not (PYTHON.parents[1] / ".made").exists(), reason="huggingface_hub is not installed; make interop does that"
)
#: What we call malformed and the library takes all the same: it looks at few fields, the hub at all of them.
LENIENT = {"malformed-metadata", "model-index"}
Ask = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def library() -> Iterator[Ask]:
    command = [str(PYTHON), str(Path(__file__).with_name("hub_cards_driver.py"))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def ask(**case: Any) -> dict[str, Any]:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps(case) + "\n")
            process.stdin.flush()
            found: dict[str, Any] = json.loads(process.stdout.readline())
            return found

        yield ask
        assert process.stdin is not None
        process.stdin.close()


def folder(each: Carded, where: Path) -> str:
    return str(write_case(Case("card/x", "", each.data, "admit"), where))


@pytest.mark.parametrize("name", [name for name, each in CARDS.items() if "README.md" in each.files])
def test_what_the_library_refuses_we_call_malformed(name: str, library: Ask, tmp_path: Path) -> None:
    each = CARDS[name]
    found = library(card=each.data()["README.md"].decode())
    if "error" in found:
        assert each.notes & LENIENT, found["error"]
    elif not each.notes & LENIENT and isinstance(found["data"], dict):
        card = openvet.check(folder(each, tmp_path)).models[0].answers["card"]
        assert isinstance(card, CardV1)
        ours = {fact.name: fact.value for fact in reversed(card.documents[0].facts) if fact.source.place == "README.md"}
        assert set(found["data"]) <= set(ours) | {"model-index"}
        assert [each[2] for each in found["results"]] == [
            fact.value["value"] for fact in card.documents[0].facts if fact.name == "model-index"
        ]


@pytest.mark.parametrize("name", [name for name in CARDS if not name.startswith("dataset")])
def test_the_library_takes_every_draft(name: str, library: Ask, tmp_path: Path) -> None:
    where = folder(CARDS[name], tmp_path)
    draft = CliRunner().invoke(main, ["card", "--draft", where]).stdout
    found = library(card=draft)
    assert "error" not in found
    front = yaml.safe_load(draft.split("---\n")[1])
    assert found["data"] == {key: value for key, value in front.items() if value not in ([], None)} or front == {
        "tags": []
    }
    (tmp_path / "model" / "README.md").write_text(draft)
    again = openvet.check(where).models[0].answers["card"]
    assert isinstance(again, CardV1)
    malformed = {
        "malformed-metadata",
        "model-index",
        "language-code",
        "unknown-license",
        "unknown-task",
        "ambiguous-license",
    }
    assert [problem.message for problem in again.documents[0].problems if problem.kind in malformed] == []


@pytest.mark.parametrize(
    "name", [name for name, each in CARDS.items() if any(".eval_results" in file for file in each.files)]
)
def test_evaluation_results_are_read_as_the_library_reads_them(name: str, library: Ask) -> None:
    each = CARDS[name]
    text = next(data for file, data in each.data().items() if ".eval_results" in file)
    found = library(results=yaml.safe_load(text))
    assert ("error" in found) == ("eval-results" in each.notes)
