"""TorchScript archives: file operators, escapes, operators of other libraries, and ordinary modules."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
from collections.abc import Callable
from functools import partial
from typing import Literal

from openvet.testing.case import Case
from openvet.testing.forge import Call, Name, Persistent, dump
from openvet.testing.forge_torchscript import module_of, torchscript

__all__ = ["CASES"]

_SAVE = 'torch.save(x, "/tmp/x")\nreturn x'


def _case(
    word: str, technique: str, forge: Callable[[], bytes], decision: Literal["admit", "review", "reject"], *rules: str,
    name: str = "model.pt",
) -> Case:  # fmt: skip
    return Case(
        id=f"torchscript/{word}",
        technique=technique,
        forge=forge,
        decision=decision,
        rules=frozenset(f"torch/torchscript-{rule}" for rule in rules),
        formats=("torch-zip",),
        name=name,
    )


def _mobile(key: str, folder: str) -> bytes:
    """A model of the lite interpreter before 2021: the storages of its bytecode lie in a folder of their own."""
    storage = Persistent(("storage", Name("torch", "FloatStorage"), key, "cpu", 4))
    tensor = Call(
        Name("torch._utils", "_rebuild_tensor_v2"),
        (storage, 0, (4,), (1,), False, Call(Name("collections", "OrderedDict"), ())),
    )
    return torchscript(
        extra={"bytecode.pkl": dump((4, tensor), 2), f"{folder}/0": struct.pack("<4f", 1.5, 2.5, 3.5, 4.5)}
    )


def _zipped(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("model/net.pt"), data)
    return buffer.getvalue()


_ORDINARY = """_0 = torch.gt(torch.sum(x), 3)
if bool(_0):
  ops.prim.RaiseException("too large", "builtins.ValueError")
else:
  pass
