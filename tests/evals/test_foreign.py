"""Logs that lm-eval 0.4.13 and Inspect 0.3.285 wrote, and a run folder as HELM documents it, taken as results of ours.

``logs`` holds what the two tools wrote (lm-eval's ``dummy`` model, Inspect's ``mockllm``; paths of the machine and Inspect's events were taken out of
the JSON files, the others are as they were written). No run of HELM was at hand.
"""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.evals.tasks import lines
from tests.reports.test_snapshots import schema

from openvet.cli import main

LOGS = Path(__file__).with_name("logs")
DAY = "2026-11-29T14-22-20.018732"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for each in LOGS.iterdir():
        shutil.copy(each, tmp_path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["eval", *arguments], env={"COLUMNS": "100"})


def imported(*arguments: str, code: int = 0) -> dict[str, Any]:
    found = run("import", *arguments, "--force", "--result", "r.json", "--format", "json")
    assert found.exit_code == code, found.output
    value = json.loads(found.stdout)
    assert list(schema("eval-report-v1").iter_errors(value)) == []
    body: dict[str, Any] = value["eval"]
    return body


@pytest.mark.parametrize(("task", "metric", "value"), [("tiny", "acc", "1"), ("tinygen", "exact_match", "0")])
def test_lm_eval(task: str, metric: str, value: str) -> None:
    made = imported(f"samples_{task}_{DAY}.jsonl")
    assert made["imported"]["tool"] == "lm-eval"
    assert made["imported"]["version"] == "0.4.13"
    assert (made["task"]["name"], made["task"]["version"], made["task"]["label"]) == (task, "1.0", metric)
    assert (made["figure"]["value"], made["figure"]["n"], made["figure"]["method"]) == (value, 3, "wilson")
    assert not any("itself reports" in each for each in made["notes"])
    record = json.loads(Path("r.log.jsonl").read_text().splitlines()[1])
    assert record["prompt"] == "Q: What colour is the sky?\nA:"
    assert ("logprobs" in record) == (task == "tiny")


def test_lm_evals_results_name_the_samples() -> None:
    found = run("import", f"results_{DAY}.json", "--result", "r.json")
    assert found.exit_code == 2
    assert f"samples_tiny_{DAY}.jsonl" in found.stderr
    Path(f"samples_tinygen_{DAY}.jsonl").unlink()
    assert imported(f"results_{DAY}.json")["task"]["name"] == "tiny"


def test_a_metric_and_clusters_can_be_named() -> None:
    name = f"samples_tiny_{DAY}.jsonl"
    assert imported(name, "--metric", "acc_norm")["task"]["label"] == "acc_norm"
    made = imported(name, "--cluster", "gold")
    assert made["task"]["clustered"]
    assert made["figure"]["clusters"] == 2
    assert "has no metric 'f1', but acc, acc_norm" in run("import", name, "--metric", "f1").stderr
    assert "has no field 'topic'" in run("import", name, "--cluster", "topic").stderr


def test_our_scorer_says_of_every_sample_what_lm_eval_says() -> None:
    """80 samples of 4 choices with the logarithms that lm-eval's dummy model drew: acc 0.2625 +- 0.0495, acc_norm 0.2375 +- 0.0479."""
    theirs = [json.loads(line) for line in gzip.decompress(Path("lm_eval_80.jsonl.gz").read_bytes()).splitlines()]
    Path("s.jsonl").write_bytes(lines(*(each["doc"] for each in theirs)))
    Path("o.jsonl").write_bytes(
        lines(
            *(
                {"id": str(each["doc_id"]), "logprobs": [float(value) for value, _ in each["filtered_resps"]]}
                for each in theirs
            )
        )
    )
    for normalise, metric, told in (("none", "acc", (0.2625, 0.0495)), ("characters", "acc_norm", (0.2375, 0.0479))):
        Path("t.yaml").write_text(
            'name: t\nprompt: "Q: {{q}}\\nA:"\nchoices: options\ntarget: "{{gold}}"\nsamples: s.jsonl\n'
            f"scorer: {{name: choice, normalise: {normalise}, target_means: number}}\n"
        )
        found = run(
            "--name",
            "dummy",
            "--task",
            "t.yaml",
            "--recorded",
            "o.jsonl",
            "--result",
            "x.json",
            "--force",
            "--format",
            "json",
        )
        assert found.exit_code == 0, found.output
        figure = json.loads(found.stdout)["eval"]["figure"]
        assert (float(figure["value"]), round(float(figure["se"]), 4)) == told
        records = [json.loads(line) for line in Path("x.log.jsonl").read_text().splitlines()[1:]]
        assert [float(each["score"]) for each in records] == [each[metric] for each in theirs]
        assert [each["prompt"] for each in records] == [each["arguments"]["gen_args_0"]["arg_0"] for each in theirs]


def test_a_figure_that_the_tool_reports_otherwise_is_told() -> None:
    path = Path(f"results_{DAY}.json")
    path.write_text(path.read_text().replace('"acc,none": 1.0', '"acc,none": 0.75'))
    assert "lm-eval itself reports 0.75 of acc" in imported(f"samples_tiny_{DAY}.jsonl")["notes"]


