"""Whole files inside the literals of a pickle: they are judged as the files that they are, in whatever spelling."""

from __future__ import annotations

import base64
import bz2
import gzip
import hashlib
import json
import lzma
import struct
import zlib
from collections.abc import Callable
from typing import Any

from openvet.testing.case import Case
from openvet.testing.forge import Call, Name, dump
from openvet.testing.forge_archive import TarPart, ZipPart, forge_tar, forge_zip
from openvet.testing.forge_keras import dense, h5, keras3, lambda2, lambda3, layer2, model2, model3
from openvet.testing.forge_tensors import npy
from openvet.testing.forge_torch import FakeTensor, state_dict, torch_zip

__all__ = ["CASES"]

_PAYLOAD = Call(Name("os", "system"), ("echo forged",))
_EVIL = dump(_PAYLOAD, 4)
_GOOD = dump({"layers": [1, 2, 3], "name": "ordinary"}, 4)
_RUNS, _LAMBDA, _NESTED = "pickle/runs-process", "keras/lambda-code", "pickle/nested-pickle"
_OBJECTS = "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
_FLOATS = "{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }"


def _zip() -> bytes:
    return forge_zip([ZipPart(b"archive/data.pkl", _EVIL)])


def _torch() -> bytes:
    return torch_zip(_PAYLOAD)


def _tar() -> bytes:
    return forge_tar([TarPart(b"model.pkl", _EVIL)])


def _object_array() -> bytes:
    return npy(_OBJECTS, _EVIL)


def _ordinary_checkpoint() -> bytes:
    return torch_zip(state_dict({"w": FakeTensor((2, 2))}))


def _noise(size: int) -> bytes:
    return hashlib.shake_128(size.to_bytes(4, "little")).digest(size)


def _case(
    name: str, technique: str, value: Callable[[], Any], *rules: str, protocol: int = 4, decision: str = ""
) -> Case:
    decision = decision or ("reject" if rules else "admit")

    def forge() -> bytes:
        made = value()
        return dump(made if isinstance(made, Call) else {"kept": made}, protocol)

    return Case(f"literals/{name}", technique, forge, decision, frozenset(rules), ("pickle",), name="model.pkl")  # type: ignore[arg-type]


def _array(data: bytes) -> Call:
    """An array of bytes, as NumPy pickles it."""
    dtype = Call(Name("numpy", "dtype"), ("u1", False, True), state=(3, "|", None, None, None, -1, -1, 0))
    made = (Name("numpy", "ndarray"), (0,), b"b")
    return Call(Name("numpy.core.multiarray", "_reconstruct"), made, state=(1, (len(data),), dtype, False, data))


def _bytearray() -> bytes:
    data = _zip()
    return b"\x80\x05\x96" + struct.pack("<Q", len(data)) + data + b"."


def _long_pickle() -> bytes:
    return dump({"inner": h5(model2(lambda2()))}, 4)


