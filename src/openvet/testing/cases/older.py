"""Files as libraries wrote them years ago and as their test data keeps them, each beside a hostile one of the same make."""

from __future__ import annotations

import zlib
from typing import Any

from openvet.testing.case import Case
from openvet.testing.forge import Call, Name, dump
from openvet.testing.forge_torch import FakeTensor, torch_zip

__all__ = ["CASES"]

_ARRAY, _OBJECT = Name("numpy", "ndarray"), Name("__builtin__", "object")
_WRAPPER = Name("joblib.numpy_pickle", "NumpyArrayWrapper")


def _instance(module: str, name: str, **state: Any) -> Call:
    return Call(Name(module, name), (), state=state, how="NEWOBJ")


def _numbers(raw: bytes, kind: Name = _ARRAY) -> bytes:
    """An array of bytes in a file of joblib's: ``pickle.load`` takes them for opcodes."""
    state = {
        "subclass": kind, "shape": (len(raw),), "order": "C", "allow_mmap": False,
        "dtype": Call(Name("numpy", "dtype"), ("u1", False, True), state=(3, "|", None, None, None, -1, -1, 0)),
    }  # fmt: skip
    return dump(Call(_WRAPPER, (), state=state, how="NEWOBJ"), 2)[:-1] + raw + b"."


def _zfile(data: bytes) -> bytes:
    return b"ZF" + hex(len(data)).encode().ljust(19) + zlib.compress(data)


def _beside(name: str, data: bytes) -> dict[str, bytes]:
    """A file of joblib 0.9 that names the file in which its array lies, and that file."""
    state = {"state": (1, (4,), Name("builtins", "int"), False), "init_args": (), "filename": name}
    outer = dump(Call(Name("joblib.numpy_pickle", "ZNDArrayWrapper"), (), state=state, how="NEWOBJ"), 3)
    return {"model.gz": _zfile(outer), "model.gz_01.npy.z": _zfile(data)}


def _bare(state: Any, base: Name = _OBJECT) -> Call:
    memory = Call(Name("copy_reg", "_reconstructor"), (Name("joblib.memory", "Memory"), base, state))
    return Call(Name("hdbscan.hdbscan_", "HDBSCAN"), (), state={"memory": memory}, how="NEWOBJ")


CASES: tuple[Case, ...] = (
    *(
        Case(
            f"older/a-matrix-of-{word}",
            "A matrix in a file of joblib's, under the name that its class had in NumPy before 1.16",
            lambda kind=kind: _numbers(bytes(8), kind),  # type: ignore[misc]
            "admit",
            formats=("pickle",),
            name="model.joblib",
        )
        for word, kind in (
            ("numpy-1.6", Name("numpy.matrixlib.defmatrix", "matrix")),
            ("numpy-1.3", Name("numpy.core.defmatrix", "matrix")),
        )
    ),
    Case(
        "older/a-stream-of-joblib-named-gz",
        "A stream of zlib that joblib 0.10 gave the ending of gzip",
        lambda: zlib.compress(_numbers(bytes(8))),
        "admit",
        formats=("zlib", "pickle"),
        name="model.gz",
    ),
    Case(
        "older/not-a-stream-of-joblib-named-gz",
        "The same with a call behind the array",
        lambda: zlib.compress(_numbers(bytes(8))[:-1] + b"cos\nsystem\nU\x0becho forged\x85R."),
        "reject",
        frozenset({"pickle/runs-process"}),
        formats=("zlib", "pickle"),
        name="model.gz",
    ),
    Case(
        "older/not-a-matrix-but-a-call",
        "An array in a file of joblib's of a class that joblib never takes out of a pickle, with a call behind it",
        lambda: _numbers(b"", Name("mine", "Matrix"))[:-1] + b"cos\nsystem\nU\x0becho forged\x85R.",
        "reject",
        frozenset({"pickle/runs-process", "pickle/project-class"}),
        formats=("pickle",),
        name="model.joblib",
    ),
    Case(
        "older/a-pickle-of-word-vectors",
        "Word vectors as gensim saves them, under the ending of word vectors",
        lambda: dump(_instance("gensim.models.word2vec", "Word2Vec", min_count=1), 2),
        "admit",
        formats=("pickle",),
        name="model.w2v",
    ),
    Case(
        "older/torchscript-named-ts",
        "A PyTorch file under an ending that is both TorchScript's and TypeScript's",
        lambda: torch_zip({"weight": FakeTensor((2, 2))}),
        "admit",
        formats=("torch-zip",),
        name="model.ts",
    ),
    Case(
        "older/not-torchscript-named-ts",
        "A bare pickle under the same ending",
        lambda: dump({"a": 1}, 4),
        "reject",
        frozenset({"file/name-mismatch"}),
        formats=("pickle",),
        name="model.ts",
    ),
    Case(
        "older/an-array-beside",
        "A file of joblib 0.9 and the numbers of its array in a file beside it",
        lambda: _beside("model.gz_01.npy.z", bytes(range(32))),
        "admit",
        formats=("joblib-zfile", "pickle"),
    ),
    Case(
        "older/not-an-array-beside",
        "The same, where the file beside holds a pickle instead of numbers",
        lambda: _beside("model.gz_01.npy.z", dump(Call(Name("os", "system"), ("echo forged",)), 2)),
        "reject",
        frozenset({"pickle/runs-process", "file/name-mismatch"}),
        formats=("joblib-zfile", "pickle"),
    ),
    Case(
        "older/an-array-that-nothing-names",
        "Numbers that no file of the folder takes for an array, and that begin with no mark of anything else",
        lambda: _beside("other_01.npy.z", bytes(range(32))),
        "admit",
        formats=("joblib-zfile", "pickle"),
    ),
    Case(
        "older/an-array-elsewhere",
        "A file of joblib 0.9 that takes its array, which may be a pickle, from outside of the folder",
        lambda: dump(
            Call(
                Name("joblib.numpy_pickle", "NDArrayWrapper"),
                (),
                state={"filename": "../forged.npy", "subclass": Name("numpy", "ndarray")},
                how="NEWOBJ",
            ),
            2,
        ),
        "review",
        formats=("pickle",),
        name="model.pkl",
    ),
    Case(
        "older/a-cache-in-protocol-0",
        "A cache of joblib without a place in a model of protocol 0, which has no opcode that makes an instance",
        lambda: dump(_bare(None), 0),
        "admit",
        formats=("pickle",),
        name="model.pkl",
    ),
    Case(
        "older/not-a-cache-in-protocol-0",
        "The same with an argument, which would be a place",
        lambda: dump(_bare("forged"), 0),
        "reject",
        frozenset({"pickle/loads-nested"}),
        formats=("pickle",),
        name="model.pkl",
    ),
    Case(
        "older/not-a-cache-but-its-base",
        "The same, where the base class that makes the instance is a callable that starts a process",
        lambda: dump(_bare(None, Name("os", "system")), 0),
        "reject",
        frozenset({"pickle/loads-nested", "pickle/runs-process"}),
        formats=("pickle",),
        name="model.pkl",
    ),
    Case(
        "older/objects-of-python-2",
        "An array of objects as NumPy of Python 2 pickled it",
        lambda: dump(Call(Name("numpy.core._internal", "_reconstruct"), (Name("numpy", "ndarray"), (0,), "b")), 2),
        "admit",
        formats=("pickle",),
        name="model.pkl",
    ),
)
