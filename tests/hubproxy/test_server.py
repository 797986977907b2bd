"""``openvet server`` beside a server that runs: backup, restore and room on the disk, as a person types them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
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


def test_a_worker_beside_a_server_that_vets_nothing(models: Path, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "serve.toml").write_text(
        f'[data]\nfolder = "data"\n[[upstream]]\nfolder = "{models}"\n[vetting]\nworkers = 0\n[server]\nmetrics = ["127.0.0.1"]\nlog = "json"\n'
    )
    command = [sys.executable, "-m", "openvet", "server", "worker", "--config", "serve.toml", "--vettings", "2"]
    with served(tmp_path, "--config", "serve.toml") as server:
        status, _, body = server.ask("/readyz")
        assert (status, "openvet server worker" in json.loads(body)["problems"]["workers"]) == (503, True)
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path)
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            assert process.stdout.readline().startswith("Vets for the server in ")
            assert server.pull("/org/good/resolve/main/config.json")[0] == 200
            assert server.ask("/readyz")[0] == 200
            assert b"openvet_workers 1\nopenvet_worker_vettings 2\n" in _only(
                server.ask("/metrics")[2], b"openvet_worker"
            )
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
            assert process.stderr.read() == ""
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
            process.stderr.close()
        assert server.ask("/readyz")[0] == 503
        assert server.ask("/org/good/resolve/main/config.json")[0] == 200, "what is vetted is served"


def _only(text: bytes, begin: bytes) -> bytes:
    return b"".join(each + b"\n" for each in text.splitlines() if each.startswith(begin))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("prune", "--data", "DATA"), "no folder of a server"),
        (("prune", "--keep", "much", "--data", "DATA"), "--keep: the value must be"),
        (("backup", "there", "--data", "DATA"), "no folder of a server"),
        (("restore", "there", "--data", "DATA"), "is no backup"),
        (("worker", "--data", "DATA"), "no folder of a server"),
    ],
)
def test_what_cannot_be_done_says_so(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    found = run(*(each.replace("DATA", str(tmp_path)) for each in arguments))
    assert found.exit_code == 2
    assert said in found.stderr
