"""``openvet eval``: runs over a real endpoint on loopback, resumed, stopped, planned, compared and audited."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.evals.tasks import lines
from tests.reports.test_snapshots import schema

from openvet.cli import main
from openvet.cli.eval import _CORRECTIONS
from openvet.evals.audit import most_altered
from openvet.evals.stats.correction import CORRECTIONS
from openvet.evidence.keys import generate
from openvet.evidence.merkle import Tree, leaf_hash
from openvet.evidence.predicates.eval_plan_v1 import CORRECTION_WORDS
from openvet.testing.endpoint import LetterModel, ModelEndpoint

WORDS = [f"w{chr(97 + at // 26)}{chr(97 + at % 26)}" for at in range(60)]
SAMPLES = [{"id": f"s{at}", "q": word, "a": word[::-1], "group": word[:2]} for at, word in enumerate(WORDS)]
KNOWS = {f"Backwards: {word}\n": word[::-1] for word in WORDS}
TASK = 'name: backwards\nversion: 1\nprompt: "Backwards: {{q}}\\n"\ntarget: "{{a}}"\nscorer: exact\nsamples: s.jsonl\n'


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(main, ["eval", *arguments], env={"COLUMNS": "100", **environment})


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("m").mkdir()
    Path("m/config.json").write_text("{}")
    Path("t.yaml").write_text(TASK)
    Path("s.jsonl").write_bytes(lines(*SAMPLES))


def served(wrong: int = 0, **more: Any) -> ModelEndpoint:
    """A model that has the first ``wrong`` words wrong."""
    knows = {key: "no" if at < wrong else value for at, (key, value) in enumerate(KNOWS.items())}
    # a prompt ends with its newline, which the model strips
    return ModelEndpoint(LetterModel({key.rstrip(): value for key, value in knows.items()}), **more)


def body(path: str) -> dict[str, Any]:
    value = json.loads(Path(path).read_text())
    found: dict[str, Any] = value["predicate"]
    return found


def test_a_run_over_an_endpoint() -> None:
    with served(wrong=6) as server:
        found = run("./m", "--task", "t.yaml", "--endpoint", server.base, "--result", "r.json", "--parallel", "4")
    assert found.exit_code == 0, found.output
    assert "exact match  0.9000  (95 %: 0.7985 to 0.9534, Wilson)" in found.stdout
    assert "a claim of whoever ran it" in found.stdout
    assert len(server.requests) == 60
    made = body("r.json")
    assert list(schema("eval-v1").iter_errors(made)) == []
    assert made["backend"]["settings"]["model"] == "m"
    assert made["tokens"]["prompt"] == 120
    log = Path("r.log.jsonl").read_bytes().splitlines()
    assert made["log"]["root"] == Tree(map(leaf_hash, log[1:])).root().hex()
    assert [json.loads(line)["id"] for line in log[1:]] == [each["id"] for each in SAMPLES]


def test_the_same_answers_make_the_same_log_however_many_are_asked_at_a_time() -> None:
    with served(wrong=6) as server:
        for name, parallel in (("a", "1"), ("b", "8")):
            assert run("./m", "--task", "t.yaml", "--endpoint", server.base, "--result", f"{name}.json", "--parallel", parallel).exit_code == 0  # fmt: skip
    assert Path("a.log.jsonl").read_bytes() == Path("b.log.jsonl").read_bytes()
    assert Path("a.json").read_bytes() == Path("b.json").read_bytes()


@pytest.mark.parametrize("cut", [b"", b'{"index": 20, "cut of'])
def test_a_run_that_broke_off_is_gone_on_with(cut: bytes) -> None:
    with served() as server:
        assert run("./m", "--task", "t.yaml", "--endpoint", server.base, "--result", "whole.json").exit_code == 0
    with served(before=lambda number: (400, {"error": {"message": "no more"}}) if number > 20 else None) as server:
        asked = ("./m", "--task", "t.yaml", "--endpoint", server.base, "--result", "r.json")
        found = run(*asked)
        assert found.exit_code == 2
        assert "no more; 20 of 60 samples are in r.log.jsonl; the same command with --resume goes on" in found.stderr
        assert not Path("r.json").exists()
        assert "is there already" in run(*asked).stderr
    with Path("r.log.jsonl").open("ab") as file:
        file.write(cut)
    text = Path("r.log.jsonl").read_bytes()
    with served() as server:
        # the log names the endpoint, whose port is another one here
        Path("r.log.jsonl").write_bytes(text.replace(json.loads(text.splitlines()[0])["backend"]["settings"]["endpoint"].encode(), server.base.encode()))  # fmt: skip
        found = run(
            "./m", "--task", "t.yaml", "--endpoint", server.base, "--result", "r.json", "--resume", "--format", "json"
        )
    assert found.exit_code == 0, found.output
    assert json.loads(found.stdout)["resumed"] == 20
    assert len(server.requests) == 40
    assert Path("r.log.jsonl").read_bytes().splitlines()[1:] == Path("whole.log.jsonl").read_bytes().splitlines()[1:]


def test_a_log_of_another_run_is_not_gone_on_with() -> None:
    Path("a.rec").write_bytes(lines(*({"id": each["id"], "output": "x"} for each in SAMPLES)))
    asked = ("./m", "--task", "t.yaml", "--recorded", "a.rec", "--result", "r.json")
    assert run(*asked).exit_code == 0
    assert run(*asked, "--resume").exit_code == 0
    found = run(*asked, "--resume", "--seed", "4")
    assert found.exit_code == 2
    assert "the log of another run" in found.stderr
    assert run(*asked, "--seed", "4", "--force").exit_code == 0


@pytest.mark.parametrize("parallel", ["1", "4"])
def test_ctrl_c_leaves_what_was_done(parallel: str) -> None:
    def slow(_: int) -> None:
        time.sleep(0.05)

    with served(before=slow) as server:
        words = [
            "eval",
            "./m",
            "--task",
            "t.yaml",
            "--endpoint",
            server.base,
            "--result",
            "r.json",
            "--parallel",
            parallel,
        ]
        process = subprocess.Popen([sys.executable, "-m", "openvet", *words], stderr=subprocess.PIPE, text=True)
        while len(server.requests) < 12:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        told = process.communicate(timeout=20)[1]
        assert process.returncode == 130, told
        done = len(Path("r.log.jsonl").read_bytes().splitlines()) - 1
        assert 4 <= done < 60
        assert f"interrupted; {done} of 60 samples are in r.log.jsonl" in told
        found = run(*words[1:], "--resume")
    assert found.exit_code == 0, found.output
    assert body("r.json")["run"]["done"] == 60


def test_samples_that_cannot_be_answered_are_counted() -> None:
    with served(before=lambda number: (400, {"error": "filtered"}) if number % 10 == 0 else None) as server:
        found = run("./m", "--task", "t.yaml", "--endpoint", server.base, "--result", "r.json", "--keep-going")
    assert found.exit_code == 3
    assert "6 of 60 samples were not answered and are not in the figure" in found.stdout
    assert body("r.json")["run"]["failed"] == 6
    assert body("r.json")["figure"]["n"] == 54


def test_a_key_is_sent_and_written_nowhere() -> None:
    with served(key="sk-of-tests") as server:
        asked = ("./m", "--task", "t.yaml", "--endpoint", server.base, "--result", "r.json", "--samples", "3")
        assert "--key-env names the variable" in run(*asked).stderr
        Path("r.log.jsonl").unlink()
        assert "holds no key" in run(*asked, "--key-env", "EMPTY_KEY").stderr
        found = run(*asked, "--key-env", "A_KEY", A_KEY="sk-of-tests")
        assert found.exit_code == 0, found.output
    assert "sk-of-tests" not in found.output + Path("r.json").read_text() + Path("r.log.jsonl").read_text()


def test_a_run_stops_when_enough_is_known_and_the_interval_holds_at_any_time() -> None:
    with served() as server:
        found = run("--name", "m", "--task", "t.yaml", "--endpoint", server.base, "--result", "r.json", "--order", "x", "--stop-at", "0.5")  # fmt: skip
    assert found.exit_code == 0, found.output
    made = body("r.json")
    assert 5 < made["run"]["done"] < 40
    assert made["run"]["asked"] == 60
    assert float(made["sequential"]["low"]) > 0.5
    assert "stopped early, since the mean lies above 0.5" in found.stdout
    assert "digest" not in made["model"]
    Path("t.yaml").write_text(TASK + "cluster: group\n")
    found = run("--name", "m", "--task", "t.yaml", "--recorded", "s.jsonl", "--stop-at", "0.5")
    assert found.exit_code == 2


def test_what_is_read_is_not_replaced() -> None:
    Path("a.log.jsonl").write_bytes(lines({"id": "s0", "output": "x"}))
    found = run("--name", "m", "--task", "t.yaml", "--recorded", "a.log.jsonl", "--result", "a.json", "--force")
    assert found.exit_code == 2
    assert "would replace 'a.log.jsonl', which is read" in found.stderr


def recorded(name: str, right: set[int]) -> None:
    Path(f"{name}.rec").write_bytes(
        lines(*({"id": each["id"], "output": each["a"] if at in right else "no"} for at, each in enumerate(SAMPLES)))
    )
    assert (
        run("--name", name, "--task", "t.yaml", "--recorded", f"{name}.rec", "--result", f"{name}.json").exit_code == 0
    )


@pytest.mark.parametrize(
    ("right", "margin", "code", "word"),
    [
        (range(40), (), 0, "better"),
        (range(30), (), 3, "cannot be resolved"),
        (range(20), (), 1, "worse"),
        (range(20), ("--margin", "0.05"), 1, "inferior"),
        (range(30), ("--margin", "0.2"), 0, "not inferior"),
        (range(30), ("--margin", "0.01"), 3, "cannot be resolved"),
    ],
)
def test_two_models_are_compared_sample_by_sample(right: range, margin: tuple[str, ...], code: int, word: str) -> None:
    recorded("a", set(right))
    recorded("b", set(range(30)))
    found = run("compare", "a.json", "b.json", *margin)
    assert found.exit_code == code, found.output
    assert f"a against b: {word}" in found.stdout
    assert f"{abs(len(right) - 30)} of 60 answers flip" in found.stdout
    value = json.loads(run("compare", "a.json", "b.json", *margin, "--format", "json").stdout)
    assert list(schema("eval-comparison-v1").iter_errors(value)) == []


def test_folders_are_compared_task_by_task_and_corrected() -> None:
    for side, right in (("a", 36), ("b", 28)):
        Path(side).mkdir()
        for task in ("one", "two", "three"):
            Path("t.yaml").write_text(TASK.replace("backwards", task))
            recorded("x", set(range(right if task != "three" else 30)))
            for ending in ("json", "log.jsonl"):
                Path(f"x.{ending}").rename(f"{side}/{task}.{ending}")
    value = json.loads(run("compare", "a", "b", "--format", "json").stdout)
    assert [each["p"] for each in value["tasks"]] == ["0.0078125", "1", "0.0078125"]
    assert [each["p_adjusted"] for each in value["tasks"]] == ["0.0234375", "1", "0.0234375"]
    assert value["verdict"] == "unresolved"
    assert [each["verdict"] for each in value["tasks"]] == ["better", "unresolved", "better"]


def test_results_of_different_tasks_or_with_other_logs_are_not_compared() -> None:
    recorded("a", {1, 2})
    Path("t.yaml").write_text(TASK.replace("exact", "contains"))
    recorded("b", {1, 2})
    assert "are not of one task" in run("compare", "a.json", "b.json").stderr
    text = Path("a.log.jsonl").read_text()
    for changed in (
        text.replace('"score":"1"', '"score":"0"', 1),
        text + text.splitlines()[-1] + "\n",
        "\n".join(text.splitlines()[:-1]) + "\n",
    ):
        Path("a.log.jsonl").write_text(changed)
        found = run("compare", "a.json", "a.json")
        assert found.exit_code == 2
        assert "a line was changed, added or taken away" in found.stderr


# --- other scorers, from end to end ---


def test_choices_by_likelihood_over_an_endpoint() -> None:
    """Letters of the prompt make a choice likelier: the rule of the test's model, computed here again."""
    samples = [
        {"q": "aaaa bbb", "options": ["aa", "zz"], "gold": 0},
        {"q": "aaaa bbb", "options": ["qq", "bb"], "gold": 1},
        {"q": "aaaa", "options": ["aa", "xx"], "gold": 1},
    ]
    Path("s.jsonl").write_bytes(lines(*samples))
    Path("t.yaml").write_text(
        'name: c\nprompt: "{{q}}"\nchoices: options\ntarget: "{{gold}}"\nscorer: choice\nsamples: s.jsonl\n'
    )
    with served() as server:
        asked = ("./m", "--task", "t.yaml", "--endpoint", server.base, "--result", "r.json")
        assert "--api completions" in run(*asked).stderr
        found = run(*asked, "--api", "completions")
        assert found.exit_code == 0, found.output
        again = run("audit", "r.json", "--task", "t.yaml", "--endpoint", server.base, "--sample", "3", "--seed", "s")
    assert again.exit_code == 0, again.output
    assert body("r.json")["figure"]["value"] == "0.6666666666666666"
    record = json.loads(Path("r.log.jsonl").read_text().splitlines()[1])
    assert [float(each) for each in record["logprobs"]] == [
        LetterModel.logprob(each, "aaaa bbb") for each in (" aa", " zz")
    ]


