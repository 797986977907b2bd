"""A team's packs have to be signed where it says so: one trust, in ``openvet.toml`` or by an option, for every command that decides by packs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from openvet.cli import main
from openvet.evidence.trust import WORDS, is_kind

PACK = """\
id: acme
version: 1.0.0
title: What we ask
extends: ../base
sources: {acme: {title: House rules, date: 2026-01-01, confidence: high}}
requirements:
  - {id: A-1, title: Somebody answers for it, clause: "1", source: acme, level: attested, pass: answers.owner != '', severity: medium, remedy: Say who.}
questions:
  - {id: owner, ask: Who answers for it, type: text}
"""
BASE = """\
id: acme-base
version: 1.0.0
title: What everybody asks
sources: {acme: {title: House rules, date: 2026-01-01, confidence: high}}
requirements:
  - {id: B-1, title: It is safe to load, clause: "1", source: acme, level: computed, pass: scan.verdict != 'reject', severity: critical, remedy: Take another.}
"""
DOCUMENT = """\
id: house-file
title: What we keep about a model
clause: house rule 3
source: acme
items:
  - {id: name, section: It, label: Name, clause: "1", asks: What it is called, fills: [subject.name], level: computed}
"""
TRUST = """\
[[key]]
name = "policy"
file = "policy.key.pub"
[[key]]
name = "builder"
file = "builder.key.pub"
[[grant]]
says = ["pack"]
by = ["policy"]
models = ["acme", "acme-*"]
[[grant]]
says = ["signature", "check"]
by = ["builder"]
models = ["*"]
"""
OWNER = ("--key", "owner.key.pub")
#: Every command that takes packs by path, about the same dossier or model.
COMMANDS = {
    "check": ("check", "m", "--quiet", "--fail-on", "never", "--policy", "acme"),
    "decide": ("decide", "d", *OWNER, "--fail-on", "never", "--policy", "acme"),
    "before": ("decide", "d", *OWNER, "--fail-on", "never", "--policy", "baseline", "--before", "acme"),
    "attest": ("attest", "d", *OWNER, "--policy", "acme", "--list"),
    "asked": ("attest", "--policy", "acme", "--template"),
    "checklist": ("document", "checklist", "d", *OWNER, "--policy", "acme"),
    "document": ("document", "house-file", "d", *OWNER, "--policy", "acme"),
    "at once": ("document", "house-file", "--model", "m", "--policy", "acme"),
    "for its lines": ("attest", "d", *OWNER, "--policy", "acme", "--document", "house-file", "--list"),
    "page": ("dossier", "report", "d", "page.html", *OWNER, "--force", "--policy", "acme"),
}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("packs")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setenv("SOURCE_DATE_EPOCH", "1795867200")  # 2026-11-28
        for name in ("m", "acme/documents", "base"):
            Path(name).mkdir(parents=True)
        Path("m/README.md").write_text("---\nlicense: apache-2.0\n---\n# M\n\nA model for tests.\n")
        Path("acme/pack.yaml").write_text(PACK)
        Path("acme/documents/house-file.yaml").write_text(DOCUMENT)
        Path("base/pack.yaml").write_text(BASE)
        for name in ("policy", "builder"):
            assert run("keys", "new", f"{name}.key", "--no-passphrase").exit_code == 0
        assert run("keys", "new", "owner.key", "--kind", "ed25519", "--no-passphrase").exit_code == 0
        assert run("check", "m", "--dossier", "d", "--sign", "owner.key", "--quiet").exit_code == 0
        Path("trust.toml").write_text(TRUST)
        Path("openvet.toml").write_text('[policy]\ntrust = "trust.toml"\n')
    return place


@pytest.fixture
def place(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795867200")
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def sign(key: str, *paths: str) -> None:
    for each in paths:
        found = run("sign", "--key", f"{key}.key", each)
        assert found.exit_code == 0, found.output


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_refuses_what_nobody_signed_and_takes_what_somebody_did(place: Path, name: str) -> None:
    refused = run(*COMMANDS[name])
    assert refused.exit_code == 2, refused.output
    assert "base/pack.yaml:1: is not signed as it has to be: missing: neither it nor its folder has a signature" in refused.stderr  # fmt: skip
    assert refused.stdout == ""
    sign("policy", "base")
    refused = run(*COMMANDS[name])
    assert (refused.exit_code, "acme/pack.yaml:1: is not signed as it has to be: missing" in refused.stderr) == (
        2,
        True,
    )
    sign("policy", "acme")
    taken = run(*COMMANDS[name])
    assert taken.exit_code == 0, taken.output
    Path("acme/pack.yaml").write_text(PACK.replace("severity: medium", "severity: low"))
    changed = run(*COMMANDS[name])
    assert changed.exit_code == 2
    assert "acme/pack.yaml:1: is not signed as it has to be: mismatch" in changed.stderr
    assert run(*COMMANDS[name], "--no-config").exit_code == 0  # nobody asks for signatures then


@pytest.mark.parametrize("name", COMMANDS)
def test_an_option_asks_for_signatures_as_the_file_does(place: Path, name: str) -> None:
    Path("openvet.toml").unlink()
    assert run(*COMMANDS[name]).exit_code == 0
    refused = run(*COMMANDS[name], "--policy-trust", "trust.toml")
    assert (refused.exit_code, "is not signed as it has to be: missing" in refused.stderr) == (2, True)
    sign("policy", "base/pack.yaml", "acme/pack.yaml", "acme/documents/house-file.yaml")  # file by file
    assert run(*COMMANDS[name], "--policy-trust", "trust.toml").exit_code == 0


def test_packs_that_ship_need_nobody(place: Path) -> None:
    assert run("decide", "d", *OWNER, "--policy", "baseline", "--fail-on", "never").exit_code == 0
    assert run("check", "m", "--quiet", "--policy", "baseline").exit_code == 0


def test_who_signs_models_signs_no_packs(place: Path) -> None:
    sign("builder", "base", "acme")
    refused = run(*COMMANDS["decide"])
    assert refused.exit_code == 2
    assert "untrusted: builder is not trusted to say this (https://openvet/pack/v1) about 'acme-base'" in refused.stderr
    assert 'a [[grant]] with says = ["pack"] and models = ["acme-base"]' in refused.stderr


def test_a_pack_is_whose_id_it_has_and_not_whose_folder_it_lies_in(place: Path) -> None:
    Path("trust.toml").write_text(TRUST.replace('models = ["acme", "acme-*"]', 'models = ["acme-base"]'))
    sign("policy", "base", "acme")
    refused = run(*COMMANDS["decide"])
    assert refused.exit_code == 2
    assert "acme/pack.yaml:1:" in refused.stderr
    assert "about 'acme'" in refused.stderr


def test_a_document_of_a_pack_is_signed_too(place: Path) -> None:
    sign("policy", "base", "acme/pack.yaml")
    refused = run(*COMMANDS["document"])
    assert refused.exit_code == 2
    assert "documents/house-file.yaml:1: is not signed as it has to be: missing" in refused.stderr
    assert run(*COMMANDS["checklist"]).exit_code == 0
    sign("policy", "acme/documents/house-file.yaml")
    assert run(*COMMANDS["document"]).exit_code == 0
    Path("acme/documents/house-file.yaml").write_text(DOCUMENT.replace("What it is", "Whatever it is"))
    assert "mismatch" in run(*COMMANDS["document"]).stderr


def test_a_file_added_to_a_signed_pack_is_told(place: Path) -> None:
    sign("policy", "base", "acme")
    Path("acme/documents/more.yaml").write_text(DOCUMENT.replace("house-file", "more"))
    refused = run("document", "more", "d", *OWNER, "--policy", "acme")
    assert refused.exit_code == 2
    assert "documents/more.yaml (unsigned" in refused.stderr


def test_an_ignored_configuration_is_told(place: Path) -> None:
    """Whoever made what is examined must not say who is trusted; that its configuration does not count is no secret."""
    shutil.copy("openvet.toml", "d/openvet.toml")
    shutil.copytree("acme", "d/acme")
    shutil.copytree("base", "d/base")
    named = run(*COMMANDS["decide"], "--config", "d/openvet.toml")
    assert named.exit_code == 2
    assert "whoever made that may have written it" in named.stderr
    zipped = run("dossier", "export", "d", "d.zip", *OWNER)
    Path("d/openvet.toml").unlink()
    shutil.rmtree("d/acme")
    shutil.rmtree("d/base")
    zipped = run("dossier", "export", "d", "d.zip", *OWNER)
    assert zipped.exit_code == 0, zipped.output
    ignored = run("decide", "d.zip", *OWNER, "--policy", "acme", "--fail-on", "never")
    assert "openvet.toml is ignored: it lies in the folder that holds d.zip" in ignored.stderr


def test_no_trust_of_a_wrong_file(place: Path) -> None:
    Path("trust.toml").write_text("[[grant]]\nsays = ['packs']\nby = ['x']\nmodels = ['*']\n")
    found = run(*COMMANDS["decide"])
    assert found.exit_code == 2
    assert "'packs' is no kind of statement" in found.stderr
    assert "pack" in found.stderr
    assert run("check", "m", "--policy-trust", "trust.toml").exit_code == 2  # belongs to --policy
    for name in ("check", "decide"):  # read also where what ships needs nobody's signature
        missing = run(*COMMANDS[name][:-1], "baseline", "--policy-trust", "none.toml")
        assert (missing.exit_code, "none.toml: cannot be read" in missing.stderr) == (2, True)


def test_a_dossier_of_a_check_without_the_pack_says_what_would_fill_it(place: Path) -> None:
    asked = ("--policy", "baseline", "--fail-on", "never")
    assert "no statement of origin: a check that is given the pack" in run("decide", "d", *OWNER, *asked).stdout
    filled = run("check", "m", *asked, "--dossier", "d", "--sign", "owner.key", "--quiet")
    assert filled.exit_code == 0, filled.output
    assert "no statement of" not in run("decide", "d", *OWNER, *asked).stdout


def test_one_word_is_all_that_a_check_says(place: Path) -> None:
    """By default a dossier gets nothing that the word leaves out, and packs ask for nothing more of a check."""
    assert run("check", "m", "--policy", "baseline", "--dossier", "e", "--sign", "owner.key", "--quiet").exit_code == 0
    shown = json.loads(run("dossier", "show", "e", *OWNER, "--format", "json").stdout)
    kinds = {each["predicate_type"] for each in shown["claims"]}
    decisions = {each for each in kinds if is_kind(each, "decision")}
    assert {each for each in kinds if not is_kind(each, "check")} == decisions
    assert len(decisions) == 1
    assert {each for each in WORDS["check"] if not any(kind.startswith(each) for kind in kinds)} == set()
    assert not any(
        is_kind(each, "check") for each in ("https://openvet/predicates/answers/v1", "https://slsa.dev/provenance/v1")
    )


SHARED = TRUST.replace('says = ["signature", "check"]', 'says = ["check"]')


def test_a_dossier_is_believed_by_that_word(place: Path) -> None:
    Path("who.toml").write_text(SHARED.replace("builder.key.pub", "owner.key.pub"))
    found = run("decide", "d", *OWNER, "--policy", "baseline", "--trust", "who.toml", "--fail-on", "never")
    assert found.exit_code == 0, found.output
    assert "does not count" not in found.stderr
    assert "there is no statement of scan" not in found.stdout
