"""The help of every command, whole; its examples are commands that work."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import struct
import subprocess
import zipfile
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from tests.evidence.authority import Authority
from tests.snapshots.snapshot import matches
from tests.workflows.kept import benched, evaluated, model

from openvet.cli import main
from openvet.evidence.keys import generate
from openvet.testing.forge_views import Stored, Strided, zip_file
from openvet.version import VERSION

COMMANDS = ["", *main.list_commands(click.Context(main))]


def help_of(command: str, *flags: str) -> str:
    arguments = ([command] if command else []) + list(flags or ["--help"])
    found = CliRunner().invoke(main, arguments, env={"COLUMNS": "100"})
    assert found.exit_code == 0
    return found.stdout


@pytest.mark.parametrize("command", COMMANDS, ids=lambda name: name or "openvet")
def test_help(command: str) -> None:
    text = help_of(command)
    matches(f"help/{command or 'openvet'}.txt", text)
    assert text == help_of(command, "-h")
    assert text.count("\n    openvet ") + text.count("| openvet ") + text.count("openvet completion bash)") >= 2
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize(
    "command",
    [
        "",
        "check",
        "scan",
        "inspect",
        "detonate",
        "run",
        "disarm",
        "sign",
        "verify",
        "dossier",
        "statement",
        "profile",
        "advisories",
        "cost",
        "eval",
        "bench",
        "quantize",
        "prune",
        "distill",
        "convert",
        "finetune",
        "compare",
        "choose",
        "hub",
        "cache",
        "doctor",
    ],
)
def test_help_tells_the_exit_codes(command: str) -> None:
    assert "Exit codes:" in help_of(command)


def test_without_a_command_there_is_help() -> None:
    assert CliRunner().invoke(main, [], env={"COLUMNS": "100"}).stdout == help_of("")


def test_version() -> None:
    assert help_of("", "--version") == f"openvet {VERSION}\n"


def examples() -> list[str]:
    found = []
    for command in COMMANDS:
        block = re.search(r"Examples:\n((?:    .*\n)+)", help_of(command))
        assert block is not None, command
        found += [re.split(r"\s{3,}", line.strip())[0] for line in block[1].splitlines()]
    return found


# what needs a network is tried against our own servers in tests/origins and tests/cli/test_hub and test_cache, what needs an extra where the extra is, and a
# server, which runs until it is stopped, in tests/hubproxy; what needs a runtime in tests/adopt
ELSEWHERE = r" hf:| oci:| --identity | --endpoint | --python |^openvet serve|^openvet (run|hub|cache|bench|quantize|prune|distill|finetune) |^openvet convert --to (onnx|f16) "
LOCAL = [each for each in examples() if each.startswith("openvet") and not re.search(ELSEWHERE, each)]


_CODES = {"diff": {0, 1}, "eval": {0, 1, 3}, "decide": {0, 1, 3}, "choose": {0, 1, 3}}


@pytest.mark.parametrize("example", LOCAL)
def test_examples_work(example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is run where the files that it names are."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    header = json.dumps({"w": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}}).encode()
    data = struct.pack("<Q", len(header)) + header + b"\0"
    for name in (
        "my-model/model.safetensors",
        "downloads/a.safetensors",
        "model.pt",
        "weights.gguf",
        "model.safetensors",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    Path("mine.toml").write_text("[device.mine]\nmemory_gib = 8\nbandwidth_nominal = 25.6e9\n")
    Path("MOF.yml").write_text("release: {name: x, components: [{name: Datasets, license: CC0-1.0}]}\n")
    Path("ours.toml").write_text("price_per_hour = 2\ntokens_out = 300\napi_price_out = 0.3\n")
    checkpoint = zip_file({"w": Strided(Stored(bytes(16)), (4,), (1,)), "epoch": 3})
    for name in ("checkpoint.ckpt", "shards/pytorch_model-00001-of-00001.bin", "weights.pt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(
            checkpoint if name.endswith("ckpt") else zip_file({"w": Strided(Stored(bytes(16)), (4,), (1,))})
        )
    words = shlex.split(example.partition(" > ")[0].replace("downloads/*", "downloads/a.safetensors"))
    if words[1] in {"sign", "verify", "keys"} or "release.key" in words or "release.key.pub" in words:
        keys_and_signature(tmp_path, words)
        monkeypatch.setenv("OPENVET_KEY_PASSPHRASE", "of an example")
    if words[1] == "statement":
        asked = ["check", "./my-model", "--statement", "vsa", "--sign", "release.key", "--output", "vsa.json"]
        assert CliRunner().invoke(main, asked).exit_code == 0
    for name in (each for each in words if each.endswith(".fingerprint.json") and words[1] == "lineage"):
        asked = ["fingerprint", "./my-model", "--sign", "release.key", "--output", name]
        assert CliRunner().invoke(main, asked).exit_code == 0
    words = evaluations(words)
    if words[1] == "log":
        log_of_a_signature(words)
    elif words[1:3] == ["bom", "diff"]:
        bills_of_a_model(words)
    if words[1] == "origin":
        Path("models").mkdir()
        for name in ("today.json", "june.json"):
            Path(name).write_text('{"id": "org/name"}')
        if "--dossier" in words:
            dossier_of_a_check(["openvet", "dossier", "verify"])
    elif words[1] == "dossier" or "--dossier" in words:
        dossier_of_a_check(words)
    if words[1] in {"attest", "decide", "document", "policy"}:
        packs_and_dossiers(words)
    if words[1] == "advisories":
        dossier_of_a_check(["openvet", "dossier", "verify"])
        Path("bom.json").write_text('{"bomFormat": "CycloneDX", "components": []}')
        with zipfile.ZipFile("all.zip", "w") as archive:
            archive.writestr("a.json", '{"id": "OSV-1", "affected": []}')
    found = CliRunner().invoke(main, words[1:])
    expected = {2} if "--by" in words else _CODES.get(words[1], {0, 3})  # with --by it asks a person at a terminal
    assert found.exit_code in expected, found.stderr
    ends = "no isolation available|standard input is no terminal|the (report|statement|bill|document|comparison|choice) is in|(answers?|questions?) (is|are) in"
    assert found.stdout or re.search(ends, found.stderr)
    assert "fault" not in found.stderr


def evaluations(words: list[str]) -> list[str]:
    """A task, recorded answers, two results of it, and a log of another tool; what is made has another name than they have."""
    if words[1] in {"compare", "choose"}:
        models_and_measurements()
    if words[1] != "eval":
        return words
    Path("capitals.yaml").write_text(
        'name: capitals\nprompt: "Q: {{q}}\\nA:"\ntarget: "{{a}}"\nscorer: exact\nsamples: [{q: "France?", a: Paris}, {q: "Peru?", a: Lima}]\n'
    )
    Path("answers.jsonl").write_text('{"id": "0", "output": "Paris"}\n{"id": "1", "output": "Lima"}\n')
    for name in ("a", "b"):
        asked = [
            "eval",
            "./my-model",
            "--task",
            "capitals.yaml",
            "--recorded",
            "answers.jsonl",
            "--result",
            f"{name}.json",
        ]
        assert CliRunner().invoke(main, asked).exit_code == 0
    Path("samples_arc_2026-11-29T14-22-20.018732.jsonl").write_text('{"doc_id": 0, "metrics": ["acc"], "acc": 1.0}\n')
    return [each.replace("a.json", "c.json") if "--result" in words else each for each in words]


def models_and_measurements() -> None:
    """Two models, results and measurements of both, a need."""
    key = generate("ed25519")
    Path("team.pub").write_bytes(key.public.pem)
    for number, name in enumerate(("a", "b"), 1):
        folder = model(name, 100 * number)
        evaluated(name, 0.9)
        Path(f"{name}.bench.json").write_bytes(benched(name, 0.1 * number, key=key).read_bytes())
        folder.rename(f"model-{name}")
    Path("need.yaml").write_text("need: small\ntask: capitals\nprefer: size\n")


def packs_and_dossiers(words: list[str]) -> None:
    """Where one is to be read: a pack of one's own, a dossier or a folder of them, answers of a person."""
    Path("our-pack/cases").mkdir(parents=True)
    Path("our-pack/pack.yaml").write_text(
        "id: ours\nversion: 1.0.0\ntitle: t\nextends: baseline\n"
        "requirements: [{id: A, title: t, clause: c, source: practice, level: computed, pass: scan.files > 0, severity: low, remedy: r}]\n"
    )
    Path("our-pack/cases/a.yaml").write_text("name: n\nas_of: 2026-11-28\nexpect: {verdict: review}\n")
    if words[1] != "policy":
        dossier_of_a_check(["openvet", "dossier", "verify"])
        shutil.copytree("dossier", "dossiers/one")
        shutil.copy("owner.key", "me.key")
        if "--template" not in words:
            Path("answers.yaml").write_text("by: {name: n}\nanswers: {purpose: p}\n")


