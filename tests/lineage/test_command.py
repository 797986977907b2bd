"""``openvet lineage`` and ``openvet fingerprint``: real files in several forms, exit codes, statements, the tree and the drawing."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

np = pytest.importorskip("numpy")

from click.testing import CliRunner, Result  # noqa: E402

from openvet.cli import main  # noqa: E402
from openvet.core.location import Location  # noqa: E402
from openvet.evidence.keys import generate  # noqa: E402
from openvet.evidence.predicates.lineage_v1 import THIS, Edge, LineageV1, Node, WeightTest  # noqa: E402
from openvet.evidence.signing import parse_statement  # noqa: E402
from openvet.inventory.compare import numbers  # noqa: E402
from openvet.reports import lineage as text  # noqa: E402
from openvet.reports._text import columns  # noqa: E402
from openvet.reports.graph import drawing  # noqa: E402
from openvet.reports.lineage_page import page  # noqa: E402
from openvet.reports.look import Look  # noqa: E402
from tests.lineage import pairs  # noqa: E402
from tests.reports.test_snapshots import schema  # noqa: E402
from tests.workflows.test_diff import converted, folder, weights  # noqa: E402

BASE = weights()


def run(*arguments: str | Path, command: str = "lineage") -> Result:
    return CliRunner().invoke(main, [command, *map(str, arguments)], env={"COLUMNS": "100"})


def claims_of(*arguments: str | Path) -> tuple[int, dict[str, dict[str, Any]]]:
    result = run("--format", "json", *arguments)
    value = json.loads(result.stdout)
    body = value["models"][0]["statements"][0]["predicate"]
    assert LineageV1.from_json(body).to_json() == body
    assert list(schema("lineage-report-v1").iter_errors(value)) == []
    return result.exit_code, {each["claim"]: each for each in body["tests"]}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("lineage")
    folder(place / "base", BASE, README__md="---\nbase_model: org/root\nlicense: mit\n---\n# base\n")
    folder(place / "adapted", pairs.lora(BASE, 8, 0.1), "BF16")
    folder(place / "tuned", pairs.noised(BASE, 0.1), "BF16")
    folder(place / "half", BASE, "F16")
    folder(place / "pruned", pairs.pruned(BASE, 0.5))
    folder(place / "stranger", weights(7))
    (place / "q4.gguf").write_bytes(converted(BASE, "Q4_0"))
    (place / "q8.gguf").write_bytes(converted(BASE, "Q8_0"))
    (place / "tuned.gguf").write_bytes(converted(pairs.noised(BASE, 0.2), "Q8_0"))
    return place


@pytest.mark.parametrize("name", ["q4.gguf", "q8.gguf"])
def test_quantized_is_checked_block_by_block(models: Path, name: str) -> None:
    """Other names, the rows of heads in another order, blocks: every value lies within half a step of its block."""
    code, said = claims_of(models / name, models / "base")
    assert (code, said["derived"]["verdict"]) == (0, "consistent")
    assert float(said["derived"]["statistic"]) > 0.98  # the rows of heads too, which stand in another order
    found = said["quantized"]
    assert (found["verdict"], found["test"]) == ("consistent", "block-by-block")
    assert found["figures"]["tensors"] == found["figures"]["as rounding puts them"] == "16"
    assert float(found["statistic"]) <= 1.01
    assert "finetune" not in said


def test_quantized_of_something_else_is_found_out(models: Path) -> None:
    """Tuned, then quantized: it comes from the base, and is not what rounding makes of it."""
    code, said = claims_of(models / "tuned.gguf", models / "base")
    assert (code, said["derived"]["verdict"], said["quantized"]["verdict"]) == (0, "consistent", "not-consistent")
    assert int(said["quantized"]["figures"]["values outside"]) > 1_000


def test_an_adapter_that_was_merged_is_told_from_training(models: Path) -> None:
    _, said = claims_of(models / "adapted", models / "base")
    assert said["low-rank"]["verdict"] == "consistent"
    assert int(said["low-rank"]["figures"]["rank"]) <= 8
    assert said["low-rank"]["figures"]["which"] == "q_proj v_proj"
    _, said = claims_of(models / "tuned", models / "base")
    assert said["low-rank"]["verdict"] == "not-consistent"
    assert said["finetune"]["verdict"] == "consistent"


@pytest.mark.parametrize(("name", "claim"), [("half", "cast"), ("pruned", "pruned"), ("base", "identical")])
def test_every_value(models: Path, name: str, claim: str) -> None:
    code, said = claims_of(models / name, models / "base")
    assert (code, said[claim]["verdict"], said[claim]["test"]) == (0, "consistent", "every-value")
    assert set(said) == {"derived", claim}


def test_the_other_way_round(models: Path) -> None:
    """It is seen in which of two models the numbers are rounded or missing."""
    for name, claim in (("half", "cast"), ("pruned", "pruned")):
        _, said = claims_of(models / "base", models / name)
        assert said[claim]["verdict"] == "not-consistent"


def test_exit_codes(models: Path, tmp_path: Path) -> None:
    assert run(models / "base").exit_code == 0
    assert run(models / "tuned", models / "base").exit_code == 0
    assert run(models / "stranger", models / "base").exit_code == 1
    folder(tmp_path / "other", {"model.norm.weight": np.ones(64, np.float32)})
    assert run(tmp_path / "other", models / "base").exit_code == 3
    assert run(models / "tuned", models / "base", models / "stranger").exit_code == 1
    assert run(tmp_path / "nowhere").exit_code == 2
    assert run("--sign", "x", models / "base").exit_code == 2
    assert run("--statement", "--format", "json", models / "base").exit_code == 2
    assert run("--exclude", "", models / "base").exit_code == 2
    assert run(models / "base", *[models / "base"] * 17).exit_code == 2


def test_an_adapter_fits_or_does_not(models: Path, tmp_path: Path) -> None:
    random = np.random.default_rng(0)

    def adapter(name: str, wide: int) -> Path:
        at = "base_model.model.model.layers.0.self_attn.q_proj."
        made = {
            f"{at}lora_A.weight": random.standard_normal((8, wide)),
            f"{at}lora_B.weight": random.standard_normal((256, 8)),
        }
        path = folder(tmp_path / name, {})
        (path / "config.json").unlink()
        (path / "model.safetensors").rename(path / "adapter_model.safetensors")
        from tests.ggml_reference import safetensors

        (path / "adapter_model.safetensors").write_bytes(
            safetensors({key: ("F32", values.astype(np.float32)) for key, values in made.items()})
        )
        (path / "adapter_config.json").write_text(
            json.dumps({"peft_type": "LORA", "base_model_name_or_path": "org/base"})
        )
        return path

    code, said = claims_of(adapter("fits", 256), models / "base")
    assert (code, said["adapter"]["verdict"], said["adapter"]["figures"]["fit"]) == (3, "cannot-tell", "2")
    code, said = claims_of(adapter("other", 300), models / "base")
    assert (code, said["adapter"]["verdict"]) == (1, "not-consistent")


def test_a_statement_is_signed_and_read_back(models: Path, tmp_path: Path) -> None:
    key, path = generate(), tmp_path / "key.pem"
    path.write_bytes(key.pem())
    out = tmp_path / "a.json"
    assert run("--statement", "--sign", path, "-o", out, models / "tuned", models / "base").exit_code == 0
    public = tmp_path / "key.pub"
    public.write_bytes(key.public.pem)
    shown = CliRunner().invoke(main, ["statement", str(out), "--key", str(public), "--model", str(models / "tuned")])
    assert shown.exit_code == 0, shown.output
    assert "derived of base: consistent" in shown.output
    made = tmp_path / "print.json"
    assert run("--sign", path, "-o", made, models / "base", command="fingerprint").exit_code == 0
    assert made.stat().st_size < 1_700_000
    assert "sketches of 16 matrices" in CliRunner().invoke(main, ["statement", str(made), "--key", str(public)]).output
    assert run("--key", public, models / "tuned", made).exit_code == 0
    assert run("--key", path.with_name("key.pub"), models / "stranger", made).exit_code == 1
    plain = run(models / "base", command="fingerprint")
    assert parse_statement(plain.stdout.encode()).predicate is not None
    assert run(models / "base", command="fingerprint").stdout == plain.stdout


def test_without_numpy(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numbers, "load_numpy", lambda: None)
    assert run(models / "base").exit_code == 0
    for result in (run(models / "base", models / "half"), run(models / "base", command="fingerprint")):
        assert result.exit_code == 2
        assert "openvet[numbers]" in result.output


def test_nothing_to_sketch(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    result = run(tmp_path, command="fingerprint")
    assert result.exit_code == 2
    assert "no weights" in result.output


# --- reports ---


def everything() -> LineageV1:
    nodes = (
        Node(THIS, "model", "m<script>\u202e"),
        Node("hub:a", "model", "org/a & <b>"),
        Node("hub:b", "adapter", "x" * 300),
        Node("hub:c", "model", "root"),
        *(Node(f"dataset:{at}", "dataset", f"words {at}") for at in range(60)),
    )
    edges = (
        Edge(THIS, "hub:a", "merge", "declared", (Location("README.md", line=2),), {"weight": "0.5", "method": "<i>"}),
        Edge(THIS, "hub:a", "based-on", "measured"),
        Edge(THIS, "hub:b", "merge", "declared"),
        Edge("hub:a", "hub:c", "finetune", "attested"),
        Edge("hub:c", THIS, "quantized", "attested"),
        *(Edge(THIS, f"dataset:{at}", "trained-on", "declared") for at in range(60)),
    )
    tests = (
        WeightTest(
            THIS,
            "hub:a",
            "derived",
            "consistent",
            "vector-correlation",
            "<u>",
            7,
            "0.9",
            "0.2",
            "1e-4",
            {"same config": "yes"},
        ),
        WeightTest(THIS, "hub:b", "derived", "cannot-tell", "matched-vectors", "too small"),
    )
    return LineageV1(pairs.TOOL, nodes, edges, tests, left_off=3)


def test_the_page_holds_nothing_but_text_and_a_drawing() -> None:
    made = page(everything())
    assert "<script" not in made.lower()
    assert "<u>" not in made
    assert "<i>" not in made
    assert "\u202e" not in made
    assert not re.search(r"""(?:src|href|url)\s*[=(]""", made)
    drawn = re.search(r"<svg.*</svg>", made, re.DOTALL)
    assert drawn is not None
    tree = ElementTree.fromstring(drawn[0])
    assert len(tree.findall(".//rect")) <= 40
    kinds = {each.get("class") for each in tree.iter("path")}
    assert {"consistent measured", "cannot-tell", "declared"} <= kinds
    assert tree.find("desc") is not None
    assert page(everything()) == made


@pytest.mark.parametrize(
    "name", ["W" * 80, "\u6a21\u578b" * 40, "\U0001f680" * 60, "Z\u0334\u0321a\u0335l" * 30, '"><b>x</b>']
)
def test_a_name_stays_in_its_box(name: str) -> None:
    made = drawing(LineageV1(pairs.TOOL, (Node(THIS, "model", name),)))
    tree = ElementTree.fromstring(made)
    (box,) = tree.findall(".//rect")
    (inner,) = tree.findall(".//svg")
    assert int(inner.get("x", "")) + int(inner.get("width", "")) <= int(box.get("x", "")) + int(box.get("width", ""))
    (shown,) = inner.findall("text")
    assert columns(shown.text or "") <= 30
    assert tree.findall("g/title")[0].text == name


def test_a_small_drawing_is_not_blown_up_and_labels_keep_away_from_lines() -> None:
    nodes = (Node(THIS, "model", "mine"), *(Node(each, "model", each) for each in ("a", "b", "c")))
    edges = tuple(Edge(THIS, each, "merge", "declared") for each in ("a", "b", "c"))
    tree = ElementTree.fromstring(drawing(LineageV1(pairs.TOOL, nodes, edges)))
    assert tree.get("width") == str(2 * 12 + 2 * 230 + 190)
    labels = [each for each in tree.findall("text") if each.text == "merged from"]
    ends = [int((each.get("d") or "").rpartition(",")[2]) for each in tree.iter("path")]
    start = int((next(tree.iter("path")).get("d") or "").partition(",")[2].partition(" ")[0])
    assert [int(each.get("y", "")) > end for each, end in zip(labels, ends, strict=True)] == [
        end > start for end in ends
    ]
    kinds = [each.tag for each in tree]
    assert kinds.index("text") > max(at for at, tag in enumerate(kinds) if tag == "path"), "labels are above all lines"


def test_what_is_not_drawn_is_told_in_the_drawing() -> None:
    nodes = (Node(THIS, "model", "mine"), *(Node(f"n{at}", "model", f"n{at}") for at in range(20)))
    edges = tuple(Edge(THIS, f"n{at}", "merge", "declared") for at in range(20))
    assert "8 more are in the tables alone" in drawing(LineageV1(pairs.TOOL, nodes, edges))
    assert "in the tables alone" not in drawing(LineageV1(pairs.TOOL, nodes[:5], edges[:4]))


def test_colours_are_explained_where_something_was_tested() -> None:
    assert "<figcaption>" in page(everything())
    assert "<figcaption>" not in page(LineageV1(pairs.TOOL, (Node(THIS, "model", "mine"),)))


def test_the_tree_ends_where_a_model_is_its_own_ancestor() -> None:
    shown = text.compose(everything(), Look(100))
    assert shown.count("fine-tuned from") == 1
    assert "and 48 more" in shown
    assert "which proves nothing: config" in shown
    assert "3 further statements" in shown
    assert "\x1b" not in shown
    assert text.compose(everything(), Look(100, unicode=False)).replace("\\u202e", "").isascii()
