"""Profiles of whole subjects, as a user has them: folders with a configuration and weights, pipelines, GGUF files, and broken ones."""

from __future__ import annotations

import json
import shutil
import struct
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tests import architectures
from tests.snapshots.snapshot import matches

from openvet.cli import main
from openvet.evidence.predicates.profile_v1 import ModelPart, ProfileV1
from openvet.profile.profile import families, family_of
from openvet.workflows.answer import ask


def published(name: str, path: Path) -> Path:
    """A model folder as it is published: the configuration, and a file with all tensors and no data."""
    folder = path / name
    shutil.copytree(architectures.configs(name), folder)
    for component in architectures.components(name):
        target = folder / component / "model.safetensors"
        architectures.forge(architectures.tensors(name, component), target)
    return folder


def profile(path: Path) -> tuple[ModelPart, ...]:
    found = ask(path, "profile").predicate
    assert isinstance(found, ProfileV1)
    return found.parts


@pytest.mark.parametrize(
    "name", ["llama-3-8b", "mixtral-8x7b", "deepseek-v3", "gemma-3-270m", "gpt2", "lora-llama-3-8b", "olmo-3-7b"]
)
def test_published(name: str, tmp_path: Path) -> None:
    folder = published(name, tmp_path)
    found = CliRunner().invoke(main, ["profile", str(folder)], env={"COLUMNS": "100"})
    assert found.exit_code == 0, found.stderr
    matches(f"profile/{name}.txt", found.stdout)


def test_tensors_confirm_the_configuration(tmp_path: Path) -> None:
    (part,) = profile(published("mixtral-8x7b", tmp_path))
    assert part.count("parameters") == 46_702_792_704
    assert part.count("active parameters") == 12_879_925_248
    basis = {each.name: each.basis for each in part.facts}
    assert basis["active parameters"] == basis["parameters"] == "derived"
    assert basis["context length"] == "declared"
    assert not part.problems
    assert all(each.agree for each in part.comparisons)


