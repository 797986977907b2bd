"""Fingerprints that anybody may have written: numbers that do not fit, that are none, too many of them; and what a file of one is."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

np = pytest.importorskip("numpy")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from openvet.errors import OpenVetError, ReadError, UnsupportedError, UsageError, VerifyError  # noqa: E402
from openvet.evidence.keys import generate  # noqa: E402
from openvet.evidence.predicates.fields import FieldError  # noqa: E402
from openvet.evidence.predicates.fingerprint_v1 import FingerprintV1, TensorSketch, Vectors, pack, unpack  # noqa: E402
from openvet.evidence.signing import sign_statement, statement_bytes, to_line  # noqa: E402
from openvet.evidence.statement import ResourceDescriptor, Statement  # noqa: E402
from openvet.lineage.judge import judge  # noqa: E402
from openvet.lineage.sides import open_side  # noqa: E402
from openvet.workflows.fingerprints import fingerprint, read_fingerprint  # noqa: E402
from openvet.workflows.lineage import lineage  # noqa: E402
from tests.lineage.pairs import sketch  # noqa: E402
from tests.workflows.test_diff import folder, weights  # noqa: E402

GOOD = sketch({name: values for name, values in weights().items() if ".0.mlp" in name})
FIRST = GOOD.tensors[0]
assert FIRST.rows is not None
ROWS: Vectors = FIRST.rows
COUNT = len(unpack(ROWS.index)) // 4
NAN, ONE = b"\0\0\xc0\x7f", b"\0\0\x80?"


def broken(**changes: Any) -> TensorSketch:
    return replace(FIRST, **changes)


def rows(**changes: str) -> TensorSketch:
    return broken(rows=replace(ROWS, **changes))


BROKEN: dict[str, Callable[[], TensorSketch]] = {
    "fewer values": lambda: rows(values=pack(unpack(ROWS.values)[:-3])),
    "half an index": lambda: rows(index=pack(unpack(ROWS.index)[:-1])),
    "an index beyond": lambda: rows(index=pack(b"\xff\xff\xff\xff" * COUNT)),
    "one index twice": lambda: rows(index=pack(unpack(ROWS.index)[:4] * COUNT)),
    "a scale that is none": lambda: rows(scale=pack(NAN * COUNT)),
    "a mean that is none": lambda: rows(mean=pack(NAN * COUNT)),
    "fewer scales": lambda: rows(scale=pack(ONE)),
    "norms that are none": lambda: broken(norms=pack(NAN * 128)),
    "fewer norms": lambda: broken(norms=pack(ONE)),
    "a probe of another size": lambda: broken(probe=pack(ONE * 63)),
    "a huge shape": lambda: broken(shape=(2**60, 2**60)),
    "a shape of many extents": lambda: broken(shape=(2,) * 4_000),
    "rows of nothing": lambda: broken(shape=(256, 8)),
}


@pytest.mark.parametrize("name", BROKEN)
def test_numbers_that_make_no_sense_are_refused(name: str) -> None:
    with pytest.raises(ReadError, match="the fingerprint"):
        open_side(np, replace(GOOD, tensors=(BROKEN[name](),)))


def test_a_probe_that_is_no_number_is_left_out() -> None:
    """What was looked at may be infinite: that is a fact of the model, and no fault of the fingerprint."""
    one = open_side(np, replace(GOOD, tensors=(broken(probe=pack(NAN * 64), not_finite=5), *GOOD.tensors[1:])))
    assert judge(np, one, open_side(np, GOOD), "a", "b").test.verdict == "consistent"


def test_another_recipe_and_two_of_one_name_are_refused() -> None:
    with pytest.raises(UnsupportedError, match="another recipe"):
        open_side(np, replace(GOOD, recipe="openvet-sketch-2"))
    with pytest.raises(ReadError, match="two tensors of one name"):
        open_side(np, replace(GOOD, tensors=(FIRST, FIRST)))
    many = replace(ROWS, index=pack(bytes(4 * 40_000)))
    with pytest.raises(ReadError, match="rows and columns"):
        open_side(np, replace(GOOD, tensors=(broken(rows=many),)))
    with pytest.raises(ReadError, match="more than 1024"):
        open_side(np, replace(GOOD, tensors=tuple(replace(FIRST, name=str(at)) for at in range(1025))))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_body_with_anything_in_it_is_taken_or_refused(data: st.DataObject) -> None:
    """Bytes of packed numbers and values of the body replaced: only our own errors come out, and every verdict is one."""
    body = json.loads(json.dumps(replace(GOOD, tensors=GOOD.tensors[:2]).to_json()))
    for _ in range(data.draw(st.integers(1, 3))):
        place: Any = body["tensors"][data.draw(st.integers(0, 1))]
        key = data.draw(
            st.sampled_from(["shape", "probe", "norms", "rows", "columns", "zeros", "dtype", "notFinite", "ggml"])
        )
        if key in {"rows", "columns"} and isinstance(place.get(key), dict) and data.draw(st.booleans()):
            place, key = place[key], data.draw(st.sampled_from(["index", "mean", "scale", "values"]))
        old = place.get(key)
        if isinstance(old, str) and len(old) > 8 and data.draw(st.booleans()):
            raw = bytearray(unpack(old)) if len(old) % 4 == 0 else bytearray(4)
            for _ in range(data.draw(st.integers(1, 6))):
                raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
            place[key] = pack(bytes(raw))
        else:
            place[key] = data.draw(
                st.none()
                | st.integers(-5, 2**40)
                | st.text(max_size=8)
                | st.lists(st.integers(-3, 2**34), max_size=4)
                | st.binary(min_size=1, max_size=40).map(pack)
            )
    try:
        side = open_side(np, FingerprintV1.from_json(body))
    except (FieldError, OpenVetError):
        return
    found = judge(np, side, open_side(np, GOOD), "a", "b")
    assert found.test.verdict in {"consistent", "not-consistent", "cannot-tell"}


# --- files ---


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("fingerprints")
    folder(place / "base", weights())
    tuned = {name: values * np.float32(1.01) if "mlp" in name else values for name, values in weights().items()}
    folder(place / "tuned", tuned, "BF16")
    return place


def test_a_file_stands_for_the_model(models: Path, tmp_path: Path) -> None:
    made = fingerprint(models / "base")
    key = generate()
    signed, plain = tmp_path / "signed.json", tmp_path / "plain.json"
    signed.write_bytes(to_line(sign_statement(made.statement, key)))
    plain.write_bytes(statement_bytes(made.statement))
    assert fingerprint(models / "base").predicate == made.predicate
    for path in (signed, plain):
        found = lineage(str(models / "tuned"), [str(path)])
        assert (found.verdict, len(found.notes)) == ("consistent", 1)
        assert "signature" in found.notes[0]
    assert not lineage(str(models / "tuned"), [str(signed)], key=key.public).notes
    assert lineage(str(signed), [str(plain)]).verdict == "consistent"
    with pytest.raises(VerifyError):
        lineage(str(models / "tuned"), [str(signed)], key=generate().public)
    with pytest.raises(VerifyError, match="not signed"):
        lineage(str(models / "tuned"), [str(plain)], key=key.public)


def test_what_is_no_fingerprint(models: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('{"a": 1}')
    assert read_fingerprint(str(path), None) is None  # a file of JSON, which is a model without weights
    path.write_text("{")
    assert read_fingerprint(str(path), None) is None
    path.write_bytes(
        statement_bytes(
            Statement(ResourceDescriptor("x", {"sha256": "ab" * 32}), lineage(str(models / "base")).predicate)
        )
    )
    with pytest.raises(UsageError, match="no fingerprint"):
        read_fingerprint(str(path), None)
    body = fingerprint(models / "base").statement.to_json()
    body["predicate"]["tensors"][0]["rows"]["values"] = "AAAA"
    path.write_text(json.dumps(body))
    with pytest.raises(ReadError, match="values that do not fit"):
        lineage(str(models / "tuned"), [str(path)])
    body["predicate"]["tensors"][0]["rows"]["values"] = "?"
    path.write_text(json.dumps(body))
    with pytest.raises(VerifyError, match="base64"):
        lineage(str(models / "tuned"), [str(path)])
