"""Real models are measured by real runtimes. No clock of this machine is trusted but for orders of magnitude: most likely others work on it too."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from openvet.cli import main
from openvet.sandbox.cgroups import Group
from tests.reports.test_snapshots import schema


def call(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["bench", *map(str, arguments), "--no-progress"], env={"COLUMNS": "100"})


def measured(path: Path, python: str, *arguments: object) -> dict[str, Any]:
    done = call(path, "--python", python, "--format", "json", "--starts", 1, *arguments)
    assert done.exit_code in (0, 1, 3), done.output
    value: dict[str, Any] = json.loads(done.stdout)
    assert list(schema("bench-report-v1").iter_errors(value)) == []
    found: dict[str, Any] = value["bench"]
    return found


def figures(body: dict[str, Any]) -> dict[str, float]:
    return {each["name"]: float(each["value"]) for each in body["figures"]}


def test_a_language_model(needs: Callable[..., None], python: str, lies: Callable[[str], Path]) -> None:
    needs("llama_cpp")
    body = measured(lies("smollm2"), python, "--queries", 4, "--tokens", 16, "--context", 512, "--limit-cpus", 1)
    assert (body["outcome"], body["work"]["kind"], body["work"]["asked"]) == ("measured", "generate", 4)
    found = figures(body)
    assert 0.1 < found["decode-rate"] < 2000
    assert found["first-token-p50"] < found["request-p50"]
    # weights are mapped, and read to write a token
    assert found["files"] * 0.9 < found["peak-resident"] < 2e9
    assert found["cold-load"] < found["cold-start"] < found["cold-first-answer"]
    here = {each["figure"]: each for each in body["predictions"] if each["device"] == "this-machine"}
    # a bound that was measured is a bound, but for what else the machine did in that moment
    assert 0.0 < float(here["decode-rate"]["ratio"]) < 2.0
    assert body["cold"]["cached"] == "0"


def test_the_memory_cliff(needs: Callable[..., None], python: str, lies: Callable[[str], Path]) -> None:
    """Under a limit that its weights do not fit into it still answers, slower, and takes no more."""
    needs("llama_cpp")
    with Group(10**8, None) as group:
        if not group.limits[0].how.startswith("cgroup"):
            pytest.skip(f"no cgroup can be made here: {group.limits[0].how}")
    asked = ("--queries", 2, "--tokens", 8, "--words", 8, "--context", 256)
    free = measured(lies("smollm2"), python, *asked)
    tight = measured(lies("smollm2"), python, *asked, "--limit-memory", "90MB")
    assert [(each["what"], each["enforced"]) for each in tight["limits"]] == [("memory", True)]
    if tight["outcome"] == "measured":
        assert figures(tight)["peak-with-cache"] <= 90e6
        assert figures(tight)["decode-rate"] < figures(free)["decode-rate"]
    else:
        assert not tight["certified"]


def test_a_model_that_cannot_load_is_a_result(
    needs: Callable[..., None], python: str, lies: Callable[[str], Path]
) -> None:
    needs("llama_cpp")
    done = call(lies("smollm2"), "--python", python, "--starts", 1, "--memory", "150MB")
    assert done.exit_code in (1, 2), done.output
    if done.exit_code == 1:
        assert "cannot be loaded" in done.stdout or "its process ended" in done.stdout


def test_a_graph_that_does_not_take_zeros_is_a_result(
    needs: Callable[..., None], python: str, lies: Callable[[str], Path]
) -> None:
    needs("onnxruntime")
    body = measured(lies("vad"), python, "--queries", 1)
    assert (body["outcome"], body["certified"]) == ("refused", False)
    assert body["detail"]


@pytest.mark.parametrize(
    ("name", "package", "kind", "rate"),
    [
        ("minilm", "transformers", "embed", "text-rate"),
        ("whisper", "ctranslate2", "transcribe", "real-time-factor"),
        ("ocr", "onnxruntime", "compute", "pass-rate"),
    ],
)
def test_other_kinds(
    needs: Callable[..., None], python: str, lies: Callable[[str], Path], name: str, package: str, kind: str, rate: str
) -> None:
    needs(package)
    path = lies(name)
    if name == "ocr":
        path /= "ch_ppocr_mobile_v2.0_cls_mobile.onnx"
    body = measured(path, python, "--queries", 3, "--for", 20)
    assert (body["outcome"], body["work"]["kind"]) == ("measured", kind)
    assert figures(body)[rate] > 0
