"""Real models made smaller by real runtimes: what certificates say is what is in the files, and what is known of these models."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from openvet.cli import main
from openvet.evidence.keys import generate
from openvet.evidence.predicates.derivation_v1 import DerivationV1
from openvet.workflows.deriving import Derived
from openvet.workflows.deriving_asked import Wanted
from openvet.workflows.making import RefusedError

TEXT = Path(__file__).parents[2] / "LICENSE"
LINES = (
    "The cat sat on the mat and looked at the birds outside.", "A dog runs through a field of tall grass.", "Stock markets fell after new tariffs.",
    "The central bank raised interest rates.", "She cooked pasta with tomatoes and basil.", "Quantum computers may break some encryption.",
    "The team won the championship after extra time.", "Heavy rain flooded villages along the river.", "A new species of frog was found in the rainforest.",
    "The train to Paris leaves at nine.", "How do I reset my password?", "My account is locked and I cannot log in.",
)  # fmt: skip


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("texts")
    (folder / "lines.txt").write_text("\n".join(LINES))
    words = TEXT.read_text(encoding="utf-8")
    (folder / "seen.txt").write_text("\n".join(each for each in words[:4000].splitlines() if each.strip()))
    (folder / "text.txt").write_text(words[4000:6000])
    return {each.stem: each for each in folder.iterdir()}


def figure(body: DerivationV1, measure: str) -> float:
    (found,) = (float(each.value) for each in body.agreement if each.measure == measure)
    return found


# --- GGUF ---


def test_the_ladder_of_a_real_model(
    step: Callable[..., Derived],
    lies: Callable[[str], Path],
    needs: Callable[..., None],
    texts: dict[str, Path],
    tmp_path: Path,
) -> None:
    """SmolLM2: the names lie, divergence grows as bits fall, and the parent's own perplexity is the same each time."""
    needs("llama_cpp")
    parent = lies("smollm2")
    rungs = {
        to: step("quantize", parent, tmp_path / f"{to}.gguf", to, texts=(str(texts["text"]),)).body
        for to in ("q2_k", "q4_k_m", "q8_0")
    }
    bits = {to: round(float(body.after.bits), 1) for to, body in rungs.items()}
    assert bits == {"q2_k": 5.1, "q4_k_m": 6.2, "q8_0": 8.5}
    mixes = {to: {each.type for each in body.after.mix} for to, body in rungs.items()}
    assert mixes["q2_k"] == {"Q4_0", "Q8_0", "Q3_K", "F32"}
    assert mixes["q8_0"] == {"Q8_0", "F32"}
    assert "There is not one tensor of the type Q2_K" in " ".join(rungs["q2_k"].notes)
    assert figure(rungs["q2_k"], "kl") > 3 * figure(rungs["q4_k_m"], "kl") > 3 * figure(rungs["q8_0"], "kl")
    assert (
        figure(rungs["q2_k"], "same-top-1")
        < figure(rungs["q4_k_m"], "same-top-1")
        < figure(rungs["q8_0"], "same-top-1")
    )
    assert figure(rungs["q8_0"], "kl") < 0.03
    assert len({figure(body, "perplexity-of-parent") for body in rungs.values()}) == 1
    for body in rungs.values():
        assert body.after.parameters == body.before.parameters == 134_515_008


