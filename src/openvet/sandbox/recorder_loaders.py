"""Replaying a pickle with the unpicklers of joblib, dill, PyTorch and pandas, with inert globals as in :mod:`openvet.sandbox.recorder`.

Run in a confined child only, and only where these packages are installed (``make replay``). A question is one byte and the bytes
behind it: ``j`` joblib's NumpyUnpickler, ``d`` dill's Unpickler, ``a`` pandas' (pickle_compat), ``l`` a legacy file for
``torch.load``, ``z`` a ``data.pkl`` that is put into a zip for ``torch.load``, ``w`` a stream for the unpickler behind
``weights_only``. The answer is that of :mod:`openvet.sandbox.recorder`.
"""

from __future__ import annotations

import codecs
import copyreg
import io
import json
import os
import pickle
import sys
import types
import zipfile
from collections.abc import Callable
from importlib import import_module
from typing import Any

from openvet.sandbox import recorder
from openvet.sandbox.child import serve

__all__ = ["replay"]

#: Callables that are real, since what an unpickler does next depends on them: joblib asks a dtype how many bytes follow.
_real: dict[tuple[str, str], Any] = {}


class _Recording(pickle._Unpickler):
    """Goes behind an unpickler in Python in the order of its bases, so that what it looks up is recorded."""

    def find_class(self, module: str, name: str) -> Any:
        return _find(module, name)

    def persistent_load(self, _identifier: Any) -> Any:
        return recorder._instance(recorder._inert("", "<persistent>"))


class _RecordingC(pickle.Unpickler):
    """What PyTorch is given as ``pickle_module.Unpickler``: it derives its own from it."""

    def find_class(self, module: str, name: str) -> Any:
        return _find(module, name)

    def load(self) -> Any:
        # PyTorch's own wants the storages of a whole file
        self.persistent_load = lambda _identifier: recorder._instance(recorder._inert("", "<persistent>"))  # type: ignore[method-assign]
        return super().load()


def _find(module: str, name: str) -> Any:
    found = recorder._find(module, name)
    return _real.get((module, name), found)


class _Marked:
    """A real callable whose calls are noted."""

    def __init__(self, path: tuple[str, str], real: Any) -> None:
        self.path = path
        self.real = real

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        recorder._notes.call(self.path)
        try:
            return self.real(*args, **kwargs)
        except Exception:  # noqa: BLE001 - any: an inert one takes everything
            return recorder._instance(recorder._inert(*self.path))


def _joblib() -> Callable[[io.BytesIO], Any]:
    joblib: Any = import_module("joblib.numpy_pickle")
    numpy: Any = import_module("numpy")

    class Unpickler(joblib.NumpyUnpickler, _Recording):  # type: ignore[misc]
        pass

    class Wrapper(joblib.NumpyArrayWrapper):  # type: ignore[misc]
        def __new__(cls, *_args: Any, **_kwargs: Any) -> Any:
            recorder._notes.call(("joblib.numpy_pickle", "NumpyArrayWrapper"))
            return object.__new__(cls)

        def __init__(self, *_args: Any, **_kwargs: Any) -> None: ...

    def inner(stream: Any) -> Any:
        return recorder._InC(stream).load()

    # an array of objects is a pickle of its own, which joblib loads with the plain unpickler
    joblib.pickle = types.SimpleNamespace(load=inner)
    wrapper = ("joblib.numpy_pickle", "NumpyArrayWrapper")
    _real[wrapper] = Wrapper
    _real["numpy", "dtype"] = _Marked(("numpy", "dtype"), numpy.dtype)

    def load(stream: io.BytesIO) -> Any:
        unpickler: Any = Unpickler
        return unpickler("x", stream, True).load()

    return load


