"""Two models beside each other: what changed is told with its place, in either direction, and nothing that did not."""

from __future__ import annotations

import io
import json
import shutil
import struct
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

np = pytest.importorskip("numpy")

from tests.ggml_reference import gguf, safetensors  # noqa: E402

from openvet.errors import SubjectError  # noqa: E402
from openvet.evidence.predicates.diff_v1 import DiffV1  # noqa: E402
from openvet.inventory.compare import numbers, swept, tensors  # noqa: E402
from openvet.testing.forge_torch import FakeTensor, state_dict, torch_zip  # noqa: E402
from openvet.testing.hub import Hub  # noqa: E402
from openvet.workflows import comparing  # noqa: E402
from openvet.workflows.diff import diff  # noqa: E402

HEADS, GROUPS, WIDE, WORDS = 4, 2, 256, 16


def weights(seed: int = 0, layers: int = 2) -> dict[str, Any]:
    """A small llama by transformers' names; every row fills whole blocks of every type."""
    random = np.random.default_rng(seed)

    def some(*shape: int) -> Any:
        return (random.standard_normal(shape) * 0.05).astype(np.float32)

    out = {
        "model.embed_tokens.weight": some(WORDS, WIDE),
        "model.norm.weight": some(WIDE) + 1,
        "lm_head.weight": some(WORDS, WIDE),
    }
    for layer in range(layers):
        at = f"model.layers.{layer}."
        out |= {
            f"{at}input_layernorm.weight": some(WIDE) + 1,
            f"{at}self_attn.q_proj.weight": some(WIDE, WIDE),
            f"{at}self_attn.k_proj.weight": some(WIDE // 2, WIDE),
            f"{at}self_attn.v_proj.weight": some(WIDE // 2, WIDE),
            f"{at}self_attn.o_proj.weight": some(WIDE, WIDE),
            f"{at}post_attention_layernorm.weight": some(WIDE) + 1,
            f"{at}mlp.gate_proj.weight": some(WIDE, WIDE),
            f"{at}mlp.up_proj.weight": some(WIDE, WIDE),
            f"{at}mlp.down_proj.weight": some(WIDE, WIDE),
        }
    return out


_GGUF = {
    "model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output", "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
}  # fmt: skip


def converted(model: dict[str, Any], kind: str, tokens: list[str] | None = None) -> bytes:
    """The model as llama.cpp's converter writes it."""
    out = {}
    for name, values in model.items():
        for theirs, ours in _GGUF.items():
            name = name.replace(theirs, ours)
        name = name.replace("model.layers.", "blk.")
        heads = HEADS if ".attn_q." in name else GROUPS if ".attn_k." in name else 0
        if heads:
            rows, columns = values.shape
            values = values.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)
        out[name] = ("F32" if values.ndim == 1 else kind, np.ascontiguousarray(values))
    keys: dict[str, Any] = {
        "general.architecture": "llama",
        "llama.block_count": 2,
        "llama.embedding_length": WIDE,
        "llama.attention.head_count": HEADS,
        "llama.attention.head_count_kv": GROUPS,
    }
    if tokens:
        keys["tokenizer.ggml.tokens"] = tokens
    return gguf(keys, out)


def folder(path: Path, model: dict[str, Any], kind: str = "F32", **files: str) -> Path:
    path.mkdir(parents=True)
    (path / "model.safetensors").write_bytes(safetensors({name: (kind, values) for name, values in model.items()}))
    (path / "config.json").write_text(
        json.dumps({"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": WIDE})
    )
    for name, text in files.items():
        (path / name.replace("__", ".")).write_text(text)
    return path


def compared(a: Path, b: Path) -> DiffV1:
    """Both ways, which have to tell of the same things; and what is told is read back."""
    found, back = diff(a, b).predicate, diff(b, a).predicate
    turned = {"added": "removed", "removed": "added"}
    assert DiffV1.from_json(found.to_json()).to_json() == found.to_json()
    assert found.verdict == back.verdict
    assert found.same_files == back.same_files
    assert sorted(turned.get(each.change, each.change) for each in found.files) == sorted(
        each.change for each in back.files
    )
    assert {(each.pointer, each.a, each.b) for each in found.values} == {
        (each.pointer, each.b, each.a) for each in back.values
    }
    for one, other in zip(found.models, back.models, strict=True):
        counts = {turned.get(status, status): count for status, count in one.counts().items()}
        assert counts == other.counts()
    assert len(found.not_compared) == len(back.not_compared)
    return found


def counts(found: DiffV1) -> dict[str, int]:
    assert len(found.models) == 1
    return found.models[0].counts()


def test_a_model_does_not_differ_from_itself(tmp_path: Path) -> None:
    one = folder(tmp_path / "a", weights())
    found = compared(one, one)
    assert (found.verdict, found.same_files, counts(found)) == ("same", 2, {"equal": 21})
    again = shutil.copytree(one, tmp_path / "b")
    assert compared(one, again).verdict == "same"


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("F32", "equal"),
        ("F16", "cast"),
        ("BF16", "cast"),
        ("Q8_0", "quantized"),
        ("Q4_0", "quantized"),
        ("Q4_K", "quantized"),
        ("Q6_K", "quantized"),
    ],
)
def test_a_gguf_file_is_what_its_folder_was(kind: str, status: str, tmp_path: Path) -> None:
    model = weights(layers=1)
    if kind.endswith("K"):  # which takes long in Python
        model = {
            name: values
            for name, values in model.items()
            if any(part in name for part in ("q_proj", "k_proj", "norm", "embed"))
        }
    one = folder(tmp_path / "a", model)
    other = tmp_path / "model.gguf"
    other.write_bytes(converted(model, kind))
    found = compared(one, other)
    norms = 3
    expected = {"equal": len(model)} if status == "equal" else {"equal": norms, status: len(model) - norms}
    assert counts(found) == expected
    assert not found.not_compared
    if status != "equal":
        turned = next(each for each in found.models[0].tensors if each.name == "blk.0.attn_q.weight")
        assert (turned.name_a, turned.original) == ("model.layers.0.self_attn.q_proj.weight", "a")
        assert "llama.cpp's order" in turned.note


