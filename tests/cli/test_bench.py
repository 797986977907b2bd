"""``openvet bench``: what it prints, signs and ends with, with a runtime that is none."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result
from tests.evidence.vectors import _BENCH, _BENCH_BARE
from tests.reports.test_snapshots import schema
from tests.snapshots.snapshot import matches
from tests.workflows.fake_model import FakeModel, opener

from openvet.cli import bench as door
from openvet.cli import main
from openvet.evidence.keys import generate
from openvet.evidence.predicates.bench_v1 import BenchV1
from openvet.evidence.predicates.fields import FieldError
from openvet.reports.bench import compose_bench
from openvet.reports.gist import gist
from openvet.reports.look import Look
from openvet.sandbox import host
from openvet.sandbox.host import Load
from openvet.sandbox.interpreter import our_interpreter
from openvet.sandbox.levels import LADDER
from openvet.workflows import bench_open
from openvet.workflows.bench_work import ASKED
from openvet.workflows.opening import Opening

QUICK = ("--queries", "3", "--starts", "1", "--tokens", "3", "--no-progress")


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["bench", *arguments], env={"COLUMNS": "100"})


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("m.gguf").write_bytes(b"GGUF")
    monkeypatch.setattr(bench_open, "open_model", opener(FakeModel))
    monkeypatch.setattr(bench_open, "look", lambda *_: Opening("gguf", "", our_interpreter(), 4))
    monkeypatch.setattr(bench_open, "proven_level", lambda _: SimpleNamespace(level=LADDER[0], proven=True))
    monkeypatch.setattr("openvet.workflows.bench.cached", lambda _: 0.0)
    monkeypatch.setattr("openvet.workflows.bench._BEFORE", 0.0)
    monkeypatch.setattr(host, "read_bandwidth", lambda _: 10e9)
    monkeypatch.setattr(host.Watch, "ended", lambda _: Load(1.0, 0.1, 0.0, 0.0, 0.0))
    return tmp_path


def test_what_is_printed_and_how_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    done = call("m.gguf", *QUICK)
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("m.gguf: certified\n")
    done = call("m.gguf", *QUICK, "--format", "json")
    value = json.loads(done.stdout)
    assert value["bench"]["certified"] is True
    assert list(schema("bench-report-v1").iter_errors(value)) == []
    done = call("m.gguf", *QUICK, "--limit-cpus", "4096")
    assert done.exit_code == 3
    assert "NOT KEPT: this machine gives" in done.stdout
    monkeypatch.setattr(bench_open, "open_model", opener(lambda: FakeModel(fails_at=0)))
    done = call("m.gguf", *QUICK)
    assert done.exit_code == 1
    assert done.stdout.startswith("m.gguf: its process ended\n")


def test_a_statement_is_signed(folder: Path) -> None:
    key = generate("ed25519")
    Path("k").write_bytes(key.pem())
    done = call("m.gguf", *QUICK, "--device", "rpi5", "--statement", "--sign", "k", "-o", "b.json")
    assert done.exit_code in (0, 3), done.output
    Path("k.pub").write_bytes(key.public.pem)
    shown = CliRunner().invoke(main, ["statement", "b.json", "--key", "k.pub"])
    assert shown.exit_code == 0, shown.output
    assert "bench of m.gguf" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--limit-memory", "much"), "--limit-memory 'much'"),
        (("--limit-memory", "0"), "a whole number above zero"),
        (("--sign", "k"), "--sign belongs to --statement"),
        (("--statement", "--format", "json"), "exclude each other"),
        (("--device", "two.toml"), "describes 2 devices"),
        (("--device", "toaster"), "no device"),
        (("--device", "rpi5", "--limit-memory", "16G"), "is more than rpi5:8 has for programs"),
        (("--input", "missing"), "missing"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...], words: str) -> None:
    Path("two.toml").write_text("[device.a]\nmemory_gib = 4\n[device.b]\nmemory_gib = 4\n")
    done = call("m.gguf", *QUICK, *arguments)
    assert done.exit_code == 2
    assert words in done.output


def test_less_memory_than_the_device_has_is_said() -> None:
    done = call("m.gguf", *QUICK, "--device", "rpi5", "--limit-memory", "300M", "--format", "json")
    body = json.loads(done.stdout)["bench"]
    assert [each["asked"] for each in body["limits"]] == [str(300 * 2**20)]
    assert any("the limit of memory is less than the device has" in each for each in body["notes"])


def test_files_that_stay_in_memory_are_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "openvet.workflows.bench.cached", lambda files: 1.0 if files == (str(Path("m.gguf").resolve()),) else 0.0
    )
    done = call("m.gguf", *QUICK)
    assert done.exit_code == 0
    assert "a copy of the model's files was measured" in " ".join(done.stdout.split())


def test_words_of_the_options_are_those_of_the_workflow() -> None:
    assert door.ASKED == ASKED


def test_every_figure_is_shown() -> None:
    for name, body in (("everything", _BENCH), ("bare", _BENCH_BARE)):
        matches(f"reports/bench-{name}.txt", compose_bench("model", body.to_json(), Look(width=100)))
    assert gist(_BENCH) == [
        "bench of b\u00e4se on A Processor: measured, not certified; decode-rate 45.79 token/s, peak-resident 270900000 byte",
        "others used 51 % of the processors while it was measured (at most 10 %)",
    ]
    assert gist(_BENCH_BARE) is not None


def test_a_body_cannot_vouch_against_its_own_words() -> None:
    body = _BENCH.to_json()
    body["certified"] = True
    with pytest.raises(FieldError, match="contradicts"):
        BenchV1.from_json(body)