def bills_of_a_model(words: list[str]) -> None:
    """Two bills that list the same."""
    for name in (each for each in words if each.endswith(".json")):
        assert CliRunner().invoke(main, ["bom", "--output", name, "./my-model"]).exit_code == 0


def log_of_a_signature(words: list[str]) -> None:
    """Where a log is to be read: one with a signature in it, the proof, and a checkpoint that was kept; else the key alone."""
    Path("my-model/model.sig").write_text("a signature")
    key = generate("ed25519")
    Path("log.key").write_bytes(key.pem())
    Path("log.key.pub").write_bytes(key.public.pem)
    if words[2] != "init":
        append_one = ["append", "./log", "my-model/model.sig", "--key", "log.key"]
        for arguments in (["init", "./log", "--origin", "example.com/log", "--key", "log.key"], append_one):
            assert CliRunner().invoke(main, ["log", *arguments]).exit_code == 0
        shutil.copy("log/checkpoint", "kept")
    if words[2] == "verify":
        asked = [
            "log",
            "proof",
            "./log",
            "my-model/model.sig",
            "--key",
            "log.key.pub",
            "--output",
            "my-model.tlog-proof",
        ]
        assert CliRunner().invoke(main, asked).exit_code == 0


def dossier_of_a_check(words: list[str]) -> None:
    """A dossier that a check has filled, where one is to be read; else the key alone."""
    key = generate("ed25519")
    Path("owner.key").write_bytes(key.pem())
    Path("owner.key.pub").write_bytes(key.public.pem)
    if words[2] in {"verify", "export", "report"}:
        arguments = ["check", "./my-model", "--dossier", "./dossier", "--sign", "owner.key"]
        assert CliRunner().invoke(main, arguments).exit_code == 0