def test_a_tuned_layer_of_a_gguf_file_is_found(tmp_path: Path) -> None:
    model = weights()
    one = folder(tmp_path / "a", model)
    model["model.layers.1.mlp.up_proj.weight"] = model["model.layers.1.mlp.up_proj.weight"] * np.float32(1.1)
    other = tmp_path / "model.gguf"
    other.write_bytes(converted(model, "Q8_0"))
    found = compared(one, other)
    assert counts(found) == {"equal": 5, "quantized": 15, "changed": 1}
    changed = next(each for each in found.models[0].tensors if each.status == "changed")
    assert changed.name == "blk.1.ffn_up.weight"
    assert float(changed.relative or 0) == pytest.approx(0.1, rel=0.02)
    group = next(each for each in found.models[0].groups if (each.layer, each.kind) == (1, "mlp"))
    assert group.tensors == {"quantized": 2, "changed": 1}


def test_all_experts_of_a_gguf_file_are_those_of_its_folder(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    experts = {
        f"model.layers.0.block_sparse_moe.experts.{each}.w1.weight": random.random((32, WIDE)).astype(np.float32)
        for each in range(4)
    }
    one = folder(tmp_path / "a", experts)
    other = tmp_path / "m.gguf"
    other.write_bytes(
        gguf(
            {"general.architecture": "llama"},
            {"blk.0.ffn_gate_exps.weight": ("Q8_0", np.stack(list(experts.values())))},
        )
    )
    assert counts(compared(one, other)) == {"quantized": 4}


def as_torch(model: dict[str, Any]) -> bytes:
    """The model as ``torch.save`` writes it."""
    whole = torch_zip(state_dict({name: FakeTensor(values.shape) for name, values in model.items()}))
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as zeros, zipfile.ZipFile(buffer, "w") as archive:
        data = {f"archive/data/{at}": values.tobytes() for at, values in enumerate(model.values())}
        for each in zeros.infolist():
            archive.writestr(each, data.get(each.filename, zeros.read(each)))
    return buffer.getvalue()


def test_a_checkpoint_of_pytorch_is_what_its_folder_was(tmp_path: Path) -> None:
    model = weights(layers=1)
    one = folder(tmp_path / "a", model)
    other = tmp_path / "b"
    other.mkdir()
    shutil.copy(one / "config.json", other)
    (other / "pytorch_model.bin").write_bytes(as_torch(model))
    assert counts(compared(one, other)) == {"equal": 12}
    model["lm_head.weight"] = model["lm_head.weight"] * np.float32(2)
    (other / "pytorch_model.bin").write_bytes(as_torch(model))
    found = compared(one, other)
    assert counts(found) == {"equal": 11, "changed": 1}
    assert found.models[0].tensors[0].relative == "1"


def test_shards_and_archives_are_other_packagings(tmp_path: Path) -> None:
    model = weights(layers=1)
    one = folder(tmp_path / "a", model)
    shards = tmp_path / "shards"
    shards.mkdir()
    shutil.copy(one / "config.json", shards)
    names = list(model)
    for number, part in enumerate((names[:5], names[5:]), 1):
        data = safetensors({f"module.{name}": ("F32", model[name]) for name in part})
        (shards / f"model-0000{number}-of-00002.safetensors").write_bytes(data)
    assert counts(compared(one, shards)) == {"equal": 12}
    packed = tmp_path / "model.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in one.iterdir():
            archive.write(path, f"top/{path.name}")
    found = compared(one, packed)
    assert (found.verdict, found.same_files, counts(found)) == ("same", 2, {"equal": 12})
    tape = tmp_path / "model.tar.gz"
    with tarfile.open(tape, "w:gz") as archive:
        for path in shards.iterdir():
            archive.add(path, path.name)
    found = compared(packed, tape)
    assert counts(found) == {"equal": 12}
    assert found.same_files == 1


def test_files_are_matched_by_name_and_by_digest(tmp_path: Path) -> None:
    one = folder(tmp_path / "a", weights(layers=0), old__txt="moved", gone__txt="gone", LICENSE="MIT")
    other = folder(tmp_path / "b", weights(layers=0), new__txt="moved", added__txt="added", LICENSE="Apache")
    found = compared(one, other)
    by_change = {each.change: (each.a and each.a.place, each.b and each.b.place) for each in found.files}
    assert by_change == {
        "changed": ("LICENSE", "LICENSE"), "moved": ("old.txt", "new.txt"), "added": (None, "added.txt"), "removed": ("gone.txt", None),
    }  # fmt: skip
    assert [(each.kind, each.lines) for each in found.texts] == [("license", ("@@ -1 +1 @@", "-MIT", "+Apache"))]


def test_values_are_compared_one_by_one(tmp_path: Path) -> None:
    one = folder(tmp_path / "a", weights(layers=0), README__md="---\nlicense: mit\ntags: [a]\n---\n# x\n")
    other = folder(tmp_path / "b", weights(layers=0), README__md="---\nlicense: apache-2.0\ntags: [a, b]\n---\n# x\n")
    (other / "config.json").write_text(
        json.dumps({"model_type": "llama", "architectures": ["Other"], "a/b": {"~": True}})
    )
    found = compared(one, other)
    assert {(each.place, each.pointer, each.a, each.b) for each in found.values} == {
        ("README.md", "/license", '"mit"', '"apache-2.0"'),
        ("README.md", "/tags/1", None, '"b"'),
        ("config.json", "/architectures/0", '"LlamaForCausalLM"', '"Other"'),
        ("config.json", "/hidden_size", str(WIDE), None),
        ("config.json", "/a~1b", None, '{"~": true}'),
    }


def test_programs_are_told_by_what_they_do(tmp_path: Path) -> None:
    one = folder(tmp_path / "a", weights(layers=0), chat_template__jinja="{{ x }}\n", modeling__py="import torch\n")
    other = folder(
        tmp_path / "b",
        weights(layers=0),
        chat_template__jinja="{{ x.__class__ }}\n",
        modeling__py="import torch\nimport os\n\nos.system('echo')\n",
    )
    (one / "extra.bin").write_bytes(b"ccollections\nOrderedDict\n)R.")
    (other / "extra.bin").write_bytes(b"cos\nsystem\n(S'echo'\ntR.")
    (other / "tokenizer_config.json").write_text(json.dumps({"chat_template": "{{ y }}"}))
    (one / "tokenizer_config.json").write_text(json.dumps({"chat_template": "{{ z }}"}))
    texts = {(each.kind, each.b): each for each in compared(one, other).texts}
    assert texts["chat-template", "chat_template.jinja"].gained == ("internal-attribute: __class__",)
    code = texts["code", "modeling.py"]
    assert any("os.system" in each for each in code.gained)
    assert code.lines[-1] == "+os.system('echo')"
    assert any("system" in each for each in texts["program", "extra.bin"].gained)
    same = texts["chat-template", "tokenizer_config.json"]
    assert (same.gained, same.lost, same.judged) == ((), (), True)


def tokenizer(words: list[str], merges: list[str]) -> str:
    return json.dumps(
        {
            "version": "1.0",
            "model": {"type": "BPE", "vocab": {word: at for at, word in enumerate(words)}, "merges": merges},
        }
    )


def test_long_vocabularies_are_compared_word_by_word(tmp_path: Path) -> None:
    words = [f"w{at}" for at in range(40_000)]
    merges = [f"w {at}" for at in range(30_000)]
    one = folder(tmp_path / "a", weights(layers=0), tokenizer__json=tokenizer(words, merges))
    swapped = [*words[:-2], "new", words[-2]]
    other = folder(tmp_path / "b", weights(layers=0), tokenizer__json=tokenizer(swapped, merges[::-1]))
    found = compared(one, other)
    vocabulary, ranks = found.words
    assert (vocabulary.in_a, vocabulary.in_b, vocabulary.added, vocabulary.removed, vocabulary.renumbered) == (
        40_000,
        40_000,
        1,
        1,
        1,
    )
    assert vocabulary.examples == ("+ new 39998", "- w39999 39999", "~ w39998 39998 39999")
    assert (ranks.added, ranks.renumbered) == (0, 30_000)
    assert not found.values
    packed = tmp_path / "m.gguf"
    packed.write_bytes(converted(weights(layers=0), "F32", words[:-1]))
    (words_of_gguf,) = compared(one, packed).words
    assert (words_of_gguf.added, words_of_gguf.removed, words_of_gguf.renumbered) == (0, 1, 0)


def test_other_shapes_say_what_is_the_same_all_the_same(tmp_path: Path) -> None:
    rows = np.arange(6 * 4, dtype=np.float32).reshape(6, 4)
    one = folder(tmp_path / "a", {"e": rows, "f": rows, "g": rows})
    other = folder(tmp_path / "b", {"e": np.vstack((rows, rows)), "f": rows.reshape(4, 6), "g": rows.T.copy()[:, :5]})
    found = compared(one, other)
    assert counts(found) == {"reshaped": 3}
    notes = {each.name: each.note for each in found.models[0].tensors}
    assert notes == {"e": "the first 6 rows are equal", "f": "the values are equal, in the same order", "g": ""}


def test_without_numpy_what_is_exact_is_told_and_the_rest_is_not_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparing, "load_numpy", lambda: None)
    monkeypatch.setattr(numbers, "can_sweep", lambda *_: False)
    model = weights(layers=1)
    one = folder(tmp_path / "a", model)
    model["lm_head.weight"] = model["lm_head.weight"] + np.float32(1)
    assert counts(compared(one, folder(tmp_path / "b", model))) == {"equal": 11, "changed": 1}
    found = compared(one, folder(tmp_path / "c", model, "BF16"))
    assert counts(found) == {"unread": 12}
    assert any("openvet[numbers]" in each.reason for each in found.not_compared)
    assert found.verdict == "differs"


