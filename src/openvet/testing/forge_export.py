"""Forges exported programs, packages and distributed checkpoints of PyTorch, without torch."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

from openvet.testing.forge import Call, Name, dump
from openvet.testing.forge_torch import FakeTensor, state_dict, torch_zip

__all__ = ["checkpoint", "exported", "package", "shard", "zipped"]


def zipped(members: Mapping[str, bytes | str]) -> bytes:
    """A zip whose bytes are the same each time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return buffer.getvalue()


def exported(
    target: str = "torch.ops.aten.relu.default",
    *,
    expression: str = "Mod(s0, 8) + 2*s1",
    use_pickle: bool = False,
    weight: bytes | None = None,
    sample: Any = ((), {}),
    extra: Mapping[str, bytes] | None = None,
) -> bytes:
    """``torch.export.save`` of a graph of one node with one weight."""
    node = {
        "target": target,
        "inputs": [],
        "outputs": [],
        "metadata": {"stack_trace": 'File "net.py", line 1, eval(x)'},
    }
    size = {"as_expr": {"expr_str": expression, "hint": None}}
    graph = {
        "graph_module": {"graph": {"nodes": [node], "tensor_values": {"x": {"sizes": [size]}}}},
        "opset_version": {"aten": 10},
    }
    meta = {"dtype": 7, "sizes": [{"as_int": 2}, {"as_int": 2}], "strides": [{"as_int": 2}, {"as_int": 1}]}
    config = {
        "config": {
            "l.weight": {"path_name": "weight_0", "is_param": True, "use_pickle": use_pickle, "tensor_meta": meta}
        }
    }
    return zipped(
        {
            "m/data/weights/weight_0": bytes(16) if weight is None else weight,
            "m/data/weights/model_weights_config.json": json.dumps(config),
            "m/models/model.json": json.dumps(graph),
            "m/data/sample_inputs/model.pt": torch_zip(sample),
            "m/archive_format": "pt2",
            "m/archive_version": "0",
            "m/.data/version": "6\n",
            "m/byteorder": "little",
            **{f"m/{name}": data for name, data in (extra or {}).items()},
        }
    )


def package(value: Any = None, sources: Mapping[str, str] | None = None, *, storage: bytes = bytes(16)) -> bytes:
    """A ``torch.package`` archive with one pickle."""
    rebuilt = torch_zip(state_dict({"w": FakeTensor((2, 2))})) if value is None else b""
    with zipfile.ZipFile(io.BytesIO(rebuilt or zipped({"archive/data.pkl": dump(value, 3)}))) as archive:
        program = archive.read("archive/data.pkl")
    return zipped(
        {
            "pkg/.data/0.storage": storage,
            "pkg/model/model.pkl": program,
            **{f"pkg/{name}": text for name, text in (sources or {}).items()},
            "pkg/.data/extern_modules": "torch\ntorch._utils\ncollections\n",
            "pkg/.data/python_version": "3.11.7",
            "pkg/.data/version": "6\n",
            "pkg/byteorder": "little",
        }
    )


def shard(*values: Any) -> bytes:
    """A shard of a distributed checkpoint: what ``torch.save`` writes, back to back."""
    return b"".join(torch_zip(value) for value in values)


def checkpoint(metadata: Any = None, *values: Any) -> dict[str, bytes]:
    """The folder of a distributed checkpoint."""
    home = "torch.distributed.checkpoint.metadata"
    kept = Call(Name(home, "BytesStorageMetadata"))
    plain = Call(Name(home, "Metadata"), state={"state_dict_metadata": {"step": kept}}, how="NEWOBJ")
    tensors = values or (state_dict({"w": FakeTensor((2, 2))}), {"step": 3})
    return {".metadata": dump(plain if metadata is None else metadata, 4), "__0_0.distcp": shard(*tensors)}
