"""Checkpoints with packed numbers: parameters by the configuration, bytes by the tensors, and a contradiction only where there is one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests import architectures as reference
from tests.architectures import Tensor

from openvet.workflows.answer import ask

_MODEL = "smollm2-135m"
_PARAMETERS = 134_515_008


def _packed(scheme: str, stem: str, out: int, inner: int) -> list[Tensor]:
    """What is stored for ``stem.weight`` of shape (out, inner)."""
    groups = -(-inner // 128)
    beside = [Tensor(f"{stem}.qzeros", "I32", (groups, out // 8)), Tensor(f"{stem}.scales", "F16", (groups, out))]
    if scheme == "gptq":
        return [Tensor(f"{stem}.qweight", "I32", (inner // 8, out)), *beside, Tensor(f"{stem}.g_idx", "I32", (inner,))]
    if scheme == "gptq of half":
        return [Tensor(f"{stem}.qweight", "I32", (inner // 16, out)), *beside]
    if scheme == "awq":
        return [Tensor(f"{stem}.qweight", "I32", (inner, out // 8)), *beside]
    if scheme == "bitsandbytes 4":
        names = ("absmax", "quant_map", "nested_absmax", "nested_quant_map", "quant_state.bitsandbytes__nf4")
        return [
            Tensor(f"{stem}.weight", "U8", (out * inner // 2, 1)),
            *(Tensor(f"{stem}.weight.{name}", "U8", (16,)) for name in names),
        ]
    if scheme == "bitsandbytes 8":
        return [Tensor(f"{stem}.weight", "I8", (out, inner)), Tensor(f"{stem}.SCB", "F32", (out,))]
    if scheme == "compressed-tensors":
        return [
            Tensor(f"{stem}.weight_packed", "I32", (out, -(-inner // 8))),
            Tensor(f"{stem}.weight_scale", "BF16", (out, groups)),
            Tensor(f"{stem}.weight_shape", "I64", (2,)),
        ]
    scale = "weight_scale_inv" if scheme == "fp8" else "weight_scale"
    return [
        Tensor(f"{stem}.weight", "F8_E4M3", (out, inner)),
        Tensor(f"{stem}.{scale}", "F32", (-(-out // 128), groups)),
    ]


_SCHEMES: dict[str, dict[str, Any]] = {
    "gptq": {"quant_method": "gptq", "bits": 4},
    "awq": {"quant_method": "awq", "bits": 4},
    "bitsandbytes 4": {"quant_method": "bitsandbytes", "load_in_4bit": True},
    "bitsandbytes 8": {"load_in_8bit": True},
    "compressed-tensors": {
        "quant_method": "compressed-tensors",
        "config_groups": {"group_0": {"weights": {"num_bits": 4}}},
    },
    "fp8": {"quant_method": "fp8", "weight_block_size": [128, 128]},
    "fbgemm_fp8": {"quant_method": "fbgemm_fp8"},
}


def _forge(folder: Path, model: str, tensors: list[Tensor], quantized: dict[str, Any] | None) -> dict[str, Any]:
    """The profile of a folder with the configuration of ``model`` and these tensors."""
    config = json.loads((reference.configs(model) / "config.json").read_text("utf-8"))
    if quantized is not None:
        config["quantization_config"] = quantized
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    reference.forge(tensors, folder / "model.safetensors")
    found: dict[str, Any] = ask(folder, "profile").to_json()["statements"][0]["predicate"]["parts"][0]
    return found


def _small(scheme: str) -> list[Tensor]:
    out: list[Tensor] = []
    for tensor in reference.tensors(_MODEL):
        packs = tensor.name.endswith("_proj.weight")
        out.extend(_packed(scheme, tensor.name.removesuffix(".weight"), *tensor.shape) if packs else [tensor])
    return out


def _facts(part: dict[str, Any]) -> dict[str, Any]:
    return {each["name"]: each for each in part["facts"]}


@pytest.mark.parametrize("scheme", sorted(_SCHEMES))
def test_parameters_are_those_of_the_configuration_that_the_tensors_confirm(scheme: str, tmp_path: Path) -> None:
    part = _forge(tmp_path, _MODEL, _small(scheme), _SCHEMES[scheme])
    facts = _facts(part)
    assert facts["parameters"]["value"] == _PARAMETERS
    assert facts["parameters"]["basis"] == "derived"
    assert facts["quantization"]["value"].startswith(scheme.split(" ")[0])
    assert facts["weight bytes"]["value"] == sum(each.elements * reference.SIZES[each.dtype] for each in _small(scheme))
    assert part["comparisons"] == []
    assert part["problems"] == []


def test_names_alone_say_that_numbers_are_packed(tmp_path: Path) -> None:
    part = _forge(tmp_path, _MODEL, _small("gptq"), None)
    assert _facts(part)["parameters"]["value"] == _PARAMETERS
    assert part["comparisons"] == []


def test_fewer_packed_numbers_than_the_configuration_asks_for_contradict_it(tmp_path: Path) -> None:
    part = _forge(tmp_path, _MODEL, _small("gptq of half"), _SCHEMES["gptq"])
    assert part["comparisons"]
    assert _facts(part)["parameters"]["basis"] == "declared"


def test_a_scheme_that_is_declared_hides_no_contradiction(tmp_path: Path) -> None:
    tensors = [each._replace(shape=(7, *each.shape[1:])) for each in reference.tensors(_MODEL)]
    assert _forge(tmp_path, _MODEL, tensors, _SCHEMES["gptq"])["comparisons"]


@pytest.mark.parametrize(
    ("quantized", "differs"),
    [
        ({"quant_method": "fp8"}, True),
        ({"quant_method": "gptq", "bits": 4}, True),
        ({"load_in_4bit": True}, True),
        # applied by the program only, or of the cache alone
        ({"quant_method": "bitnet"}, False),
        ({"quant_method": "compressed-tensors", "config_groups": {}, "kv_cache_scheme": {"num_bits": 8}}, False),
    ],
)
def test_plain_numbers_under_a_declared_quantization_differ(
    quantized: dict[str, Any], differs: bool, tmp_path: Path
) -> None:
    found = _forge(tmp_path, _MODEL, reference.tensors(_MODEL), quantized)["comparisons"]
    assert [each["what"] for each in found if not each["agree"]] == (["quantization"] if differs else [])
    assert all("which is not quantized" in each["note"] for each in found)


def test_mxfp4_of_gpt_oss(tmp_path: Path) -> None:
    out: list[Tensor] = []
    for tensor in reference.tensors("gpt-oss-20b"):
        if tensor.name.endswith(("experts.gate_up_proj", "experts.down_proj")):
            count, inner, wide = tensor.shape
            out.append(Tensor(f"{tensor.name}_blocks", "U8", (count, wide, inner // 32, 16)))
            out.append(Tensor(f"{tensor.name}_scales", "U8", (count, wide, inner // 32)))
        else:
            out.append(tensor)
    part = _forge(tmp_path, "gpt-oss-20b", out, {"quant_method": "mxfp4"})
    assert _facts(part)["parameters"]["value"] == reference.expected("gpt-oss-20b")["parameters"]
    assert part["comparisons"] == []
    assert part["problems"] == []


@pytest.mark.parametrize("quantized", [{}, {"bits": 10**40}, {"quant_method": 4, "bits": "x"}, {"config_groups": {"x": [1]}},
                                       {"quant_method": "gptq", "bits": -1}, {"quant_method": "gptq", "config_groups": []}])  # fmt: skip
def test_nonsense_in_the_scheme_is_not_believed(quantized: dict[str, Any], tmp_path: Path) -> None:
    assert _facts(_forge(tmp_path, _MODEL, _small("gptq"), quantized))["parameters"]["value"] == _PARAMETERS


@pytest.mark.parametrize("model", ["gemma-3-4b", "llava-1.5-7b"])
@pytest.mark.parametrize("after", ["vision_tower.vision_model.", "model.vision_tower."])
def test_names_of_older_and_of_newer_files_fit(model: str, after: str, tmp_path: Path) -> None:
    def moved(name: str) -> str:
        name = name.replace("vision_tower.", after)
        if after.startswith("model."):
            name = name.replace("language_model.model.", "model.language_model.").replace("language_model.lm", "lm")
            name = name.replace("multi_modal", "model.multi_modal")
        return name

    tensors = sorted(each._replace(name=moved(each.name)) for each in reference.tensors(model))
    part = _forge(tmp_path, model, tensors, None)
    assert _facts(part)["embedding parameters"]["basis"] == "derived"
    assert part["comparisons"] == []
    assert part["problems"] == []
