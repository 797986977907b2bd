"""MessagePack as Flax and others write it: pickles inside, lies about arrays, bombs, and ordinary weights."""

from __future__ import annotations

import base64
import gzip
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

from openvet.testing.case import Case
from openvet.testing.forge import Call, Name, dump
from openvet.testing.forge_msgpack import Ext, flax_array, forge_msgpack

__all__ = ["CASES"]

_EVIL = dump(Call(Name("os", "system"), ("echo forged",)), 4)
_OLD = dump(Call(Name("os", "system"), ("echo forged",)), 0)
_W = flax_array([2, 3], "float32", bytes(24))
_PARAMS: dict[str, Any] = {"params": {"Dense_0": {"kernel": _W, "bias": flax_array([3], "bfloat16", bytes(6))}}}


def _case(
    name: str,
    technique: str,
    forge: Callable[[], bytes],
    decision: Literal["admit", "review", "reject"],
    *rules: str,
    file: str = "flax_model.msgpack",
) -> Case:
    return Case(f"flax/{name}", technique, forge, decision, frozenset(rules), ("msgpack",), (), file)


def _with(**more: Any) -> bytes:
    return forge_msgpack({**_PARAMS, **more})


_OBJECTS = {"nd": True, "type": "|O", "kind": b"O", "shape": [1], "data": _EVIL}
_FIELDS: tuple[tuple[str, str, Any], ...] = (
    ("protocol-0", "a pickle of protocol 0 as bytes", _OLD),
    ("text", "a pickle of protocol 0 as a text", _OLD.decode()),
    ("padded", "a pickle that begins with a value that it drops, as bytes", b"N0" + _OLD),
    ("base64-bytes", "a pickle in base64 as bytes", base64.b64encode(_EVIL)),
    ("base64-text", "a pickle in base64 behind other words", "state: " + base64.b64encode(_EVIL).decode()),
    ("zlib", "a pickle in zlib", zlib.compress(_EVIL)),
    ("gzip", "a pickle in gzip", gzip.compress(_EVIL, mtime=0)),
)
_HOSTILE = (
    _case("pickle-bytes", "a pickle as bytes among the weights", lambda: _with(extra=_EVIL), "reject", "pickle/runs-process"),
    _case("pickle-deep", "a pickle seven maps and lists deep", lambda: _with(a=[{"b": [{"c": {"d": [_EVIL]}}]}]), "reject",
          "pickle/runs-process"),
    _case("pickle-protocol-2", "a pickle of protocol 2",
          lambda: _with(extra=dump(Call(Name("os", "system"), ("echo forged",)), 2)), "reject", "pickle/runs-process"),
    _case("numpy-objects", "an array of objects of msgpack-numpy", lambda: _with(array=_OBJECTS), "reject",
          "msgpack/pickled-objects", "pickle/runs-process"),
    _case("numpy-objects-text-keys", "the same with a kind that is a text and a pickle of protocol 0",
          lambda: _with(array={"nd": True, "kind": "O", "data": dump(Call(Name("os", "system"), ("echo forged",)), 0)}),
          "reject", "msgpack/pickled-objects", "pickle/runs-process"),
    *(_case(f"field-{name}", f"{what} among the weights", partial(_with, extra=value), "reject", "pickle/runs-process")
      for name, what, value in _FIELDS),
    _case("key", "a pickle of protocol 0 as the key of a map", lambda: _with(**{_OLD.decode(): 1}), "reject", "pickle/runs-process"),
    _case("numbers-as-keys", "a pickle in a map whose keys are numbers", lambda: forge_msgpack({1: _EVIL, 2: 3}), "reject",
          "pickle/runs-process", file="state.bin"),
    _case("bytes-as-keys", "a pickle in a map whose keys are bytes", lambda: forge_msgpack({b"a": _EVIL, b"b": 3}), "reject",
          "pickle/runs-process", file="state.bin"),
    _case("only-bytes", "a pickle as bytes and nothing else", lambda: forge_msgpack(_EVIL), "reject", "pickle/runs-process",
          file="state.bin"),
    _case("extension-pickle", "a pickle in an extension that Flax does not have", lambda: _with(extra=Ext(5, _EVIL)), "reject",
          "msgpack/unknown-extension", "pickle/runs-process"),
    _case("other-name", "a pickle in MessagePack under the name of weights", lambda: _with(extra=_EVIL), "reject",
          "pickle/runs-process", file="weights.bin"),
    _case("in-gzip", "the same in gzip", lambda: gzip.compress(_with(extra=_EVIL), mtime=0), "reject", "pickle/runs-process",
          file="flax_model.msgpack.gz"),
)  # fmt: skip
_REVIEW = (
    _case("unknown-extension", "an extension that Flax does not have", lambda: _with(extra=Ext(42, b"whatever")), "review",
          "msgpack/unknown-extension"),
    _case("shape-lies", "an array of a million numbers with twelve bytes",
          lambda: _with(big=flax_array([1000, 1000], "float32", bytes(12))), "review", "msgpack/header-lies"),
    _case("object-dtype", "an array of the dtype object", lambda: _with(big=flax_array([1], "object", bytes(8))), "review",
          "msgpack/header-lies"),
    _case("depth-bomb", "a thousand lists in each other", lambda: b"\x81\xa1a" + b"\x91" * 1000 + b"\xc0", "review"),
    _case("length-bomb", "a list of four thousand million items", lambda: b"\x82\xa1a\x01\xa1b\xdd\xff\xff\xff\xff\x00",
          "review", "file/malformed"),
    _case("duplicate-key", "a key that stands twice", lambda: b"\x82\xa1a\x01\xa1a\x02", "review", "msgpack/header-lies"),
    _case("trailing", "bytes behind the value", lambda: _with() + b"hidden\xff", "review", "file/trailing-data"),
)  # fmt: skip
_HARMLESS = (
    _case("ordinary", "ordinary weights of Flax", _with, "admit"),
    _case("ordinary-scalar", "a scalar and a complex number",
          lambda: _with(step=flax_array([], "int32", bytes(4), 3), phase=Ext(2, forge_msgpack([1.0, 2.0]))), "admit"),
    _case("ordinary-chunks", "an array in chunks", lambda: _with(big={
        "__msgpack_chunked_array__": True, "shape": {"0": 4}, "chunks": {"0": _W, "1": _W}}), "admit"),
    _case("ordinary-optimizer", "a training state with numbers, nothing and texts",
          lambda: _with(opt_state={"0": {"count": 5, "mu": None, "lr": 0.001, "name": "adam"}}), "admit"),
    _case("ordinary-bytes", "plain bytes that begin with 80 04",
          lambda: _with(blob=b"\x80\x04" + bytes(range(200, 256)) * 3), "admit"),
    _case("ordinary-fields", "digests, base64 of words, compressed words and numbers as keys",
          lambda: _with(sha="0" * 64, words=base64.b64encode(b"ordinary words " * 4), packed=zlib.compress(b"words " * 40),
                        table={1: "a", 2: b"cos\nine\n"}), "admit"),
    _case("ordinary-wide-lists", "an array whose lists are spelled with more bytes than they need",
          lambda: _with(wide=Ext(1, b"\xdc\0\3\xdd\0\0\0\1\xce\0\0\0\2\xd9\7float32\xc6\0\0\0\x08" + bytes(8))), "admit"),
    _case("ordinary-numpy", "numbers of msgpack-numpy",
          lambda: _with(array={"nd": True, "type": "<f4", "kind": b"", "shape": [2], "data": bytes(8)}), "admit"),
)  # fmt: skip
CASES: tuple[Case, ...] = _HOSTILE + _REVIEW + _HARMLESS