def lying(header: dict[str, Any], data: bytes) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


@pytest.mark.parametrize(
    "data",
    [
        lying({"x": {"dtype": "F32", "shape": [4], "data_offsets": [0, 8]}}, bytes(8)),
        lying({"x": {"dtype": "F32", "shape": [2**40, 2**40], "data_offsets": [0, 16]}}, bytes(16)),
        lying({"x": {"dtype": "F32", "shape": [4], "data_offsets": [2**60, 2**60 + 16]}}, bytes(16)),
        lying({"x": {"dtype": "Q9", "shape": [4], "data_offsets": [0, 16]}}, bytes(16)),
        lying({"x": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}, bytes(3)),
        b"GGUF" + struct.pack("<IQQ", 3, 2**60, 2**60),
        gguf({"general.architecture": "llama"}, {"x": ("F32", np.zeros(4, np.float32))})[:-40],
        b"\x80\x04",
        b"",
    ],
    ids=["short", "overflow", "beyond", "type", "cut", "counts", "gguf-cut", "pickle", "empty"],
)
def test_files_that_lie_are_not_compared_and_never_called_the_same(data: bytes, tmp_path: Path) -> None:
    honest = {"x": np.arange(4, dtype=np.float32)}
    one, other = folder(tmp_path / "a", honest), folder(tmp_path / "b", honest)
    (other / "model.safetensors").write_bytes(data)
    found = compared(one, other)
    assert found.verdict == "differs"
    assert not any("equal" in each.counts() for each in found.models)


