"""Replaying a pickle with a real unpickler whose every global is inert, to see what it resolves and calls.

Run in a confined child only. ``find_class`` gives a class that records how it is used and does nothing, so that the
stream goes on wherever it would go on with real objects that take anything. What is recorded here must be part of what the abstract machine of
``formats.pickle`` says about the same bytes; tests hold it to that.

A question is one byte, ``c`` for CPython's C unpickler or ``p`` for the one in Python, and the stream behind it. The answer is JSON::

    {"loads": [{"resolved": [[module, name], ...], "called": [[module, name], ...], "end": offset, "error": str | null}]}

one entry for each pickle of the stream. What calling ``name`` gave is called ``name()``, as the abstract machine calls it.
"""

from __future__ import annotations

import codecs
import copyreg
import io
import json
import pickle
import sys
from typing import Any, ClassVar

from openvet.sandbox.child import serve

__all__ = ["REGISTERED", "register", "replay"]

#: Extension codes that are registered in the process that loads, as its other code may have done.
REGISTERED = {1: ("os", "system"), 2: ("a.b", "C"), 257: ("__main__", "Net"), 70_000: ("builtins", "eval")}

_LOADS = 16
_NOTED = 20_000


class _Notes:
    """What one load resolved and called, in order and each only once."""

    def __init__(self) -> None:
        self.resolved: dict[tuple[str, str], None] = {}
        self.called: dict[tuple[str, str], None] = {}

    def forget(self) -> None:
        self.resolved.clear()
        self.called.clear()

    def call(self, path: tuple[str, str]) -> None:
        if len(self.called) < _NOTED:
            self.called[path] = None


_notes = _Notes()


class _Meta(type):
    """The type of every inert global: calling one is noted and gives an inert instance."""

    path: tuple[str, str]

    def __call__(cls, *args: Any, **_kwargs: Any) -> Any:
        _notes.call(cls.path)
        return _encoded(*args) if cls.path == ("_codecs", "encode") else _instance(cls)


def _instance(cls: Any) -> Any:
    """An instance without a call of the class."""
    return object.__new__(cls)


def _encoded(text: Any = None, codec: Any = "utf-8", *_more: Any) -> Any:
    """What protocol 2 writes bytes with gives bytes, as it does in earnest: no state can be set in them. Of anything but text it fails."""
    if codec not in ("utf-8", "utf8", "latin1", "latin-1", "ascii"):
        return _instance(_inert("_codecs", "encode"))
    if not isinstance(text, str):
        raise TypeError("encode() argument 'str' must be str")
    return text.encode(codec, "replace")


class _Inert(metaclass=_Meta):
    """A global, or what calling one gave. It takes whatever opcodes do to objects."""

    path: ClassVar[tuple[str, str]] = ("", "")

    def __new__(cls: Any, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(cls, _Meta):  # the unpickler in Python calls __new__ of whatever it is given
            return cls(*args, **kwargs)
        _notes.call(cls.path)
        return _encoded(*args) if cls.path == ("_codecs", "encode") else _instance(cls)

    def __call__(self, *_args: Any, **_kwargs: Any) -> Any:
        kind: Any = self.__class__
        module, name = kind.path
        _notes.call((module, f"{name}()"))
        return _instance(_inert(module, f"{name}()"))

    def append(self, _item: Any) -> None: ...
    def extend(self, _items: Any) -> None: ...
    def add(self, _item: Any) -> None: ...
    def __setitem__(self, _key: Any, _value: Any) -> None: ...


_classes: dict[tuple[str, str], type[_Inert]] = {}


def _inert(module: str, name: str) -> type[_Inert]:
    path = (module, name)
    if path not in _classes:
        made: Any = _Meta("_Inert", (_Inert,), {"path": path})
        _classes[path] = made
    return _classes[path]


def _find(module: str, name: str) -> Any:
    if len(_notes.resolved) < _NOTED:
        _notes.resolved[str(module), str(name)] = None
    return _inert(str(module), str(name))


class _InC(pickle.Unpickler):
    """CPython's unpickler in C."""

    def find_class(self, module: str, name: str) -> Any:
        return _find(module, name)

    def persistent_load(self, _identifier: Any) -> Any:
        return _instance(_inert("", "<persistent>"))


class _InPython(pickle._Unpickler):
    """CPython's unpickler in Python."""

    def find_class(self, module: str, name: str) -> Any:
        return _find(module, name)

    def persistent_load(self, _identifier: Any) -> Any:
        return _instance(_inert("", "<persistent>"))


def register() -> None:
    """Register the extension codes."""
    for code, (module, name) in REGISTERED.items():
        copyreg.add_extension(module, name, code)


def replay(question: bytes) -> bytes:
    """Load every pickle of one stream."""
    unpickler: Any = _InC if question[:1] == b"c" else _InPython
    stream = io.BytesIO(question[1:])
    loads = []
    for _ in range(_LOADS):
        _notes.forget()
        _classes.clear()
        copyreg._extension_cache.clear()  # type: ignore[attr-defined]
        error = None
        try:
            unpickler(stream).load()
        except RecursionError:
            error = "RecursionError"
        except Exception as failure:  # noqa: BLE001 - any: the stream decides what it runs into
            error = f"{type(failure).__name__}: {str(failure)[:200]}"
        loads.append(
            {
                "resolved": [*_notes.resolved],
                "called": [*_notes.called],
                "end": stream.tell(),
                "error": error,
            }
        )
        if error is not None or stream.tell() >= len(question) - 1:
            break
    return json.dumps({"loads": loads}, ensure_ascii=True).encode()


if __name__ == "__main__":
    sys.setrecursionlimit(2_000)
    register()
    for codec in ("ascii", "latin-1", "utf-8", "raw-unicode-escape", "unicode-escape"):
        codecs.lookup(codec)
    replay(b"p" + pickle.dumps([1, "warm", {}, b"up"]))  # whatever is imported late is imported now
    replay(b"c" + pickle.dumps({1: {2}, "a": (None, 1.5, 2**70)}, 5))
    replay(b"pgarbage")
    serve(replay)
