"""No clause is invented: every quotation stands in the text that it is said to be of, and every word that has to be shown does too."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from openvet.core.license_ids import known_licenses
from openvet.core.tables import data_folder, read_table
from openvet.licenses import terms
from openvet.licenses.terms import GROUPS, KINDS, LicenseTerms, known_keys, terms_of
from openvet.licenses.uses import USES
from openvet.licenses.works import _known_models, known_model
from tests.licenses import runs

FOLDER = Path(data_folder()) / "licenses"
HERE = Path(__file__).resolve().parents[1] / "vendor" / "licenses"
#: Licences that the table of ids does not have; they are met by their keys alone.
WITHOUT_ID = {"DL-DE-BY-2.0", "OpenMDW-1.0", "OpenMDW-1.1", "LicenseRef-scancode-open-aleph-1.0"}


def words(text: str) -> str:
    """The words of a text; case, signs, wrapping and links of Markdown do not matter."""
    return " " + " ".join(runs.words(text)) + " "


def text_of(name: str) -> str | runs.Hashed:
    for path in (FOLDER / "texts" / f"{name}.txt", HERE / f"{name}.txt"):
        if path.exists():
            return words(path.read_text())
    return runs.Hashed(name)


def every() -> list[LicenseTerms]:
    return [found for key in known_keys() if (found := terms_of(key)) is not None]


def test_the_index_names_the_file_of_each_licence() -> None:
    files = {path.stem: sorted(terms._family(path.stem)) for path in sorted((FOLDER / "terms").glob("*.toml"))}
    if os.environ.get("OPENVET_UPDATE_SNAPSHOTS"):
        lines = ["# Which file of data/licenses/terms each licence is in; tests/licenses/test_terms.py holds it to them, and writes it", "# with OPENVET_UPDATE_SNAPSHOTS=1.", "", "[files]"]  # fmt: skip
        for name, keys in files.items():
            lines += [f'"{name}" = [', *(f'    "{key}",' for key in keys), "]"]
        (FOLDER / "terms.toml").write_text("\n".join(lines) + "\n")
    assert read_table("licenses/terms")["files"] == files
    assert len({key for keys in files.values() for key in keys}) == sum(map(len, files.values())), (
        "a licence is in two files"
    )
    assert len(known_keys()) >= 165


@pytest.mark.parametrize("key", known_keys())
def test_every_quotation_is_in_its_text(key: str) -> None:
    found = terms_of(key)
    assert found is not None
    assert found.basis == "text"
    for clause in found.clauses:
        text, at = text_of(found.texts[clause.document]), 0
        for part in clause.quote.split("[...]"):
            quote = words(part)
            at = text.find(quote, at)
            assert at >= 0, (clause.kind, clause.at, part)
            at += len(quote) - 1 if isinstance(text, str) else 1
        if clause.kind in ("notice-line", "display", "name-prefix", "statement"):
            shown = (
                re.sub(r"\[.*?\]", "", str(clause.words["text"]))
                if clause.kind == "statement"
                else str(clause.words["text"])
            )
            # fewer than five words have no run: then the quotation, which is held against the text, has to have them
            assert words(shown) in (text if isinstance(text, str) else words(clause.quote)), clause.words["text"]


def test_a_quotation_that_is_not_there_is_not_found_in_hashes_either() -> None:
    text = runs.Hashed("glm-5.3")
    assert text.find("the rights to use, copy, modify, merge, publish", 0) > 0
    assert text.find("the rights to use, copy, modify, merge, pawn", 0) == -1
    assert text.find("must pass Z.AI's security review", text.find("Model as a Service business, and the", 0)) > 0
    assert text.find("Permission is hereby granted, free", text.find("must pass Z.AI's security review", 0)) == -1


@pytest.mark.parametrize("found", every(), ids=lambda each: each.key)
def test_every_clause_makes_sense(found: LicenseTerms) -> None:
    assert any(each.role == "grant" for each in found.clauses), "it grants nothing"
    assert not any(
        re.search(r"\{[a-z]+\}", f"{each.quote} {each.at} {dict(each.words)} {each.says}") for each in found.clauses
    )
    for clause in found.clauses:
        kind = KINDS[clause.kind]
        assert set(clause.uses) <= set(USES)
        assert clause.at
        assert clause.says
        assert 3 <= len(clause.quote.split()) <= 120
        assert (kind.role == "duty") == (kind.group in GROUPS)
        assert clause.uses or clause.role in ("risk", "reach") or clause.kind == "territory"
        if clause.kind in ("user-threshold", "revenue-threshold"):
            assert isinstance(clause.words["number"], int)
            assert clause.words["counted"]
    assert len({(each.kind, each.at, each.document, each.quote, each.uses) for each in found.clauses}) == len(
        found.clauses
    ), "a clause is there twice"


def test_keys_are_those_of_the_table() -> None:
    assert set(known_keys()) - set(known_licenses()) == WITHOUT_ID


def test_known_models_have_a_licence_that_is_known_a_day_and_a_source() -> None:
    rows = [row for _, row in (*_known_models(), *_known_models("data"))]
    assert len(rows) > 150
    for row in rows:
        assert row.license in known_licenses() or row.license in WITHOUT_ID, row.pattern
        assert re.fullmatch(r"20\d\d-\d\d-\d\d", row.of)
        assert row.source.startswith("https://")
        assert row.seen in ("text", "card", "listed", "known")
        assert row.by or row.seen != "listed", row.pattern
    # a row that an earlier one hides would never count
    for row in [row for _, row in _known_models()]:
        example = re.sub(r"\[(\w)[^\]]*\]", r"\1", row.pattern.replace("*", ""))
        assert known_model(example) is not None
    assert known_model("meta-llama/Llama-3.1-8B-Instruct") is not None
    assert known_model("META-LLAMA/llama-3.1-8b") is not None
    assert known_model("somebody/Llama-3.1-8B") is None
    assert known_model("tatsu-lab/alpaca") is None
    assert known_model("tatsu-lab/Alpaca", "data") is not None
    assert sum(row.seen == "known" for row in rows) < len(rows) / 10


@pytest.mark.parametrize(
    ("hub", "license_"),
    [
        ("Qwen/Qwen-1_8B-Chat", "LicenseRef-openvet-tongyi-qianwen-research"),
        ("Qwen/Qwen-14B-Chat", "LicenseRef-scancode-tongyi-qianwen-2023"),
        ("Qwen/Qwen1.5-0.5B-Chat", "LicenseRef-openvet-tongyi-qianwen-research"),
        ("Qwen/Qwen1.5-14B", "LicenseRef-scancode-tongyi-qianwen-2023"),
        ("Qwen/Qwen2.5-VL-3B-Instruct", "LicenseRef-openvet-qwen-research"),
        ("deepseek-ai/DeepSeek-V3.2-Exp", "MIT"),
        ("deepseek-ai/DeepSeek-V3-Base", "LicenseRef-scancode-deepseek-la-1.0"),
        ("BAAI/bge-reranker-v2-m3", "Apache-2.0"),
        ("BAAI/bge-m3", "MIT"),
        ("tiiuae/Falcon3-7B-Instruct", "LicenseRef-openvet-falcon3"),
        ("google/gemma-4-31B-it", "Apache-2.0"),
        ("stabilityai/sdxl-turbo", "LicenseRef-openvet-sdxl-turbo"),
        ("01-ai/Yi-34B", "Apache-2.0"),
    ],
)
def test_models_of_a_family_that_have_another_licence_are_told_apart(hub: str, license_: str) -> None:
    found = known_model(hub)
    assert found is not None
    assert found.license == license_


def test_the_unlike_versions_of_a_family_are_not_alike() -> None:
    """What facts say of the families, so that a clause cannot move from one version to the next unseen."""

    def kinds(key: str) -> set[str]:
        found = terms_of(key)
        assert found is not None
        return {each.kind for each in found.clauses}

    llama = "LicenseRef-scancode-llama-{}-license-2024"
    assert "no-output-training" in kinds("LicenseRef-scancode-llama-2-license-2023")
    assert "name-prefix" not in kinds("LicenseRef-scancode-llama-2-license-2023")
    assert {"no-output-training", "name-prefix"} <= kinds("LicenseRef-openvet-llama-3")
    assert "no-output-training" not in kinds(llama.format("3.1"))
    assert "territory" not in kinds(llama.format("3.1"))
    for version in ("3.2", "3.3"):
        assert "territory" in kinds(llama.format(version))
    assert "no-output-training" in kinds("LicenseRef-scancode-tongyi-qianwen-2023")
    assert "no-output-training" not in kinds("LicenseRef-scancode-qwen-2024")
    assert "latest-version" not in kinds("LicenseRef-scancode-bigscience-open-rail-m2")
    assert "results-free" in kinds("C-UDA-1.0")
    assert "outputs-free" in kinds("LicenseRef-openvet-openmdw-1.1")