CASES: tuple[Case, ...] = (
    _case("zip", "a zip with a hostile pickle", _zip, _RUNS),
    *(_case(f"zip-protocol-{each}", f"the same as protocol {each} spells bytes", _zip, _RUNS, protocol=each) for each in (0, 1, 2, 3, 5)),
    _case("torch", "a checkpoint of PyTorch with a payload, kept as bytes", _torch, _RUNS),
    *(_case(f"torch-protocol-{each}", f"the same as protocol {each} spells bytes", _torch, _RUNS, protocol=each) for each in (0, 2)),
    _case("torch-base64", "the same in base64", lambda: base64.b64encode(_torch()).decode(), _RUNS),
    _case("torch-base64-lines", "the same in lines of base64", lambda: base64.encodebytes(_torch()).decode(), _RUNS),
    _case("torch-hex", "the same in hexadecimal digits", lambda: _torch().hex(), _RUNS),
    _case("torch-hex-capitals", "the same in capital hexadecimal digits", lambda: _torch().hex().upper(), _RUNS),
    _case("torch-base85", "the same in base85", lambda: base64.b85encode(_torch()).decode(), _RUNS),
    _case("torch-base32", "the same in base32", lambda: base64.b32encode(_torch()).decode(), _RUNS),
    _case("torch-data-address", "the same in base64 in an address", lambda: f"data:application/octet-stream;base64,{base64.b64encode(_torch()).decode()}", _RUNS),
    _case("torch-base64-twice", "the same in base64 of base64", lambda: base64.b64encode(base64.b64encode(_torch())).decode(), _RUNS),
    _case("torch-hex-prefix", "the same in hexadecimal digits behind 0x", lambda: f"0x{_torch().hex()}", _RUNS),
    _case("torch-hex-pairs", "the same in pairs of hexadecimal digits", lambda: _torch().hex(" "), _RUNS),
    _case("torch-comment", "a zip behind other bytes, with a comment", lambda: _noise(700) + forge_zip([ZipPart(b"archive/data.pkl", _EVIL)], comment=b"model"), _RUNS,
          "archive/hidden-data"),
    _case("gzip-decoy", "a second member of gzip behind a decoy", lambda: gzip.compress(b"text", mtime=0) + gzip.compress(_torch(), mtime=0), _RUNS, "archive/hidden-data"),
    _case("torch-gzip", "the same in gzip", lambda: gzip.compress(_torch(), mtime=0), _RUNS),
    _case("torch-gzip-base64", "the same in gzip in base64", lambda: base64.b64encode(gzip.compress(_torch(), mtime=0)).decode(), _RUNS),
    _case("torch-zlib", "the same in zlib", lambda: zlib.compress(_torch()), _RUNS),
    _case("torch-xz", "the same in xz", lambda: lzma.compress(_torch()), _RUNS),
    _case("torch-bz2", "the same in bzip2", lambda: bz2.compress(_torch()), _RUNS),
    _case("torch-behind", "a zip behind other bytes, which is found by its end", lambda: _noise(9000) + _torch(), _RUNS, "archive/hidden-data"),
    _case("gzip-twice", "a hostile pickle that is compressed twice", lambda: gzip.compress(gzip.compress(_EVIL, mtime=0), mtime=0), _RUNS),
    _case("keras", "a model of Keras 3 with a Lambda", lambda: keras3(model3(lambda3())), _LAMBDA),
    _case("keras-unpickled", "what Keras pickles: the zip of a model with a Lambda, which is loaded without safe mode",
          lambda: Call(Name("keras.src.saving.keras_saveable", "KerasSaveable._unpickle_model"),
                       (Call(Name("_io", "BytesIO"), (keras3(model3(lambda3())),)),)), _LAMBDA),
    _case("hdf5", "an HDF5 model with a Lambda", lambda: h5(model2(lambda2())), _LAMBDA),
    _case("hdf5-latin-1", "the same as protocol 2 spells bytes", lambda: h5(model2(lambda2())), _LAMBDA, protocol=2),
    _case("keras-json", "the settings of a model with a Lambda, as to_json gives them", lambda: json.dumps(model2(lambda2("e" * 600))), _LAMBDA),
    _case("tar", "a tar with a hostile pickle", _tar, _RUNS),
    _case("tar-base64", "the same in base64", lambda: base64.b64encode(_tar()).decode(), _RUNS),
    _case("tar-gz", "a tar.gz with a hostile pickle", lambda: gzip.compress(_tar(), mtime=0), _RUNS),
    _case("object-array", "an array of objects as np.save writes it", _object_array, _RUNS),
    _case("object-array-npz", "the same in an npz", lambda: forge_zip([ZipPart(b"a.npy", _object_array())]), _RUNS),
    _case("array-of-bytes", "a checkpoint of PyTorch as an array of NumPy", lambda: _array(_torch()), _RUNS),
    _case("raw-state", "a booster whose state holds a zip in place of its raw bytes",
          lambda: Call(Name("xgboost.core", "Booster"), (), state={"handle": _zip()}, how="NEWOBJ"), _RUNS),
    _case("pickle", "a hostile pickle that nothing in the file loads", lambda: _EVIL, _NESTED),
    _case("pickle-zlib", "the same compressed", lambda: zlib.compress(_EVIL), _NESTED),
    _case("pickle-in-pickle", "a hostile zip in a pickle of data in a pickle", lambda: dump({"inner": _zip()}, 4), _RUNS),
    _case("pickle-long", "a model with a Lambda in a long pickle of data in a pickle", _long_pickle, _LAMBDA),
    Case("literals/bytearray", "a zip with a hostile pickle as a bytearray", _bytearray, "reject", frozenset({_RUNS}), ("pickle",), name="model.pkl"),
    _case("ordinary-checkpoint", "an ordinary checkpoint of PyTorch, kept as bytes", _ordinary_checkpoint),
    _case("ordinary-checkpoint-2", "the same as protocol 2 spells bytes", _ordinary_checkpoint, protocol=2),
    _case("ordinary-checkpoint-base64", "the same in base64", lambda: base64.b64encode(_ordinary_checkpoint()).decode()),
    _case("ordinary-keras", "an ordinary model of Keras 3", lambda: keras3(model3(dense()))),
    _case("ordinary-hdf5", "an ordinary HDF5 model", lambda: h5(model2(layer2("Dense", units=3)))),
    _case("ordinary-array", "an array of floats as np.save writes it", lambda: npy(_FLOATS, bytes(16))),
    _case("ordinary-pickle", "a pickle of nothing but data", lambda: _GOOD),
    _case("ordinary-pickle-gzip", "the same in gzip", lambda: gzip.compress(_GOOD, mtime=0)),
    _case("ordinary-text-zip", "a zip with a text", lambda: forge_zip([ZipPart(b"a.txt", b"text\n" * 9)])),
    _case("ordinary-picture", "a picture", lambda: b"\x89PNG\r\n\x1a\n" + _noise(3000)),
    _case("ordinary-packed-numbers", "compressed numbers", lambda: [zlib.compress(_noise(999)), gzip.compress(_noise(998), mtime=0), lzma.compress(_noise(997))]),
    _case("ordinary-numbers", "numbers that begin like files, and digests", lambda: [b"MZ" + _noise(99), b"PK" + _noise(98), b"(\xb5/\xfd" + _noise(97), b"\x7fE" + _noise(96),
                                                                             "504b0304" + "ab" * 28, "7f454c46" * 8, "f0" * 40]),
    _case("ordinary-words", "texts that begin like digits of files", lambda: ["TVs and radios, all of them, are for sale", "UEsDB is what zips begin with in base64", "N3 and k0 are names"]),
    _case("ordinary-settings", "settings of a model of Keras, as to_json gives them", lambda: json.dumps(model2(*[layer2("Dense", units=each) for each in range(9)]))),
)  # fmt: skip
