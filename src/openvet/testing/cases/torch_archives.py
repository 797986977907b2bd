"""Exported programs, packages and distributed checkpoints of PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from openvet.testing.case import Case
from openvet.testing.forge import Call, Name, dump
from openvet.testing.forge_export import checkpoint, exported, package, shard
from openvet.testing.forge_native import elf_library
from openvet.testing.forge_torch import FakeTensor, state_dict

__all__ = ["CASES"]

_EVIL = Call(Name("os", "system"), ("echo x",))
_ELF = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\0\x3e\0\x01\0\0\0" + bytes(40)


def _case(
    word: str, technique: str, forge: Callable[[], bytes | Mapping[str, bytes]], decision: Literal["admit", "review", "reject"],
    *rules: str, name: str = "model.pt2", formats: tuple[str, ...] = ("torch-export",),
) -> Case:  # fmt: skip
    return Case(f"torch-archives/{word}", technique, forge, decision, frozenset(rules), formats, (), name)


_PACKAGE = ("torch-package",)
_DCP = ("torch-distcp",)
CASES: tuple[Case, ...] = (
    _case("export-walk", "a node of a graph calls what a walk over attributes leads to",
          lambda: exported("torch.serialization.os.system"), "reject", "torch/torchscript-escape"),
    _case("export-walk-operator", "a node of a graph calls operator.methodcaller through another module",
          lambda: exported("math.__loader__.load_module"), "reject", "torch/torchscript-escape"),
    _case("export-from-file", "a node of a graph reads a file", lambda: exported("torch.ops.aten.from_file.default"), "reject", "torch/torchscript-files"),
    _case("export-load-library", "a node of a graph loads a library",
          lambda: exported("torch.ops.load_library"), "reject", "torch/torchscript-escape"),
    _case("export-expression", "a size is an expression that SymPy evaluates to a payload",
          lambda: exported(expression="__import__('os').system('echo x')"), "reject", "torch/export-expression"),
    _case("export-expression-without-text", "the expression makes its texts out of numbers",
          lambda: exported(expression="eval(chr(49))"), "reject", "torch/export-expression"),
    _case("export-expression-attribute", "the expression walks attributes of a symbol",
          lambda: exported(expression="s0.func"), "reject", "torch/export-expression"),
    _case("export-pickled-weight", "a weight is a pickle",
          lambda: exported(use_pickle=True, weight=dump(_EVIL, 2)), "reject", "pickle/runs-process"),
    _case("export-sample-inputs", "the sample inputs are a pickle with a payload",
          lambda: exported(sample=_EVIL), "reject", "pickle/runs-process"),
    _case("export-compiled", "compiled code of AOTInductor is in the archive",
          lambda: exported(extra={"data/aotinductor/model/model.so": _ELF}), "review", "file/native-code"),
    _case("export-compiled-shell", "compiled code of AOTInductor takes a function that starts programs",
          lambda: exported(extra={"data/aotinductor/model/model.so": elf_library(["expf", "system"])}), "reject", "file/native-code"),
    _case("export-compiled-mathematics", "compiled code of AOTInductor takes mathematics",
          lambda: exported(extra={"data/aotinductor/model/model.so": elf_library(["expf", "aoti_torch_empty_strided"])}), "review",
          "file/native-code"),
    _case("export-custom-object", "a constant is a scripted object with a payload",
          lambda: exported(extra={"data/constants/custom_obj_0": dump(_EVIL, 2)}), "reject", "pickle/runs-process"),
    _case("export-custom-operator", "a node of a graph needs an operator of another library",
          lambda: exported("torch.ops.mycompany.attention.default"), "review", "torch/torchscript-custom-operator"),
    _case("export-unknown-function", "a node of a graph calls a function that is not known",
          lambda: exported("torch.something.new"), "review", "torch/torchscript-custom-operator"),
    _case("export-short-weight", "a weight is shorter than its sizes say",
          lambda: exported(weight=bytes(4)), "reject", "torch/storage-mismatch"),
    _case("export-ordinary", "an exported program", exported, "admit"),
    _case("export-getitem", "a graph that takes an item of a tuple", lambda: exported("_operator.getitem"), "admit"),
    _case("export-sizes-as-symbols", "sizes as PyTorch 2.14 writes them: what makes each symbol",
          lambda: exported(expression="Mul(Integer(2), Symbol('s77', positive=True, integer=True))"), "admit"),
    _case("export-symbol-of-a-call", "the name of a symbol is no name",
          lambda: exported(expression="Symbol('x').__class__('os')"), "reject", "torch/export-expression"),
    _case("export-sizes", "sizes that are expressions", lambda: exported(expression="Max(1, FloorDiv(s77 + 3, 2**4)) <= 1024"), "admit"),
    _case("export-sym", "a graph that computes with sizes", lambda: exported("torch.sym_max"), "admit"),
    _case("package-pickle", "a pickle in a package has a payload", lambda: package(_EVIL), "reject", "pickle/runs-process", name="model.pt", formats=_PACKAGE),
    _case("package-source", "a source in a package has a payload that runs on import",
          lambda: package(sources={"net/model.py": "import os\nos.system('echo x')\n"}), "reject",
          "python/process-at-load", "hub/python-code", name="model.pt", formats=_PACKAGE),
    _case("package-ordinary-source", "a package with a source of its own",
          lambda: package(sources={"net/model.py": "import torch\nclass Net(torch.nn.Module):\n    pass\n"}), "admit",
          name="model.pt", formats=_PACKAGE),
    _case("package-short-storage", "a storage of a package is shorter than its pickle claims",
          lambda: package(storage=bytes(4)), "reject", "torch/storage-mismatch", name="model.pt", formats=_PACKAGE),
    _case("package-tensors", "a package that holds nothing but tensors", package, "admit", name="model.pt", formats=_PACKAGE),
    _case("checkpoint-metadata", "the metadata of a distributed checkpoint is a pickle with a payload",
          lambda: checkpoint(_EVIL), "reject", "pickle/runs-process", formats=("pickle",)),
    _case("checkpoint-shard", "the second item of a shard has a payload",
          lambda: checkpoint(None, state_dict({"w": FakeTensor((2, 2))}), _EVIL), "reject", "pickle/runs-process", formats=_DCP),
    _case("checkpoint-last-item", "the last of many items has a payload",
          lambda: shard(*({"step": n} for n in range(20)), _EVIL), "reject", "pickle/runs-process", name="__1_0.distcp", formats=_DCP),
    _case("checkpoint-first-item", "the first of two items has a payload",
          lambda: shard(_EVIL, {"step": 1}), "reject", "pickle/runs-process", name="__1_0.distcp", formats=_DCP),
    _case("checkpoint-ordinary", "a distributed checkpoint", checkpoint, "admit", formats=_DCP),
)  # fmt: skip
