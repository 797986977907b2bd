"""npy/object-array and npy/header-lies, from bytes to finding."""

from __future__ import annotations

from types import ModuleType

from openvet.checks._check import Context
from openvet.checks.npy import header_lies, object_array
from openvet.core.finding import Finding
from openvet.core.limits import Budget
from openvet.core.rule import Severity
from openvet.errors import ReadError
from openvet.formats import npy as reader
from openvet.formats._format import Facts
from openvet.inventory.component import Component, Inventory
from openvet.io.source import BytesSource
from openvet.testing.forge_tensors import npy


def findings(module: ModuleType, descr: str, shape: str) -> list[Finding]:
    facts = Facts("a.npy", "a.npy", Budget())
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}"
    try:
        reader.read(BytesSource(npy(header, b"\x80\x02N.")), facts)
    except ReadError:
        pass
    component = Component("a.npy", "a.npy", 1, ("npy",), facts.coverage, anomalies=tuple(facts.anomalies))
    return list(module.check(Context(Inventory((component,)), module.RULE)))


def test_an_array_of_numbers_is_no_finding() -> None:
    assert findings(object_array, "'<f4'", "(1,)") == []
    assert findings(header_lies, "'<f4'", "(1,)") == []


def test_an_array_of_objects_is_a_note() -> None:
    assert [each.severity for each in findings(object_array, "'|O'", "(1,)")] == [Severity.NOTE]


def test_objects_in_one_field_of_many_are_found() -> None:
    assert len(findings(object_array, "[('a', '<f4'), ('b', [('c', '|O')])]", "(1,)")) == 1


def test_an_impossible_shape() -> None:
    assert [each.severity for each in findings(header_lies, "'<f4'", "(-1,)")] == [Severity.MEDIUM]
    assert len(findings(header_lies, "'<f4'", "(4294967296, 4294967296)")) == 1
