"""``openvet server`` beside a server that runs: backup, restore and room on the disk, as a person types them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from openvet.cli import main
from tests.hubproxy.test_serve import models, served  # noqa: F401 - a fixture


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["server", *arguments])


def test_backed_up_lost_and_restored(models: Path, tmp_path: Path) -> None:  # noqa: F811
    data, target, again = tmp_path / "data", tmp_path / "backups", tmp_path / "again"
    with served(tmp_path, "--data", "data", "--upstream", str(models)) as server:
        before = server.pull("/org/good/resolve/main/model.safetensors")
        refused = server.pull("/org/bad/resolve/main/pytorch_model.bin")
        made = run("backup", str(target), "--data", str(data))
        assert made.exit_code == 0, made.output
        path = made.stdout.splitlines()[0]
        assert Path(path).parent == target
        assert "it holds the private key" in made.stdout
        assert "of which 0 bytes are new" not in made.stdout
        taken = run("restore", path, "--data", str(data))
        assert taken.exit_code == 2
        assert "is not empty" in taken.stderr
    shutil.rmtree(data)
    dry = run("restore", path, "--data", str(again), "--dry-run")
    assert dry.stdout.startswith("the backup is whole: ")
    assert not again.exists()
    found = run("restore", path, "--data", str(again))
    assert found.exit_code == 0, found.output
    assert "rollback" in found.stdout
    with served(tmp_path, "--data", "again", "--upstream", str(models)) as server:
        after = server.ask("/org/good/resolve/main/model.safetensors")
        assert (after[0], after[2]) == (200, before[2])
        again_refused = server.ask("/org/bad/resolve/main/pytorch_model.bin")
        said = [each[1]["x-error-message"].partition("http")[0] for each in (refused, again_refused)]
        assert said[0] == said[1] != ""
        assert "The first admin chooses" in server.greeting


def test_room_is_made_beside_a_server(models: Path, tmp_path: Path) -> None:  # noqa: F811
    import os

    with served(tmp_path, "--data", "data", "--upstream", str(models)) as server:
        body = server.pull("/org/good/resolve/main/model.safetensors")[2]
        stored = [each for each in (tmp_path / "data" / "blobs").rglob("*") if each.is_file()]
        for each in stored:
            os.utime(each, (0, 0))
        for dry, left in (("--dry-run", len(stored)), ("", 0)):
            found = run("prune", "--keep", "1", "--data", str(tmp_path / "data"), *filter(None, [dry]))
            assert found.exit_code == 0, found.output
            assert found.stdout.startswith(f"{'would remove' if dry else 'removed'} {len(stored)} stored files")
            assert len([each for each in (tmp_path / "data" / "blobs").rglob("*") if each.is_file()]) == left
        assert server.pull("/org/good/resolve/main/model.safetensors")[2] == body
        short = run("prune", "--keep", "1", "--data", str(tmp_path / "data"))
        assert short.exit_code == 1
        assert "within the last hour" in short.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("prune", "--data", "DATA"), "no folder of a server"),
        (("prune", "--keep", "much", "--data", "DATA"), "--keep: the value must be"),
        (("backup", "there", "--data", "DATA"), "no folder of a server"),
        (("restore", "there", "--data", "DATA"), "is no backup"),
    ],
)
def test_what_cannot_be_done_says_so(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    found = run(*(each.replace("DATA", str(tmp_path)) for each in arguments))
    assert found.exit_code == 2
    assert said in found.stderr
