"""What the tests of disarm share: forged tensors, one run, and our own reader of safetensors on what was written."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import openvet
from openvet.core.limits import Budget
from openvet.disarm.rewrite import DisarmOptions, RefusedError
from openvet.formats import safetensors
from openvet.formats._format import Facts
from openvet.io.source import BytesSource
from openvet.testing.forge import Call, Name
from openvet.testing.forge_views import Stored, Strided, legacy_file, zip_file
from openvet.workflows.disarm import DisarmReport

FORMS: dict[str, Callable[[Any], bytes]] = {"zip": zip_file, "legacy": legacy_file}
DROP = DisarmOptions(drop_the_rest=True)
EVIL = Call(Name("os", "system"), ("echo forged",))
WORDS = {"Float": "F32", "Half": "F16", "BFloat16": "BF16", "Long": "I64", "Double": "F64", "Byte": "U8", "Bool": "BOOL",
         "Char": "I8", "Short": "I16", "Int": "I32"}  # fmt: skip


def read_back(path: Path) -> tuple[dict[str, tuple[str, tuple[int, ...], bytes]], dict[str, str]]:
    """Every tensor by name (dtype, shape, bytes), and the metadata. The file must be without fault."""
    data = path.read_bytes()
    facts = Facts(path.name, path.name, Budget())
    safetensors.read(BytesSource(data), facts)
    assert facts.anomalies == []
    assert facts.unknowns == []
    out = {}
    for each in facts.tensors:
        assert each.offset is not None
        assert each.nbytes is not None
        out[each.name] = (each.dtype, each.shape, data[each.offset : each.offset + each.nbytes])
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    return out, header["__metadata__"]


def stored(count: int, kind: str = "Float") -> Stored:
    probe = Stored(b"", kind)
    data = random.Random(f"{count} {kind}").randbytes(count * probe.width)
    return Stored(bytes(byte & 1 for byte in data) if kind == "Bool" else data, kind)


def plain(count: int = 4, kind: str = "Float") -> Strided:
    return Strided(stored(count, kind), (count,), (1,))


def run(tmp_path: Path, data: bytes, options: DisarmOptions | None = None) -> DisarmReport:
    source = tmp_path / "model.pt"
    source.write_bytes(data)
    report = openvet.disarm_model(source, tmp_path / "out.safetensors", options)
    left = {"model.pt", "out.safetensors", "out.safetensors.rest.json"}
    assert {each.name for each in tmp_path.iterdir()} <= left
    return report


def refused(tmp_path: Path, data: bytes, why: str, options: DisarmOptions | None = None) -> None:
    with pytest.raises(RefusedError, match=why):
        run(tmp_path, data, options)
    assert [each.name for each in tmp_path.iterdir()] == ["model.pt"]
