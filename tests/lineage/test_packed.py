"""Matrices that are kept in words, in bytes with scales, or turned over: the sketch knows the model, and says how it is kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

np = pytest.importorskip("numpy")

from openvet.errors import ReadError  # noqa: E402
from openvet.inventory.compare.packed import unpacked  # noqa: E402
from openvet.lineage.fingerprint import fingerprint  # noqa: E402
from openvet.lineage.judge import judge  # noqa: E402
from openvet.lineage.manner import manner  # noqa: E402
from openvet.lineage.sides import open_side  # noqa: E402
from openvet.workflows.lineage import lineage  # noqa: E402
from tests.lineage import pairs  # noqa: E402
from tests.lineage.packing import awq, compressed, ctranslate2, exported, exported_beside, gptq, in_bytes, in_words  # noqa: E402
from tests.lineage.pairs import Model, stored  # noqa: E402
from tests.workflows.test_diff import folder, weights  # noqa: E402

BASE = {name: values for name, values in weights(layers=2).items() if values.ndim == 2 and "layers" in name}
STRANGER = {name: values for name, values in weights(9, layers=2).items() if name in BASE}
MADE: dict[str, tuple[Callable[[Model], Model], str, str]] = {
    "GPTQ of 4 bits": (gptq, "", "GPTQ4"),
    "GPTQ of 4 bits, in order": (lambda model: gptq(model, order=False), "", "GPTQ4"),
    "GPTQ of 8 bits": (lambda model: gptq(model, 8), "", "GPTQ8"),
    "GPTQ of 2 bits": (lambda model: gptq(model, 2), "", "GPTQ2"),
    "GPTQ of 3 bits": (lambda model: gptq(model, 3), "", "GPTQ3"),
    "AWQ": (awq, "", "AWQ4"),
    "compressed-tensors, 4 bits": (compressed, "", "PACKED4"),
    "compressed-tensors, 8 bits": (lambda model: compressed(model, 8), "", "PACKED8"),
    "CTranslate2, 8 bits": (in_bytes, "ctranslate2", "I8"),
}


def sides(made: Model, kind: str, other: Model) -> tuple[Any, Any]:
    print_ = fingerprint(np, unpacked(np, stored(made), kind), pairs.TOOL)
    return open_side(np, print_), pairs.side(other)


@pytest.mark.parametrize("name", MADE)
def test_what_was_packed_is_known_again(name: str) -> None:
    make, kind, word = MADE[name]
    one, two = sides(make(BASE), kind, BASE)
    assert {each.dtype for each in one.matrices} == {word}
    assert [each.shape for each in one.matrices] == [each.shape for each in two.matrices]
    found = judge(np, one, two, "this", "other")
    said = {each.claim: each.verdict for each in manner(np, found, one, two)}
    assert found.test.verdict == "consistent", found.test
    assert said.get("quantized") == "consistent" or name == "CTranslate2, 8 bits", said
    one, two = sides(make(STRANGER), kind, BASE)
    assert judge(np, one, two, "this", "other").test.verdict == "not-consistent"


@pytest.mark.parametrize("name", MADE)
def test_values_are_those_that_a_loader_would_have(name: str) -> None:
    """Within half a step of what was rounded: one number at a wrong place would be farther."""
    make, kind, word = MADE[name]
    held = unpacked(np, stored(make(BASE)), kind)
    assert len(held) == len(BASE)
    by_shape = dict(zip(sorted(each.name for each in held), sorted(BASE), strict=True))
    for each in held:
        original = BASE[by_shape[each.name]]
        values = np.frombuffer(each.run().take(4 * each.elements), "<f4").reshape(each.shape)  # type: ignore[misc]
        width = {"GPTQ2": 2, "GPTQ3": 3, "GPTQ8": 8, "PACKED8": 8, "I8": 8}.get(word, 4)
        reach = 2 * np.abs(original).max() / (2**width - 1)
        assert np.abs(values - original).max() <= 1.1 * reach


def test_groups_that_make_no_sense_stay_as_they_are() -> None:
    good = gptq(BASE)
    changes: dict[str, Callable[[Any], Any]] = {
        "qzeros": lambda values: values[:-1],
        "scales": lambda values: values[:, :-3],
        "qweight": lambda values: values.astype(np.float32),
        "g_idx": lambda values: values[:-1],
    }
    for name, change in changes.items():
        broken = {key: change(values) if key.endswith(name) else values for key, values in good.items()}
        assert not [each for each in unpacked(np, stored(broken)) if each.packed], name
    for name in ("qzeros", "scales"):
        missing = {key: values for key, values in good.items() if not key.endswith(name)}
        assert not [each for each in unpacked(np, stored(missing)) if each.packed], name
    strange = {key: values + 10_000 if key.endswith("g_idx") else values for key, values in good.items()}
    for each in unpacked(np, stored(strange)):
        with pytest.raises(ReadError, match="groups"):
            each.run().take(4)  # type: ignore[misc]
    assert not fingerprint(np, unpacked(np, stored(strange)), pairs.TOOL).tensors


def test_what_is_packed_in_an_order_that_is_not_taken_apart_says_so() -> None:
    kinds = {
        "B": ("s", np.int32, "Marlin's order"),
        "weight_packed": ("scale_packed", np.int32, "marlin-24"),
        "weight": ("weight.absmax", np.uint8, "bitsandbytes"),
        "qweight": ("scales", np.int32, "not known"),
    }
    for name, (beside, kind, word) in kinds.items():
        made = {f"a.{name}": np.ones((16, 64), kind), f"a.{beside}": np.ones((2, 64), np.float16)}
        told = {each.name: each.why for each in unpacked(np, stored(made))}
        assert word in told[f"a.{name}"]
        assert not told[f"a.{beside}"]
        alone = unpacked(np, stored({f"a.{name}": made[f"a.{name}"]}))
        assert not alone[0].why or name == "qweight"
        notes = fingerprint(np, unpacked(np, stored(made)), pairs.TOOL).not_sketched
        assert any(word in each.reason for each in notes)


# --- files ---


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("packed")
    folder(place / "base", BASE)
    folder(place / "stranger", STRANGER)
    (place / "model.onnx").write_bytes(exported(BASE))
    (place / "outside").mkdir()
    model, data = exported_beside(BASE, "model.onnx_data")
    (place / "outside" / "model.onnx").write_bytes(model)
    (place / "outside" / "model.onnx_data").write_bytes(data)
    for name, made in (
        ("plain", {key.replace(".", "/"): values for key, values in BASE.items()}),
        ("bytes", in_bytes(BASE)),
        ("words", {**in_words(BASE), "encoder/num_heads": np.array(8, np.int16)}),
    ):
        (place / name).mkdir()
        (place / name / "model.bin").write_bytes(ctranslate2(made))
        (place / name / "config.json").write_text('{"bos_token": "<s>", "layer_norm_epsilon": 1e-06}')
    return place


@pytest.mark.parametrize("name", ["model.onnx", "outside", "plain", "bytes", "words"])
def test_converted_models_are_known_again(places: Path, name: str) -> None:
    found = lineage(str(places / name), [str(places / "base")])
    assert found.verdict == "consistent", found.predicate.tests
    assert lineage(str(places / "base"), [str(places / name)]).verdict == "consistent"
    assert lineage(str(places / name), [str(places / "stranger")]).verdict == "not-consistent"


def test_gptq_in_a_folder(places: Path) -> None:
    """Nothing is said of ranks or blocks: what packed it did not round each value to the nearest level."""
    from openvet.testing.forge_tensors import safetensors

    made = gptq(BASE)
    kinds = {"int32": "I32", "float16": "F16"}
    data = b"".join(np.ascontiguousarray(values).tobytes() for values in made.values())
    header = safetensors({name: (kinds[str(values.dtype)], list(values.shape)) for name, values in made.items()})
    length = int.from_bytes(header[:8], "little")
    (places / "gptq").mkdir()
    (places / "gptq" / "model.safetensors").write_bytes(header[: 8 + length] + data)
    found = lineage(str(places / "gptq"), [str(places / "base")])
    claims = {each.claim: each.verdict for each in found.predicate.tests}
    assert claims == {"derived": "consistent", "quantized": "consistent"}, found.predicate.tests


@pytest.mark.parametrize(("name", "word"), [("plain", "F32"), ("bytes", "I8"), ("words", "INT16")])
def test_what_ctranslate2_keeps_beside_weights_is_no_weight(places: Path, name: str, word: str) -> None:
    from openvet.core.progress import Progress
    from openvet.inventory.weights import NOT_PARAMETERS, total, weights
    from openvet.workflows.check import Options, take

    inventory = take(str(places / name), Options().settled(), Progress()).inventory
    counted = total(inventory, weights(inventory)["ctranslate2"])
    assert next(iter(sorted(counted, key=lambda each: -counted[each].elements))) == word
    assert sum(each.elements for dtype, each in counted.items() if dtype not in NOT_PARAMETERS) == sum(
        values.size for values in BASE.values()
    )
    size = sum(each.size for each in counted.values())
    assert size == sum(each.nbytes or 0 for each in weights(inventory)["ctranslate2"][0].tensors)


def test_external_data_that_is_not_there_is_named(places: Path) -> None:
    (places / "alone").mkdir()
    (places / "alone" / "model.onnx").write_bytes((places / "outside" / "model.onnx").read_bytes())
    found = lineage(str(places / "alone"), [str(places / "base")])
    assert found.verdict == "cannot-tell"
    assert any("its numbers are in model.onnx_data, which is not here" in each for each in found.notes), found.notes
    (places / "alone" / "model.onnx_data").write_bytes(b"\0" * 8)
    found = lineage(str(places / "alone"), [str(places / "base")])
    assert any("its bytes are not there" in each for each in found.notes), found.notes
