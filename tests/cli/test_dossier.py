"""``openvet dossier``: from a check to a zip that somebody else verifies, with every exit code, by both verifiers."""

from __future__ import annotations

import io
import json
import shutil
import warnings
import zipfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests.evidence.dossier.test_tampering import SINGLE

from openvet.cli import main

#: Enough for what is tested here; all that a check signs by itself is one test of its own.
TWO = ("--statement", "scan", "--statement", "inventory")


def run(*arguments: str) -> tuple[int, str, str]:
    found = CliRunner().invoke(main, arguments)
    return found.exit_code, found.stdout, found.stderr


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model, and a dossier that a check has filled."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENVET_KEY_PASSPHRASE", raising=False)
    for name, kind in (("owner.key", "ed25519"), ("other.key", "ed25519"), ("release.key", "p256")):
        assert run("keys", "new", name, "--kind", kind, "--no-passphrase")[0] == 0
    Path("model/sub").mkdir(parents=True)
    Path("model/config.json").write_text('{"eps": 1e-12}')
    Path("model/sub/readme.md").write_text("read me")
    code, _, said = run("check", "model", "--dossier", "dossier", "--sign", "owner.key", *TWO)
    assert code == 0
    assert said == "openvet: the dossier dossier: lines 1, 2 are new\n"
    return tmp_path


def verdict(path: str, *more: str, key: str = "owner.key.pub") -> str:
    """The reason, or 'verified'; the two verifiers have to agree on it and on the exit code."""
    found = CliRunner().invoke(main, ["dossier", "verify", path, "--key", key, "--format", "json", *more])
    value = json.loads(found.stdout)
    said: str = "verified" if value["verified"] else value["reason"]
    assert found.exit_code == (0 if value["verified"] else 1)
    asked = dict(zip(more[::2], more[1::2], strict=True))
    kept = Path(asked["--checkpoint"]).read_bytes() if "--checkpoint" in asked else None
    public = SINGLE.load_key(Path(key).read_bytes(), key)
    try:
        told = SINGLE.verify(path, public, kept, asked.get("--model"))
        assert [each["sha256"] for each in told["claims"]] == [each["sha256"] for each in value["claims"]]
        assert told["compared"] == (value["compared"] or 0)
        theirs = "verified"
    except SINGLE.Refused as error:
        theirs = error.reason
    assert theirs == said
    return said


def test_a_check_fills_it_once() -> None:
    code, _, said = run("check", "model", "--dossier", "dossier", "--sign", "owner.key", *TWO)
    assert (code, said) == (0, "openvet: the dossier dossier: had these statements already\n")
    code, text, _ = run("dossier", "show", "dossier", "--key", "owner.key.pub")
    assert code == 0
    assert "scan/v1  about model (dirHash)" in text
    code, text, _ = run("dossier", "show", "dossier", "--key", "owner.key.pub", "--line", "1")
    assert json.loads(text)["predicateType"].endswith("scan/v1")
    assert run("dossier", "show", "dossier", "--key", "owner.key.pub", "--line", "3")[0] == 2


def test_all_that_is_ours_goes_in_where_nothing_is_asked_for() -> None:
    code, _, said = run("check", "model", "--dossier", "whole", "--sign", "owner.key")
    assert (code, said) == (0, f"openvet: the dossier whole: lines {', '.join(map(str, range(1, 10)))} are new\n")
    code, text, _ = run("dossier", "show", "whole", "--key", "owner.key.pub")
    kinds = [line.split("/predicates/")[1].split("/")[0] for line in text.splitlines() if "/predicates/" in line]
    assert (code, kinds) == (
        0,
        ["scan", "inventory", "profile", "card", "lineage", "licenses", "rights", "openness", "advisories"],
    )
    assert verdict("whole", "--model", "model") == "verified"
    assert run("scan", "model", "--dossier", "one", "--sign", "owner.key")[2].endswith("one: line 1 is new\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--dossier", "dossier"),
        ("--sign", "owner.key"),
        ("--dossier", "new", "--sign", "release.key"),
        ("--dossier", "dossier", "--sign", "other.key"),
        ("--dossier", "model/dossier", "--sign", "owner.key"),
        ("--dossier", "dossier", "--sign", "owner.key", *TWO, "model"),
        ("--dossier", "dossier", "--sign", "no.key"),
    ],
)
def test_what_a_check_refuses_before_the_work(arguments: tuple[str, ...]) -> None:
    code, text, _ = run("check", "model", *arguments)
    assert (code, text) == (2, "")
    assert not Path("new").exists()
    assert verdict("dossier") == "verified"


