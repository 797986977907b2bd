"""The raw arrays that joblib puts between opcodes: stepped over exactly, or what is behind them is said to be unread."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest

import openvet
from openvet.reports.report import ModelReport
from openvet.testing.forge import Call, Name, dump

PAYLOAD = b"cos\nsystem\n(S'echo forged'\ntR0"
WRAPPER = Name("joblib.numpy_pickle", "NumpyArrayWrapper")
NDARRAY = Name("numpy", "ndarray")


def dtype(code: str, size: int = -1, flags: int = 0, *, state: bool = True) -> Call:
    given = (3, "<", None, None, None, size, size, flags) if state else None
    return Call(Name("numpy", "dtype"), (code, False, True), state=given)


def wrapper(code: Call, shape: tuple[int, ...], alignment: int | None = 16, **more: Any) -> bytes:
    """The opcodes of one wrapper, up to its BUILD."""
    state: dict[str, Any] = {"subclass": NDARRAY, "shape": shape, "order": "C", "dtype": code, "allow_mmap": True}
    if alignment is not None:
        state["numpy_array_alignment_bytes"] = alignment
    return dump(Call(WRAPPER, (), state={**state, **more}, how="NEWOBJ"), 2)[2:-1]


def stream(*parts: bytes) -> bytes:
    return b"\x80\x02](" + b"".join(parts) + b"e."


def padded(data: bytes, padding: int = 5) -> bytes:
    return bytes([padding]) + b"\xff" * padding + data


def check(tmp_path: Path, data: bytes) -> ModelReport:
    (tmp_path / "model.joblib").write_bytes(data)
    return openvet.check(tmp_path / "model.joblib").models[0]


def verdict(model: ModelReport) -> str:
    return str(model.decision.verdict)


def tensors(model: ModelReport) -> list[tuple[str, tuple[int, ...], int | None, int | None]]:
    assert model.inventory is not None
    return [(t.dtype, tuple(t.shape), t.offset, t.nbytes) for item in model.inventory.items for t in item.tensors]


ORDINARY = stream(
    wrapper(dtype("f8"), (2, 3)), padded(bytes(48)),
    wrapper(dtype("i4"), (), None), bytes(4),
    wrapper(dtype("U3", 12), (2,)), padded(bytes(24), 0),
    wrapper(dtype("V16", 16, 16), (1,)), padded(bytes(16)),
)  # fmt: skip


def test_ordinary_arrays(tmp_path: Path) -> None:
    model = check(tmp_path, ORDINARY)
    found = tensors(model)
    assert [(word, shape, nbytes) for word, shape, _, nbytes in found] == [
        ("F64", (2, 3), 48), ("I32", (), 4), ("U12", (2,), 24), ("V16", (1,), 16),
    ]  # fmt: skip
    assert [str(each.rule) for each in model.scan.all_findings()] == ["pickle/framework-class"]
    assert verdict(model) == "admit"


def test_the_elements_are_where_it_says(tmp_path: Path) -> None:
    data = stream(wrapper(dtype("f8"), (2,)), padded(struct.pack("<2d", 1.5, 2.5)))
    [(_, _, offset, nbytes)] = tensors(check(tmp_path, data))
    assert offset is not None
    assert nbytes is not None
    assert struct.unpack("<2d", data[offset : offset + nbytes]) == (1.5, 2.5)


@pytest.mark.parametrize("where", range(3))
def test_a_payload_between_arrays_is_found(where: int, tmp_path: Path) -> None:
    parts = [wrapper(dtype("f8"), (2,)) + padded(bytes(16)), wrapper(dtype("i8"), (1,)) + padded(bytes(8))]
    parts.insert(where, PAYLOAD)
    assert verdict(check(tmp_path, stream(*parts))) == "reject"


def test_an_array_of_objects_is_a_pickle_of_its_own(tmp_path: Path) -> None:
    for code in (dtype("O8", -1, 63), dtype("f8", -1, 1)):  # the flag of the state decides, not the code
        good = stream(wrapper(code, (2,)), dump([1, "text"], 2), wrapper(dtype("f8"), (1,)), padded(bytes(8)))
        assert verdict(check(tmp_path, good)) == "admit"
        bad = stream(wrapper(code, (2,)), b"\x80\x02" + PAYLOAD + b"N.")
        assert verdict(check(tmp_path, bad)) == "reject"
        after = stream(wrapper(code, (2,)), dump([1], 2), PAYLOAD)
        assert verdict(check(tmp_path, after)) == "reject"


def test_what_pickle_itself_would_run_in_an_array_is_found(tmp_path: Path) -> None:
    """joblib takes these bytes for numbers, and ``pickle.load`` takes them for opcodes."""
    data = stream(wrapper(dtype("u1"), (len(PAYLOAD) + 2,), None), PAYLOAD + b"e.")
    assert verdict(check(tmp_path, data)) == "reject"


@pytest.mark.parametrize(
    "lie",
    [
        wrapper(dtype("S1", 400), (1,)) + padded(bytes(1)) + PAYLOAD,  # the state makes an element longer than the file
        wrapper(dtype("f8", 4), (2,)) + padded(bytes(8)) + PAYLOAD,
        wrapper(Call(Name("numpy", "dtype"), (Name("numpy", "float64"),)), (2,)) + padded(bytes(16)) + PAYLOAD,
        wrapper(dtype("f8"), (2,), more=1) + padded(bytes(16)) + PAYLOAD,
        wrapper(dtype("f8"), (2,), read=Name("collections", "OrderedDict")) + padded(bytes(16)) + PAYLOAD,
        wrapper(dtype("f8"), (-1,)) + PAYLOAD,
        wrapper(dtype("f8"), (2**40, 2**40)) + PAYLOAD,
        wrapper(dtype("f8"), (2,), subclass=Name("project", "Array")) + padded(bytes(16)) + PAYLOAD,
        wrapper(dtype("f8"), (2,), alignment=None, numpy_array_alignment_bytes=None) + bytes(16) + PAYLOAD,
    ],
    ids=["element", "element-of-number", "code", "field", "method", "negative", "endless", "subclass", "alignment"],
)
def test_where_the_end_is_uncertain_nothing_is_admitted(lie: bytes, tmp_path: Path) -> None:
    model = check(tmp_path, stream(lie))
    assert verdict(model) != "admit"
    assert any("cannot be told" in each.message for each in model.scan.all_unknowns())


def test_the_last_state_of_a_dtype_says_how_long_an_element_is(tmp_path: Path) -> None:
    """What the code alone would step over is run by joblib: NumPy takes the size from the state."""
    short = wrapper(dtype("S40", 1), (1,)) + padded(bytes(1)) + PAYLOAD.ljust(39, b"N")
    assert verdict(check(tmp_path, stream(short))) == "reject"
    body = dump(dtype("S40", 40), 2)[2:-1]
    again = dump((3, "<", None, None, None, 1, 1, 0), 2)[2:-1] + b"b"
    twice = wrapper(dtype("S40", 40), (1,)).replace(body, body + again)
    assert twice.count(again) == 1
    model = check(tmp_path, stream(twice, padded(bytes(1)), PAYLOAD.ljust(39, b"N")))
    assert verdict(model) != "admit"


def test_an_array_inside_a_frame_is_uncertain(tmp_path: Path) -> None:
    """An unpickler that holds the frame in memory would read the array from behind the frame."""
    body = wrapper(dtype("f8"), (1,)) + padded(bytes(8))
    for frame, expected in ((len(wrapper(dtype("f8"), (1,))), "admit"), (len(body), "review")):
        data = b"\x80\x04\x95" + struct.pack("<Q", frame) + body + b"."
        model = check(tmp_path, data)
        assert verdict(model) == expected, [each.message for each in model.decision.reasons]


@pytest.mark.parametrize("cut", [1, 5, 17, 30])
def test_one_that_is_cut_is_never_admitted(cut: int, tmp_path: Path) -> None:
    assert verdict(check(tmp_path, ORDINARY[:-cut])) != "admit"
