"""gguf/split-mismatch, and gguf/size-overflow and gguf/header-lies from bytes to finding."""

from __future__ import annotations

from typing import Any

import pytest

from openvet.checks._check import Context
from openvet.checks.gguf import header_lies, size_overflow, split_mismatch
from openvet.core.coverage import Coverage
from openvet.core.finding import Finding
from openvet.core.limits import Budget
from openvet.core.rule import Severity
from openvet.formats import gguf as reader
from openvet.formats._format import Facts
from openvet.inventory.component import Component, Inventory
from openvet.io.source import BytesSource
from openvet.testing.forge_tensors import GgufTensor, gguf


def component(place: str, data: bytes) -> Component:
    facts = Facts(place, place, Budget())
    reader.read(BytesSource(data), facts)
    return Component(
        place,
        place,
        len(data),
        ("gguf",),
        facts.coverage,
        metadata=facts.metadata,
        tensors=tuple(facts.tensors),
        anomalies=tuple(facts.anomalies),
    )


def part(
    number: int, count: int, *, tensors: int = 1, stated: int | None = None, place: str | None = None
) -> Component:
    keys: list[tuple[str, str, Any]] = [("split.no", "u16", number), ("split.count", "u16", count)]
    if stated is not None:
        keys.append(("split.tensors.count", "i32", stated))
    infos = [GgufTensor(f"t{number}.{n}", (8,), 0, size=32) for n in range(tensors)]
    return component(place or f"d/m-{number + 1:05}-of-{count:05}.gguf", gguf(keys, infos))


def run(*files: Component) -> list[Finding]:
    return list(split_mismatch.check(Context(Inventory(files), split_mismatch.RULE)))


def test_a_whole_set_is_no_finding() -> None:
    assert run(part(0, 3, stated=3), part(1, 3), part(2, 3)) == []
    assert run(component("m.gguf", gguf([("general.name", "string", "x")]))) == []
    assert run(part(0, 1)) == []


def test_two_sets_in_one_folder_stay_two() -> None:
    files = [part(n, 2, place=f"d/{name}-{n + 1:05}-of-00002.gguf") for name in ("q4", "q8") for n in (0, 1)]
    assert run(*files) == []


def test_missing_parts() -> None:
    findings = run(part(1, 4), part(3, 4))
    assert [(each.severity, each.evidence) for each in findings] == [(Severity.MEDIUM, {"count": 4, "missing": [1, 3]})]


def test_a_part_in_another_folder_is_missing() -> None:
    assert len(run(part(0, 2), part(1, 2, place="e/m-00002-of-00002.gguf"))) == 2


def test_one_part_twice() -> None:
    findings = run(part(0, 2), part(0, 2, place="d/m-00002-of-00002.gguf"))
    assert [each.message for each in findings] == [
        "and d/m-00001-of-00002.gguf both say that they are part 1 of 2",
        "the model has 2 parts, and 1 of them are not here: 2",
    ]


def test_a_number_beyond_the_count() -> None:
    messages = [each.message for each in run(part(2, 2))]
    assert messages == ["says that the model has 2 parts, and not rightly which one it is"]


def test_another_number_of_tensors_than_stated() -> None:
    findings = run(part(0, 2, stated=5), part(1, 2))
    assert [each.evidence for each in findings] == [{"stated": 5, "present": 2}]


def test_a_count_of_billions_is_bounded() -> None:
    keys: list[tuple[str, str, Any]] = [("split.no", "u32", 0), ("split.count", "u32", 2**32 - 1)]
    findings = run(component("m.gguf", gguf(keys)))
    assert len(findings[0].evidence["missing"]) == 20


def test_numbers_that_are_none_are_left_alone() -> None:
    keys: list[tuple[str, str, Any]] = [("split.no", "string", "0"), ("split.count", "string", "9")]
    assert run(component("m.gguf", gguf(keys))) == []


@pytest.mark.parametrize(
    ("value", "severity"), [(0, Severity.HIGH), (24, Severity.MEDIUM)], ids=["by zero", "no power of two"]
)
def test_an_alignment_of_zero_is_worse_than_an_odd_one(value: int, severity: Severity) -> None:
    data = gguf([("general.alignment", "u32", value)])
    context = Context(Inventory((component("m", data),)), header_lies.RULE)
    assert [each.severity for each in header_lies.check(context)] == [severity]


def test_an_overflow_from_bytes_to_finding() -> None:
    """gguf/size-overflow: large and honest, large and lying, and the same by multiplication of small extents."""

    def findings(*dims: int) -> list[Severity]:
        data = gguf([], [GgufTensor("t", dims, 0)], data=b"")
        context = Context(Inventory((component("m", data),)), size_overflow.RULE)
        return [each.severity for each in size_overflow.check(context)]

    assert findings(2**20, 2**20) == []
    assert findings(2**33, 2**33) == [Severity.HIGH]
    assert findings(2**16, 2**16, 2**16, 2**15) == [Severity.HIGH]


@pytest.mark.parametrize(("size", "count"), [(32, 0), (31, 1)])
def test_a_lie_from_bytes_to_finding(size: int, count: int) -> None:
    data = gguf([], [GgufTensor("t", (8,), 0, size=32), GgufTensor("u", (8,), 0, size=32, offset=size)])
    context = Context(Inventory((component("m", data),)), header_lies.RULE)
    assert len({each.evidence["lie"] for each in header_lies.check(context)}) == 2 * count
    assert Coverage.READ is component("m", data).coverage or count
