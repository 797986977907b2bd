"""The reference of ``tests/vectors/architectures`` holds together, and agrees with what was counted and published apart from it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests import architectures as reference

from openvet.core.limits import Budget, Limits
from openvet.formats import safetensors
from openvet.formats._format import Facts
from openvet.io.source import FileSource

# Counted before and apart from the reference, by closed formulas over the configurations; the rounded numbers that were published agree
PUBLISHED = {
    "llama-3-8b": 8_030_261_248,
    "llama-3-70b": 70_553_706_496,
    "qwen2.5-7b": 7_615_616_512,
    "qwen2.5-0.5b": 494_032_768,
    "olmo-7b": 6_888_095_744,
    "olmo-2-7b": 7_298_617_344,
    "olmoe-1b-7b": 6_919_161_856,
    "mixtral-8x7b": 46_702_792_704,
    "deepseek-v3": 671_026_419_200,
    "deepseek-coder-v2-lite": 15_706_484_224,
    "bloom-176b": 176_247_271_424,
    "falcon2-11b": 11_102_822_400,
    "redpajama-incite-3b": 2_775_864_320,
    "smollm2-135m": 134_515_008,
    "gemma-3-270m": 268_098_176,
}
KEPT = {
    "deepseek-v3": 70_272,
    "qwen2.5-72b": 327_680,
    "llama-3.1-405b": 516_096,
    "llama-3-8b": 131_072,
    "llama-2-7b": 524_288,
    "falcon2-11b": 245_760,
}


@pytest.mark.parametrize("name", reference.names())
def test_listings_are_what_the_digests_are_of(name: str) -> None:
    facts = reference.expected(name)
    assert facts["parameters"] == sum(part["parameters"] for part in facts["components"].values())
    for component in reference.components(name):
        found, said = reference.tensors(name, component), facts["components"][component]
        sizes = {
            "count": len(found),
            "elements": sum(each.elements for each in found),
            "sha256": reference.digest(found),
        }
        assert sizes == said["tensors"]
        assert said["active"] <= said["parameters"] <= sizes["elements"]
        assert reference.expand(reference.compress(found)) == found


def test_every_file_belongs_to_a_model() -> None:
    names = set(reference.names())
    assert {path.name for path in reference.configs("").iterdir()} == names
    assert {path.stem for path in (reference.FOLDER / "expected").iterdir()} == names
    listed = {
        f"{name}.txt" if part == "." else f"{name}.{part}.txt" for name in names for part in reference.components(name)
    }
    assert {path.name for path in (reference.FOLDER / "tensors").iterdir()} == listed


@pytest.mark.parametrize("name", PUBLISHED)
def test_as_many_parameters_as_published(name: str) -> None:
    assert reference.expected(name)["components"]["."]["tensors"]["elements"] == PUBLISHED[name]


@pytest.mark.parametrize("name", KEPT)
def test_bytes_of_a_token_as_published(name: str) -> None:
    assert reference.expected(name)["components"]["."]["cache"]["bytes_per_token"] == KEPT[name]


def test_layers_of_a_cache_are_all_there_once() -> None:
    for name in reference.names():
        for part in reference.expected(name)["components"].values():
            groups = (part.get("cache") or {"groups": []})["groups"]
            layers = sorted(layer for group in groups for layer in reference.numbers(group["layers"]))
            assert layers == list(range(len(layers))), name


@pytest.mark.parametrize(
    "listing",
    [
        [("a", "F32", ())],
        [("0.a.7", "F16", (1,)), ("1.a.7", "F16", (1,)), ("3.a.7", "F16", (1,))],
        [
            ("m.0.e.0.w", "F32", (2,)),
            ("m.0.e.1.w", "F32", (2,)),
            ("m.1.e.1.w", "F32", (2,)),
            ("m.2.e.0.w", "BF16", (2,)),
        ],
    ],
)
def test_a_listing_says_the_same_as_the_list(listing: list[tuple[str, str, tuple[int, ...]]]) -> None:
    found = sorted(reference.Tensor(*each) for each in listing)
    assert reference.expand(reference.compress(found)) == found


def test_forged_files_are_read(tmp_path: Path) -> None:
    found = reference.tensors("gemma-3-1b")
    path = tmp_path / "model.safetensors"
    assert reference.forge(found, path) == path.stat().st_size > 2 * 999_885_952
    facts = Facts(path.name, path.name, Budget(Limits()))
    with FileSource(os.open(path, os.O_RDONLY)) as source:
        safetensors.read(source, facts)
    assert not facts.anomalies
    assert sum(each.elements for each in facts.tensors) == 999_885_952
