"""Graphs that are one model together, made smaller: PP-OCR, whose graphs find lines, turn them and read them. Every figure is computed here in another way."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from openvet.core.progress import Progress
from openvet.evidence.predicates.derivation_v1 import DerivationV1
from openvet.workflows.deriving import Derived
from openvet.workflows.held_model import model_digest
from openvet.workflows.making import RefusedError
from openvet.workflows.opening import Running

DET, REC, CLS = "PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx", "ch_ppocr_mobile_v2.0_cls_mobile.onnx"
#: Prints, of each graph of two folders: how far weights that are stored lie off, in steps, and whether all others are the same.
STORED = """
import json, sys, onnx
import numpy as np
from onnx import numpy_helper as n
def tensors(path):
    graph = onnx.load(path).graph
    constants = [(node.output[0], each.t) for node in graph.node if node.op_type == "Constant" for each in node.attribute if each.name == "value"]
    return {name: n.to_array(each) for name, each in [*((each.name, each) for each in graph.initializer), *constants]}
for name in sys.argv[3:]:
    before, after = tensors(f"{sys.argv[1]}/{name}"), tensors(f"{sys.argv[2]}/{name}")
    onnx.checker.check_model(f"{sys.argv[2]}/{name}")
    off = [
        np.abs(after[f"{each}_quantized"] - value / after[f"{each}_scale"]).max() for each, value in before.items() if f"{each}_quantized" in after
    ]
    same = all(np.array_equal(value, after[each]) for each, value in before.items() if f"{each}_quantized" not in after)
    print(json.dumps([len(off), float(max(off)), same]))
"""


def errors(read: str, said: str) -> int:
    """Characters to put in, to leave out or to take another for (V. Levenshtein, 1966)."""
    row = list(range(len(said) + 1))
    for at, each in enumerate(read, 1):
        before, row[0] = row[0], at
        for place, wanted in enumerate(said, 1):
            before, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, before + (each != wanted))
    return row[-1]


def plain(text: str) -> str:
    """As the scorer `cer` compares texts."""
    return " ".join(text.casefold().split())


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def whole(folder: Path) -> tuple[str, str]:
    return model_digest(str(folder), Progress())[:2]


def figures(body: DerivationV1, of: str) -> dict[str, float]:
    return {each.measure: float(each.value) for each in body.agreement if each.of == of}


@pytest.fixture(scope="module")
def pages(made: Callable[..., Path], needs: Callable[..., None]) -> Path:
    """Four images of two lines each, and the task beside them."""
    needs("PIL")
    folder = made("pages")
    samples = json.loads((folder / "said.json").read_text())
    task = {
        "name": "pages",
        "license": "CC0-1.0",
        "samples": samples,
        "image": "{{file}}",
        "target": "{{said}}",
        "scorer": "cer",
    }
    (folder / "pages.json").write_text(json.dumps(task))
    return folder


@pytest.fixture(scope="module")
def ocr(lies: Callable[[str], Path], needs: Callable[..., None], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The graphs, a list of characters, settings in a folder below, and a file that is hidden."""
    needs("onnxruntime", "onnx")
    folder = tmp_path_factory.mktemp("pipeline") / "ocr"
    (folder / "settings").mkdir(parents=True)
    for each in (DET, REC, CLS):
        shutil.copyfile(lies("ocr") / each, folder / each)
    (folder / "ppocr_keys.txt").write_text("a\nb\n")
    (folder / "settings/config.yaml").write_text("det: {side: 736}\n")
    (folder / ".hidden").write_text("x")
    return folder


