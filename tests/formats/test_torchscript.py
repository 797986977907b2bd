"""What is collected from TorchScript code and bytecode."""

from __future__ import annotations

from openvet.core.limits import Budget
from openvet.formats import torch_zip
from openvet.formats._format import Facts
from openvet.formats._torchscript import TorchScript
from openvet.io.source import BytesSource
from openvet.testing.forge_torchscript import torchscript


def read(data: bytes) -> Facts:
    facts = Facts("x", "x.pt", Budget())
    torch_zip.read(BytesSource(data), facts)
    return facts


def operators(data: bytes) -> dict[str, tuple[int, str]]:
    scripts = [each for each in read(data).programs if isinstance(each, TorchScript)]
    assert len(scripts) == 1
    return {each.name: (each.line, each.argument) for each in scripts[0].operators}


def test_every_spelling_of_an_operator() -> None:
    body = """a = torch.relu(x)
b = ops.aten.sigmoid(getattr(ops.aten, "tanh")(a))
c = ops.quantized.add(b, b, 1., 0)
d = torch.from_file("/x", False, 3)
e = ops.prim.RaiseException("no")
f = __torch__.torch.classes.quantized.Conv2dPackedParamsBase.__new__(a)
return d"""
    assert operators(torchscript(body)) == {
        "aten.from_file": (11, "/x"),
        "aten.relu": (8, ""),
        "aten.sigmoid": (9, ""),
        "aten.tanh": (9, ""),
        "class.quantized.Conv2dPackedParamsBase": (13, ""),
        "prim.RaiseException": (12, "no"),
        "quantized.add": (10, ""),
    }


def test_bytecode() -> None:
    assert set(operators(torchscript(operators=("aten::save", "no operator")))) == {"aten.relu", "aten.save"}


def test_an_ordinary_module_is_read_to_its_last_byte() -> None:
    facts = read(torchscript())
    assert (facts.unknowns, facts.anomalies) == ([], [])
    assert [(each.name, each.shape) for each in facts.tensors] == [("weight", (2, 2))]


def test_code_that_is_no_python_is_said_to_be_unread() -> None:
    facts = read(torchscript(code={"__torch__/a.py": "def f(:\n torch.save"}))
    assert [each.reason for each in facts.unknowns] == ["malformed"]


def test_deeply_nested_code_is_no_error_of_ours() -> None:
    deep = "return " + "(" * 5_000 + "x" + ")" * 5_000
    assert [each.reason for each in read(torchscript(deep)).unknowns] == ["malformed"]
    chained = "return x" + ".a" * 20_000
    read(torchscript(chained))


def test_a_bytecode_that_breaks() -> None:
    read(torchscript(extra={"bytecode.pkl": b"\x80\x02(X\xff\xff\xff\xff"}))
