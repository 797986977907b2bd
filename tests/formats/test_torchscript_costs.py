"""Loops that never end and tensors that no machine holds (``torch/torchscript-exhausts``), and those that only look so."""

from __future__ import annotations

import ast

import pytest

from openvet.formats._torchscript_costs import costs


def told(body: str) -> list[str]:
    lines = "".join(f"  {line}\n" for line in body.split("\n"))
    return [what for _, what in costs(ast.parse(f"def forward(self, x):\n{lines}"))]


@pytest.mark.parametrize(
    "body",
    ["while True:\n  x = 1", "c = True\nwhile c:\n  c, x = True, 2", "for i in range(1099511627776):\n  x = 1", "return torch.ones([1048576, 1048576])",
     "for i in range(0, 9223372036854775807, 2):\n  x = 1", "n = annotate(int, 1099511627776)\nreturn torch.empty([n])", "y = torch.eye(1048576)",
     "y = torch.linspace(0., 1., 1099511627776)", "y = torch.repeat_interleave(x, 1099511627776)", "n = torch.pow(2, 40)\ny = torch.zeros([n])"],
)  # fmt: skip
def test_what_exhausts(body: str) -> None:
    assert len(told(body)) == 1


@pytest.mark.parametrize(
    "body",
    ["c = True\nwhile c:\n  c = torch.lt(x, 3)", "while c:\n  x = 1", "for i in range(n):\n  x = 1", "for i in range(1099511627776):\n  ops.prim.RaiseException(\"a\")",
     "y = torch.zeros([-1, 8])", "y = torch.full([2], 1099511627776)", "y = torch.mul(x, 1099511627776)", "y = torch.arange(1000)", "n = 1099511627776\nn = 3\ny = torch.zeros([n])"],
)  # fmt: skip
def test_what_does_not(body: str) -> None:
    assert told(body) == []