def test_word_error_rates_are_ratios_and_less_is_better() -> None:
    said = [f"one two three {word}" for word in WORDS]
    Path("s.jsonl").write_bytes(lines(*({"id": str(at), "a": each} for at, each in enumerate(said))))
    Path("t.yaml").write_text('name: w\nprompt: "listen"\ntarget: "{{a}}"\nscorer: wer\nsamples: s.jsonl\n')
    for name, wrong in (("a", 6), ("b", 24)):
        Path(f"{name}.rec").write_bytes(
            lines(
                *(
                    {"id": str(at), "output": each.replace("two", "too") if at < wrong else each}
                    for at, each in enumerate(said)
                )
            )
        )
        assert (
            run("--name", name, "--task", "t.yaml", "--recorded", f"{name}.rec", "--result", f"{name}.json").exit_code
            == 0
        )
    assert body("a.json")["figure"]["value"] == "0.025"
    found = run("compare", "a.json", "b.json")
    assert found.exit_code == 0, found.output
    assert "a against b: better" in found.stdout
    assert "less is better" in found.stdout
    assert run("compare", "b.json", "a.json").exit_code == 1


def test_similarity_is_a_correlation_with_what_people_say() -> None:
    pairs = [
        ("abc", "abc", 5),
        ("abc", "abd", 4),
        ("abc", "xyz", 0),
        ("hello", "hell", 4.5),
        ("hello", "zzz", 0),
        ("moon", "noon", 3),
    ]
    Path("s.jsonl").write_bytes(lines(*({"x": x, "y": y, "said": said} for x, y, said in pairs)))
    Path("t.yaml").write_text(
        'name: s\npair: ["{{x}}", "{{y}}"]\ntarget: "{{said}}"\nscorer: similarity\nsamples: s.jsonl\n'
    )
    with served() as server:
        found = run("./m", "--task", "t.yaml", "--endpoint", server.base, "--result", "r.json")
    assert found.exit_code == 0, found.output
    made = body("r.json")
    assert (made["task"]["label"], made["figure"]["method"]) == ("spearman correlation", "jackknife")
    assert float(made["figure"]["value"]) > 0.7
    assert "compared by their intervals" in run("compare", "r.json", "r.json").stderr
    assert run("audit", "r.json", "--task", "t.yaml").exit_code == 0


