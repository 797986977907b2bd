"""Tensor files whose headers lie, and the ordinary ones beside them: GGUF, safetensors, NumPy, PyTorch's storages."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Literal

from openvet.testing.case import Case, Files
from openvet.testing.forge import Call, Name, dump
from openvet.testing.forge_tensors import GgufArray, GgufTensor, gguf, npy, safetensors, safetensors_raw
from openvet.testing.forge_torch import FakeTensor, state_dict, torch_legacy, torch_zip

__all__ = ["CASES"]

_EVIL = dump(Call(Name("os", "system"), ("echo forged",)), 4)
_INJECTS = "{{ cycler.__init__.__globals__.os.popen('echo forged').read() }}"
_OVERFLOW, _LIES, _TEMPLATE = "gguf/size-overflow", "gguf/header-lies", "template/injection"
_STORAGE, _BROKEN, _BEHIND = "torch/storage-mismatch", "file/malformed", "file/trailing-data"
_PAIR = state_dict({"w": FakeTensor((4, 8)), "b": FakeTensor((4,), "HalfStorage", parameter=True)})
_ARCHITECTURE = ("general.architecture", "string", "llama")
_TEXTS = GgufArray("string", ["<s>", "</s>", "a"])


def _case(
    name: str,
    technique: str,
    forge: Callable[[], bytes | Files],
    decision: Literal["admit", "review", "reject"],
    *rules: str,
    formats: tuple[str, ...],
    file: str,
    advisories: tuple[str, ...] = (),
) -> Case:
    return Case(f"tensors/{name}", technique, forge, decision, frozenset(rules), formats, advisories, file)


def _gguf(
    name: str,
    technique: str,
    forge: Callable[[], bytes],
    decision: Literal["admit", "review", "reject"],
    *rules: str,
    advisories: tuple[str, ...] = (),
) -> Case:
    return _case(
        f"gguf-{name}", technique, forge, decision, *rules, formats=("gguf",), file="model.gguf", advisories=advisories
    )


def _torch(
    name: str, technique: str, forge: Callable[[], bytes], decision: Literal["admit", "review", "reject"], *rules: str
) -> Case:
    advisories = ("CVE-2026-24747",) if _STORAGE in rules else ()
    return _case(
        f"torch-{name}",
        technique,
        forge,
        decision,
        *rules,
        formats=("torch-zip",),
        file="model.pt",
        advisories=advisories,
    )


def _safetensors(
    name: str, technique: str, forge: Callable[[], bytes], decision: Literal["admit", "review", "reject"], *rules: str
) -> Case:
    return _case(
        f"safetensors-{name}", technique, forge, decision, *rules, formats=("safetensors",), file="model.safetensors"
    )


def _npy(
    name: str, technique: str, forge: Callable[[], bytes], decision: Literal["admit", "review", "reject"], *rules: str
) -> Case:
    return _case(f"npy-{name}", technique, forge, decision, *rules, formats=("npy",), file="model.npy")


def _objects(number: int, word: str) -> Case:
    """An array of Python objects whose dtype is spelled ``word``."""
    header = f"{{'descr': '{word}', 'fortran_order': False, 'shape': (1,), }}"
    technique = f"an array of Python objects whose dtype is spelled {word}: a hostile pickle"
    return _npy(f"objects-{number}", technique, lambda: npy(header, _EVIL), "reject", "pickle/runs-process")


def _one(dtype: str = "F32", shape: tuple[int, ...] = (2,), offsets: tuple[int, int] = (0, 8)) -> dict[str, Any]:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


def _tensor(*dims: int, size: int = 32) -> GgufTensor:
    return GgufTensor("t", dims, 0, size=size)


def _nested(deep: int) -> GgufArray:
    made = GgufArray("u32", [1])
    for _ in range(deep - 1):
        made = GgufArray("array", [made])
    return made


CASES: tuple[Case, ...] = (
    _gguf("overflow", "extents whose product wraps around in 64 bits: a small buffer for a large tensor",
          lambda: gguf([_ARCHITECTURE], [_tensor(2**33, 2**33)], data=b""), "reject", _OVERFLOW, "file/incomplete", advisories=("CVE-2026-7482",)),
    _gguf("overflow-small-extents", "the same with four extents that are small alone",
          lambda: gguf([_ARCHITECTURE], [_tensor(2**16, 2**16, 2**16, 2**15)], data=b""), "reject", _OVERFLOW, "file/incomplete",
          advisories=("CVE-2026-7482",)),
    _gguf("count-of-keys", "2**63 keys", lambda: gguf([_ARCHITECTURE], n_keys=2**63), "reject", _OVERFLOW, _BROKEN,
          advisories=("CVE-2024-25664",)),
    _gguf("count-of-tensors", "2**62 tensors", lambda: gguf([_ARCHITECTURE], n_tensors=2**62), "reject", _OVERFLOW, _BROKEN,
          advisories=("CVE-2024-25665",)),
    _gguf("length-of-text", "a text of 2**64 - 1 bytes",
          lambda: gguf([_ARCHITECTURE]).replace(b"\x05\0\0\0\0\0\0\0llama", b"\xff" * 8 + b"llama"), "reject", _OVERFLOW, _BROKEN,
          advisories=("CVE-2024-25666",)),
    _gguf("length-of-array", "an array of 2**62 texts",
          lambda: gguf([_ARCHITECTURE, ("tokenizer.ggml.tokens", "array", GgufArray("string", ["a"], 2**62))]), "reject",
          _OVERFLOW, _BROKEN, advisories=("CVE-2024-25667",)),
    _gguf("chat-template", "a chat template that reaches the operating system when a loader renders it",
          lambda: gguf([_ARCHITECTURE, ("tokenizer.chat_template", "string", _INJECTS)]), "reject", _TEMPLATE,
          advisories=("CVE-2024-34359", "CVE-2026-5760")),
    _gguf("named-template", "the same in a template with a name",
          lambda: gguf([_ARCHITECTURE, ("tokenizer.chat_template.tool_use", "string", _INJECTS)]), "reject", _TEMPLATE,
          advisories=("CVE-2024-34359",)),
    _gguf("two-tensors-one-place", "two tensors share bytes",
          lambda: gguf([_ARCHITECTURE], [_tensor(8), GgufTensor("u", (8,), 0, size=32, offset=0)]), "review", _LIES),
    _gguf("nine-dimensions", "a tensor of nine dimensions: readers wrote them behind an array of four",
          lambda: gguf([_ARCHITECTURE], [_tensor(1, 1, 1, 1, 1, 1, 1, 1, 8)]), "reject", _LIES),
    _gguf("jump", "a tensor that lies a tebibyte behind the one before it",
          lambda: gguf([_ARCHITECTURE], [_tensor(8), GgufTensor("u", (8,), 0, size=32, offset=2**40)], data=bytes(64)), "reject", _LIES,
          "file/incomplete"),
    _gguf("cut-short", "a download that was cut short: the last tensors lie behind the end",
          lambda: gguf([_ARCHITECTURE], [GgufTensor(f"t{each}", (2**20,), 0, size=2**22) for each in range(8)], data=bytes(64)), "review",
          "file/incomplete"),
    _gguf("tensor-type", "a type of tensor that would be looked up far behind a table",
          lambda: gguf([_ARCHITECTURE], [GgufTensor("t", (8,), 0x7FFFFFFF, size=32)]), "reject", _LIES),
    _gguf("tensor-type-of-a-fork", "a type of tensor that only a fork has",
          lambda: gguf([_ARCHITECTURE], [GgufTensor("t", (256,), 399, size=288)]), "review"),
    _gguf("alignment-zero", "an alignment of zero", lambda: gguf([_ARCHITECTURE, ("general.alignment", "u32", 0)], [_tensor(8)]), "reject",
          _LIES),
    _gguf("nested-arrays", "thirty arrays in each other", lambda: gguf([_ARCHITECTURE, ("general.note", "array", _nested(30))]),
          "reject", _LIES),
    _gguf("nested-twice", "an array of arrays", lambda: gguf([_ARCHITECTURE, ("general.note", "array", _nested(2))], [_tensor(8)]), "admit"),
    _gguf("ordinary", "an ordinary model",
          lambda: gguf([_ARCHITECTURE, ("tokenizer.ggml.tokens", "array", _TEXTS)], [_tensor(8)]), "admit"),
    _gguf("ordinary-big-endian", "an ordinary model for a big-endian machine",
          lambda: gguf([_ARCHITECTURE], [_tensor(8)], order=">"), "admit"),
    _torch("short-storage", "a storage that is shorter than the pickle says",
           lambda: torch_zip(_PAIR, cut={"0": 100}), "reject", _STORAGE),
    _torch("beyond-storage", "a tensor that reaches beyond its storage",
           lambda: torch_zip(state_dict({"w": FakeTensor((1000,), claimed=2)})), "reject", _STORAGE),
    _torch("far-beyond-storage", "a tensor that begins 2**62 elements behind its storage",
           lambda: torch_zip(state_dict({"w": FakeTensor((4,), start=2**62, claimed=4)})), "reject", _STORAGE),
    _torch("before-storage", "a tensor that goes back from the beginning of its storage",
           lambda: torch_zip(state_dict({"w": FakeTensor((4,), stride=(-1,))})), "reject", _STORAGE),
    _torch("two-sizes", "one storage with two sizes",
           lambda: torch_zip(state_dict({"a": FakeTensor((4,), key="0"), "b": FakeTensor((64,), key="0")})), "reject", _STORAGE),
    _torch("missing-storage", "a storage that is not in the archive",
           lambda: torch_zip(_PAIR).replace(b"archive/data/1", b"archive/data/x"), "review", _STORAGE),
    _torch("ordinary", "an ordinary checkpoint", lambda: torch_zip(_PAIR), "admit"),
    _torch("ordinary-tied", "two tensors over one storage",
           lambda: torch_zip(state_dict({"a": FakeTensor((2, 4), key="0"), "b": FakeTensor((2, 4), key="0")})), "admit"),
    _case("torch-ordinary-legacy", "an ordinary checkpoint in the container before 1.6", lambda: torch_legacy(_PAIR), "admit",
          formats=("torch-legacy",), file="model.pt"),
    _case("torch-ordinary-tar", "a checkpoint under the name that scripts of PyTorch's examples give it", lambda: torch_legacy(_PAIR), "admit",
          formats=("torch-legacy",), file="model_best.pth.tar"),
    _case("torch-behind-legacy", "a second pickle behind the storages of a legacy file", lambda: torch_legacy(_PAIR, tail=_EVIL), "review",
          "pickle/trailing-data", formats=("torch-legacy",), file="model.pt"),
    _safetensors("overlap", "two tensors share bytes",
                 lambda: safetensors_raw(json.dumps({"a": _one(), "b": _one(offsets=(4, 12))}), bytes(12)), "reject", "safetensors/header-lies"),
    _safetensors("hole", "bytes that no tensor shows",
                 lambda: safetensors_raw(json.dumps({"a": _one(), "b": _one(offsets=(16, 24))}), bytes(24)), "review", "safetensors/header-lies"),
    _safetensors("behind", "a pickle behind the last tensor", lambda: safetensors_raw(json.dumps({"a": _one()}), bytes(8) + _EVIL), "reject",
                 _BEHIND, "pickle/runs-process"),
    _safetensors("key-twice", "a tensor that is described twice",
                 lambda: safetensors_raw('{"a":%s,"a":%s}' % (json.dumps(_one()), json.dumps(_one())), bytes(8)), "reject",  # noqa: UP031
                 "safetensors/header-lies"),
    _safetensors("shape", "a shape that does not fit the bytes",
                 lambda: safetensors_raw(json.dumps({"a": _one(shape=(2**32, 2**32))}), bytes(8)), "reject", "safetensors/header-lies"),
    _safetensors("header-length", "a header that says that it is 2**60 bytes long",
                 lambda: (2**60).to_bytes(8, "little") + safetensors({"a": ("F32", (2,))})[8:], "reject", "safetensors/header-lies", "file/malformed"),
    _safetensors("ordinary", "an ordinary file", lambda: safetensors({"a": ("F32", (2,))}), "admit"),
    _npy("object", "an array of Python objects: a hostile pickle",
         lambda: npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", _EVIL), "reject", "pickle/runs-process"),
    *(_objects(number, word) for number, word in enumerate(("object", "object_", "<f8,object", "2O,i4", "(2,)O", "T"))),
    _npy("unknown-dtype", "a dtype that is not known, and a hostile pickle where its data stand",
         lambda: npy("{'descr': 'brand-new', 'fortran_order': False, 'shape': (1,), }", _EVIL), "reject", "pickle/runs-process"),
    _npy("header-call", "a header that is more than a literal", lambda: npy("{'descr': __import__('os').getcwd(), 'shape': ()}"), "review",
         _BROKEN),
    _npy("ordinary", "an ordinary array", lambda: npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", bytes(8)), "admit"),
    _npy("ordinary-structured", "an array of records",
         lambda: npy("{'descr': [('a', '<i4'), ('b', '<f8')], 'fortran_order': False, 'shape': (1,), }", bytes(12)), "admit"),
)  # fmt: skip
