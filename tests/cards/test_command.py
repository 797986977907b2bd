"""``openvet card`` as a person and as a script meet it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from tests.reports.test_snapshots import schema
from tests.snapshots.snapshot import matches

from openvet.cards.draft import OPEN
from openvet.cli import main
from openvet.testing.case import Case, write_case
from openvet.testing.forge_cards import CARDS, Carded, card
from openvet.testing.forge_tensors import safetensors

FLAWED = Carded(
    "a card with many things wrong",
    {
        "README.md": card(
            "license: cc\nlanguage:\n- en\n- english\n- no\nbase_model: example/base\nbase_model_relation: finetune\npipeline_tag: token-classification\n"
            "library_name: transformers\ndatasets:\n- example/reviews\ntags: a, b\nmodel-index:\n- name: x\n  results:\n  - task: {type: text-generation}\n"
            "    dataset: {type: squad, name: SQuAD}\n    metrics:\n    - {type: f1, value: 88.5}\n    - {type: em}",
            "\n# Example `x` <script>\n\n## Uses\n\n[More Information Needed]\n\n## Training Data\n\nReviews.\n",
        ),
        "config.json": '{"model_type": "llama", "architectures": ["LlamaForCausalLM"], "license": "apache-2.0"}',
        "adapter_config.json": '{"peft_type": "LORA", "base_model_name_or_path": "example/other"}',
        "adapter_model.safetensors": safetensors({"q_proj.lora_A.weight": ("F32", (2, 4))}),
        "CITATION.cff": "cff-version: 1.2.0\ntitle: x\nmessage: y\nauthors:\n- name: The --> authors\n",
        ".eval_results/b.yaml": "- dataset: {id: example/bench, task_id: default}\n  value: 0.5\n",
    },
)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(each: Carded) -> None:
    write_case(Case("card/x", "", each.data, "admit"), Path())


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["card", *arguments], env={"COLUMNS": "100"})


@pytest.mark.parametrize(("name", "each"), [("whole", CARDS["whole"]), ("flawed", FLAWED), ("dataset", CARDS["dataset"]), ("korean", CARDS["in-korean"])])  # fmt: skip
def test_text(name: str, each: Carded) -> None:
    write(each)
    found = run("model")
    assert found.exit_code == 0
    matches(f"cards/{name}.txt", found.stdout)


@pytest.mark.parametrize(
    ("name", "each"), [("whole", CARDS["whole"]), ("flawed", FLAWED), ("quantized", CARDS["quantized"])]
)
def test_draft(name: str, each: Carded) -> None:
    write(each)
    found = run("--draft", "model")
    assert found.exit_code == 0
    matches(f"cards/{name}.draft.md", found.stdout)
    assert run("--draft", "model").stdout == found.stdout


def test_a_draft_states_nothing_that_is_contradicted() -> None:
    write(FLAWED)
    draft = run("--draft", "model").stdout
    front = yaml.safe_load(draft.split("---\n")[1])
    assert front == {"library_name": "transformers", "datasets": "example/reviews"}
    assert draft.count(OPEN) > 25
    assert "-->" not in draft.replace(" -->", ""), "text of the model ends no comment of ours"
    assert "<script>" not in draft


@pytest.mark.parametrize(
    "name", ["license-in-config", "license-in-gguf", "license-in-file-name", "license-family", "license-list"]
)
def test_a_draft_chooses_no_licence(name: str) -> None:
    write(CARDS[name])
    draft = run("--draft", "model").stdout
    assert "license" not in yaml.safe_load(draft.split("---\n")[1])
    assert f"# license: {OPEN}" in draft
    assert "[to be filled in by a person: which licence exactly]" in draft


def test_a_draft_of_a_draft_is_open_where_the_first_was() -> None:
    write(FLAWED)
    Path("model/README.md").write_text(run("--draft", "model").stdout)
    found = json.loads(run("-f", "json", "model").stdout)["models"][0]["statements"][0]["predicate"]["documents"][0]
    states = {each["name"]: each["state"] for each in found["sections"]}
    assert states["Uses"] == states["Bias, Risks, and Limitations"] == states["Environmental Impact"] == "open"
    assert [each for each in found["missing"] if each["of"] == "section"] == []


@pytest.mark.parametrize(
    "each",
    [CARDS["whole"], FLAWED, CARDS["croissant"], Carded("", {"a.txt": "x"})],
    ids=["whole", "flawed", "data", "none"],
)
def test_json(each: Carded) -> None:
    write(each)
    value: dict[str, Any] = json.loads(run("-f", "json", "--digests", "model").stdout)
    assert list(schema("cards-v1").iter_errors(value)) == []
    report = json.loads(CliRunner().invoke(main, ["check", "-f", "json", "model"]).stdout)
    assert list(schema("report-v1").iter_errors(report)) == []
    ours = value["models"][0]["statements"][0]
    theirs = [one for one in report["models"][0]["statements"] if one["predicateType"].endswith("/card/v1")]
    assert theirs == [ours]
    quick = json.loads(run("-f", "json", "model").stdout)["models"][0]["statements"][0]
    assert quick["predicate"] == ours["predicate"]
    assert quick["subject"][0]["digest"] == {}, "without --digests nothing names the bytes"


def test_without_documents_it_says_so() -> None:
    write(Carded("", {"a.txt": "x"}))
    assert "no card: there is no README.md" in run("model").stdout
    assert OPEN in run("--draft", "model").stdout


def test_a_statement_is_signed_and_read(here: Path) -> None:
    write(CARDS["license-in-gguf"])
    runner = CliRunner()
    assert runner.invoke(main, ["keys", "new", "k", "--kind", "ed25519", "--no-passphrase"]).exit_code == 0
    made = runner.invoke(main, ["check", "model", "--statement", "card", "--sign", "k", "--output", "card.json"])
    assert made.exit_code == 0
    found = runner.invoke(main, ["statement", "card.json", "--key", "k.pub", "--model", "model"])
    assert "documents: model-card, problems: 1" in found.stdout
    assert runner.invoke(main, ["scan", "model", "--statement", "card"]).exit_code == 2


def test_what_makes_no_sense_is_refused() -> None:
    write(CARDS["dataset"])
    assert "is of a model's card" in run("--draft", "model").stderr
    assert "exclude each other" in run("--draft", "-f", "json", "model").stderr
    assert "one PATH" in run("--draft", "model", "model").stderr
    assert run("nowhere").exit_code == 2


@pytest.mark.parametrize("front", ["license: [mit\nlanguage: en", "- license: mit", "license mit"])
def test_front_matter_that_is_not_read_is_told(front: str) -> None:
    write(Carded("", {**CARDS["short"].files, "README.md": card(front)}))
    report = run("model").stdout
    assert "Missing in the metadata\n    not read" in report
    assert "pipeline_tag" not in report, "whether a field is missing is not known"
    found = run("--draft", "model")
    assert found.stderr.startswith("warning: README.md: the front matter ")
    head = found.stdout.split("---\n")[1]
    assert head.startswith("# README.md: the front matter ")
    assert f"# {OPEN} what that front matter says" in head
    assert "license" not in (yaml.safe_load(head) or {})


@pytest.mark.parametrize("front", ["license: mit", "tags: a, b", "# nothing but a comment"])
def test_front_matter_that_is_read_is_not_told_to_be_unread(front: str) -> None:
    write(Carded("", {**CARDS["short"].files, "README.md": card(front)}))
    report = run("model").stdout
    assert "not read" not in report
    assert "pipeline_tag" in report
    found = run("--draft", "model")
    assert found.stderr == ""
    assert "what that front matter says" not in found.stdout


@pytest.mark.parametrize("text", [card("license: mit"), "# No front matter\n"])
def test_a_draft_has_no_digest_of_the_file_that_it_replaces(text: str) -> None:
    write(Carded("", {**CARDS["short"].files, "README.md": text, "docs/README.md": "# Another\n"}))
    rows = [line for line in run("--draft", "model").stdout.splitlines() if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows if "README" in row] == ["docs/README.md"]
    assert any("model.safetensors" in row for row in rows)


def test_a_draft_takes_no_framework_for_a_library_and_no_link_for_an_id() -> None:
    files = {**CARDS["framework-for-library"].files}
    write(
        Carded("", {**files, "README.md": card("library_name: PyTorch\nbase_model: https://huggingface.co/org/name")})
    )
    front = yaml.safe_load(run("--draft", "model").stdout.split("---\n")[1])
    assert front["library_name"] == "transformers"
    assert front["base_model"] == "org/name"