def test_a_certificate_is_signed_and_holds_for_what_was_made_alone(
    python: str,
    lies: Callable[[str], Path],
    needs: Callable[..., None],
    texts: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    needs("llama_cpp")
    monkeypatch.chdir(tmp_path)
    key = generate("ed25519")
    Path("k").write_bytes(key.pem())
    Path("k.pub").write_bytes(key.public.pem)
    call = CliRunner().invoke
    parent = str(lies("smollm2"))
    command = [
        "quantize",
        "--to",
        "q2_k",
        "--text",
        str(texts["text"]),
        "--loss",
        "2%",
        "--python",
        python,
        "--statement",
        "--sign",
        "k",
        "-o",
        "c.json",
    ]
    done = call(main, [*command, "--provenance", "p.json", parent, "child.gguf"])
    assert done.exit_code == 1, done.output  # worse by far more than two percent
    for name in ("c.json", "p.json"):
        assert call(main, ["statement", name, "--key", "k.pub", "--model", "child.gguf"]).exit_code == 0
        assert call(main, ["statement", name, "--key", "k.pub", "--model", parent]).exit_code == 1
    said = call(main, ["statement", "c.json", "--key", "k.pub", "--format", "json"])
    assert said.exit_code == 0
    assert "gguf-quantize" in said.output
    # what was made is a model: llama.cpp opens it and writes
    assert call(main, ["run", "child.gguf", "--ask", "Say one word.", "--python", python]).exit_code == 0


# --- ONNX ---


@pytest.fixture(scope="module")
def encoder(
    step: Callable[..., Derived],
    lies: Callable[[str], Path],
    needs: Callable[..., None],
    texts: dict[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, Derived]:
    needs("torch", "transformers", "onnx", "onnxruntime", "tokenizers")
    place = tmp_path_factory.mktemp("onnx") / "encoder"
    return place, step("convert", lies("minilm"), place, "onnx", texts=(str(texts["lines"]),))


def test_a_graph_answers_as_what_it_was_traced_from(encoder: tuple[Path, Derived]) -> None:
    place, found = encoder
    assert figure(found.body, "cosine") > 0.99999
    assert figure(found.body, "similarity-correlation") > 0.99999
    assert found.body.verdict == "not-asked"
    assert {each.name for each in place.iterdir()} >= {
        "model.onnx",
        "tokenizer.json",
        "config.json",
        "1_Pooling",
        "modules.json",
    }
    assert not list(place.rglob("*.safetensors"))


@pytest.mark.parametrize(
    ("to", "size", "least", "kept"),
    [("int8", 23e6, 0.93, False), ("int8-per-channel", 22.8e6, 0.96, False), ("int4", 56e6, 0.95, True)],
)
def test_whole_numbers_of_a_real_encoder(
    encoder: tuple[Path, Derived],
    step: Callable[..., Derived],
    texts: dict[str, Path],
    tmp_path: Path,
    to: str,
    size: float,
    least: float,
    kept: bool,
) -> None:
    body = step("quantize", encoder[0], tmp_path / to, to, texts=(str(texts["lines"]),), loss=None).body
    assert body.after.weight_bytes == pytest.approx(size, rel=0.05)
    assert least < figure(body, "cosine") < 0.9999
    biggest = body.kept.largest[0]
    assert ("word_embeddings" in biggest[0]) is kept
    assert any("were not compressed" in each for each in body.notes) is kept


def test_blocks_are_computed_by_the_runtime_as_they_stand(
    python: str, needs: Callable[..., None], tmp_path: Path
) -> None:
    """The operator gives the product with what the blocks stand for, computed here in another way."""
    needs("onnx", "onnxruntime")
    program = f"""
import sys; sys.path.insert(0, {str(Path(__file__).parents[2] / "src")!r})
import numpy as np, onnx, onnxruntime
from onnx import TensorProto, helper, numpy_helper
from openvet.transforms.onnx_quantize import _four_bits, blocks_of_four
rng = np.random.default_rng(0)
for rows, columns, block in ((64, 8, 32), (50, 3, 16), (256, 5, 128)):
    weight = rng.normal(size=(rows, columns)).astype("f4")
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])], "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", rows])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", columns])], [numpy_helper.from_array(weight, "w")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    assert _four_bits(model, block) == {{"products": 1}}
    assert "w" not in [each.name for each in model.graph.initializer]
    x = rng.normal(size=(4, rows)).astype("f4")
    (y,) = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {{"x": x}})
    bits, scales = blocks_of_four(weight, block)
    whole = np.empty((columns, bits.shape[1], block), "f4"); whole[..., 0::2] = bits & 15; whole[..., 1::2] = bits >> 4
    back = ((whole - 8) * scales.reshape(columns, -1, 1)).reshape(columns, -1)[:, :rows].T
    assert np.abs(y - x @ back).max() < 1e-4, np.abs(y - x @ back).max()
print("same")
"""
    done = subprocess.run([python, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout == "same\n", done.stderr


def test_a_ladder_is_searched_for_what_is_not_inferior(
    step: Callable[..., Derived], tiny: Path, texts: dict[str, Path], needs: Callable[..., None], tmp_path: Path
) -> None:
    """A task of likenesses on a small encoder: the rung that is chosen was held against the loss, and what does not fit is not measured."""
    needs("onnx", "onnxruntime", "tokenizers")
    step("convert", tiny / "bert", tmp_path / "onnx", "onnx")
    pairs = [(a, b) for a in range(len(LINES)) for b in range(a)][:40]
    samples = [
        {"id": str(n), "a": LINES[a], "b": LINES[b], "score": (a * 7 + b * 3) % 11} for n, (a, b) in enumerate(pairs)
    ]
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(each) + "\n" for each in samples))
    (tmp_path / "task.yaml").write_text(
        "name: likeness\nversion: '1'\nlicense: CC0-1.0\nsamples: pairs.jsonl\npair: ['{{ a }}', '{{ b }}']\ntarget: '{{ score }}'\n"
        "scorer:\n  name: similarity\n"
    )
    given = {"tasks": (str(tmp_path / "task.yaml"),)}
    found = step("quantize", tmp_path / "onnx", tmp_path / "small", "", wanted=Wanted(0.5, 10**9), **given)
    assert (found.made, found.body.verdict) == (True, "as-good")
    assert found.body.budget is not None
    assert found.body.budget.rungs[-1].verdict == "as-good"
    sizes = [each.bytes for each in found.body.budget.rungs]
    assert sizes == sorted(sizes)
    (task,) = found.body.tasks
    # ranks that are the same in both, whatever is left out, have no spread
    assert task.samples == 40
    assert task.method in ("jackknife", "no-variation")
    none = step("quantize", tmp_path / "onnx", tmp_path / "smaller", "", wanted=Wanted(0.5, 1000), **given)
    assert (none.made, none.body.verdict, (tmp_path / "smaller").exists()) == (False, "worse", False)
    assert none.body.budget is not None
    assert {each.verdict for each in none.body.budget.rungs} == {"too-large"}


# --- Transformers ---


def test_torchao_of_a_real_encoder(
    step: Callable[..., Derived],
    lies: Callable[[str], Path],
    needs: Callable[..., None],
    texts: dict[str, Path],
    tmp_path: Path,
) -> None:
    needs("torch", "transformers", "torchao")
    body = step("quantize", lies("minilm"), tmp_path / "ao", "int8", texts=(str(texts["lines"]),)).body
    assert figure(body, "cosine") > 0.999
    assert body.after.weight_bytes == pytest.approx(58.7e6, rel=0.01)
    assert "embeddings.word_embeddings.weight" in [name for name, _, _ in body.kept.largest]


def test_a_table_of_a_real_encoder(
    step: Callable[..., Derived], tiny: Path, texts: dict[str, Path], needs: Callable[..., None], tmp_path: Path
) -> None:
    needs("torch", "transformers", "safetensors", "tokenizers")
    body = step(
        "distill", tiny / "bert", tmp_path / "table", "static", given=("dimensions=16",), texts=(str(texts["lines"]),)
    ).body
    assert body.after.parameters == 99 * 16
    assert 0.2 < figure(body, "similarity-correlation") < 1.0
    assert json.loads((tmp_path / "table/config.json").read_text())["model_type"] == "model2vec"
    again = step("distill", tiny / "bert", tmp_path / "again", "static", given=("dimensions=16",))
    assert (tmp_path / "again/model.safetensors").read_bytes() == (tmp_path / "table/model.safetensors").read_bytes()
    assert (
        again.subject.digest
        == step(
            "distill", tiny / "bert", tmp_path / "again", "static", given=("dimensions=16",), force=True
        ).subject.digest
    )


def test_what_is_left_of_a_model_learns_from_the_whole(
    step: Callable[..., Derived], tiny: Path, texts: dict[str, Path], tmp_path: Path
) -> None:
    found = {}
    for steps in (0, 60):
        given = ("layers=0,3", f"steps={steps}", "rate=0.003", "batch=8")
        body = step(
            "distill",
            tiny / "llama",
            tmp_path / f"l{steps}",
            "layers",
            given=given,
            data={"train": str(texts["seen"])},
            texts=(str(texts["text"]),),
        ).body
        assert body.parameters["made:layers"] == "0,3"
        assert body.after.parameters < body.before.parameters
        found[steps] = figure(body, "kl")
    assert found[60] < 0.7 * found[0]
    with pytest.raises(RefusedError, match="layers are some of 0 to 3, in order"):
        step("distill", tiny / "llama", tmp_path / "x", "layers", given=("layers=3,0", "steps=0"))


def test_adapters_learn_and_say_how(
    step: Callable[..., Derived], tiny: Path, texts: dict[str, Path], tmp_path: Path
) -> None:
    given = ("steps=60", "length=64", "rate=0.01", "seed=7")
    data = {"train": str(texts["seen"])}
    merged = step(
        "finetune", tiny / "llama", tmp_path / "merged", "merged", given=given, data=data, texts=(str(texts["text"]),)
    )
    assert figure(merged.body, "perplexity") < 0.9 * figure(merged.body, "perplexity-of-parent")
    assert [(each.role, each.name) for each in merged.body.inputs] == [("train", "seen.txt"), ("text", "text.txt")]
    made = merged.provenance
    assert made.external["settings"]["seed"] == "7"
    assert [each.annotations for each in made.inputs or ()] == [{"role": "parent"}, {"role": "train"}]
    (record,) = made.byproducts or ()
    losses = [float(each) for each in json.loads(base64.b64decode(record.content or ""))["losses"]]
    assert len(losses) == 60
    assert np.mean(losses[-10:]) < np.mean(losses[:10]) - 0.05
    # the same seed, data and settings give the same bytes
    again = step("finetune", tiny / "llama", tmp_path / "again", "merged", given=given, data=data)
    assert again.subject.digest == merged.subject.digest
    # what the adapter holds, added to the parent, is what was merged
    adapter = step("finetune", tiny / "llama", tmp_path / "adapter", "adapter", given=given, data=data)
    assert any("is an adapter, which is no model without its parent" in each for each in adapter.body.notes) is False
    load = pytest.importorskip("safetensors.numpy").load_file
    parent, child, parts = (
        load(each)
        for each in (
            tiny / "llama/model.safetensors",
            tmp_path / "merged/model.safetensors",
            tmp_path / "adapter/adapter_model.safetensors",
        )
    )
    name = "model.layers.0.self_attn.q_proj"
    low, high = (parts[f"base_model.model.{name}.lora_{each}.weight"] for each in "AB")
    assert np.allclose(child[f"{name}.weight"], parent[f"{name}.weight"] + 2.0 * high @ low, atol=1e-6)
    assert merged.body.kept.tensors == len(parent) - 8


def test_a_head_that_is_the_embedding_too_is_not_merged(
    step: Callable[..., Derived], python: str, tiny: Path, texts: dict[str, Path], tmp_path: Path
) -> None:
    tie = (
        "import sys; from transformers import AutoModelForCausalLM as A, AutoTokenizer as T, LlamaConfig as C, LlamaForCausalLM as L;"
        "c = C.from_pretrained(sys.argv[1], tie_word_embeddings=True); L(c).save_pretrained(sys.argv[2]); T.from_pretrained(sys.argv[1]).save_pretrained(sys.argv[2])"
    )
    subprocess.run([python, "-c", tie, tiny / "llama", tmp_path / "tied"], check=True, capture_output=True)
    given, data = ("steps=1", "length=64", "layers=lm_head"), {"train": str(texts["seen"])}
    with pytest.raises(RefusedError, match=r"embed_tokens\.weight and lm_head\.weight are one matrix"):
        step("finetune", tmp_path / "tied", tmp_path / "x", "merged", given=given, data=data)
    assert step("finetune", tmp_path / "tied", tmp_path / "adapter", "adapter", given=given, data=data).made
    assert step("finetune", tiny / "llama", tmp_path / "whole", "merged", given=given, data=data).made
    assert json.loads((tmp_path / "whole/config.json").read_text())["use_cache"] is True


GRAPHS = """
import sys, numpy as np, onnx
from onnx import TensorProto as T, helper as h, numpy_helper as n
w = np.random.default_rng(0).normal(size=(32, 8)).astype("f4")
if sys.argv[2] == "nan":
    w[3, 3] = np.nan
value = lambda name, kind, shape: h.make_tensor_value_info(name, kind, shape)
nodes, inputs, out = [h.make_node("MatMul", ["x", "W"], ["y"])], [value("x", T.FLOAT, [1, 32])], "y"
if sys.argv[2] == "listed":
    inputs.append(value("W", T.FLOAT, [32, 8]))
if sys.argv[2] == "inner":
    one, other = (h.make_graph([h.make_node("MatMul", ["x", "W"], [name])], name, [], [value(name, T.FLOAT, [1, 8])]) for name in "ab")
    nodes += [h.make_node("If", ["which"], ["z"], then_branch=one, else_branch=other)]
    inputs.append(value("which", T.BOOL, []))
outputs = [value(each, T.FLOAT, [1, 8]) for each in ("yz" if sys.argv[2] == "inner" else "y")]
graph = h.make_graph(nodes, "g", inputs, outputs, [n.from_array(w, "W")])
onnx.save(h.make_model(graph, opset_imports=[h.make_opsetid("", 17)], ir_version=8), sys.argv[1])
"""


@pytest.mark.parametrize("kind", ["plain", "listed", "inner", "nan"])
def test_graphs_of_four_bits_open_or_are_refused(
    step: Callable[..., Derived], needs: Callable[..., None], python: str, tmp_path: Path, kind: str
) -> None:
    needs("onnx", "onnxruntime")
    source, target = tmp_path / "m.onnx", tmp_path / "out"
    subprocess.run([python, "-c", GRAPHS, source, kind], check=True, capture_output=True)
    if kind == "nan":
        with pytest.raises(RefusedError, match="W holds infinity or NaN"):
            step("quantize", source, target, "int4")
        return
    step("quantize", source, target, "int4")
    opens = "import sys, onnxruntime as o; s = o.InferenceSession(sys.argv[1]); print([i.name for i in s.get_inputs()])"
    graph = target if target.is_file() else next(target.glob("*.onnx"))
    said = subprocess.run([python, "-c", opens, graph], check=True, capture_output=True, text=True).stdout
    assert said.strip() == {"inner": "['x', 'which']"}.get(kind, "['x']")


def test_texts_that_are_none_are_refused(step: Callable[..., Derived], tiny: Path, tmp_path: Path) -> None:
    for content, why in ((b"", "is empty"), (b"\xff\xfe", "not UTF-8"), (b"short", "and one piece is 64")):
        (tmp_path / "train.txt").write_bytes(content)
        with pytest.raises(RefusedError, match=why):
            step(
                "finetune",
                tiny / "llama",
                tmp_path / "x",
                "merged",
                given=("length=64",),
                data={"train": str(tmp_path / "train.txt")},
            )
    (tmp_path / "train.jsonl").write_text('{"question": "x"}\n')
    with pytest.raises(RefusedError, match="line 1 of the texts is no object with text"):
        step("finetune", tiny / "llama", tmp_path / "x", "merged", data={"train": str(tmp_path / "train.jsonl")})
    assert not (tmp_path / "x").exists()


# --- CTranslate2 ---


def test_whisper_in_eight_bits_is_what_its_own_library_makes(
    step: Callable[..., Derived], lies: Callable[[str], Path], needs: Callable[..., None], python: str, tmp_path: Path
) -> None:
    """The whole numbers and scales of one matrix are those of CTranslate2's converter, and the library opens the whole."""
    needs("ctranslate2", "tokenizers")
    body = step("quantize", lies("whisper"), tmp_path / "small", "int8").body
    assert body.after.parameters == body.before.parameters == 37_764_864
    assert body.after.weight_bytes == pytest.approx(39.4e6, rel=0.01)
    assert {each.type for each in body.after.mix} == {"I8", "F16", "F32", "I16"}
    name = "decoder/layer_0/ffn/linear_0/weight"
    program = f"""
import sys; sys.path.insert(0, {str(Path(__file__).parents[2] / "src")!r})
import mmap, numpy as np
from ctranslate2.specs.common_spec import LinearSpec
from openvet.transforms.ctranslate2_quantize import _File
def read(path, *names):
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        old = _File(data)
        old.number("I"), old.text(), old.number("I")
        found = {{each.name: each for each in old.variables()}}
        kinds = {{0: "<f4", 1: "i1", 4: "<f2"}}
        return [np.frombuffer(data[v.begin : v.begin + v.size], kinds[v.kind]).reshape(v.shape) for v in map(found.get, names)]
(parent,) = read(sys.argv[1], {name!r})
whole, scales = read(sys.argv[2], {name!r}, {name!r} + "_scale")
spec = LinearSpec()
spec.weight, spec.bias = parent.astype("f4"), np.zeros(parent.shape[0], "f4")
spec.validate()
spec.optimize("int8")
assert np.array_equal(spec.weight.numpy(), whole), "whole numbers"
assert np.array_equal(spec.weight_scale.numpy(), scales), "scales"
print("same")
"""
    files = [str(each / "model.bin") for each in (lies("whisper"), tmp_path / "small")]
    done = subprocess.run([python, "-c", program, *files], capture_output=True, text=True, check=False)
    assert done.stdout == "same\n", done.stderr
