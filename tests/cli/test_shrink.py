"""``openvet quantize``, ``prune``, ``distill``, ``convert`` and ``finetune``: what they print, sign and end with."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from tests.evidence.vectors import _DERIVATION, _DERIVATION_BARE, _DERIVATION_PARTS
from tests.reports.test_snapshots import schema
from tests.snapshots.snapshot import matches

from openvet.cli import main
from openvet.cli.running_options import ENGINES, LEVELS
from openvet.cli.shrink_options import _LEVELS
from openvet.engines import model as engines
from openvet.evidence.keys import generate
from openvet.evidence.predicates.derivation_v1 import DerivationV1
from openvet.evidence.predicates.provenance_v1 import Builder, Provenance
from openvet.evidence.statement import ResourceDescriptor
from openvet.reports.derivation import compose_derivation, compose_transforms
from openvet.reports.look import Look
from openvet.sandbox.levels import ENOUGH, LADDER, missing
from openvet.transforms._transform import COMMANDS, transforms
from openvet.workflows import deriving
from openvet.workflows.making import RefusedError

save_file = pytest.importorskip("safetensors.numpy").save_file

HERE = sys.platform == "linux" and any(not missing(each) for each in LADDER if each.number >= ENOUGH)
needs_isolation = pytest.mark.skipif(not HERE, reason="nothing here is enough to run a model in")


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments), env={"COLUMNS": "100"})


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    save_file({"layer.weight": np.ones((8, 8), "f4"), "layer.bias": np.zeros(8, "f4")}, "m.safetensors")
    return tmp_path


@needs_isolation
def test_a_step_is_reported_signed_and_held_against_what_was_made() -> None:
    made = generate("ed25519")
    Path("k").write_bytes(made.pem())
    Path("k.pub").write_bytes(made.public.pem)
    step = ["convert", "--to", "bf16", "--no-speed", "m.safetensors"]
    done = call(*step, "out.safetensors", "--statement", "--sign", "k", "-o", "c.json", "--provenance", "p.json")
    assert done.exit_code == 0, done.stderr
    for name, says in (
        ("c.json", "made of m.safetensors by safetensors-cast bf16: not-asked"),
        ("p.json", "safetensors-cast"),
    ):
        read = call("statement", name, "--key", "k.pub", "--model", "out.safetensors")
        assert read.exit_code == 0, read.stdout + read.stderr
        assert says in read.stdout
        assert call("statement", name, "--key", "k.pub", "--model", "m.safetensors").exit_code != 0
    assert call("dossier", "create", "d", "--key", "k").exit_code == 0
    for name in ("c.json", "p.json"):
        added = call("dossier", "add", "d", name, "--key", "k")
        assert added.exit_code == 0, added.stderr
    assert call("dossier", "verify", "d", "--key", "k.pub", "--model", "out.safetensors").exit_code == 0
    assert call("dossier", "verify", "d", "--key", "k.pub", "--model", "m.safetensors").exit_code == 1
    done = call(*step, "out.safetensors", "--force", "--format", "json")
    value = json.loads(done.stdout)
    assert (done.exit_code, value["made"]) == (0, True)
    assert list(schema("derivation-report-v1").iter_errors(value)) == []
    assert list(schema("derivation-v1").iter_errors(value["derivation"])) == []


@needs_isolation
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
def test_a_report_that_cannot_be_written_leaves_no_model() -> None:
    done = call("prune", "--to", "2:4", "--no-speed", "m.safetensors", "out.safetensors", "-o", "/dev/full")
    assert (done.exit_code, "/dev/full" in done.stderr) == (2, True)
    assert [each.name for each in Path().iterdir()] == ["m.safetensors"]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--sign", "k"], "--sign belongs to --statement or --provenance"),
        (["--provenance", "p"], "--provenance and --sign belong together"),
        (["--statement", "--format", "json"], "exclude each other"),
        (["--loss", "half"], "is no share"),
        (["--loss", "2%"], "--loss needs something to hold it against"),
        (["--memory", "lots"], "--memory 'lots'"),
        (["--seconds", "nan"], "is not in the range|has to be a number that is finite"),
        (["--set", "amount"], "a setting is NAME=VALUE"),
        (["--python", "none"], "none: is no Python"),
        (["--text", "nothing.txt"], "safetensors"),
    ],
)
def test_what_makes_no_sense_ends_with_2(arguments: list[str], why: str) -> None:
    done = call("prune", "--to", "2:4", "m.safetensors", "out.safetensors", *arguments)
    assert done.exit_code == 2, done.stderr
    assert Path("out.safetensors").exists() is False
    import re

    assert re.search(why, done.stderr), done.stderr


def test_a_budget_names_the_loss_and_the_ladder() -> None:
    done = call("quantize", "--budget", "memory=1G,loss=2%", "--loss", "1%", "m.safetensors", "out")
    assert (done.exit_code, "--budget names the loss itself" in done.stderr) == (2, True)
    done = call("quantize", "--budget", "memory=1G", "m.safetensors", "out")
    assert (done.exit_code, "--budget needs a loss" in done.stderr) == (2, True)


@pytest.mark.parametrize(("verdict", "code"), [("as-good", 0), ("not-asked", 0), ("worse", 1), ("unresolved", 3)])
def test_how_it_ends(monkeypatch: pytest.MonkeyPatch, verdict: str, code: int) -> None:
    from dataclasses import replace

    body = replace(_DERIVATION, verdict=verdict)
    provenance = Provenance("https://example.org/build", {}, Builder("https://example.org/builder"))

    def derive(_asked: Any, _progress: Any, ready: Any) -> Any:
        found = deriving.Derived(
            ResourceDescriptor("child", {"sha256": "0" * 64}), body, provenance, made=verdict != "worse"
        )
        ready(found)
        return found

    monkeypatch.setattr(deriving, "derive", derive)
    done = call("quantize", "--to", "q2_k", "m.gguf", "out.gguf")
    assert done.exit_code == code
    assert done.stdout.startswith(f"child: {verdict}: ")
    assert ("nothing was put in its place" in done.stdout) == (verdict == "worse")


def test_a_refusal_ends_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    def derive(*_: Any) -> Any:
        raise RefusedError("12 numbers would become infinite")

    monkeypatch.setattr(deriving, "derive", derive)
    done = call("convert", "--to", "f16", "a", "b")
    assert (done.exit_code, done.stderr) == (1, "openvet: 12 numbers would become infinite\n")


# --- what is printed ---


def test_reports_of_certificates() -> None:
    matches("reports/derivation-everything.txt", compose_derivation("child\x1b[31m.gguf", _DERIVATION, made=False))
    matches("reports/derivation-parts.txt", compose_derivation("ocr", _DERIVATION_PARTS, Look(width=120)))
    matches("reports/derivation-bare.txt", compose_derivation("child", _DERIVATION_BARE, Look(60, unicode=False)))


def test_lists_of_targets() -> None:
    for command in COMMANDS:
        done = call(command, "--list")
        assert done.exit_code == 0
        matches(f"reports/list-{command}.txt", done.stdout)
    assert compose_transforms([]) == ""


def test_every_transform_has_its_shape() -> None:
    found = transforms()
    assert {each.TRANSFORM.command for each in found.values()} == set(COMMANDS)
    for name, module in found.items():
        transform = module.TRANSFORM
        assert name == transform.id
        assert module.__name__ == f"openvet.transforms.{name.replace('-', '_')}"
        assert module.__doc__ is not None
        known = {each.name for each in transform.settings}
        assert transform.targets
        for target in transform.targets:
            assert set(target.settings) <= known
        for each in transform.settings:
            assert each.kind in ("int", "float", "flag", "text")
            assert isinstance(each.default, {"int": int, "float": float, "flag": bool, "text": str}[each.kind])
            if each.low is not None and each.high is not None:
                assert each.low <= each.default <= each.high


def test_words_that_are_written_twice_are_the_same() -> None:
    assert tuple(_LEVELS) == tuple(LEVELS)
    assert tuple(ENGINES) == tuple(engines.ENGINES)


def test_no_figure_is_lost_on_the_way(tmp_path: Path) -> None:
    assert DerivationV1.from_json(_DERIVATION.to_json()) == _DERIVATION