def test_without_weights_everything_is_declared(tmp_path: Path) -> None:
    shutil.copytree(architectures.configs("llama-3-8b"), tmp_path / "m")
    (part,) = profile(tmp_path / "m")
    assert part.count("parameters") == 8_030_261_248
    assert {each.basis for each in part.facts if each.name.endswith("parameters")} == {"declared"}
    assert any("there are no weights" in each for each in part.missing)


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ('{"model_type": "llama", ', "config.json", "is not well-formed JSON"),
        ('{"model_type": "llama", ', "unet/config.json", "is not well-formed JSON"),
        ("[1]", "config.json", "is no JSON object"),
    ],
)
def test_a_configuration_that_cannot_be_read_is_told_and_fails(
    text: str, place: str, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "m" / place
    path.parent.mkdir(parents=True)
    path.write_text(text)
    (path.parent / "tokenizer.json").write_text("{}")
    found = CliRunner().invoke(main, ["profile", str(tmp_path / "m")], env={"COLUMNS": "200"})
    assert found.exit_code == 2
    assert said in found.stdout
    assert f"wrong: {place}: " in found.stdout
    assert "there is no model" not in found.stdout
    assert "nothing was profiled" in found.stderr
    published("gpt2", tmp_path)
    assert CliRunner().invoke(main, ["profile", str(tmp_path / "m"), str(tmp_path / "gpt2")]).exit_code == 2
    assert CliRunner().invoke(main, ["profile", str(tmp_path / "gpt2")]).exit_code == 0


def test_every_wrong_value_is_told_once_as_json_spells_it(tmp_path: Path) -> None:
    shutil.copytree(architectures.configs("llama-3-8b"), tmp_path / "m")
    _lie(tmp_path / "m", hidden_size="4096", num_hidden_layers=-1, vocab_size=[1], max_position_embeddings=10**40)
    text = CliRunner().invoke(main, ["profile", str(tmp_path / "m")], env={"COLUMNS": "200"}).stdout
    for said in (
        '/hidden_size is "4096", and must be a whole number',
        "/num_hidden_layers is -1, and",
        "/vocab_size is a list, and",
        "/max_position_embeddings is a number beyond all limits, and",
    ):
        assert text.count(f"wrong: {said}") == 1, text
    assert text.count("/hidden_size") == 1
    assert "32 heads" in text


def test_of_several_models_the_path_is_the_title(tmp_path: Path) -> None:
    for place in ("a", "b"):
        shutil.copytree(architectures.configs("gpt2"), tmp_path / place / "m")
    paths = [str(tmp_path / place / "m") for place in ("a", "b")]
    for form in ("text", "html"):
        both = CliRunner().invoke(main, ["profile", *paths, "-f", form], env={"COLUMNS": "200"}).stdout
        assert all(path in both for path in paths)
        assert paths[0] not in CliRunner().invoke(main, ["profile", paths[0], "-f", form]).stdout


def test_a_folder_without_a_model_fails_and_a_list_of_a_program_is_none(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "config.json").write_text("[1]")
    found = CliRunner().invoke(main, ["profile", str(tmp_path)])
    assert found.exit_code == 2
    assert "there is no model in it" in found.stdout


@pytest.mark.parametrize(("window", "said"), [(4096, ", looks back over 4,096"), (None, "")])
def test_a_window_of_all_layers_is_not_one_of_some(window: int | None, said: str, tmp_path: Path) -> None:
    shutil.copytree(architectures.configs("mixtral-8x7b"), tmp_path / "m")
    _lie(tmp_path / "m", sliding_window=window)
    text = CliRunner().invoke(main, ["profile", str(tmp_path / "m")], env={"COLUMNS": "200"}).stdout
    assert said in text
    assert "some layers" not in text


@pytest.mark.parametrize(
    ("most", "agree", "said"),
    [
        (256, True, "512 tokens (declared), of which sentence-transformers takes 256"),
        (512, None, "512 tokens (declared)\n"),
        (1024, False, "differs: context length: sentence-transformers takes 1,024 tokens"),
        (-1, None, "512 tokens (declared)\n"),
        ("256", None, "512 tokens (declared)\n"),
    ],
)
def test_tokens_that_a_sentence_model_takes(most: Any, agree: bool | None, said: str, tmp_path: Path) -> None:
    shutil.copytree(architectures.configs("bert-base-uncased"), tmp_path / "m")
    (tmp_path / "m" / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": most}))
    (part,) = profile(tmp_path / "m")
    assert [each.agree for each in part.comparisons] == ([] if agree is None else [agree])
    text = CliRunner().invoke(main, ["profile", str(tmp_path / "m")], env={"COLUMNS": "200"}).stdout
    assert said in text


def test_nothing_is_hashed_unless_asked(tmp_path: Path) -> None:
    folder = published("gpt2", tmp_path)
    assert ask(folder, "profile").subject.digest == {}
    assert set(ask(folder, "profile", digests=True).subject.digest) == {"dirHash"}


def _lie(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), "utf-8")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"num_hidden_layers": 40}, "tensors that the configuration asks for are in no file"),
        ({"intermediate_size": 4096}, "the configuration asks for [4096"),
        ({"torch_dtype": "float32"}, "F32 is declared"),
        ({"num_hidden_layers": -1}, "must be a whole number from 1"),
        ({"hidden_size": 10**30}, "must be a whole number from 1"),
        ({"num_attention_heads": 7}, "is no multiple of the 7 heads"),
        ({"num_key_value_heads": 5}, "cannot share 5 keys and values"),
        ({"hidden_size": "4096"}, "must be a whole number"),
        ({"num_hidden_layers": [1]}, "must be a whole number"),
    ],
)
def test_a_lie_is_told_with_its_place(changes: dict[str, Any], said: str, tmp_path: Path) -> None:
    folder = published("smollm2-135m", tmp_path)
    _lie(folder, **changes)
    (part,) = profile(folder)
    differing = [each.note for each in part.comparisons if not each.agree]
    told = [*differing, *(each.message for each in part.problems)]
    assert any(said in each for each in told), told
    assert part.count("parameters") == 134_515_008
    assert all(each.location.place for each in part.problems)
    assert "profile/contradiction" in CliRunner().invoke(main, ["check", str(folder)]).stdout