@pytest.mark.parametrize("name", ["inspect.eval", "inspect.json"])
def test_inspect(name: str) -> None:
    made = imported(name)
    assert (made["imported"]["tool"], made["imported"]["version"]) == ("inspect", "0.3.285")
    assert (made["model"]["name"], made["task"]["name"], made["task"]["label"]) == ("mockllm/model", "tiny", "includes")
    assert made["figure"]["value"] == "0.6666666666666666"
    assert made["tokens"] == {"prompt": 21, "completion": 6}
    assert imported(name, "--metric", "match")["task"]["label"] == "match"
    records = [json.loads(line) for line in Path("r.log.jsonl").read_text().splitlines()[1:]]
    assert [(each["id"], each["output"], each["score"]) for each in records] == [
        ("a", "It is blue", "1"),
        ("b", "5", "0"),
        ("c", "Paris", "1"),
    ]


def test_runs_of_both_forms_are_the_same_and_compared() -> None:
    for name, result in (("inspect.eval", "a.json"), ("inspect.json", "b.json")):
        assert run("import", name, "--result", result).exit_code == 0
    found = run("compare", "a.json", "b.json", "--margin", "0.9")
    assert found.exit_code == 0, found.output
    assert "0 of 3 answers flip" in found.stdout


def test_a_run_that_did_not_end_is_not_taken() -> None:
    value = json.loads(Path("inspect.json").read_text())
    value["status"] = "error"
    Path("inspect.json").write_text(json.dumps(value))
    assert "status is 'error'" in run("import", "inspect.json").stderr


def test_epochs_are_clusters() -> None:
    value = json.loads(Path("inspect.json").read_text())
    value["samples"] += [{**each, "epoch": 2} for each in value["samples"]]
    Path("inspect.json").write_text(json.dumps(value))
    made = imported("inspect.json")
    assert (made["figure"]["n"], made["figure"]["clusters"], made["figure"]["method"]) == (6, 3, "t-clustered")


def helm(folder: str) -> None:
    """A run as HELM's documentation describes it."""
    Path(folder).mkdir()
    states, stats = [], []
    for at in range(4):
        instance = {
            "id": f"id{at}",
            "input": {"text": f"{at} + 1"},
            "references": [{"output": {"text": str(at + 1)}, "tags": ["correct"]}],
        }
        states.append(
            {
                "instance": instance,
                "train_trial_index": 0,
                "request": {"prompt": f"{at} + 1 ="},
                "result": {"completions": [{"text": f" {at}"}]},
            }
        )
        row = {"instance_id": f"id{at}", "train_trial_index": 0}
        figures = [{"name": {"name": "exact_match", "split": "test"}, "count": 1, "sum": float(at % 2), "mean": float(at % 2)},
                   {"name": {"name": "num_bytes"}, "count": 1, "sum": 3}]  # fmt: skip
        stats += [{**row, "stats": figures}, {**row, "perturbation": {"name": "typos"}, "stats": figures}]
    for name, value in (
        ("run_spec", {"name": "plus:model=a", "adapter_spec": {"model": "org/a"}}), ("scenario_state", {"request_states": states}), ("per_instance_stats", stats)
    ):  # fmt: skip
        Path(folder, f"{name}.json").write_text(json.dumps(value))


def test_helm() -> None:
    helm("run")
    made = imported("run")
    assert (made["imported"]["tool"], made["model"]["name"], made["task"]["name"], made["task"]["label"]) == (
        "helm",
        "org/a",
        "plus",
        "exact_match",
    )
    assert (made["figure"]["value"], made["figure"]["n"]) == ("0.5", 4)
    record = json.loads(Path("r.log.jsonl").read_text().splitlines()[1])
    assert (record["prompt"], record["targets"], record["output"]) == ("0 + 1 =", ["1"], " 0")
    assert "--cluster names a field" in run("import", "run", "--cluster", "x").stderr


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("x.json", b"{}"), ("x.json", b"["), ("x.json", b"[]"), ("x.json", b'{"eval": {}, "status": "success", "samples": [7]}'),
        ("x.json", b'{"eval": {}, "status": "success", "samples": [{"scores": [1]}]}'),
        ("x.json", b'{"eval": {}, "status": "success", "samples": [{"id": "a", "scores": {"m": 7}}]}'),
        ("x.eval", b"PK\x03\x04" + bytes(40)), ("samples_x_2026-01-01T00-00-00.jsonl", b"{}"), ("samples_x_2026-01-01T00-00-00.jsonl", b""),
        ("samples_x_2026-01-01T00-00-00.jsonl", lines({"doc_id": 0, "metrics": ["a"], "a": None})),
        ("samples_x_2026-01-01T00-00-00.jsonl", lines({"doc_id": 0, "metrics": 7})),
        ("samples_x_2026-01-01T00-00-00.jsonl", lines({"doc_id": 0, "metrics": ["a"], "a": 1, "arguments": 7, "filtered_resps": 7, "doc": 7, "target": None}) * 1),
    ],
)  # fmt: skip
def test_logs_that_make_no_sense_are_refused_or_taken_without_a_fault(name: str, data: bytes) -> None:
    Path(name).write_bytes(data)
    found = run("import", name, "--result", "r.json")
    assert found.exit_code in {0, 2, 3}
    assert "fault" not in found.stderr, found.stderr
    if found.exit_code == 2:
        assert not Path("r.json").exists()