# --- audit ---


def test_an_audit_asks_again_and_bounds_what_was_altered() -> None:
    with served(wrong=6) as server:
        assert run("./m", "--task", "t.yaml", "--endpoint", server.base, "--result", "r.json").exit_code == 0
        found = run("audit", "r.json", "--task", "t.yaml", "--endpoint", server.base, "--sample", "30", "--seed", "2026-11-29", "--format", "json")  # fmt: skip
    assert found.exit_code == 0, found.output
    value = json.loads(found.stdout)
    assert list(schema("eval-audit-v1").iter_errors(value)) == []
    assert (value["verdict"], value["rescored"], value["drawn"]) == ("agrees", 60, 30)
    assert value["at_most_altered"] == most_altered(60, 30, 0) == 4
    with served(wrong=20) as server:
        found = run(
            "audit", "r.json", "--task", "t.yaml", "--endpoint", server.base, "--sample", "30", "--seed", "2026-11-29"
        )
    assert found.exit_code == 1
    assert "another answer, and another score" in found.stdout


def test_an_answer_that_is_no_unicode_is_scored_as_it_is_written_down() -> None:
    Path("s.jsonl").write_text('{"q": "w\\ud800", "a": "x\\ud800"}\n{"q": "w", "a": "x\\\\ud800"}\n')
    Path("a.rec").write_text('{"id": "0", "output": "x\\ud800"}\n{"id": "1", "output": "x\\ud800"}\n')
    assert run("--name", "a", "--task", "t.yaml", "--recorded", "a.rec", "--result", "a.json").exit_code == 0
    found = run("audit", "a.json", "--task", "t.yaml", "--recorded", "a.rec", "--sample", "2", "--seed", "s")
    assert found.exit_code == 0, found.output


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("score", "does NOT follow"),
        ("output", "WRONG in s59"),
        ("prompt", "WRONG in s0"),
        ("target", "WRONG in s0"),
        ("twice", "WRONG in s0"),
        ("chosen", "WRONG in s59"),
    ],
)
def test_whoever_makes_the_log_up_is_found_without_a_model(what: str, told: str) -> None:
    """The root fits, since whoever signs computes it: what is wrong is what it is a root of."""
    recorded("a", set(range(30)))
    log = Path("a.log.jsonl").read_bytes().splitlines()
    value = json.loads(Path("a.json").read_text())
    if what == "score":
        value["predicate"]["figure"]["value"] = "0.9"
    elif what == "output":
        log[-1] = log[-1].replace(b'"score":"0"', b'"score":"1"')
    elif what == "prompt":
        log[1] = log[1].replace(b"Backwards: waa", b"Write aaw")
    elif what == "target":
        log[1] = log[1].replace(b'"targets":["aaw"]', b'"targets":["no"]')
    elif what == "twice":
        log[2] = log[1]
    else:  # the last sample alone, of a run that says it went by the file
        log[1:] = log[-1:]
        value["predicate"]["run"] |= {"asked": 1, "done": 1, "failed": 0}
    Path("a.log.jsonl").write_bytes(b"\n".join(log) + b"\n")
    value["predicate"]["log"]["root"] = Tree(map(leaf_hash, log[1:])).root().hex()
    Path("a.json").write_text(json.dumps(value))
    found = run("audit", "a.json", "--task", "t.yaml")
    assert found.exit_code == 1, found.output
    assert told in found.stdout


