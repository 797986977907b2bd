"""Forges TorchScript archives around code, without torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openvet.testing.forge import Call, Name, dump
from openvet.testing.forge_torch import FakeTensor, torch_zip

__all__ = ["module_of", "torchscript"]

_CLASS = """class Net(Module):
  __parameters__ = ["weight", ]
  __buffers__ = []
  weight : Tensor
  training : bool
"""


def module_of(body: str, *, arguments: str = "self: __torch__.Net,\n    x: Tensor", result: str = "Tensor") -> str:
    """The source of a module whose ``forward`` has the lines of ``body``."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return f"{_CLASS}  def forward({arguments}) -> {result}:\n{lines}"


def torchscript(
    body: str = "return torch.relu(x)",
    *,
    code: Mapping[str, str] | None = None,
    operators: tuple[str, ...] = (),
    extra: Mapping[str, bytes] | None = None,
    constants: Any = (),
    kind: str = "__torch__",
) -> bytes:
    """``torch.jit.save`` of a module; ``code`` are other sources by their place, ``operators`` those of bytecode."""
    state = {"training": False, "weight": FakeTensor((2, 2))}
    model = Call(Name(kind, "Net"), state=state, how="NEWOBJ")
    members = {"constants.pkl": dump(constants, 2), "code/__torch__.py": module_of(body).encode()}
    members |= {f"code/{name}": text.encode() for name, text in (code or {}).items()}
    if operators:
        table = ("operators", tuple((name, "", 2) for name in operators))
        members["bytecode.pkl"] = dump((9, ("__torch__.Net.forward", (("instructions", (("OP", 0, 0),)), table))), 2)
    members.update(extra or {})
    return torch_zip(model, extra=members)
