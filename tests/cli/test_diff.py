"""``openvet diff``: exit codes, forms, statements that are signed and read back, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

np = pytest.importorskip("numpy")

from click.testing import CliRunner, Result  # noqa: E402
from tests.ggml_reference import to_bf16  # noqa: E402
from tests.reports.test_markup import undressed  # noqa: E402
from tests.reports.test_snapshots import schema  # noqa: E402
from tests.snapshots.snapshot import matches  # noqa: E402
from tests.workflows.test_diff import converted, folder, tokenizer, weights  # noqa: E402

from openvet.cli import main  # noqa: E402
from openvet.evidence.keys import generate  # noqa: E402
from openvet.evidence.predicates.diff_v1 import DiffV1  # noqa: E402
from openvet.evidence.signing import parse_statement  # noqa: E402
from openvet.reports import diff as text  # noqa: E402
from openvet.reports import diff_html, diff_markdown  # noqa: E402
from openvet.reports.look import Look  # noqa: E402
from openvet.workflows.diff import Difference, diff  # noqa: E402


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["diff", *map(str, arguments)], env={"COLUMNS": "100"})


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two versions, the first one again, and the first one as GGUF."""
    place = tmp_path_factory.mktemp("diff")
    model = weights()
    words = [f"w{at}" for at in range(20)]
    code = "import torch\n\n\ndef f():\n    return 1\n"
    first = folder(
        place / "base",
        model,
        "BF16",
        modeling_x__py=code,
        tokenizer__json=tokenizer(words, []),
        notes__txt="x\n",
        chat_template__jinja="{{ a }}\n",
    )
    folder(
        place / "again",
        model,
        "BF16",
        modeling_x__py=code,
        tokenizer__json=tokenizer(words, []),
        notes__txt="x\n",
        chat_template__jinja="{{ a }}\n",
    )
    tuned = dict(model)
    tuned["model.layers.1.mlp.up_proj.weight"] = model["model.layers.1.mlp.up_proj.weight"] * np.float32(1.25)
    pruned = model["model.layers.0.mlp.up_proj.weight"].copy()
    pruned[:64] = 0
    tuned["model.layers.0.mlp.up_proj.weight"] = pruned
    tuned["adapter.<b>|x"] = np.zeros(3, np.float32)
    other = folder(place / "tuned", tuned, "BF16", modeling_x__py=code.replace("\n\n\ndef", "\nimport os\n\nos.system('echo')\n\n\ndef"),
                   tokenizer__json=tokenizer([*words, "<new>"], []), moved__txt="x\n", chat_template__jinja="{{ a }}{{ a.__class__ }}\n")  # fmt: skip
    (other / "config.json").write_text((first / "config.json").read_text().replace("256", "512"))
    rounded = {
        name: np.frombuffer(to_bf16(values), "<u2").astype("<u4").__lshift__(16).view("<f4").reshape(values.shape)
        for name, values in model.items()
    }
    (place / "base.gguf").write_bytes(converted(rounded, "Q8_0"))
    return place


@pytest.fixture(scope="module")
def found(models: Path) -> Difference:
    return diff(models / "base", models / "tuned")


def test_exit_codes_are_those_of_diff(models: Path, tmp_path: Path) -> None:
    assert run(models / "base", models / "again").exit_code == 0
    assert run(models / "base", models / "tuned").exit_code == 1
    assert run(models / "base", models / "base.gguf").exit_code == 1
    assert run(models / "base", tmp_path / "nowhere").exit_code == 2
    assert run(models / "base").exit_code == 2
    assert run("--sign", "a.key", models / "base", models / "tuned").exit_code == 2
    assert run("--statement", "--format", "json", models / "base", models / "tuned").exit_code == 2
    assert run("--exclude", "", models / "base", models / "tuned").exit_code == 2
    assert run("--exclude", "*.safetensors", models / "base", models / "again").exit_code == 3


def test_whole_reports(found: Difference) -> None:
    """What people see, whole."""
    matches("diff/tuned.txt", text.compose("tuned", found.predicate))
    matches("diff/tuned-ascii.txt", text.compose("tuned", found.predicate, Look(70, unicode=False)))
    matches("diff/tuned.md", diff_markdown.compose("tuned", found.predicate))
    matches("diff/tuned.html", undressed(diff_html.compose("tuned", found.predicate)))


def test_the_page_needs_nothing_else_and_runs_nothing(found: Difference) -> None:
    page = diff_html.compose("<script>alert(1)</script>", found.predicate)
    assert "<script" not in page
    assert "<b>" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert "default-src 'none'" in page
    assert page.count("<svg") == 1


def test_json_has_everything(models: Path, found: Difference) -> None:
    result = run("--format", "json", models / "base", models / "tuned")
    value = json.loads(result.stdout)
    assert list(schema("diff-report-v1").iter_errors(value)) == []
    assert DiffV1.from_json(value["statement"]["predicate"]) == found.predicate


def test_a_statement_is_about_b_and_is_read_back(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = generate("ed25519")
    (tmp_path / "k").write_bytes(key.pem())
    (tmp_path / "k.pub").write_bytes(key.public.pem)
    monkeypatch.chdir(tmp_path)
    plain = run("--statement", models / "base", models / "base.gguf")
    assert plain.exit_code == 1
    statement = parse_statement(plain.stdout.encode())
    assert isinstance(statement.predicate, DiffV1)
    assert statement.subjects[0].name == "base.gguf"
    assert statement.predicate.models[0].counts() == {"cast": 5, "quantized": 16}
    assert run("--statement", "--sign", "k", "--output", "s.json", models / "base", models / "base.gguf").exit_code == 1
    read = CliRunner().invoke(main, ["statement", "s.json", "--key", "k.pub", "--model", str(models / "base.gguf")])
    assert read.exit_code == 0
    assert "beside base: differs" in read.stdout
    other = CliRunner().invoke(main, ["statement", "s.json", "--key", "k.pub", "--model", str(models / "base")])
    assert other.exit_code == 1


def test_the_same_bytes_come_out_with_any_number_of_jobs(models: Path) -> None:
    one = run("--statement", "--jobs", "1", models / "base", models / "tuned").stdout
    assert one == run("--statement", "--jobs", "4", models / "base", models / "tuned").stdout
