"""Reads what was written with our own reader of safetensors."""

from __future__ import annotations

import json
from pathlib import Path

from openvet.core.limits import Budget
from openvet.formats import safetensors
from openvet.formats._format import Facts
from openvet.io.source import BytesSource


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
