"""The lines of the checklists: what is seen for and against them, and what stays open."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.openness.releases import CONFIG, PROSE, WEIGHTS, card, complete, examined, folder, line, linked

from openvet.core.license_ids import keys_of
from openvet.core.location import Location
from openvet.evidence.predicates.openness_v1 import License, OpennessV1
from openvet.licenses.terms import KINDS, clauses_of, known_keys
from openvet.openness._tables import exemption_table, osaid_table
from openvet.openness.exemption import _bearing, _Release
from openvet.openness.licenses import is_open, spdx_id, standing
from openvet.testing.forge_tensors import gguf

EU, OSAID, OPENMDW = "eu-53-2", "osaid-1.0", "openmdw-1"


def of_licence(licence: str, where: Path, more: str = "") -> OpennessV1:
    metadata = f"license: {licence}{more}" if licence else f"language: en{more}"
    return examined(folder({"model.safetensors": WEIGHTS, "config.json": CONFIG, "README.md": card(metadata)}, where))


def states(found: OpennessV1, *names: str) -> list[str]:
    return [line(found, EU, each).state for each in names]


@pytest.mark.parametrize(
    ("licence", "expected"),
    [
        ("apache-2.0", ["declared", "declared", "declared", "declared"]),
        ("mit", ["declared", "declared", "declared", "declared"]),
        ("openmdw-1.0", ["declared", "declared", "declared", "declared"]),
        ("gpl-3.0", ["declared", "declared", "declared", "declared"]),
        ("cc-by-sa-4.0", ["declared", "declared", "declared", "declared"]),
        ("cc-by-nc-4.0", ["against", "against", "open", "open"]),
        ("cc-by-nd-4.0", ["against", "open", "against", "open"]),
        ("cc-by-nc-nd-4.0", ["against", "against", "against", "open"]),
        ("llama3.1", ["against", "against", "open", "open"]),
        ("llama4", ["against", "against", "open", "open"]),
        ("apple-amlr", ["against", "against", "open", "open"]),
        ("gemma", ["open", "open", "open", "open"]),
        ("bigscience-openrail-m", ["open", "open", "open", "open"]),
        ("bigcode-openrail-m", ["open", "open", "open", "open"]),
        ("cc", ["open", "open", "open", "open"]),
        ("made-up", ["open", "open", "open", "open"]),
        ("", ["open", "open", "open", "open"]),
    ],
)
def test_what_a_licence_gives_and_what_is_against_the_exemption(
    licence: str, expected: list[str], tmp_path: Path
) -> None:
    found = of_licence(licence, tmp_path)
    assert states(found, "licence", "use", "modification", "distribution") == expected


def test_terms_name_the_clause_and_who_decides(tmp_path: Path) -> None:
    against = line(of_licence("llama3.1", tmp_path / "a"), EU, "use")
    assert "llama3.1 asks users above a number for another licence (its clause 2; guidelines 4.2.1)" in against.text
    assert against.asks == ""
    restricted = line(of_licence("bigscience-openrail-m", tmp_path / "b"), EU, "use")
    assert "proportionate" in restricted.text
    assert restricted.asks == "lawyer"


@pytest.mark.parametrize(
    ("licence", "name", "where", "says"),
    [
        ("CC-BY-NC-4.0", "use", "1 and 2(a)(1);", "allows no commercial use"),
        ("CC-BY-ND-4.0", "modification", "2(a)(1)(B);", "allows no modified versions to be shared"),
        ("stabilityai-ai-community", "not-monetised", "", "asks users above a revenue for another licence"),
        ("LicenseRef-scancode-ltxv-owl-2025-05-05", "use", "", "asks users above a revenue for another licence"),
    ],
)
def test_what_a_licence_says_is_cited(licence: str, name: str, where: str, says: str, tmp_path: Path) -> None:
    found = line(of_licence("other", tmp_path, f"\nlicense_name: {licence}"), EU, name)
    assert found.state == "against"
    assert f"{licence} {says} (its clause {where}" in found.text


def test_a_right_that_a_licence_grants_is_cited_and_stays_open(tmp_path: Path) -> None:
    found = line(of_licence("gemma", tmp_path), EU, "modification")
    assert (found.state, found.text) == ("open", "gemma grants it (its clause 2.2), within what it allows at all")


def test_a_licence_that_leaves_some_models_out_of_the_union_is_asked_about(tmp_path: Path) -> None:
    access = line(of_licence("llama3.2", tmp_path), EU, "access")
    assert (access.state, access.asks) == ("open", "lawyer")
    assert "to know: whether it is one of the multimodal models" in access.text


def test_an_open_licence_has_no_clause_against_the_exemption(tmp_path: Path) -> None:
    parts = {each.id: each for each in examined(folder({"model.safetensors": WEIGHTS}, tmp_path)).parts}
    for key in filter(is_open, known_keys()):
        release = _Release(parts, None, None, License(key, "open", "component", Location("README.md")), clauses_of)
        assert not [each for each in _bearing(release, key) if each.state == "against"], key


def test_no_licence_is_in_the_table_that_has_clauses() -> None:
    for terms in exemption_table()["terms"].values():
        assert set(terms["kinds"]) <= KINDS.keys()
        for each in terms["ids"]:
            assert not all(clauses_of(key) for key in keys_of(each) or (each,)), each


@pytest.mark.parametrize(
    ("licence", "expected"),
    [("llama3.1", "not-open"), ("gemma", "not-open"), ("cc-by-nc-4.0", "not-open"), ("LicenseRef-scancode-ltxv-owl-2025-05-05", "not-open"),
     ("openrail", "not-known"), ("llama2", "not-known"), ("made-up", "not-known"), ("MIT", "open-other-type")],
)  # fmt: skip
def test_how_a_licence_stands(licence: str, expected: str) -> None:
    assert standing(licence, "data") == expected


def test_a_licence_that_is_named_beside_other(tmp_path: Path) -> None:
    found = of_licence("other", tmp_path, "\nlicense_name: tongyi-qianwen\nlicense_link: https://example.org/l")
    assert states(found, "licence", "use") == ["against", "against"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("flux-1-dev-non-commercial-license", ["against", "open"]),
        ("mrl", ["against", "open"]),
        ("lfm1.0", ["against", "against"]),
        ("stabilityai-ai-community", ["against", "against"]),
        ("nvidia-open-model-license", ["open", "open"]),
        ("somebody-s-own", ["open", "open"]),
    ],
)
def test_names_that_cards_give_beside_other(name: str, expected: list[str], tmp_path: Path) -> None:
    found = of_licence("other", tmp_path, f"\nlicense_name: {name}\nlicense_link: LICENSE")
    assert states(found, "use", "not-monetised") == expected


def test_a_licence_that_ends_at_the_border(tmp_path: Path) -> None:
    found = of_licence("other", tmp_path, "\nlicense_name: tencent-hunyuan-community\nlicense_link: LICENSE")
    assert states(found, "access", "use") == ["against", "against"]


def test_the_stricter_of_two_licences_counts(tmp_path: Path) -> None:
    assert states(of_licence("[apache-2.0, cc-by-nc-4.0]", tmp_path), "use") == ["against"]


@pytest.mark.parametrize(
    ("metadata", "state", "asks"),
    [
        ("", "open", "provider"),
        ('\nextra_gated_prompt: "Agree to the terms"', "open", "lawyer"),
        ("\nextra_gated_fields:\n  Name: text\n  Email: text", "open", "lawyer"),
        ("\nextra_gated_eu_disallowed: true", "against", ""),
        ("\nextra_gated_eu_disallowed: false", "open", "lawyer"),
    ],
)
def test_access_that_is_gated(metadata: str, state: str, asks: str, tmp_path: Path) -> None:
    access = line(of_licence("apache-2.0", tmp_path, metadata), EU, "access")
    assert (access.state, access.asks) == (state, asks)
    assert bool(access.sources) == bool(metadata)


def test_what_is_public_is_seen_in_the_files(tmp_path: Path) -> None:
    found = of_licence("apache-2.0", tmp_path)
    assert states(found, "parameters", "architecture", "usage") == ["evidence", "evidence", "evidence"]
    assert line(found, EU, "architecture").sources[0].pointer == "/architectures"


def test_a_header_describes_the_architecture_too(tmp_path: Path) -> None:
    found = examined(
        folder(
            {"m.gguf": gguf([("general.architecture", "string", "llama"), ("general.license", "string", "mit")])},
            tmp_path,
        )
    )
    assert line(found, EU, "architecture").state == "evidence"
    assert line(found, EU, "licence").text == "MIT is declared"


@pytest.mark.parametrize(
    ("files", "name"),
    [
        ({"README.md": card()}, "parameters"),
        ({"adapter_model.safetensors": WEIGHTS}, "parameters"),
        ({"model.safetensors": WEIGHTS}, "architecture"),
        ({"model.safetensors": WEIGHTS}, "usage"),
        ({"README.md": card(prose=PROSE.replace("Uses", "Miscellany"))}, "usage"),
        ({"README.md": card(prose=PROSE.replace("Sentences.", "[More Information Needed]"))}, "usage"),
    ],
)
def test_what_is_not_there_is_open_and_never_denied(files: dict[str, bytes], name: str, tmp_path: Path) -> None:
    assert line(examined(folder(files, tmp_path)), EU, name).state == "open"


@pytest.mark.parametrize("name", ["not-monetised", "systemic-risk", "copyright-policy", "training-summary"])
def test_what_no_file_shows_is_for_the_provider(name: str, tmp_path: Path) -> None:
    found = line(examined(folder(complete(), tmp_path)), EU, name)
    assert (found.state, found.asks) == ("open", "provider")


def test_the_definition_of_a_release_with_everything_in_its_files(tmp_path: Path) -> None:
    files = complete()
    files["README.md"] = card(prose=f"{PROSE}\n## Preprocessing\n\nNone.\n")
    found = examined(folder(files, tmp_path))
    said = {each["id"]: line(found, OSAID, each["id"]).state for each in osaid_table()["line"]}
    assert said.pop("libraries") == "open"
    assert set(said.values()) == {"evidence"}
    assert line(found, OSAID, "data-provenance").asks == "reader"
    assert line(found, OSAID, "training-code").asks == ""


def test_the_definition_of_a_release_that_names_where_things_are(tmp_path: Path) -> None:
    found = examined(folder(linked(), tmp_path))
    assert line(found, OSAID, "training-code").state == "declared"
    assert "not opened" in line(found, OSAID, "training-code").text
    assert line(found, OSAID, "parameters").state == "evidence"


@pytest.mark.parametrize(
    ("licence", "parameters", "architecture"),
    [
        ("mit", "evidence", "evidence"),
        ("cc-by-4.0", "evidence", "open"),  # open, and approved for code by nobody
        ("openmdw-1.0", "evidence", "open"),
        ("cc-by-nc-4.0", "against", "against"),
        ("llama3.1", "against", "against"),
        ("made-up", "open", "open"),
        ("cc", "open", "open"),
    ],
)
def test_code_needs_a_licence_that_the_osi_approved(
    licence: str, parameters: str, architecture: str, tmp_path: Path
) -> None:
    found = examined(folder({**complete(), "README.md": card(f"license: {licence}")}, tmp_path))
    assert line(found, OSAID, "parameters").state == parameters
    assert line(found, OSAID, "architecture").state == architecture


@pytest.mark.parametrize(
    ("licence", "state"), [("openmdw-1.0", "declared"), ("openmdw-1.1", "declared"), ("mit", "open"), ("", "open")]
)
def test_openmdw_is_known_by_its_id(licence: str, state: str, tmp_path: Path) -> None:
    assert line(of_licence(licence, tmp_path), OPENMDW, "licence-id").state == state


def test_no_licence_is_open_and_against_the_exemption() -> None:
    for terms in exemption_table()["terms"].values():
        assert [each for each in terms["ids"] if is_open(spdx_id(each) or each)] == []
        assert all(each == each.lower() for each in terms["ids"])
        assert terms["state"] in ("against", "open")
        assert set(terms["lines"]) <= {each["id"] for each in exemption_table()["line"]}


@pytest.mark.parametrize(
    ("licence", "expected"),
    [
        ("MIT", True),
        ("MIT AND Apache-2.0", True),
        ("MIT OR CC-BY-NC-4.0", True),
        ("MIT AND CC-BY-NC-4.0", False),
        ("(MIT OR CC-BY-NC-4.0) AND Apache-2.0", True),
        ("GPL-2.0-only WITH Classpath-exception-2.0", True),
        ("CC-BY-NC-4.0 WITH MIT", False),
        ("", False),
        ("AND", False),
        ("MIT AND", False),
        ("MIT Apache-2.0", False),
        ("mit", False),
        ("MIT, Apache-2.0", False),
    ],
)
def test_expressions_are_open_where_all_that_applies_is(licence: str, expected: bool) -> None:
    assert is_open(licence) is expected