def test_each_graph_becomes_smaller_and_the_rest_comes_along(
    step: Callable[..., Derived],
    run: Callable[..., AbstractContextManager[Running]],
    ocr: Path,
    pages: Path,
    tmp_path: Path,
) -> None:
    before = whole(ocr)
    small = tmp_path / "small"
    found = step("quantize", ocr, small, "int8", tasks=(str(pages / "pages.json"),), loss=0.5)
    body = found.body
    # digests: of the parent, which is as it was, of the child, and of each file in both
    assert dict(body.parent.digest) == dict([before]) == dict([whole(ocr)])
    assert dict(found.subject.digest) == dict([whole(small)])
    assert [each.name for each in body.parts] == [DET, REC, CLS]
    for each in body.parts:
        assert (each.parent, each.child) == (digest(ocr / each.name), digest(small / each.name))
        assert (each.before.bytes, each.after.bytes) == ((ocr / each.name).stat().st_size, (small / each.name).stat().st_size)  # fmt: skip
        assert float(each.after.bits) == pytest.approx(8 * each.after.weight_bytes / each.before.parameters, abs=1e-3)
        assert float(each.before.bits) == pytest.approx(32.0, abs=0.001)  # shapes, in 64 bits, are among the tensors
        assert float(each.after.bits) < 11.0
        assert {kind.type for kind in each.after.mix} >= {"I8", "F32"}
        assert 0 < each.kept.bytes < each.after.weight_bytes
    assert sum(each.before.parameters for each in body.parts) == body.before.parameters == 7_854_493
    assert sum(each.after.weight_bytes for each in body.parts) == body.after.weight_bytes
    assert sum(each.kept.tensors for each in body.parts) == body.kept.tensors
    # what is no graph
    for name in ("ppocr_keys.txt", "settings/config.yaml"):
        assert (small / name).read_bytes() == (ocr / name).read_bytes()
    assert "Files beside the weights that came along, byte for byte: 2." in body.notes
    assert "Left behind: .hidden." in body.notes
    # what is read, by either side alone
    samples = json.loads((pages / "pages.json").read_text())["samples"]
    read: list[list[str]] = []
    for folder in (ocr, small):
        with run(folder) as running:
            images = [(pages / each["file"]).read_bytes() for each in samples]
            read.append(["\n".join(line.text for line in running.model.read(each)) for each in images])
    said = [each["said"] for each in samples]
    told = figures(body, "images of pages")
    assert told["same-text"] == sum(a == b for a, b in zip(*read, strict=True)) / len(samples)
    for measure, listed, against in (
        ("text-difference", read[1], read[0]),
        ("character-errors-of-parent", read[0], said),
        ("character-errors", read[1], said),
    ):
        wrong = sum(errors(plain(a), plain(b)) for a, b in zip(listed, against, strict=True))
        assert told[measure] == pytest.approx(wrong / sum(len(plain(each)) for each in against))
    (held,) = body.tasks
    assert (float(held.parent), float(held.child)) == (told["character-errors-of-parent"], told["character-errors"])
    assert told["character-errors"] < 0.1
    # numbers of each graph on the same inputs
    for part, output in (("det", "fetch_name_0"), ("rec", "fetch_name_0"), ("cls", "save_infer_model/scale_0.tmp_1")):
        near = figures(body, f"numbers of {part}: {output}")
        assert 0.7 < near["cosine"] < 1.0
        assert 0.0 < near["max-difference"] <= 1.0


def test_a_graph_that_does_not_become_smaller_comes_along_as_it_is(
    step: Callable[..., Derived], ocr: Path, pages: Path, tmp_path: Path
) -> None:
    """Blocks of 4 bits are for products: the graph that finds lines has none."""
    body = step("quantize", ocr, tmp_path / "small", "int4", tasks=(str(pages / "pages.json"),)).body
    parts = {each.name: each for each in body.parts}
    assert parts[DET].parent == parts[DET].child == digest(tmp_path / "small" / DET)
    assert (parts[DET].before, float(parts[DET].after.bits)) == (parts[DET].after, 32.0)
    assert parts[REC].after.bytes < 0.62 * parts[REC].before.bytes
    assert body.parameters["made:kept"].startswith(f"{DET}: no product with a constant matrix")
    assert figures(body, "numbers of det: fetch_name_0") == {"cosine": pytest.approx(1.0), "max-difference": 0.0}
    assert any("% of the bytes are floats that were not compressed" in each for each in body.notes)


def test_weights_that_are_stored_are_computed_as_before(
    step: Callable[..., Derived], ocr: Path, pages: Path, python: str, tmp_path: Path
) -> None:
    small = tmp_path / "small"
    body = step("quantize", ocr, small, "int8-stored", tasks=(str(pages / "pages.json"),)).body
    assert body.after.bytes < 0.28 * body.before.bytes
    told = figures(body, "images of pages")
    assert told["same-text"] >= 0.75
    assert told["character-errors"] == pytest.approx(told["character-errors-of-parent"], abs=0.02)
    assert figures(body, "numbers of rec: fetch_name_0")["cosine"] > 0.99
    done = subprocess.run([python, "-c", STORED, ocr, small, DET, REC, CLS], capture_output=True, text=True, check=True)
    for line in done.stdout.splitlines():
        count, off, same = json.loads(line)
        assert (count > 30, off <= 0.5001, same) == (True, True, True)


def test_a_rounding_that_ruins_it_is_seen(step: Callable[..., Derived], ocr: Path, pages: Path, tmp_path: Path) -> None:
    """Seven of eight bits of one scale for each matrix: a third of the size, as the others, and letters are missing."""
    body = step(
        "quantize", ocr, tmp_path / "small", "uint8-reduce-range", tasks=(str(pages / "pages.json"),), loss=0.02
    ).body
    told = {each.measure: each for each in body.agreement if each.of == "images of pages"}
    assert float(told["character-errors"].value) > 0.05
    assert float(told["same-text"].value) < 0.5
    assert told["character-errors"].low is not None
    assert body.verdict in ("worse", "unresolved")


def test_forms_of_one_graph_are_no_parts(step: Callable[..., Derived], ocr: Path, tmp_path: Path) -> None:
    folder = tmp_path / "forms"
    folder.mkdir()
    for name in ("model.onnx", "model_int8.onnx"):
        shutil.copyfile(ocr / CLS, folder / name)
    with pytest.raises(RefusedError, match=r"model_int8\.onnx seems to be another form of model\.onnx"):
        step("quantize", folder, tmp_path / "x", "int8")
    (folder / "model_int8.onnx").rename(folder / "other.onnx")
    for name in ("model.onnx", "other.onnx"):
        shutil.copyfile(ocr / DET, folder / name)
    with pytest.raises(RefusedError, match=r"not one graph becomes smaller: model\.onnx: no product"):
        step("quantize", folder, tmp_path / "x", "int4")
    assert not (tmp_path / "x").exists()
