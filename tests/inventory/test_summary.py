"""What a model is, in facts with a basis and a source."""

from typing import Any

from openvet.core.coverage import Coverage
from openvet.formats._format import Tensor
from openvet.inventory.component import Component, Inventory
from openvet.inventory.summary import summarise


def file(place: str, *formats: str, **more: Any) -> Component:
    return Component(place, place, 100, formats, more.pop("coverage", Coverage.READ), **more)


def facts(*files: Component) -> dict[str, Any]:
    return {fact.name: fact.value for fact in summarise(Inventory(files))}


def test_everything_that_is_said_of_a_hub_model() -> None:
    config = {"model_type": "bert", "architectures": ["BertModel", 3], "torch_dtype": "float32"}
    weights = (Tensor("w", "F32", (10, 4)), Tensor("b", "BF16", (10,)), Tensor("position_ids", "I64", (512,)))
    assert facts(
        file("README.md", "markdown", document={"license": "mit", "base_model": ["a/b"], "library_name": "x"}),
        file("config.json", "json", document=config),
        file("model.safetensors", "safetensors", tensors=weights),
        file("tokenizer.json", "json"),
        file("vocab.txt", "text"),
    ) == {
        "family": "bert",
        "architecture": ["BertModel"],
        "declared dtype": "float32",
        "license": "mit",
        "base model": ["a/b"],
        "library": "x",
        "parameters": 50,
        "dtypes": {"BF16": 1, "F32": 1, "I64": 1},
        "tensors": 3,
        "weights format": "safetensors",
        "tokenizer": "tokenizer.json",
        "formats": {"json": 2, "markdown": 1, "safetensors": 1, "text": 1},
        "files": 5,
        "bytes": 500,
        "not read": 0,
    }


def test_the_config_nearest_the_top_speaks_for_the_model() -> None:
    files = [
        file("a/config.json", "json", document={"model_type": "inner"}),
        file("config.json", "json", document={"model_type": "outer"}),
    ]
    assert facts(*files)["family"] == "outer"


def test_the_same_weights_in_two_formats_count_once() -> None:
    tensors = (Tensor("w", "F32", (7,)),)
    files = [file("a.bin", "torch-zip", tensors=tensors), file("a.safetensors", "safetensors", tensors=tensors)]
    assert (facts(*files)["parameters"], facts(*files)["weights format"]) == (7, "safetensors")


def test_one_tensor_under_several_names_counts_once() -> None:
    tensors = tuple(Tensor(name, "F32", (7,), 64, 28) for name in ("encoder.w", "decoder.w"))
    more = (Tensor("view", "F32", (3,), 64, 12), Tensor("e", "F32", (0,), 64, 0), Tensor("f", "F32", (0,), 64, 0))
    found = facts(file("a.pt", "torch-zip", tensors=(*tensors, *more)))
    assert (found["parameters"], found["tensors"]) == (10, 5)


def test_shards_count_together_and_quantized_copies_do_not() -> None:
    shards = [file(f"{n}.safetensors", "safetensors", tensors=(Tensor("w", "F16", (n,)),)) for n in (1, 2, 3)]
    assert facts(*shards)["parameters"] == 6
    copies = [
        Component(f"{n}.gguf", "x.gguf", n, ("gguf",), Coverage.READ, tensors=(Tensor("w", "Q4_K", (n,)),))
        for n in (256, 512)
    ]
    assert facts(*copies)["parameters"] == 512
    parts = [
        file(f"{n}.gguf", "gguf", tensors=(Tensor("w", "Q4_K", (256,)),), metadata={"split.count": 2}) for n in (1, 2)
    ]
    assert facts(*parts)["parameters"] == 512


def test_what_a_subject_says_is_bounded_and_printable() -> None:
    found = facts(file("config.json", "json", document={"model_type": "\x1b[2J" + "x" * 5000}))
    assert found["family"].startswith("\\x1b[2J")
    assert len(found["family"]) == 200
    assert "family" not in facts(file("config.json", "json", document={"model_type": {"a": 1}}))


def test_a_huge_number_is_text() -> None:
    found = facts(file("a.safetensors", "safetensors", tensors=(Tensor("w", "F32", (2**60, 2**60)),)))
    assert found["parameters"] == str(2**120)


def test_what_was_not_read_is_counted() -> None:
    inner = file("a.zip!/x", coverage=Coverage.UNREAD)
    assert facts(file("a.zip", "zip", children=(inner,)), file("b", coverage=Coverage.PARTIAL))["not read"] == 2