def test_a_model_that_cannot_be_named_is_not_signed() -> None:
    Path("model/gone").symlink_to("nowhere")
    code, _, said = run("check", "model", "--dossier", "new", "--sign", "owner.key")
    assert code == 2
    assert "no digest" in said
    assert not Path("new").exists()


def test_the_model_is_held_against_it() -> None:
    assert verdict("dossier", "--model", "model") == "verified"
    Path("model/link").symlink_to("config.json")
    assert verdict("dossier", "--model", "model") == "mismatch"
    Path("model/link").unlink()
    Path("model/more").mkdir()
    assert verdict("dossier", "--model", "model") == "verified"  # an empty folder has no bytes
    Path("model/folder").symlink_to("sub")
    assert verdict("dossier", "--model", "model") == "verified"  # its files have their own names
    Path("model/dangling").symlink_to("nowhere")
    assert verdict("dossier", "--model", "model") == "mismatch"
    Path("model/dangling").unlink()
    Path("model/out").symlink_to(Path("owner.key").resolve())
    assert verdict("dossier", "--model", "model") == "mismatch"
    Path("model/out").unlink()
    Path("model/config.json").rename("model/other.json")  # equal contents under another name
    assert verdict("dossier", "--model", "model") == "mismatch"
    assert verdict("dossier", "--model", "model/other.json") == "missing"


def test_links_inside_a_model_and_single_files() -> None:
    Path("model/link").symlink_to("config.json")
    assert run("check", "model", "--dossier", "linked", "--sign", "owner.key", "-q")[0] == 0
    assert verdict("linked", "--model", "model") == "verified"
    assert run("check", "model/config.json", "--dossier", "single", "--sign", "owner.key", "-q")[0] == 0
    assert verdict("single", "--model", "model/config.json") == "verified"
    assert verdict("single", "--model", "model/sub/readme.md") == "mismatch"
    assert verdict("single", "--model", "model") == "missing"


def test_statements_of_others_and_documents() -> None:
    assert run("sign", "model", "--key", "release.key")[0] == 0
    signature = "model/model.sig"
    code, text, _ = run("dossier", "add", "dossier", signature, "--key", "owner.key")
    assert code == 1
    assert text.startswith("NOT verified: dossier: untrusted: ")
    asked = (
        "dossier",
        "add",
        "dossier",
        signature,
        "--key",
        "owner.key",
        "--signer",
        "release.key.pub",
        "--blob",
        "model/sub/readme.md",
    )
    assert run(*asked)[:2] == (0, "added 1 of 1 statements to dossier\n")
    assert run(*asked)[:2] == (0, "added 0 of 1 statements to dossier\n")
    assert "whom the owner vouches for" in run("dossier", "show", "dossier", "--key", "owner.key.pub")[1]
    Path(signature).unlink()
    assert verdict("dossier", "--model", "model") == "verified"
    Path("broken.sig").write_text("{}")
    assert run("dossier", "add", "dossier", "broken.sig", "--key", "owner.key")[0] == 1
    assert run("dossier", "add", "dossier", "no.sig", "--key", "owner.key")[0] == 2
    assert run("dossier", "add", "no", "broken.sig", "--key", "owner.key")[0] == 2


def test_keys_and_checkpoints() -> None:
    assert verdict("dossier", key="other.key.pub") == "wrong-key"
    assert verdict("dossier", key="release.key.pub") == "wrong-key"
    shutil.copytree("dossier", "old")
    Path("model/new").write_text("new")
    assert run("check", "model", "--dossier", "dossier", "--sign", "owner.key", *TWO, "-q")[0] == 0
    shutil.copy("dossier/log/checkpoint", "kept")
    assert verdict("dossier", "--checkpoint", "kept") == "verified"
    assert verdict("old", "--checkpoint", "kept") == "rollback"
    assert run("dossier", "verify", "dossier", "--key", "owner.key.pub", "--checkpoint", "no")[0] == 2
    assert run("dossier", "verify", "no", "--key", "owner.key.pub")[0] == 2
    assert run("dossier", "verify", "dossier", "--key", "owner.key")[0] == 2


def test_making_one() -> None:
    code, text, _ = run("dossier", "create", "new", "--key", "owner.key", "--origin", "example.com/d")
    assert (code, text) == (0, "made the dossier new\n  log  example.com/d\n")
    assert verdict("new") == "verified"
    assert verdict("new", "--model", "model") == "missing"
    assert run("dossier", "create", "new", "--key", "owner.key")[0] == 2
    assert run("dossier", "create", "more", "--key", "release.key")[0] == 2
    assert not Path("more").exists()