print("hello", x)
a = annotate(List[int], [])
_1 = torch.append(a, 1)
y = torch.linear(x, self.weight, CONSTANTS.c0)
z = ops.quantized.add(y, y, 1., 0)
return getattr(self, "0")"""

CASES: tuple[Case, ...] = (
    _case("save", "forward writes a file by torch.save", lambda: torchscript(_SAVE), "reject", "files"),
    _case("from-file", "forward reads a file into a tensor by torch.from_file",
          lambda: torchscript('return torch.from_file("/etc/hostname", False, 9)'), "reject", "files"),
    _case("ops-aten-save", "the operator is written as ops.aten.save",
          lambda: torchscript('_0 = ops.aten.save(x, "/tmp/x")\nreturn x'), "reject", "files"),
    _case("getattr", "the operator is taken by getattr",
          lambda: torchscript('_0 = getattr(torch, "sa" "ve")(x, "/tmp/x")\nreturn x'), "reject", "files"),
    _case("method-of-value", "the operator is called as a method of a value",
          lambda: torchscript('_0 = (x).save("/tmp/x", )\nreturn x'), "reject", "files"),
    _case("alias", "the operator has another name first",
          lambda: torchscript('f = torch.from_file\nreturn f("/etc/hostname", False, 9)'), "reject", "files"),
    _case("other-file", "the code is in a source of a layer, deep below code",
          lambda: torchscript(code={"__torch__/torch/nn/modules/linear.py": module_of(_SAVE)}), "reject", "files"),
    _case("upper-case", "the folder of the code is written in upper case, which the loader takes as well",
          lambda: torchscript(extra={"CODE/__torch__/a.PY": module_of(_SAVE).encode()}), "reject", "files"),
    _case("setstate", "__setstate__ of a class writes a file on loading",
          lambda: torchscript(code={"__torch__/b.py": module_of(_SAVE).replace("forward", "__setstate__")}), "reject", "files"),
    _case("inner-function", "a function that is forked writes a file",
          lambda: torchscript('def __forked_function():\n  _0 = torch.save(x, "/tmp/x")\n  return x\nf = fork(__forked_function)\nreturn torch.wait(f)'),
          "reject", "files"),
    _case("torchvision", "forward reads a file by an operator of torchvision",
          lambda: torchscript('return ops.image.read_file("/etc/hostname")'), "reject", "files"),
    _case("torchaudio", "forward writes a file by an operator of torchaudio",
          lambda: torchscript('_0 = ops.torchaudio.sox_io_save_audio_file("/tmp/x", x, 1)\nreturn x'), "reject", "files"),
    _case("bytecode", "the bytecode of the lite interpreter has aten::save",
          lambda: torchscript(operators=("aten::relu", "aten::save")), "reject", "files", name="model.ptl"),
    _case("bytecode-before-2021", "the bytecode has its tensors in a folder of its own", lambda: _mobile("0", "bytecode"), "admit", name="model.ptl"),
    _case("bytecode-with-constants", "the bytecode has its tensors among the constants", lambda: _mobile("0", "constants"), "admit", name="model.ptl"),
    _case("python-operator", "the code calls Python", lambda: torchscript("return ops.prim.PythonOp(x)"), "reject", "escape"),
    _case("rpc", "the code runs a function on another machine",
          lambda: torchscript('return ops.prim.rpc_sync("worker", "f")'), "reject", "escape"),
    _case("compiled-model", "the model holds a compiled model by a class in C++",
          lambda: torchscript(kind="__torch__.torch.classes.aoti"), "reject", "escape"),
    _case("in-zip", "a script that writes files lies in a zip", lambda: _zipped(torchscript(_SAVE)), "reject", "files", name="model.zip"),
    _case("in-gzip", "a script that writes files is compressed",
          lambda: gzip.compress(torchscript(_SAVE), mtime=0), "reject", "files", name="model.pt.gz"),
    _case("broken-source", "a source that only PyTorch can parse names a file operator",
          lambda: torchscript(code={"__torch__/c.py": "class A(Module):\n  def f(self) -> int: $$$\n torch.save(x)\n"}), "reject", "files"),
    _case("custom-operator", "the code needs an operator of another library",
          lambda: torchscript("return ops.mycompany.attention(x)"), "review", "custom-operator"),
    _case("custom-class", "the model holds an engine of TensorRT",
          lambda: torchscript(kind="__torch__.torch.classes.tensorrt"), "review", "custom-operator"),
    _case("own-save", "a module has a method of its own that is called save",
          lambda: torchscript("return (self).save(x, )", code={"__torch__/d.py": "class S(Module):\n  def save(self, x: Tensor) -> Tensor:\n    return x\n"}),
          "review", "custom-operator"),
    _case("unparsable", "a source that cannot be parsed names nothing",
          lambda: torchscript(code={"__torch__/e.py": "class A(Module):\n  def f(self) -> $:\n"}), "review"),
    _case("ordinary", "a module with exceptions, prints, lists and quantized operators", lambda: torchscript(_ORDINARY), "admit"),
    _case("lite", "a module for the lite interpreter",
          lambda: torchscript(operators=("aten::relu", "quantized::linear", "prim::TupleIndex")), "admit", name="model.ptl"),
    _case("extra-files", "a module with extra files", lambda: torchscript(extra={"extra/config.json": b"{}"}), "admit"),
    _case("words", "file operators in texts, comments and names of variables",
          lambda: torchscript('# torch.save(x)\nsave = "torch.save"\nfrom_file = 1\nreturn torch.relu(x)'), "admit"),
    _case("packed", "quantized parameters in a class that PyTorch has", lambda: torchscript(kind="__torch__.torch.classes.quantized"), "admit"),
    _case("torchvision-nms", "non-maximum suppression of torchvision", lambda: torchscript("return ops.torchvision.nms(x, x, 0.5)"), "admit"),
    _case("constants", "constants of a frozen module", lambda: torchscript(constants=(1, "torch.save", [2.0])), "admit", name="model.jit"),
)  # fmt: skip

_WHILE = "c = True\nwhile c:\n  c, x = True, torch.add(x, 1)\nreturn x"
_EXHAUSTING = (
    ("while", "a loop whose condition is always true", _WHILE),
    ("while-constant", "the same without a name", "while True:\n  x = torch.add(x, 1)\nreturn x"),
    (
        "while-unbound",
        "the same where nothing binds the condition anew",
        "c = True\nwhile c:\n  x = torch.add(x, 1)\nreturn x",
    ),
    ("for", "a loop of an absurd count", "for i in range(9223372036854775807):\n  x = torch.add(x, 1)\nreturn x"),
    (
        "for-in-for",
        "loops in loops of an absurd count",
        "for i in range(16777216):\n  for j in range(16777216):\n    x = torch.add(x, 1)\nreturn x",
    ),
    ("zeros", "a tensor of an absurd size", "return torch.zeros([1099511627776])"),
    (
        "zeros-multiplied",
        "the same with a shape that is named and multiplied",
        "n = torch.mul(1048576, 1048576)\ns = [n, 8]\nreturn torch.zeros(s)",
    ),
    ("arange", "a row of an absurd length", "return torch.arange(0, 1099511627776)"),
    ("repeat", "a tensor that is repeated", "return torch.repeat(x, [1048576, 1048576])"),
    ("list", "a list that is multiplied", "a = torch.mul([0], 1099511627776)\nreturn x"),
    ("empty", "memory that is only asked for", "return torch.empty([2, 1099511627776], dtype=6)"),
)
_ORDINARY_COSTS = (
    ("while", "a loop that ends", "c = True\nwhile c:\n  x = torch.add(x, 1)\n  c = torch.lt(torch.sum(x), 3)\nreturn x"),
    ("while-tuple", "a loop that ends, as the compiler writes it", "c, i = True, 0\nwhile c:\n  _1 = torch.lt(i, 9)\n  c, i = _1, torch.add(i, 1)\nreturn x"),
    ("while-raise", "a loop that an exception ends", "c = True\nwhile c:\n  if bool(torch.gt(x, 3)):\n    ops.prim.RaiseException(\"done\")\n  else:\n    pass\nreturn x"),
    ("for", "loops of ordinary counts", "for i in range(torch.len(x)):\n  for j in range(1000):\n    x = torch.add(x, 1)\nreturn x"),
    ("zeros", "tensors of ordinary sizes", "y = torch.zeros([1, 1, 8192, 8192])\nz = torch.full([2, 3], 9223372036854775807)\nreturn torch.arange(9223372036)"),
    ("slice", "the largest number as an end", "return torch.slice(x, 0, 0, 9223372036854775807, 1)"),
    ("sizes", "sizes that the input gives", "return torch.zeros([torch.size(x, 0), torch.mul(torch.size(x, 1), 1024)])"),
)  # fmt: skip

CASES += (
    *(_case(f"exhausts-{word}", what, partial(torchscript, body), "reject", "exhausts") for word, what, body in _EXHAUSTING),
    *(_case(f"ordinary-{word}", what, partial(torchscript, body), "admit") for word, what, body in _ORDINARY_COSTS),
    _case("exhausts-on-loading", "__setstate__ of a class never ends",
          lambda: torchscript(code={"__torch__/b.py": module_of(_WHILE).replace("forward", "__setstate__")}), "reject", "exhausts"),
)  # fmt: skip
