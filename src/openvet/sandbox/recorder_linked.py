"""Replaying a pickle in which everything that only links and computes is real, and everything else an inert recorder.

Run in a confined child only. What :mod:`openvet.sandbox.recorder` cannot show is where linkers lead: there ``getattr`` and ``map``
do nothing. Here they, and the types and functions of the standard library that call what they are given, are the real ones, and
modules that a program imports are inert: attributes of attributes, all of which note that they are called.

A question is as there. The answer is JSON: ``{"called": ["os.system", ...], "error": str | null}``, over all pickles of the stream.
"""

from __future__ import annotations

import builtins
import collections
import copy
import copyreg
import functools
import io
import itertools
import json
import operator
import pickle
import sys
import types
from collections.abc import Callable
from typing import Any

from openvet.sandbox.child import serve

__all__ = ["replay"]

_LOADS = 8
_called: dict[str, None] = {}


class _Thing:
    """Something inert: a module, an attribute of one, or what calling that gave."""

    def __init__(self, path: str) -> None:
        self.__dict__["path"] = path

    def __call__(self, *_args: Any, **_kwargs: Any) -> Any:
        if len(_called) < 1_000:
            _called[self.__dict__["path"]] = None
        return _Thing(self.__dict__["path"] + "()")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__") and name not in ("__call__", "__dict__"):
            raise AttributeError(name)
        return _Thing(f"{self.__dict__['path']}.{name}")

    def __setattr__(self, _name: str, _value: Any) -> None: ...
    def append(self, _item: Any) -> None: ...
    def extend(self, _items: Any) -> None: ...
    def add(self, _item: Any) -> None: ...
    def __setitem__(self, _key: Any, _value: Any) -> None: ...

    def __iter__(self) -> Any:
        return iter(())  # without it the items below would never end

    def __getitem__(self, key: Any) -> Any:
        return _Thing(f"{self.__dict__['path']}.{key}") if isinstance(key, str) else _Thing(self.__dict__["path"])


class Net:
    """A class of the project, as a model has it."""


class Box:
    """A class with slots."""

    __slots__ = ("__dict__", "append", "hook")


def _import_module(name: str, *_more: Any) -> Any:
    return _Thing(str(name))


def _resolve_name(name: str) -> Any:
    return _Thing(str(name).replace(":", "."))


_REAL_MODULES: dict[str, Any] = {
    "builtins": builtins,
    "collections": collections,
    "copyreg": copyreg,
    "copy": copy,
    "functools": functools,
    "_functools": functools,
    "itertools": itertools,
    "operator": operator,
    "_operator": operator,
    "types": types,
}
_STAND_INS: dict[tuple[str, str], Any] = {
    ("builtins", "__import__"): _import_module,
    ("importlib", "import_module"): _import_module,
    ("pkgutil", "resolve_name"): _resolve_name,
    ("pydoc", "locate"): _resolve_name,
    ("__main__", "Net"): Net,
    ("__main__", "Box"): Box,
    ("builtins", "apply"): lambda function, arguments=(): function(*arguments),
    ("builtins", "eval"): _Thing("builtins.eval"),
    ("builtins", "exec"): _Thing("builtins.exec"),
    ("builtins", "compile"): _Thing("builtins.compile"),
    ("builtins", "open"): _Thing("builtins.open"),
    ("builtins", "input"): _Thing("builtins.input"),
    ("builtins", "breakpoint"): _Thing("builtins.breakpoint"),
}


def _find(module: str, name: str) -> Any:
    if (module, name) in _STAND_INS:
        return _STAND_INS[module, name]
    if module not in _REAL_MODULES:
        return _Thing(f"{module}.{name}")
    found = _REAL_MODULES[module]
    for part in name.split("."):
        if part.startswith("__") and part in (
            "__globals__",
            "__builtins__",
            "__subclasses__",
            "__loader__",
            "__spec__",
        ):
            return _Thing(f"{module}.{name}")
        found = getattr(found, part)
    return _Thing(f"{module}.{name}") if isinstance(found, types.ModuleType) else found


class _InC(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        return _find(module, name)

    def persistent_load(self, _identifier: Any) -> Any:
        return _Thing("<persistent>")


class _InPython(pickle._Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        return _find(module, name)

    def persistent_load(self, _identifier: Any) -> Any:
        return _Thing("<persistent>")


def replay(question: bytes) -> bytes:
    """Load every pickle of one stream."""
    unpickler: Callable[[Any], Any] = _InC if question[:1] == b"c" else _InPython
    stream = io.BytesIO(question[1:])
    _called.clear()
    error = None
    kept = []
    for _ in range(_LOADS):
        copyreg._extension_cache.clear()  # type: ignore[attr-defined]
        try:
            kept.append(unpickler(stream).load())
        except RecursionError:
            error = "RecursionError"
        except Exception as failure:  # noqa: BLE001 - any: the stream decides what it runs into
            error = f"{type(failure).__name__}: {str(failure)[:200]}"
        if error is not None or stream.tell() >= len(question) - 1:
            break
    return json.dumps({"called": [*_called], "error": error}).encode()


if __name__ == "__main__":
    sys.setrecursionlimit(1_000)
    replay(b"p" + pickle.dumps([1, "warm", {}, b"up"]))
    replay(b"c" + pickle.dumps({1: {2}, "a": (None, 1.5, 2**70)}, 5))
    serve(replay)