def test_out_and_in_again() -> None:
    for name in ("a.zip", "b.zip"):
        assert run("dossier", "export", "dossier", name, "--key", "owner.key.pub")[0] == 0
    assert Path("a.zip").read_bytes() == Path("b.zip").read_bytes()
    assert run("dossier", "export", "dossier", "a.zip", "--key", "owner.key.pub")[0] == 2
    assert run("dossier", "export", "dossier", "a.zip", "--key", "owner.key.pub", "--force")[0] == 0
    assert verdict("a.zip", "--model", "model") == "verified"
    assert run("dossier", "import", "a.zip", "again", "--key", "owner.key.pub")[0] == 0
    assert run("dossier", "import", "a.zip", "again", "--key", "owner.key.pub")[0] == 2
    assert run("dossier", "diff", "dossier", "again", "--key", "owner.key.pub")[:2] == (0, "statements in both: 2\n")
    Path("model/new").write_text("new")
    assert run("check", "model", "--dossier", "again", "--sign", "owner.key", *TWO, "-q")[0] == 0
    code, text, _ = run("dossier", "diff", "a.zip", "again", "--key", "owner.key.pub", "--format", "json")
    value: Any = json.loads(text)
    assert (code, value["both"], len(value["only_second"]), value["continues"]) == (1, 2, 2, True)
    assert run("dossier", "diff", "again", "a.zip", "--key", "owner.key.pub", "--format", "json")[0] == 1


def repacked(change: Any) -> None:
    """``bad.zip``: the exported zip, with its members changed."""
    assert run("dossier", "export", "dossier", "good.zip", "--key", "owner.key.pub", "--force")[0] == 0
    with zipfile.ZipFile("good.zip") as archive:
        members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    with zipfile.ZipFile("bad.zip", "w", zipfile.ZIP_DEFLATED) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, data in change(members):
            archive.writestr(name, data)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda members: members, "verified"),
        (lambda members: members[::-1], "verified"),
        (lambda members: members[1:], "missing"),
        (lambda members: [*members, ("../escaped", b"")], "tampered"),
        (lambda members: [*members, ("/escaped", b"")], "tampered"),
        (lambda members: [*members, ("trust/../escaped", b"")], "tampered"),
        (lambda members: [*members, ("C:\\escaped", b"")], "tampered"),
        (lambda members: [*members, ("log/tile/../../../escaped", b"")], "tampered"),
        (lambda members: [*members, (".next/index.json", b"")], "tampered"),
        (lambda members: [*members, (".staging/x", b"")], "tampered"),
        (lambda members: [*members, ("blobs/", b"")], "tampered"),
        (lambda members: [*members, members[0]], "malformed"),
        (lambda members: [("./" + members[0][0], members[0][1]), *members[1:]], "tampered"),
        (lambda members: [(name, data[::-1] if name == "claims.jsonl" else data) for name, data in members], "tampered"),
        (lambda members: [], "missing"),
    ],
)  # fmt: skip
def test_zips_of_others(here: Path, change: Any, reason: str) -> None:
    repacked(change)
    before = sorted(str(each) for each in here.parent.rglob("*escaped*"))
    assert verdict("bad.zip") == reason
    code = run("dossier", "import", "bad.zip", "again", "--key", "owner.key.pub")[0]
    assert code == (0 if reason == "verified" else 1)
    assert Path("again").exists() == (reason == "verified")
    assert sorted(str(each) for each in here.parent.rglob("*escaped*")) == before
    assert not [each for each in here.iterdir() if each.name.endswith(".part")]


def test_what_is_no_zip() -> None:
    for data in (b"", b"no zip", io.BytesIO(b"PK\x03\x04" + bytes(40)).getvalue()):
        Path("bad.zip").write_bytes(data)
        assert verdict("bad.zip") == "malformed"


def test_a_zip_that_is_cut_or_flipped_is_never_another_dossier() -> None:
    """The signed bytes decide. Our reader also refuses zips that are read in two ways, which the single file need not see."""
    assert run("dossier", "export", "dossier", "good.zip", "--key", "owner.key.pub")[0] == 0
    good = Path("good.zip").read_bytes()
    for at in range(0, len(good), len(good) // 60):
        for bad in (good[:at], good[:at] + bytes([good[at] ^ 4]) + good[at + 1 :]):
            Path("bad.zip").write_bytes(bad)
            code = run("dossier", "verify", "bad.zip", "--key", "owner.key.pub")[0]
            assert code in {0, 1}
            single = SINGLE.main(["bad.zip", "--key", "owner.key.pub"])
            assert single in {0, 1}
            assert single <= code