def test_a_missing_shard_and_a_cut_one(tmp_path: Path) -> None:
    folder = tmp_path / "m"
    shutil.copytree(architectures.configs("gpt2"), folder)
    tensors = architectures.tensors("gpt2")
    architectures.forge(tensors[:80], folder / "model-00001-of-00002.safetensors")
    (part,) = profile(folder)
    assert any("are in no file" in each.message for each in part.problems)
    size = architectures.forge(tensors[80:], folder / "model-00002-of-00002.safetensors")
    (part,) = profile(folder)
    assert not part.problems
    with (folder / "model-00002-of-00002.safetensors").open("r+b") as file:
        file.truncate(size // 2)
    (part,) = profile(folder)
    assert [each.location.place for each in part.problems] == ["model-00002-of-00002.safetensors"]
    assert "the file was cut short" in part.problems[0].message


def test_an_unknown_family_is_said(tmp_path: Path) -> None:
    folder = published("gpt2", tmp_path)
    _lie(folder, model_type="brand_new")
    (part,) = profile(folder)
    assert part.count("parameters") == 124_439_808
    assert part.fact("active parameters") is None
    assert not part.caches
    assert any("the family brand_new is not known" in each for each in part.missing)


def test_of_several_packagings_one_counts(tmp_path: Path) -> None:
    folder = published("gpt2", tmp_path)
    architectures.forge(architectures.tensors("gpt2"), folder / "model.fp16.safetensors")
    (part,) = profile(folder)
    assert part.count("parameters") == 124_439_808
    fact = part.fact("further packagings")
    assert fact is not None
    assert fact.value == ["model.fp16.safetensors"]


def _gguf(keys: dict[str, Any], tensors: list[tuple[str, tuple[int, ...], int]]) -> bytes:
    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value)) + value.encode()

    out = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(keys))
    for key, value in keys.items():
        out += text(key)
        out += struct.pack("<I", 8) + text(value) if isinstance(value, str) else struct.pack("<II", 4, value)
    at = 0
    for name, shape, size in tensors:
        out += text(name) + struct.pack(f"<I{len(shape)}Q", len(shape), *reversed(shape)) + struct.pack("<IQ", 1, at)
        at += (size + 31) // 32 * 32
    out += b"\0" * (-len(out) % 32)
    return out + b"\0" * at


KEYS = {
    "general.architecture": "llama",
    "llama.block_count": 1,
    "llama.embedding_length": 8,
    "llama.attention.head_count": 2,
    "llama.attention.head_count_kv": 1,
    "llama.context_length": 64,
}
TENSORS: list[tuple[str, tuple[int, ...], int]] = [
    ("token_embd.weight", (10, 8), 160),
    ("blk.0.attn_q.weight", (8, 8), 128),
    ("blk.0.attn_k.weight", (4, 8), 64),
]


def test_gguf_needs_no_configuration(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(_gguf({**KEYS, "general.size_label": "176"}, TENSORS))
    (part,) = profile(path)
    assert part.count("parameters") == 80 + 64 + 32
    assert part.count("parameters multiplied per token") == 80 + 64 + 32
    assert [(each.layers, each.elements) for each in part.caches] == [(1, 8)]
    assert part.fact("tied embeddings") is not None


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"general.size_label": "7B"}, "the label is 7B"),
        ({"general.parameter_count": 5}, "5 are declared"),
        ({"general.file_type": 10}, "0 % of the elements are Q2_K"),
        ({"llama.attention.head_count": 2**31}, "must be a whole number"),
        ({"llama.block_count": 0}, "must be a whole number"),
    ],
)
def test_labels_of_gguf_lie(keys: dict[str, Any], said: str, tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(_gguf(KEYS | keys, TENSORS))
    (part,) = profile(path)
    told = [each.note for each in part.comparisons if not each.agree] + [each.message for each in part.problems]
    assert any(said in each for each in told), told
    assert part.count("parameters") == 176


def test_a_family_is_found_without_the_others() -> None:
    for kind, module in families().items():
        assert family_of(kind) is module
    assert family_of("brand_new") is None
    assert family_of("../llama") is None
