"""A class is reached when all of its evidence stands, and what stands in the way is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.openness.releases import (
    COMPLETE,
    CONFIG,
    LINKED,
    NAMES,
    WEIGHTS,
    card,
    complete,
    examined,
    folder,
    linked,
    record,
)

from openvet.evidence.predicates.openness_v1 import OpennessV1, Reading
from openvet.openness.framework import components

OF = {each.id: each.of for each in components()}


def reading(found: OpennessV1, name: str) -> Reading:
    return next(each for each in found.readings if each.name == name)


def test_with_everything_in_its_files_a_release_is_of_class_one(tmp_path: Path) -> None:
    found = examined(folder(complete(), tmp_path))
    assert [(each.name, each.reached) for each in found.readings] == [("declared", 1), ("files", 1)]
    assert all(each.state == "found" for each in found.parts if each.id in COMPLETE)
    assert found.notes == ()


@pytest.mark.parametrize("gone", COMPLETE)
def test_without_any_part_it_is_not_and_the_part_is_named(gone: str, tmp_path: Path) -> None:
    others = (
        ["intermediate-parameters"] if gone == "final-parameters" else []
    )  # those of the only step would be the final ones
    found = examined(folder(complete(gone, *others), tmp_path))
    files = reading(found, "files")
    if gone == "technical-report":  # the paper stands in for it
        assert files.reached == 1
        return
    if gone == "model-card":  # the licence of all that has none of its own stood in its metadata
        assert files.reached == 0
        assert {"architecture", "final-parameters"} <= set(files.classes[0].unlicensed)
    else:
        assert files.reached == (0 if OF[gone] == 3 else OF[gone] + 1)
    lacking = next(each for each in files.classes if each.of == OF[gone])
    assert gone in lacking.missing


def test_a_release_like_olmo_is_of_class_one_by_what_it_declares_and_of_none_by_its_files(tmp_path: Path) -> None:
    found = examined(folder(linked(), tmp_path))
    assert reading(found, "declared").reached == 1
    files = reading(found, "files")
    assert files.reached == 0
    assert {"architecture", "technical-report"} <= set(files.classes[0].missing)
    assert found.part("datasets").state == "linked"
    assert found.part("datasets").evidence[0].link == "https://huggingface.co/datasets/example/dolma"
    assert found.part("final-parameters").state == "found"
    assert found.notes == ()


@pytest.mark.parametrize("name", LINKED)
@pytest.mark.parametrize(
    ("path", "licence", "why"),
    [
        (None, None, "missing"),
        ("https://example.org/x", "unlicensed", "unlicensed"),
        ("https://example.org/x", "", "unlicensed"),
        ("https://example.org/x", "CC-BY-NC-4.0", "not_open"),
        ("https://example.org/x", "Apache 2.0", "not_open"),
        ("not/here.txt", "Apache-2.0", "missing"),
    ],
)
def test_what_a_record_lacks_stands_in_the_way(
    name: str, path: str | None, licence: str | None, why: str, tmp_path: Path
) -> None:
    listed = dict(LINKED)
    if path is None or licence is None:
        del listed[name]
    else:
        listed[name] = (path, licence)
    found = examined(folder(linked(listed), tmp_path))
    declared = reading(found, "declared")
    component = NAMES[name]
    # the card itself is here, with two sections that stand in for documents, under the licence that it names
    here = {"model-card", "data-card", "evaluation-results"}
    if (component in here and why != "not_open" and licence != "unlicensed") or component == "technical-report":
        assert declared.reached == 1
    else:
        assert declared.reached != 1
        lacking = next(each for each in declared.classes if each.of == OF[component])
        assert component in getattr(lacking, why)
    if path == "not/here.txt":
        (note,) = found.notes
        assert "not/here.txt is not here" in note.text
        assert note.source.place == "MOF.yml"


def test_weights_alone_are_of_no_class_and_the_report_says_why(tmp_path: Path) -> None:
    found = examined(folder({"model.safetensors": WEIGHTS, "config.json": CONFIG}, tmp_path))
    for each in found.readings:
        assert each.reached == 0
        third, second, first = each.classes
        assert (third.counted, second.counted, first.counted) == (0, 0, 0)
        assert (second.held_back, first.held_back) == (True, True)
        assert third.unlicensed == ("final-parameters",)
        assert third.missing == ("architecture", "model-card", "data-card", "technical-report", "evaluation-results")


def test_weights_under_a_licence_that_is_not_open_are_of_no_class(tmp_path: Path) -> None:
    found = examined(folder({**complete(), "README.md": card("license: llama3.1")}, tmp_path))
    (third, *_) = reading(found, "files").classes
    assert third.counted == 0
    assert {"architecture", "final-parameters", "model-card", "technical-report"} <= set(third.not_open)
    said = found.part("final-parameters").license
    assert said is not None
    assert said.standing == "not-open"


@pytest.mark.parametrize("licence", ["openmdw-1.0", "mit", "cc-by-4.0", "odc-by", "[mit, apache-2.0]", "gpl-3.0"])
def test_open_licences(licence: str, tmp_path: Path) -> None:
    found = examined(folder({**complete(), "README.md": card(f"license: {licence}")}, tmp_path))
    assert reading(found, "files").reached == 1


@pytest.mark.parametrize("licence", ["cc", "openrail", "other", "gpl", "[mit, cc]", "made-up-1.0", "unknown"])
def test_licences_of_which_it_is_not_said_that_they_are_open(licence: str, tmp_path: Path) -> None:
    found = examined(folder({**complete(), "README.md": card(f"license: {licence}")}, tmp_path))
    assert reading(found, "files").reached == 0
    said = found.part("final-parameters").license
    assert said is not None
    assert said.standing == "not-known"


def test_the_licence_of_a_type_comes_before_that_of_the_whole(tmp_path: Path) -> None:
    text = record(LINKED).decode().replace(
        "  components:", "  license:\n    distribution: {name: Proprietary}\n    data: {name: CC0-1.0}\n    document: {name: ''}\n  components:"
    )  # fmt: skip
    text = text.replace("    license: ODC-By-1.0\n", "").replace("    license: Apache-2.0\n", "")
    found = examined(folder({**linked(), "MOF.yml": text.encode()}, tmp_path))
    data, code = found.part("datasets").license, found.part("training-code").license
    assert data is not None
    assert code is not None
    assert (data.id, data.scope, data.standing) == ("CC0-1.0", "type", "open")
    assert (code.id, code.scope, code.standing) == ("Proprietary", "distribution", "not-known")
    assert data.source.pointer == "/release/license/data/name"


def test_two_records_of_one_release_are_both_looked_at(tmp_path: Path) -> None:
    listed = dict(LINKED)
    more = {"Research paper": listed.pop("Research paper")}
    found = examined(folder({**linked(listed), "more/MOF.yml": record(more)}, tmp_path))
    assert reading(found, "declared").reached == 1


@pytest.mark.parametrize("whole", [True, False])
def test_a_record_does_not_open_weights_that_the_card_closes(whole: bool, tmp_path: Path) -> None:
    listed = {"Model parameters (Final)": ("model.safetensors", "" if whole else "Apache-2.0")}
    text = record(listed).decode()
    if whole:
        text = text.replace("  components:", "  license: {distribution: {name: Apache-2.0}}\n  components:")
    files = {"model.safetensors": WEIGHTS, "MOF.yml": text.encode(), "README.md": card("license: llama3.1")}
    found = examined(folder(files, tmp_path))
    said = found.part("final-parameters").license
    assert said is not None
    assert (said.id, said.standing) == ("Apache-2.0 AND llama3.1", "not-open")
    assert [each.text.partition(";")[0] for each in found.notes] == ["names Apache-2.0, and the card names llama3.1"]


def test_a_record_and_a_card_that_agree_are_no_news(tmp_path: Path) -> None:
    text = record({"Model parameters (Final)": ("model.safetensors", "")}).decode()
    text = text.replace("  components:", "  license: {distribution: {name: Apache-2.0}}\n  components:")
    files = {"model.safetensors": WEIGHTS, "MOF.yml": text.encode(), "README.md": card()}
    found = examined(folder(files, tmp_path))
    said = found.part("final-parameters").license
    assert said is not None
    assert (said.id, found.notes) == ("Apache-2.0", ())
