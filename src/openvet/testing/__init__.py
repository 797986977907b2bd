"""The public test kit: hostile and harmless files out of text, cases with the decision that they deserve, servers in memory.

>>> from openvet.testing import Call, Case, Name, dump, run_case
>>> case = Case(
...     id="mine/hidden-call",
...     technique="a call hidden in a pickle",
...     forge=lambda: dump(Call(Name("os", "system"), ("echo forged",))),
...     decision="reject",
...     rules=frozenset({"pickle/runs-process"}),
...     name="model.pkl",
... )
>>> run_case(case).problem is None
True

Nothing here loads what it builds, and no payload does more than ``echo``. ``docs/guide/test-kit.md`` shows how to write a case.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openvet.testing.case import Answer, Case, all_cases, run_case, write_case
    from openvet.testing.forge import Call, Name, Persistent, assemble, dump
    from openvet.testing.forge_7z import forge_7z
    from openvet.testing.forge_archive import TarPart, ZipPart, forge_tar, forge_zip
    from openvet.testing.forge_tensors import gguf, npy, safetensors
    from openvet.testing.forge_torch import FakeTensor, state_dict, torch_legacy, torch_tar, torch_zip
    from openvet.testing.hub import Hub, Registry

__all__ = ["Answer", "Call", "Case", "FakeTensor", "Hub", "Name", "Persistent", "Registry", "TarPart", "ZipPart", "all_cases",
           "assemble", "dump", "forge_7z", "forge_tar", "forge_zip", "gguf", "npy", "run_case", "safetensors", "state_dict",
           "torch_legacy", "torch_tar", "torch_zip", "write_case"]  # fmt: skip

_HOMES = {
    "case": ("Answer", "Case", "all_cases", "run_case", "write_case"),
    "forge": ("Call", "Name", "Persistent", "assemble", "dump"),
    "forge_7z": ("forge_7z",),
    "forge_archive": ("TarPart", "ZipPart", "forge_tar", "forge_zip"),
    "forge_tensors": ("gguf", "npy", "safetensors"),
    "forge_torch": ("FakeTensor", "state_dict", "torch_legacy", "torch_tar", "torch_zip"),
    "hub": ("Hub", "Registry"),
}


def __getattr__(name: str) -> Any:  # PEP 562: a case that forges a pickle imports no server
    for module, names in _HOMES.items():
        if name in names:
            import importlib

            return getattr(importlib.import_module(f"openvet.testing.{module}"), name)
    raise AttributeError(f"module 'openvet.testing' has no attribute {name!r}")