def test_the_bound_holds_when_answers_were_altered() -> None:
    """Of many audits of a log with k altered answers, at most 5 % say that fewer can be."""
    rng = random.Random(4)
    for size, altered, drawn in [(200, 10, 60), (60, 3, 30), (500, 100, 20)]:
        missed = 0
        for _ in range(400):
            differing = sum(each < altered for each in rng.sample(range(size), drawn))
            missed += most_altered(size, drawn, differing) < altered
        assert missed / 400 <= 0.08
    assert most_altered(100, 100, 0) == 0
    assert most_altered(100, 0, 0) == 100


# --- plans ---


def test_a_plan_is_signed_and_deviations_are_named() -> None:
    key = generate("ed25519")
    Path("k.key").write_bytes(key.pem())
    Path("k.pub").write_bytes(key.public.pem)
    found = run("plan", "t.yaml", "--model", "m", "--samples", "50", "--order", "x", "--effect", "0.2", "--output", "p.json", "--sign", "k.key", "--format", "json")  # fmt: skip
    assert found.exit_code == 0, found.output
    value = json.loads(found.stdout)
    assert list(schema("eval-plan-report-v1").iter_errors(value)) == []
    assert value["needed"] == 40
    Path("a.rec").write_bytes(lines(*({"id": each["id"], "output": each["a"]} for each in SAMPLES)))
    asked = (
        "./m",
        "--task",
        "t.yaml",
        "--recorded",
        "a.rec",
        "--plan",
        "p.json",
        "--plan-key",
        "k.pub",
        "--force",
        "--result",
        "r.json",
    )
    found = run(*asked, "--samples", "50", "--order", "x", "--sign", "k.key")
    assert found.exit_code == 0, found.output
    assert "as planned (a plan that was signed" in found.stdout
    found = run(*asked, "--samples", "20", "--seed", "3", "--level", "0.9")
    assert found.exit_code == 3
    named = [each["what"] for each in body("r.json")["plan"]["deviations"]]
    assert named == ["samples asked", "samples done", "order", "seed", "alpha"]
    Path("m/config.json").write_text("[]")
    run(*asked, "--samples", "50", "--order", "x")
    assert [each["what"] for each in body("r.json")["plan"]["deviations"]] == ["model"]
    Path("p.json").write_text(Path("p.json").read_text().replace("payload", "payloaf"))
    assert run(*asked).exit_code == 2


