"""The complete examples of CONTRIBUTING are complete: they import, and do what the text says."""

from __future__ import annotations

import re
import struct
import types
from pathlib import Path

import pytest

from openvet.checks._check import Context
from openvet.checks._docs import SECTIONS, summary_and_sections
from openvet.core.limits import Budget
from openvet.errors import LimitError, MalformedError
from openvet.formats._format import Coverage, Facts, Head, Likeness
from openvet.inventory.component import Component, Inventory
from openvet.io.source import BytesSource

ROOT = Path(__file__).resolve().parents[2]


def example(path: str) -> types.ModuleType:
    blocks = re.findall(r"```python\n# (\S+)\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), re.DOTALL)
    (text,) = [text for name, text in blocks if name == path]
    module = types.ModuleType("openvet." + Path(path).stem)
    exec(compile(text, path, "exec"), module.__dict__)
    return module


def read(data: bytes) -> Facts:
    facts = Facts("model.toy", "model.toy", Budget())
    example("src/openvet/formats/toy.py").read(BytesSource(data), facts)
    return facts


def toy(*tensors: tuple[bytes, int]) -> bytes:
    body = b"".join(bytes([len(name)]) + name + struct.pack("<I", size) + bytes(4 * size) for name, size in tensors)
    return b"TOY1" + struct.pack("<I", len(tensors)) + body


def test_the_format_reads_what_it_describes() -> None:
    facts = read(toy((b"a", 3), (b"b\x1b", 1)))
    assert [(t.name, t.shape, t.offset, t.nbytes) for t in facts.tensors] == [
        ("a", (3,), 14, 12),
        ("b\\x1b", (1,), 33, 4),
    ]
    assert (facts.coverage, facts.unknowns, facts.anomalies) == (Coverage.READ, [], [])


def test_the_format_refuses_what_it_must() -> None:
    for end in range(4, len(toy((b"a", 3)))):
        with pytest.raises(MalformedError):
            read(toy((b"a", 3))[:end])
    with pytest.raises(LimitError):
        read(b"TOY1\xff\xff\xff\xff")
    assert read(toy((b"a", 3)) + b"!").coverage is Coverage.PARTIAL


def test_the_format_is_recognised_by_its_bytes() -> None:
    probe = example("src/openvet/formats/toy.py").probe
    assert probe(Head("model.bin", BytesSource(toy()))) is Likeness.STRONG
    assert probe(Head("model.toy", BytesSource(b"TOY2" + bytes(4)))) is Likeness.NO


def test_the_check_reports_what_the_reader_saw() -> None:
    module = example("src/openvet/checks/toy/no_tensor.py")
    facts = read(toy())
    component = Component("model.toy", "model.toy", 8, ("toy",), facts.coverage, anomalies=tuple(facts.anomalies))
    found = list(module.check(Context(Inventory((component,)), module.RULE)))
    assert [(f.rule, str(f.severity), f.message, str(f.location)) for f in found] == [
        ("toy/no-tensor", "low", "describes no tensor", "model.toy @4")
    ]
    assert tuple(heading for heading, _ in summary_and_sections(module)[1]) == SECTIONS
