"""Piece by piece or at once: the bytes are the same."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from openvet.reports import _json_pieces
from openvet.reports._json_pieces import pieces
from openvet.reports._wording import clean
from tests.reports import samples


def at_once(value: Any, indent: int | None) -> str:
    separators = (",", ":") if indent is None else None
    return json.dumps(clean(value), indent=indent, ensure_ascii=False, allow_nan=False, separators=separators) + "\n"


@pytest.mark.parametrize("indent", [2, None])
@pytest.mark.parametrize("name", sorted(samples.SAMPLES))
def test_pieces_are_what_json_writes(name: str, indent: int | None) -> None:
    report = samples.SAMPLES[name]
    assert "".join(pieces(report, indent=indent)) == at_once(report.to_json(), indent)


@pytest.mark.parametrize(
    "value",
    [
        {}, [], (), "", None, True, -0.0, 1e300, float("nan"), float("inf"), 2**53, 2**53 + 1, -(2**80), "a\x1b\u202e\ud800\n\t\"\\",
        {"a": [], "b": {}, 1: (None, False, {"\x00": [b"bytes", {1}]})}, [[[[]]]], {"": {"": [0.1]}},
    ],
)  # fmt: skip
def test_odd_values(value: Any) -> None:
    assert "".join(pieces(value)) == at_once(value, 2)


def test_a_deep_value_is_cut_at_the_same_level() -> None:
    value: Any = "end"
    for _ in range(400):
        value = [value]
    assert "".join(pieces(value)) == at_once(value, 2)


def test_an_iterator_is_a_list() -> None:
    assert json.loads("".join(pieces({"a": iter([1, 2]), "b": iter([])}))) == {"a": [1, 2], "b": []}


def test_no_piece_grows_with_the_number_of_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    report = samples.SAMPLES["hostile"]
    (model,) = report.models
    file = next(each for each in model.scan.files if each.findings)
    many = replace(file, findings=file.findings * 500)
    long = replace(report, models=(replace(model, scan=replace(model.scan, files=(many,))),))
    monkeypatch.setattr(_json_pieces, "_PIECE", 10_000)
    lengths = [len(piece) for piece in pieces(long)]
    assert sum(lengths) > 500_000
    assert max(lengths) < 40_000
