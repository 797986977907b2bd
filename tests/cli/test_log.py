"""``openvet log``: a log from its key to a rollback that shows, in text and JSON, and every exit code."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from openvet.cli import main


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two keys, three documents, and a log with one of them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENVET_KEY_PASSPHRASE", raising=False)
    for name in ("log.key", "other.key"):
        assert run("keys", "new", name, "--kind", "ed25519", "--no-passphrase")[0] == 0
    for name in ("one", "two", "three"):
        Path(name).write_text(name)
    assert run("log", "init", "log", "--origin", "example.com/log", "--key", "log.key")[0] == 0
    assert run("log", "append", "log", "one", "--key", "log.key")[0] == 0
    return tmp_path


def run(*arguments: str) -> tuple[int, str, str]:
    found = CliRunner().invoke(main, arguments)
    return found.exit_code, found.stdout, found.stderr


def read(*arguments: str, code: int = 0) -> Any:
    found = CliRunner().invoke(main, ["log", *arguments, "--key", "log.key.pub", "--format", "json"])
    assert found.exit_code == code, found.output
    return json.loads(found.stdout)


def test_a_document_from_log_to_proof() -> None:
    code, text, _ = run("log", "append", "log", "one", "two", "two", "--key", "log.key")
    assert (code, text) == (0, "0  one  (there before)\n1  two\n")
    assert run("log", "proof", "log", "two", "--key", "log.key.pub")[:2] == (0, "two.tlog-proof: entry 1\n")
    code, text, _ = run("log", "verify", "two", "--key", "log.key.pub")
    assert code == 0
    assert text.startswith("verified: two: entry 1 of example.com/log\n")
    assert "a rollback cannot be excluded" in text
    found = read("verify", "two", "--log", "log", "--checkpoint", "log/checkpoint")
    assert found["verified"] is True
    assert found["rollback"] == "excluded up to the kept checkpoint"
    assert found["checkpoint"] == found["kept_checkpoint"]
    assert read("verify", "two")["rollback"] == "cannot be excluded"


def test_a_proof_is_not_replaced_without_force() -> None:
    assert run("log", "proof", "log", "one", "--key", "log.key.pub")[0] == 0
    before = Path("one.tlog-proof").read_bytes()
    run("log", "append", "log", "two", "--key", "log.key")
    code, _, error = run("log", "proof", "log", "one", "--key", "log.key.pub")
    assert code == 2
    assert "--force" in error
    assert Path("one.tlog-proof").read_bytes() == before
    assert run("log", "proof", "log", "one", "--key", "log.key.pub", "--force")[0] == 0
    assert Path("one.tlog-proof").read_bytes() != before


def test_what_is_not_verified_says_why() -> None:
    run("log", "proof", "log", "one", "--key", "log.key.pub")
    assert read("verify", "two", "--proof", "one.tlog-proof", code=1)["reason"] == "mismatch"
    assert read("proof", "log", "three", code=1)["reason"] == "missing"
    assert read("verify", "one", "--origin", "example.com/other", code=1)["reason"] == "mismatch"
    assert read("audit", "none", code=1)["reason"] == "missing"
    code, text, _ = run("log", "audit", "log", "--key", "other.key.pub")
    assert (code, text.partition("\n")[0]) == (1, "not verified: wrong-key")
    Path("log/tile/0/000.p/1").write_bytes(bytes(32))
    assert read("audit", "log", code=1) == {
        "type": "https://openvet/log/v1", "verified": False, "reason": "tampered",
        "message": "tile/0/000.p/1 does not hold the hashes of the entries below it",
    }  # fmt: skip
    assert run("log", "append", "log", "two", "--key", "log.key")[:2] == (
        1, "not verified: tampered\n  the tiles are not what the checkpoint was signed for; nothing is added to the log\n",
    )  # fmt: skip


def test_a_rollback_and_a_fork(here: Path) -> None:
    shutil.copytree("log", "yesterday")
    run("log", "append", "log", "two", "--key", "log.key")
    shutil.copy("log/checkpoint", "kept")
    assert read("audit", "log", "--checkpoint", "kept")["rollback"] == "excluded up to the kept checkpoint"
    for command in (("audit", "yesterday"), ("show", "yesterday"), ("proof", "yesterday", "one")):
        assert read(*command, "--checkpoint", "kept", code=1)["reason"] == "rollback"
    assert read("audit", "yesterday")["rollback"] == "cannot be excluded"
    run("log", "append", "yesterday", "three", "--key", "log.key")
    assert read("audit", "yesterday", "--checkpoint", "kept", code=1)["reason"] == "fork"
    assert run("log", "proof", "yesterday", "three", "--key", "log.key.pub")[0] == 0
    assert read("verify", "three", "--checkpoint", "kept", code=1)["reason"] == "fork"
    assert read("verify", "three", "--log", "log", code=1)["reason"] == "fork"
    assert read("verify", "three", "--log", "yesterday")["verified"] is True


def test_checkpoints_of_two_sizes_need_the_log() -> None:
    shutil.copy("log/checkpoint", "kept")
    run("log", "append", "log", "two", "--key", "log.key")
    run("log", "proof", "log", "two", "--key", "log.key.pub")
    code, text, error = run("log", "verify", "two", "--key", "log.key.pub", "--checkpoint", "kept")
    assert (code, text) == (2, "")
    assert "--log" in error
    assert read("verify", "two", "--checkpoint", "kept", "--log", "log")["kept_checkpoint"]["size"] == 1


def test_show_lists_the_last_entries() -> None:
    run("log", "append", "log", "two", "three", "--key", "log.key")
    found = read("show", "log", "--last", "2")
    assert [each["index"] for each in found["entries"]] == [1, 2]
    assert all(each["entry"].startswith("sha256:") for each in found["entries"])
    assert run("log", "show", "log", "--key", "log.key.pub")[1].count("sha256:") == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("append", "log", "none", "--key", "log.key"), "cannot read none"), (("append", "log", "log", "--key", "log.key"), "is no file"),
        (("append", "log", "one", "--key", "log.key.pub"), "no private key"), (("append", "none", "one", "--key", "log.key"), "No such file"),
        (("init", "log", "--origin", "a", "--key", "log.key"), "not empty"), (("init", "new", "--origin", "a b", "--key", "log.key"), "names no log"),
        (("audit", "log", "--key", "log.key"), "private key"), (("audit", "log", "--key", "log.key.pub", "--checkpoint", "none"), "cannot read none"),
        (("verify", "one", "--key", "log.key.pub"), "cannot read one.tlog-proof"),
    ],
)  # fmt: skip
def test_what_fails_is_no_verdict(arguments: tuple[str, ...], words: str) -> None:
    code, text, error = run("log", *arguments)
    assert (code, text) == (2, "")
    assert words in error


def test_keys_of_another_kind_sign_no_checkpoints() -> None:
    assert run("keys", "new", "p.key", "--no-passphrase")[0] == 0
    code, _, error = run("log", "init", "new", "--origin", "a", "--key", "p.key")
    assert code == 2
    assert "p256" in error
    assert run("log", "audit", "log", "--key", "p.key.pub")[0] == 2


def test_every_option_is_explained() -> None:
    group = main.get_command(click.Context(main), "log")
    assert isinstance(group, click.Group)
    for command in group.commands.values():
        assert all(each.help for each in command.params if isinstance(each, click.Option))


def test_no_proof_is_put_into_a_signed_model(here: Path) -> None:
    """There it would be a file that nobody signed, and the model would no longer verify."""
    (here / "model").mkdir()
    shutil.copy("one", "model/model.sig")
    code, _, said = run("log", "proof", "log", "model/model.sig", "--key", "log.key.pub")
    assert (code, "--output" in said, sorted(each.name for each in (here / "model").iterdir())) == (
        2,
        True,
        ["model.sig"],
    )
    assert run("log", "proof", "log", "model/model.sig", "--key", "log.key.pub", "--output", "proof")[0] == 0
    assert run("log", "verify", "model/model.sig", "--key", "log.key.pub", "--proof", "proof")[0] == 0