def test_a_missing_shard_shows_as_tensors_that_are_gone(tmp_path: Path) -> None:
    model = weights(layers=1)
    one = folder(tmp_path / "a", model)
    other = tmp_path / "b"
    other.mkdir()
    shutil.copy(one / "config.json", other)
    part = dict(list(model.items())[:5])
    (other / "model-00001-of-00002.safetensors").write_bytes(
        safetensors({name: ("F32", values) for name, values in part.items()})
    )
    assert counts(compared(one, other)) == {"equal": 5, "removed": 7}


def test_many_tensors_are_all_counted(tmp_path: Path) -> None:
    count = 25_000  # more than are listed one by one
    for name, value in (("a", 1), ("b", 2)):
        header = {
            f"layers.{at // 10}.t{at}": {"dtype": "U8", "shape": [1], "data_offsets": [at, at + 1]}
            for at in range(count)
        }
        (tmp_path / f"{name}.safetensors").write_bytes(lying(header, bytes(count - 1) + bytes([value])))
    found = diff(tmp_path / "a.safetensors", tmp_path / "b.safetensors").predicate
    assert counts(found) == {"equal": count - 1, "changed": 1}
    assert len(found.models[0].tensors) == 1


def test_a_file_that_changes_after_it_was_hashed_is_not_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = folder(tmp_path / "a", weights(layers=0)), folder(tmp_path / "b", weights(seed=2, layers=0))
    real = comparing.Comparing.all

    def later(self: Any, a: Any) -> Any:
        path = other / "model.safetensors"
        path.write_bytes(path.read_bytes()[:-4] + b"abcd")
        return real(self, a)

    monkeypatch.setattr(comparing.Comparing, "all", later)
    found = diff(one, other).predicate
    assert counts(found) == {"unread": 3}
    assert any("is not the file" in each.reason for each in found.not_compared)