def keys_and_signature(folder: Path, words: list[str]) -> None:
    """What stands beside a model of somebody who signs: a key, its certificate, and for verifying a signature with either."""
    authority = Authority()
    key, leaf = authority.signer()
    (folder / "release.key").write_bytes(key.pem())
    (folder / "release.key.pub").write_bytes(key.public.pem)
    (folder / "me.pem").write_bytes(leaf)
    (folder / "ca.pem").write_bytes(authority.pem)
    (folder / "trust.toml").write_text(
        '[[key]]\nname = "me"\nfile = "release.key.pub"\n[[grant]]\nsays = ["signature"]\nby = ["me"]\nmodels = ["my-*"]\n'
    )
    if words[1] == "verify":
        how = ["--certificate", "me.pem"] if "--certificate-chain" in words else []
        assert CliRunner().invoke(main, ["sign", "--key", "release.key", *how, "./my-model"]).exit_code == 0


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str, tmp_path: Path) -> None:
    script = help_of("completion", shell)
    assert "_OPENVET_COMPLETE" in script
    if shell == "bash":
        file = tmp_path / "complete.sh"
        file.write_text(script)
        assert subprocess.run(["bash", "-n", file], check=False).returncode == 0


def test_completion_knows_commands_and_rules() -> None:
    def completed(words: str, at: int) -> list[str]:
        settings = {"_OPENVET_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(at)}
        return CliRunner().invoke(main, [], prog_name="openvet", env=settings).stdout.split()

    assert completed("openvet ch", 1) == ["plain,check", "plain,choose"]
    assert completed("openvet explain house/", 2) == ["plain,house/broken-plugin"]


def test_every_parameter_is_explained() -> None:
    for name in COMMANDS[1:]:
        command = main.get_command(click.Context(main), name)
        assert command is not None
        assert command.name == name
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, f"{command.name} {parameter.name}"
