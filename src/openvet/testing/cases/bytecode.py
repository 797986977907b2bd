"""Compiled Python beside a model: told as code, and rejected for what it does when it is imported."""

from __future__ import annotations

from typing import Literal

from openvet.testing.case import Case
from openvet.testing.forge_bytecode import code, function, import_and_call, pyc

__all__ = ["CASES"]

_CODE = "file/native-code"
_NAMES = ["torch", "nn", "Module"]


def _case(
    name: str, technique: str, made: bytes, decision: Literal["review", "reject"], *rules: str, file: str
) -> Case:
    return Case(
        f"bytecode/{name}",
        technique,
        lambda: made,
        decision,
        frozenset((_CODE, *rules)),
        ("python-bytecode",),
        name=file,
    )


CASES: tuple[Case, ...] = (
    *(
        _case(
            f"starts-process-{major}-{minor}",
            f"bytecode of Python {major}.{minor} that starts a process when it is imported",
            pyc((major, minor), import_and_call((major, minor))),
            "reject",
            "python/process-at-load",
            file="modeling_x.pyc",
        )
        for major, minor in ((2, 7), (3, 6), (3, 7), (3, 8), (3, 9), (3, 10), (3, 11), (3, 12), (3, 13), (3, 14))
    ),
    _case("in-pycache", "bytecode in __pycache__ that Python never compares with its source",
          pyc((3, 11), import_and_call((3, 11)), flags=1), "reject", "python/process-at-load",
          file="__pycache__/modeling_x.cpython-311.pyc"),
    _case("called-function", "bytecode whose function starts a process and is called at the top",
          pyc((3, 12), function((3, 12), called=True)), "reject", "python/process-at-load", file="a.pyc"),
    _case("loads-library", "bytecode that loads a library when it is imported",
          pyc((3, 11), import_and_call((3, 11), "ctypes", "CDLL")), "review", "python/native-at-load", file="a.pyc"),
    _case("as-weights", "bytecode under the name of weights", pyc((3, 11), code((3, 11), b"", _NAMES)), "reject",
          "file/disguised-program", file="model.bin"),
    _case("function", "bytecode with a function that starts a process, which nothing calls",
          pyc((3, 10), function((3, 10), called=False)), "review", file="a.pyc"),
    _case("harmless", "bytecode that does nothing of note", pyc((3, 11), code((3, 11), b"", _NAMES)), "review", file="a.pyc"),
)  # fmt: skip