def test_ctrl_c_ends_every_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    one, other = folder(tmp_path / "a", weights()), folder(tmp_path / "b", weights(seed=2))

    def interrupted(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(tensors, "_compare", interrupted)
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        diff(one, other)
    assert threading.active_count() == before


def test_a_model_on_a_hub_is_compared_as_far_as_it_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(3)
    one = folder(tmp_path / "a", {"x": random.random((1024, 1024)).astype(np.float32)})
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    with Hub({each.name: each.read_bytes() for each in one.iterdir()}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        found = diff(one, "hf:org/model").predicate
        assert (found.verdict, found.same_files, counts(found)) == ("cannot-tell", 1, {"unread": 1})
        assert {each.place for each in found.not_compared} == {"", "model.safetensors"}
        (one / "config.json").write_text("{}")
        assert diff(one, "hf:org/model").predicate.verdict == "differs"


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SubjectError):
        diff(folder(tmp_path / "a", weights(layers=0)), tmp_path / "nowhere")


def large(scale: float = 1.0) -> dict[str, Any]:
    """A model whose file is large enough to be hashed in a thread, with tensors of many sizes."""
    random = np.random.default_rng(5)
    sizes = {"a": 3, "b": 700_001, "c": 12_345, "d": 300_000, "e": 1}
    return {name: (random.standard_normal(size) * scale).astype(np.float32) for name, size in sizes.items()}


def tuned() -> dict[str, Any]:
    model = large()
    model["b"] = model["b"] + np.float32(1e-3)
    late = model["d"].copy()
    late[-1] = np.nan
    return model | {"d": late, "new": np.ones(5, np.float32)}


LARGE: dict[str, tuple[dict[str, Any], str, dict[str, int]]] = {
    "tuned": (tuned(), "F32", {"equal": 3, "changed": 2, "added": 1}),
    "cast": (large(), "BF16", {"cast": 5}),
    "half": (large(), "F16", {"cast": 5}),
    "both": (large(1.001), "BF16", {"changed": 4, "cast": 1}),
    "pruned": (large() | {"b": large()["b"] * (np.abs(large()["b"]) > 0.1)}, "F32", {"equal": 4, "pruned": 1}),
}


@pytest.mark.skipif(not swept.COMPILED, reason="the loops are not compiled here")
@pytest.mark.parametrize("kind", LARGE)
def test_large_files_are_compared_while_they_are_hashed_with_what_reading_them_again_finds(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, dtype, expected = LARGE[kind]
    one, other = folder(tmp_path / "a", large()), folder(tmp_path / "b", model, dtype)
    again = []
    real = numbers.compare_numbers

    def watched(a: Any, *arguments: Any, **more: Any) -> Any:
        again.append(a.name)
        return real(a, *arguments, **more)

    monkeypatch.setattr(tensors, "compare_numbers", watched)
    for left, right in ((one, other), (other, one)):
        again.clear()
        at_once = diff(left, right).predicate
        # the one value at the end differs behind what was passed over as the same
        assert set(again) <= ({"d"} if kind == "tuned" else set())
        monkeypatch.setattr(swept, "COMPILED", False)
        monkeypatch.setattr(numbers, "can_sweep", lambda *_: False)
        assert diff(left, right).predicate == at_once
        assert len(again) >= 5
        monkeypatch.undo()
        monkeypatch.setattr(tensors, "compare_numbers", watched)
    assert counts(diff(one, other).predicate) == expected