def test_too_few_samples_are_told_before_the_run() -> None:
    found = run("plan", "t.yaml", "--effect", "0.03", "--margin", "0.05")
    assert found.exit_code == 1
    assert "a difference of 0.03 needs 1,745 samples, and there are fewer" in found.stdout


def test_words_of_the_help_are_those_of_the_rooms() -> None:
    assert tuple(CORRECTIONS) == _CORRECTIONS == CORRECTION_WORDS


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--task", "t.yaml", "--recorded", "s.jsonl"), "name MODEL"),
        (("./m", "--task", "t.yaml"), "has no model that is run here"),
        (("./m", "--task", "t.yaml", "--recorded", "x", "--endpoint", "y"), "exclude each other"),
        (("./m", "--task", "none.yaml", "--recorded", "s.jsonl"), "No such file"),
        (("./m", "--task", "t.yaml", "--endpoint", "http://example.com/v1"), "without TLS"),
        (("./nowhere", "--task", "t.yaml", "--recorded", "a.rec"), "does not exist|No such file"),
        (("audit", "t.yaml"), "no JSON|not JSON|is no"),
        (("audit", "x.json", "--sample", "3"), "belong together"),
        (("compare", "t.yaml", "t.yaml"), "JSON"),
    ],
)
def test_what_makes_no_sense(arguments: tuple[str, ...], told: str) -> None:
    import re

    Path("a.rec").write_bytes(lines({"id": "s0", "output": "x"}))
    found = run(*arguments)
    assert found.exit_code in {1, 2}
    assert re.search(told, found.stderr), found.stderr
    assert "fault" not in found.stderr


def test_samples_outside_the_tasks_folder_are_not_read() -> None:
    Path("deep").mkdir()
    Path("deep/t.yaml").write_text(TASK.replace("s.jsonl", "../s.jsonl"))
    assert "not in the task's folder" in run("./m", "--task", "deep/t.yaml", "--recorded", "a").stderr
    Path("deep/s.jsonl").symlink_to("../s.jsonl")
    Path("deep/t.yaml").write_text(TASK)
    assert "not in the task's folder" in run("./m", "--task", "deep/t.yaml", "--recorded", "a").stderr
    assert Path("deep/s.jsonl").exists()