def _dill() -> Callable[[io.BytesIO], Any]:
    dill: Any = import_module("dill._dill")
    stock = dill.StockUnpickler
    dill.StockUnpickler = types.SimpleNamespace(
        find_class=lambda _self, module, name: recorder._find(module, name), __init__=stock.__init__, load=stock.load
    )

    class Unpickler(dill.Unpickler, _Recording):  # type: ignore[misc]
        pass

    def load(stream: io.BytesIO) -> Any:
        unpickler = Unpickler(stream)
        unpickler._main = types.ModuleType("__main__")  # the session that dill would write into
        return unpickler.load()

    return load


def _pandas() -> Callable[[io.BytesIO], Any]:
    compat: Any = import_module("pandas.compat.pickle_compat")

    class Unpickler(compat.Unpickler, _Recording):  # type: ignore[misc]
        pass

    return lambda stream: Unpickler(stream).load()


def _torch() -> dict[str, Callable[[io.BytesIO], Any]]:
    torch: Any = import_module("torch")
    module = types.ModuleType("recording")
    module.Unpickler = _RecordingC  # type: ignore[attr-defined]
    module.load = lambda stream, **_kwargs: recorder._InC(stream).load()  # type: ignore[attr-defined]
    strict: Any = import_module("torch._weights_only_unpickler")

    class Everything:
        """An allowlist with everything on it."""

        def __contains__(self, _name: object) -> bool:
            return True

        def __getitem__(self, name: str) -> Any:
            return recorder._inert(*named[name])

        def values(self) -> Everything:
            return self

    named: dict[str, tuple[str, str]] = {}
    read_global = strict._read_global_instruction

    def noting(readline: Any) -> Any:
        path = read_global(readline)
        named[".".join(path)] = path
        recorder._find(*path)
        return path

    strict._read_global_instruction = noting
    strict._blocklisted_modules = []
    strict._get_allowed_globals = Everything

    def legacy(stream: io.BytesIO) -> Any:
        return torch.load(stream, map_location="cpu", pickle_module=module, weights_only=False)

    def zipped(stream: io.BytesIO) -> Any:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("archive/data.pkl", stream.read())
            archive.writestr("archive/version", b"3\n")
        buffer.seek(0)
        return torch.load(buffer, map_location="cpu", pickle_module=module, weights_only=False)

    def weights_only(stream: io.BytesIO) -> Any:
        unpickler = strict.Unpickler(stream)
        unpickler.persistent_load = lambda _identifier: recorder._instance(recorder._inert("", "<persistent>"))
        return unpickler.load()

    return {"l": legacy, "z": zipped, "w": weights_only}


_loaders: dict[str, Callable[[io.BytesIO], Any]] = {}


def replay(question: bytes) -> bytes:
    """Load one stream with one of the loaders."""
    letter = question[:1].decode()
    stream = io.BytesIO(question[1:])
    recorder._notes.forget()
    recorder._classes.clear()
    copyreg._extension_cache.clear()  # type: ignore[attr-defined]
    error = None
    try:
        _loaders[letter](stream)
    except RecursionError:
        error = "RecursionError"
    except Exception as failure:  # noqa: BLE001 - any: the stream decides what it runs into
        error = f"{type(failure).__name__}: {str(failure)[:200]}"
    load = {
        "resolved": [*recorder._notes.resolved],
        "called": [*recorder._notes.called],
        "end": stream.tell(),
        "error": error,
    }
    return json.dumps({"loads": [load]}, ensure_ascii=True).encode()


def _warm() -> None:
    """Make the loaders that were asked for, and have them import what they import late."""
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
    import_module("warnings").simplefilter("ignore")
    _loaders.update({"j": _joblib(), "d": _dill(), "a": _pandas(), **_torch()})
    for codec in ("ascii", "latin-1", "utf-8", "raw-unicode-escape", "unicode-escape"):
        codecs.lookup(codec)
    for letter in _loaders:
        for sample in ([1, {"a": (b"b", 1.5, 2**70)}], recorder._instance):
            replay(letter.encode() + pickle.dumps(sample, 2))
        replay(letter.encode() + b"garbage")


if __name__ == "__main__":
    sys.setrecursionlimit(2_000)
    recorder.register()
    _warm()
    serve(replay)
