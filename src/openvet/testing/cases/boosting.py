"""Boosted trees of XGBoost, LightGBM and CatBoost: lists that lie, pickles inside, and ordinary models."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

from openvet.testing.case import Case
from openvet.testing.forge import Call, Name, dump
from openvet.testing.forge_archive import ZipPart, forge_zip
from openvet.testing.forge_boosting import catboost_model, forge_ubjson, lightgbm_model, xgboost_document

__all__ = ["CASES"]

_EVIL = dump(Call(Name("os", "system"), ("echo forged",)), 4)
_LIES = "boosting/structure-lies"


def _case(
    name: str,
    technique: str,
    forge: Callable[[], bytes],
    decision: Literal["admit", "review", "reject"],
    *rules: str,
    file: str = "model.ubj",
) -> Case:
    kind = {"ubj": "ubjson", "json": "json", "txt": "lightgbm", "cbm": "catboost"}[name.split("-", maxsplit=1)[0]]
    return Case(f"boosting/{name}", technique, forge, decision, frozenset(rules), (kind,), (), file)


_OLD = dump(Call(Name("os", "system"), ("echo forged",)), 0)
_SPELLED: tuple[tuple[str, str, Any], ...] = (
    ("protocol-0", "of protocol 0 as a list of bytes", _OLD),
    ("text", "of protocol 0 as a text", _OLD.decode()),
    ("base64", "in base64", base64.b64encode(_EVIL).decode()),
    ("zlib", "in zlib", zlib.compress(_EVIL)),
    ("wide", "as a list of numbers of four bytes each", list(_EVIL)),
)


def _with_attribute(value: Any) -> bytes:
    return forge_ubjson({**xgboost_document(), "attributes": {"note": value}})


def _beside(value: bytes) -> bytes:
    """A model with one more key, whose value is spelled as given."""
    return b"{i\x05extra" + value + forge_ubjson(xgboost_document())[1:]


def _json(**lists: Any) -> bytes:
    return json.dumps(xgboost_document(**lists)).encode()


_HOSTILE = (
    _case("ubj-pickle", "a pickle as a list of bytes in a model of XGBoost",
          lambda: forge_ubjson({**xgboost_document(), "extra": _EVIL}), "reject", "pickle/runs-process"),
    *(_case(f"ubj-pickle-{name}", f"a pickle {what}", partial(_with_attribute, value), "reject", "pickle/runs-process")
      for name, what, value in _SPELLED),
    _case("ubj-pickle-key", "a pickle of protocol 0 as a key",
          lambda: forge_ubjson({**xgboost_document(), _OLD.decode(): True}), "reject", "pickle/runs-process"),
    _case("ubj-pickle-characters", "a pickle as a list of characters",
          lambda: _beside(b"[$C#U" + bytes([len(_EVIL)]) + _EVIL), "reject", "pickle/runs-process"),
    _case("ubj-pickle-one-by-one", "a pickle as a list of numbers, each with its type",
          lambda: _beside(b"[" + b"".join(b"U" + bytes([each]) for each in _EVIL) + b"]"), "reject", "pickle/runs-process"),
    _case("ubj-pickle-in-gzip", "the same in gzip",
          lambda: gzip.compress(forge_ubjson({"learner": {"attributes": {"deep": [_EVIL]}}}), mtime=0), "reject",
          "pickle/runs-process", file="model.ubj.gz"),
    _case("ubj-zip", "a zip with a pickle behind a model",
          lambda: forge_zip([ZipPart(b"x.pkl", _EVIL)], prefix=forge_ubjson(xgboost_document())), "reject",
          "pickle/runs-process", "file/polyglot", "file/trailing-data", "archive/hidden-data"),
)  # fmt: skip
_LYING = (
    _case("ubj-child", "a child that does not exist",
          lambda: forge_ubjson(xgboost_document(left_children=[4096, -1, -1])), "reject", _LIES),
    _case("ubj-length", "a list that is shorter than the number of nodes",
          lambda: forge_ubjson(xgboost_document(nodes=1_000_000)), "review", _LIES),
    _case("ubj-feature", "a split on a feature that does not exist",
          lambda: forge_ubjson(xgboost_document(split_indices=[70000, 0, 0])), "reject", _LIES),
    _case("ubj-key-twice", "a key that stands twice", lambda: b"{i\x01aZi\x01aT}", "review", _LIES),
    _case("ubj-length-bomb", "a list of four thousand million numbers",
          lambda: b"{i\x01a[$D#l\x7f\xff\xff\xff\0\0", "review", "file/malformed"),
    _case("ubj-depth-bomb", "a thousand lists in each other", lambda: b"{i\x01a" + b"[" * 1000, "review"),
    _case("json-child", "a child that does not exist, in JSON", lambda: _json(right_children=[-7, -1, -1]), "reject", _LIES,
          file="model.json"),
    _case("json-trees", "fewer trees than the model says",
          lambda: json.dumps(xgboost_document(trees=9)).encode(), "review", _LIES, file="model.json"),
    _case("json-parent", "a parent that does not exist", lambda: _json(parents=[2147483647, 0, 99]), "review", _LIES,
          file="model.json"),
    _case("txt-leaves", "a million leaves in lists of three", lambda: lightgbm_model(leaves=1_000_000), "review", _LIES,
          file="model.txt"),
    _case("txt-child", "a child that does not exist", lambda: lightgbm_model(left_child="77 -1"), "reject", _LIES,
          file="model.txt"),
    _case("txt-cycle", "a split that leads to itself", lambda: lightgbm_model(left_child="0 -1"), "reject", _LIES,
          file="model.txt"),
    _case("txt-feature", "a feature that does not exist", lambda: lightgbm_model(split_feature="0 5"), "reject", _LIES,
          file="model.txt"),
    _case("txt-shared", "a split that two splits lead to", lambda: lightgbm_model(left_child="1 -1", right_child="1 -3"), "review", _LIES,
          file="model.txt"),
    _case("json-cycle", "a node that leads back to the root", lambda: _json(left_children=[1, 0, -1], right_children=[2, 0, -1]), "reject",
          _LIES, file="model.json"),
    _case("cbm-more-leaves", "more leaves than the trees have", lambda: catboost_model(leaf_values=[0.5] * 4), "review", _LIES,
          file="model.cbm"),
    _case("txt-no-end", "no end mark", lambda: lightgbm_model(end=False), "review", _LIES, file="model.txt"),
    _case("cbm-depth", "a tree of depth sixty", lambda: catboost_model(tree_sizes=[60]), "review", _LIES, file="model.cbm"),
    _case("cbm-leaves", "fewer leaves than the trees have", lambda: catboost_model(leaf_values=[0.5]), "reject", _LIES,
          file="model.cbm"),
    _case("cbm-start", "a tree that starts far outside the splits", lambda: catboost_model(tree_start_offsets=[1 << 30]),
          "reject", _LIES, file="model.cbm"),
    _case("cbm-part", "counters that break off", lambda: catboost_model((9).to_bytes(4, "little")), "review",
          "file/malformed", file="model.cbm"),
    _case("cbm-trailing", "a pickle behind the model", lambda: catboost_model() + _EVIL, "reject", "file/trailing-data", "pickle/runs-process",
          file="model.cbm"),
)  # fmt: skip
_HARMLESS = (
    _case("ubj-ordinary-attributes", "attributes with digests, words and compressed words", partial(_with_attribute, {
        "sha": "0" * 64, "words": base64.b64encode(b"ordinary words " * 4).decode(), "packed": zlib.compress(b"words " * 40),
        "numbers": list(range(100))}), "admit"),
    _case("ubj-ordinary", "an ordinary model of XGBoost", lambda: forge_ubjson(xgboost_document()), "admit"),
    _case("json-ordinary", "the same in JSON", _json, "admit", file="model.json"),
    _case("json-other", "another JSON with a learner", lambda: b'{"learner": {"name": "x"}, "trees": [1, 2]}', "admit",
          file="config.json"),
    _case("txt-ordinary", "an ordinary model of LightGBM", lightgbm_model, "admit", file="model.txt"),
    _case("txt-ordinary-note", "a note that begins with the word tree", lambda: b"tree\nand version=v4 of it\n", "admit",
          file="notes.txt"),
    _case("cbm-ordinary", "an ordinary model of CatBoost", catboost_model, "admit", file="model.cbm"),
    _case("cbm-ordinary-part", "an ordinary model with counters that are empty", lambda: catboost_model(bytes(4)), "admit",
          file="model.cbm"),
)  # fmt: skip
CASES: tuple[Case, ...] = _HOSTILE + _LYING + _HARMLESS
