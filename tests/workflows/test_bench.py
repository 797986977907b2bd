"""What is measured of a model, what follows from it, and when nobody vouches for it. No clock is trusted here but that time goes by."""

from __future__ import annotations

import io
import math
import wave
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import pytest
from tests.workflows.fake_model import FakeModel, opener

from openvet.engines.model import Model
from openvet.errors import UsageError
from openvet.evidence.predicates.bench_v1 import BenchV1
from openvet.evidence.predicates.eval_v1 import ModelRef
from openvet.evidence.statement import ResourceDescriptor
from openvet.profile.devices import devices
from openvet.sandbox import host
from openvet.sandbox.host import Load
from openvet.sandbox.session import AskedError
from openvet.workflows.bench import Asked, Opened, Opening, bench
from openvet.workflows.bench_beside import this_machine
from openvet.workflows.bench_work import Timed, ask, figures_of, inputs_of, text_of

QUIET = Load(1.0, 0.1, 0.0, 0.0, 0.0)


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which nobody else works, whatever the one is on which this runs."""
    monkeypatch.setattr(host, "read_bandwidth", lambda _: 10e9)
    monkeypatch.setattr(host.Watch, "ended", lambda _: QUIET)


def opened(tmp_path: Path, made: Callable[[], FakeModel] = FakeModel, **more: Any) -> Opened:
    file = tmp_path / "m.gguf"
    file.write_bytes(b"GGUF" + bytes(1000))
    start = opener(made)

    def opening(how: Opening) -> Any:
        return start(started=how.started)

    return Opened(
        opening,
        ModelRef("m.gguf", {"sha256": "0" * 64}),
        ResourceDescriptor("m.gguf", {"sha256": "0" * 64}),
        (str(file),),
        "3.11",
        "3",
        **more,
    )


def asked(**more: Any) -> Asked:
    return Asked(**{"queries": 8, "starts": 2, "tokens": 4, "quiet_wait": 0.0, **more})


def test_text_is_measured(tmp_path: Path) -> None:
    found = bench(opened(tmp_path), asked()).body
    assert (found.outcome, found.work.kind, found.work.asked, found.runtime.engine) == (
        "measured",
        "generate",
        8,
        "gguf",
    )
    names = {each.name for each in found.figures}
    assert {
        "request-p50",
        "first-token-p90",
        "between-tokens-p99",
        "decode-rate",
        "prefill-rate",
        "cold-start",
        "files",
        "peak-resident",
    } <= names
    parts = {each.name: each.value for each in found.figures if each.name.startswith("cold-")}
    assert (parts["cold-interpreter"], parts["cold-import"], parts["cold-load"]) == ("0.5", "0.25", "0.125")
    assert (found.cold.starts if found.cold else 0) == 2
    assert BenchV1.from_json(found.to_json()) == found
    if found.cold and found.cold.cached == "0":
        assert found.certified


def test_no_two_requests_are_alike(tmp_path: Path) -> None:
    models: list[FakeModel] = []

    def made() -> FakeModel:
        models.append(FakeModel())
        return models[-1]

    bench(opened(tmp_path, made), asked())
    (first, *others) = models[-1].asked
    assert len({each.split()[0] for each in (first, *others)}) == 9
    assert len(first.split()) == 65


@pytest.mark.parametrize("kind", ["embed", "transcribe", "compute"])
def test_other_kinds_are_measured(tmp_path: Path, kind: str) -> None:
    found = bench(opened(tmp_path, lambda: FakeModel((kind,))), asked()).body
    assert found.work.kind == kind
    rate = {"embed": "text-rate", "transcribe": "real-time-factor", "compute": "pass-rate"}[kind]
    assert found.figure(rate) is not None
    assert any("says nothing" in each for each in found.notes) == (kind == "transcribe")


def test_it_ends_with_the_seconds(tmp_path: Path) -> None:
    found = bench(opened(tmp_path, lambda: FakeModel(pause=0.02)), asked(queries=1000, seconds=0.1)).body
    assert 1 <= found.work.asked < 50
    assert any("it ended after 0.1 s" in each for each in found.notes)


def test_a_busy_machine_is_not_vouched_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host.Watch, "ended", lambda _: Load(1.0, 9.0, 0.5, 0.0, 0.0))
    found = bench(opened(tmp_path), asked()).body
    assert not found.certified
    assert found.figure("request-p50") is not None
    assert sum("others used 50 %" in each for each in found.reasons) == 2


def test_a_limit_that_is_not_kept_is_not_vouched_for(tmp_path: Path) -> None:
    found = bench(opened(tmp_path), asked(cpus=4096.0)).body
    assert not found.certified
    assert [(each.what, each.enforced) for each in found.limits] == [("cpu", False)]
    assert any(each.startswith("the limit of cpu was not kept") for each in found.reasons)
    found = bench(opened(tmp_path), asked(memory=2**60)).body
    assert [(each.what, each.enforced, each.how) for each in found.limits] == [
        ("memory", False, "this machine has less")
    ]


def test_a_model_that_cannot_do_it_is_no_model_that_ended(tmp_path: Path) -> None:
    class Refuses(FakeModel):
        def compute(self, *, seconds: float) -> dict[str, Any]:
            raise AskedError("INVALID_ARGUMENT: got zeros")

    found = bench(opened(tmp_path, lambda: Refuses(("compute",))), asked()).body
    assert (found.outcome, found.detail) == ("refused", "INVALID_ARGUMENT: got zeros")


@pytest.mark.parametrize(("at", "count"), [(0, 0), (3, 2)])
def test_what_was_measured_before_it_ended_is_kept(tmp_path: Path, at: int, count: int) -> None:
    found = bench(opened(tmp_path, lambda: FakeModel(fails_at=at)), asked(starts=1)).body
    assert (found.outcome, found.certified, found.work.asked) == ("ended", False, count)
    assert "SIGKILL" in found.detail
    assert (found.figure("request-p50") is not None) == bool(count)


@pytest.mark.parametrize(("late", "outcome"), [(True, "too-slow"), (False, "ended")])
def test_what_takes_too_long_is_told_from_what_ended(tmp_path: Path, late: bool, outcome: str) -> None:
    found = bench(opened(tmp_path, lambda: FakeModel(fails_at=0, late=late)), asked()).body
    assert found.outcome == outcome
    assert ("had no answer within" in found.detail) is late


def test_arithmetic_stands_beside_it(tmp_path: Path) -> None:
    from openvet.evidence.predicates.inventory_v1 import Fact
    from openvet.evidence.predicates.profile_v1 import ModelPart, ProfileV1
    from openvet.workflows.knowledge import tool

    facts = {
        "kind": "decoder",
        "parameters": 1000,
        "weight bytes": 2000,
        "parameters multiplied per token": 1000,
        "context length": 512,
    }
    part = ModelPart("", tuple(Fact(name, value, "derived") for name, value in facts.items()))
    device = devices()["jetson-orin-nano"]
    found = bench(opened(tmp_path, profile=ProfileV1(tool(), (part,))), asked(device=device, cpus=1.0, threads=2)).body
    here, memory, there = found.predictions
    assert (here.device, here.figure, there.device) == ("this-machine", "decode-rate", "jetson-orin-nano")
    assert float(here.best) == pytest.approx(10e9 / 2 / 2000)  # half of two threads' time is left by the quota
    assert float(there.best) == pytest.approx(68e9 / 2000)
    rate = found.figure("decode-rate")
    assert rate is not None
    assert here.ratio is not None
    assert float(here.ratio) == pytest.approx(float(rate.value) / float(here.best), rel=1e-4)
    assert (memory.figure, memory.best) == ("peak-resident", "2000")
    energy = {each.name: each for each in found.estimates}["energy-per-token"]
    assert float(energy.low) == pytest.approx(7 / float(rate.value), rel=1e-3)
    assert energy.basis.startswith("estimate: 7 to 15 W")


def test_without_watts_there_is_no_energy(tmp_path: Path) -> None:
    assert bench(opened(tmp_path), asked(device=devices()["rpi5"])).body.estimates == ()


def test_what_cannot_be_asked_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be asked to embed with this model, only for generate, likelihoods"):
        bench(opened(tmp_path), asked(kind="embed"))
    with pytest.raises(UsageError, match="any of generate"):
        bench(opened(tmp_path, lambda: FakeModel(("read",))), asked())
    with pytest.raises(UsageError, match="nothing that is measured"):
        bench(opened(tmp_path), asked(kind="dream"))


def wav(rate: int = 16000, channels: int = 1, width: int = 2, frames: int = 16000) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setframerate(rate)
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.writeframes(bytes(frames * channels * width))
    return out.getvalue()


def test_inputs_of_the_users() -> None:
    found = inputs_of("embed", b"a\n\n b \n", "f", words=1, tokens=1)
    assert [text_of(found, each) for each in range(3)] == ["a", " b ", "a"]
    assert len(inputs_of("transcribe", wav(), "f", words=1, tokens=1).audio) == 32000
    ours = inputs_of("transcribe", None, "", words=1, tokens=1)
    assert (len(ours.audio), ours.synthetic) == (160_000, True)
    for data, kind, words in (
        (b"\xff", "generate", "no text in UTF-8"), (b"\n \n", "generate", "no line"), (b"RIFF", "transcribe", "no WAV"), (wav(8000), "transcribe", "8000 samples"),
        (wav(channels=2), "transcribe", "2 channels"), (wav(frames=10), "transcribe", "a tenth of a second"), (b"a", "compute", "takes no file"),
    ):  # fmt: skip
        with pytest.raises(UsageError, match=words):
            inputs_of(kind, data, "f", words=1, tokens=1)


def test_figures_follow_from_what_was_seen() -> None:
    inputs = inputs_of("generate", None, "", words=8, tokens=5)
    timed = [Timed(1.5, 0.5, [0.25] * 4, read=10, written=5) for _ in range(30)]
    timed.append(Timed(0.5, None, [], read=10, written=0))  # it ended at once
    found = {each.name: each for each in figures_of(inputs, timed, 0.95)}
    assert (found["request-p50"].value, found["request-p50"].n) == ("1.5", 31)
    assert (found["first-token-p50"].value, found["first-token-p50"].n) == ("0.5", 30)
    assert found["between-tokens-p99"].n == 120
    assert (found["decode-rate"].value, found["decode-rate"].unit) == ("4", "token/s")
    assert found["prefill-rate"].value == "20"
    assert float(found["written-rate"].value) == pytest.approx(150 / 45.5, rel=1e-4)
    assert [each.high for each in figures_of(inputs, timed[:2], 0.95) if each.name == "request-p99"] == [None]
    assert figures_of(inputs, [], 0.95) == []


def test_a_token_without_text_is_no_part() -> None:
    seen = ask(cast("Model", FakeModel()), inputs_of("generate", None, "", words=8, tokens=5), 0, 5.0)
    assert len(seen.between) == 4


def test_the_signal_has_no_silence_without_end() -> None:
    samples = memoryview(inputs_of("transcribe", None, "", words=1, tokens=1).audio).cast("h")
    assert max(samples) > 2000
    assert math.isfinite(sum(samples))


def test_names_of_the_machine_are_those_of_arithmetic() -> None:
    machine = host.Machine("cpu", "x86_64", 2, (), "", "6", 2**34, False)
    device = this_machine(machine, 8e9, 1, None, 10**9)
    assert device is not None
    assert (device.memory, device.achieved.low if device.achieved else 0) == (10**9, Fraction(8 * 10**9))
    assert this_machine(machine, 0.0, 1, None, None) is None
